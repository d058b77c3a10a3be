/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PRIVMEMCTL_OVERRIDE_H
#define PRIVMEMCTL_OVERRIDE_H

/*
 * The drop-in in which grant, set-limit and revoke keep what they changed of a unit until the
 * next boot, as "systemctl set-property --runtime" does.
 */

#include "client.h"
#include "plan.h"

#define OVERRIDE_DIRECTORY "/run/systemd/system"

char *override_path(const char *unit);
char *override_format(const char *section, const struct plan *plan);
int override_read(const char *path, char **ret);
int override_write(const char *path, const char *text);

/* What the files of a unit ask for; @without is passed over, NULL for none. */
int override_load(const char *unit, char *const *files, const char *without,
		  const struct nodenames *names, struct plan *ret, struct client_error *ret_error);

#endif
