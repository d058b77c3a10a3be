/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The private nodes of this machine as sysfs and udev show them: which are
 * online, which device each belongs to, how far each is from a CPU. How much
 * they hold is the cgroup file's to say, see cgroup.h.
 */
#ifndef PRIVMEM_NODE_H
#define PRIVMEM_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#include "nodelist.h"

struct node {
	unsigned int nid;
	bool is_online;
	uint64_t free_bytes;
	unsigned int nearest_nid;	/* the nearest node with CPUs */
	unsigned int distance;		/* to it, as in numactl --hardware; 0 if unknown */
	char owner[64];			/* the driver, "" if no device is found */
	char device[64];		/* "dax0.0", or several with spaces, "" likewise */
};

struct node_monitor;

/* @has_new: a dax device was among what came */
typedef void (*node_changed_t)(bool has_new, void *userdata);

int node_list_private(struct nodelist *ret);
int node_describe(const struct nodelist *wanted, struct node **ret, size_t *ret_count);

int node_monitor_new(sd_event *event, node_changed_t changed, void *userdata,
		     struct node_monitor **ret);
struct node_monitor *node_monitor_free(struct node_monitor *monitor);

#endif
