/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the configuration means on this machine now: which node each name stands
 * for, and how much may be promised of each. A configuration that cannot be read
 * changes nothing; devices that come and go change what the same words mean.
 */
#ifndef PRIVMEM_SETTINGS_H
#define PRIVMEM_SETTINGS_H

#include "config.h"

struct settings {
	struct config config;
	struct nodenames names;		/* one for each section of the configuration, in its order */
};

int settings_load(struct settings *settings, int root_fd, char **ret_error);
void settings_resolve(struct settings *settings);
void settings_resolve_against(struct settings *settings, const struct device *devices,
			      size_t count);
unsigned int settings_overcommit(const struct settings *settings, unsigned int nid);
const char *settings_name(const struct settings *settings, unsigned int nid);
void settings_done(struct settings *settings);

#endif
