// SPDX-License-Identifier: LGPL-2.1-or-later
#include "peer.h"

/**
 * peer_open() - connect to a program that speaks D-Bus on a socket of its own
 * @address: "unix:path=..."
 * @ret: set only on success; sd_bus_unref() it
 *
 * Return: 0 or -Exxx
 */
int peer_open(const char *address, sd_bus **ret)
{
	sd_bus *bus = NULL;
	int r = sd_bus_new(&bus);

	if (r >= 0)
		r = sd_bus_set_address(bus, address);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r < 0) {
		sd_bus_unref(bus);
		return r;
	}
	*ret = bus;
	return 0;
}
