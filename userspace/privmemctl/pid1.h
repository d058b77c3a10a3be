/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PRIVMEMCTL_PID1_H
#define PRIVMEMCTL_PID1_H

/* The system manager, as root asks it: what it knows of a unit, and to read all files anew. */

#include <stdbool.h>

#include "client.h"

struct pid1;

struct pid1_unit {
	char *name; /* the one it goes by, whatever alias was asked for */
	char *load_state, *active_state, *control_group;
	char *slice; /* the one it is in, "" for the root */
	char **files; /* the fragment, if there is one, then drop-ins, then NULL */
};

int pid1_open(struct pid1 **ret, struct client_error *ret_error);
void pid1_close(struct pid1 *pid1);
int pid1_get_unit(struct pid1 *pid1, const char *name, struct pid1_unit *ret,
		  struct client_error *ret_error);
int pid1_reload(struct pid1 *pid1, struct client_error *ret_error);
bool pid1_unit_is_active(const struct pid1_unit *unit);
void pid1_unit_done(struct pid1_unit *unit);

#endif
