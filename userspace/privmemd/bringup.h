/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Devices that the configuration wants as private nodes become that: what an
 * admin would otherwise write into sysfs by hand. A device that is private
 * already is left as it is, be it offline: somebody wanted it so.
 */
#ifndef PRIVMEM_BRINGUP_H
#define PRIVMEM_BRINGUP_H

#include "settings.h"

#define BRINGUP_OPS_DEFAULT "mempolicy migration"

struct bringup_result {
	bool is_changed;
	char text[256];		/* why it could not be done, or what is not as it should be; or "" */
};

int bringup_device(int sysfs_fd, const struct device *device, const char *ops,
		   struct bringup_result *ret);
void bringup_all(const struct settings *settings);

#endif
