// SPDX-License-Identifier: LGPL-2.1-or-later
#include "node.h"

#include <errno.h>
#include <fcntl.h>
#include <numa.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-device.h>

#include "device.h"
#include "wholefile.h"

#define SYS_NODE "/sys/devices/system/node"
/* A hotplugged node makes a burst of events, one a memory block: look once it is over. */
#define SETTLE_USEC 100000u

struct node_monitor {
	sd_device_monitor *udev;
	sd_event_source *settle;
	node_changed_t changed;
	bool has_new;
	void *userdata;
};

/* libnuma prints and may exit unless these are overridden; errors reach us by return values. */
void numa_error(char *where)
{
	(void)where;
}

void numa_warn(int num, char *fmt, ...)
{
	(void)num;
	(void)fmt;
}

static int sysfs_read_list(const char *name, struct nodelist *ret)
{
	char path[128], text[4096];
	const char *reason;
	int r;

	snprintf(path, sizeof(path), SYS_NODE "/%s", name);
	r = wholefile_read(AT_FDCWD, path, text, sizeof(text));
	if (r < 0)
		return r;
	return nodelist_parse(text, ret, &reason);
}

/**
 * node_list_private() - the nodes in state N_MEMORY_PRIVATE
 * @ret: set only on success
 *
 * Return: 0, -ENOENT if the kernel does not know private nodes, or what reading gave
 */
int node_list_private(struct nodelist *ret)
{
	return sysfs_read_list("has_private_memory", ret);
}

static uint64_t node_get_free(unsigned int nid)
{
	char path[128], text[4096], *line;

	snprintf(path, sizeof(path), SYS_NODE "/node%u/meminfo", nid);
	if (wholefile_read(AT_FDCWD, path, text, sizeof(text)) < 0)
		return 0;
	line = strstr(text, "MemFree:");
	return line ? strtoull(line + strlen("MemFree:"), NULL, 10) * 1024 : 0;
}

static void node_measure(struct node *node)
{
	struct nodelist cpus;
	unsigned int nid;

	node->free_bytes = node->is_online ? node_get_free(node->nid) : 0;
	if (!node->is_online || numa_available() < 0 || sysfs_read_list("has_cpu", &cpus) < 0)
		return;
	nodelist_for_each(nid, &cpus) {
		unsigned int distance = numa_distance(node->nid, nid);

		if (distance > 0 && (node->distance == 0 || distance < node->distance)) {
			node->distance = distance;
			node->nearest_nid = nid;
		}
	}
}

static void text_append(char *text, size_t size, const char *word)
{
	size_t length = strlen(text);

	snprintf(text + length, size - length, "%s%s", length > 0 ? " " : "", word);
}

/* Every dax device names the node its memory is or would be. */
static void node_name_devices(struct node *nodes, size_t count)
{
	struct device *devices;
	size_t n_devices;

	if (device_list(&devices, &n_devices) < 0)
		return;
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < n_devices; k++) {
			const struct device *device = &devices[k];
			struct node *node = &nodes[i];

			if (node->nid != device->nid)
				continue;
			text_append(node->device, sizeof(node->device), device->name);
			if (node->owner[0] == '\0' && device->driver)
				text_append(node->owner, sizeof(node->owner), device->driver);
		}
	device_list_free(devices, n_devices);
}

/**
 * node_describe() - what is known of the private nodes and of @wanted
 * @wanted: nodes to list though they are away
 * @ret: set only on success; free() it
 * @ret_count: set only on success
 *
 * Return: 0 or -ENOMEM
 */
int node_describe(const struct nodelist *wanted, struct node **ret, size_t *ret_count)
{
	struct nodelist online = {}, all = *wanted;
	struct node *nodes;
	size_t count = 0;
	unsigned int nid;

	if (node_list_private(&online) >= 0)
		nodelist_or(&all, &online);
	nodes = calloc(nodelist_count(&all) + 1, sizeof(*nodes));
	if (!nodes)
		return -ENOMEM;
	nodelist_for_each(nid, &all) {
		nodes[count].nid = nid;
		nodes[count].is_online = nodelist_is_set(&online, nid);
		node_measure(&nodes[count++]);
	}
	node_name_devices(nodes, count);
	*ret = nodes;
	*ret_count = count;
	return 0;
}

static int on_settled(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct node_monitor *monitor = userdata;
	bool has_new = monitor->has_new;

	(void)source;
	(void)usec;
	monitor->has_new = false;
	monitor->changed(has_new, monitor->userdata);
	return 0;
}

static int on_device(sd_device_monitor *udev, sd_device *device, void *userdata)
{
	struct node_monitor *monitor = userdata;
	const char *subsystem;
	sd_device_action_t action;

	(void)udev;
	if (sd_device_get_action(device, &action) >= 0 && action == SD_DEVICE_ADD &&
	    sd_device_get_subsystem(device, &subsystem) >= 0 && strcmp(subsystem, "dax") == 0)
		monitor->has_new = true;
	if (sd_event_source_set_time_relative(monitor->settle, SETTLE_USEC) >= 0)
		sd_event_source_set_enabled(monitor->settle, SD_EVENT_ONESHOT);
	return 0;
}

/**
 * node_monitor_new() - call @changed after nodes or their devices came, went or changed
 * @ret: set only on success; see node_monitor_free()
 *
 * Return: 0 or -Exxx
 */
int node_monitor_new(sd_event *event, node_changed_t changed, void *userdata,
		     struct node_monitor **ret)
{
	static const char *const subsystems[] = { "dax", "node", "memory" };
	struct node_monitor *monitor = calloc(1, sizeof(*monitor));
	int r;

	if (!monitor)
		return -ENOMEM;
	monitor->changed = changed;
	monitor->userdata = userdata;
	r = sd_event_add_time_relative(event, &monitor->settle, CLOCK_MONOTONIC, 0, 0, on_settled,
				       monitor);
	if (r >= 0)
		r = sd_event_source_set_enabled(monitor->settle, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_device_monitor_new(&monitor->udev);
	for (size_t i = 0; r >= 0 && i < sizeof(subsystems) / sizeof(subsystems[0]); i++)
		r = sd_device_monitor_filter_add_match_subsystem_devtype(monitor->udev,
									 subsystems[i], NULL);
	if (r >= 0)
		r = sd_device_monitor_attach_event(monitor->udev, event);
	if (r >= 0)
		r = sd_device_monitor_start(monitor->udev, on_device, monitor);
	if (r < 0) {
		node_monitor_free(monitor);
		return r;
	}
	*ret = monitor;
	return 0;
}

/**
 * node_monitor_free() - stop watching
 * @monitor: may be NULL
 *
 * Return: NULL
 */
struct node_monitor *node_monitor_free(struct node_monitor *monitor)
{
	if (!monitor)
		return NULL;
	sd_device_monitor_unref(monitor->udev);
	sd_event_source_disable_unref(monitor->settle);
	free(monitor);
	return NULL;
}
