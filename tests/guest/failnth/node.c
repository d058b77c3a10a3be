// SPDX-License-Identifier: LGPL-2.1-or-later
/* Node 1 comes and goes. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "failnth.h"

static const char *dax;

void find_dax(void)
{
	static char name[32];
	char path[128], text[64];
	int i;

	for (i = 0; i < 8 && !dax; i++) {
		snprintf(path, sizeof(path), "/sys/bus/dax/devices/dax%d.0/target_node", i);
		if (access(path, R_OK))
			continue;
		read_file(path, text, sizeof(text));
		if (atoi(text) != 1)
			continue;
		snprintf(name, sizeof(name), "dax%d.0", i);
		dax = name;
	}
	if (!dax)
		fail("node 1's device");
}

static void prepare_state(const char *value)
{
	char path[256];

	snprintf(path, sizeof(path), "/sys/bus/dax/devices/%s/state", dax);
	must_write(path, value);
	open_for_write(path);
}

static void prepare_online(void)
{
	prepare_state("offline");
}

static void prepare_offline(void)
{
	prepare_state("online");
}

static void prepare_unbind(void)
{
	open_for_write("/sys/bus/dax/drivers/kmem/unbind");
}

static void prepare_bind(void)
{
	must_write("/sys/bus/dax/drivers/kmem/unbind", dax);
	open_for_write("/sys/bus/dax/drivers/kmem/bind");
}

static int run_online(void)
{
	return write_value("online");
}

static int run_offline(void)
{
	return write_value("offline");
}

static int run_driver(void)
{
	return write_value(dax);
}

static bool is_private(void)
{
	return file_is("/sys/devices/system/node/has_private_memory", "1-2\n");
}

/* All ranges of the device are node 1's memory, or none. */
static bool is_whole(void)
{
	char path[256], text[4096], *total;
	size_t size;

	if (!file_is("/sys/devices/system/node/has_memory", "0\n"))
		return false;
	if (!is_private())
		return access("/sys/devices/system/node/node1", F_OK);
	snprintf(path, sizeof(path), "/sys/bus/dax/devices/%s/size", dax);
	read_file(path, text, sizeof(text));
	size = strtoull(text, NULL, 10);
	read_file("/sys/devices/system/node/node1/meminfo", text, sizeof(text));
	total = strstr(text, "MemTotal:");
	return total && strtoull(total + 9, NULL, 10) << 10 == size;
}

static bool check_online(int err)
{
	return is_private() == !err && is_whole();
}

static bool check_offline(int err)
{
	return is_private() == !!err && is_whole();
}

/* An unbind reports nothing: both ends are sound. */
static bool check_driver(int err)
{
	(void)err;
	return is_whole();
}

/* Bound and online again, without a fault. */
void restore_node(void)
{
	char path[256];

	snprintf(path, sizeof(path), "/sys/bus/dax/devices/%s/driver", dax);
	if (access(path, F_OK))
		must_write("/sys/bus/dax/drivers/kmem/bind", dax);
	snprintf(path, sizeof(path), "/sys/bus/dax/devices/%s/state", dax);
	must_write(path, "online");
	if (!is_private()) {
		fprintf(stderr, "node 1 did not come back\n");
		exit(1);
	}
}

const struct operation node_operations[] = {
	{ "online", prepare_online, run_online, check_online, true },
	{ "offline", prepare_offline, run_offline, check_offline, true },
	{ "unbind", prepare_unbind, run_driver, check_driver, true },
	{ "bind", prepare_bind, run_driver, check_driver, true },
	{ }
};
