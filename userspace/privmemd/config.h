/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PRIVMEM_CONFIG_H
#define PRIVMEM_CONFIG_H

/*
 * privmemd.conf and its drop-ins: names for the nodes of devices, how much more than a node holds
 * may be promised of it, and which devices are to become private nodes. What the configuration
 * means on this machine is for settings.c to say.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "directive.h"
#include "nodelist.h"

#define CONFIG_OVERCOMMIT_DEFAULT 100u

/* A [Node NAME] section, over all files. */
struct config_node {
	char *name;
	char *device, *path, *owner; /* patterns; NULL: any */
	uint64_t capacity_bytes; /* 0: any */
	unsigned int overcommit_percent; /* 0: the default */
	bool is_private; /* its devices are to become private nodes */
	char *private_ops; /* with these opt-ins; NULL: the usual ones */
	char *file; /* where it was first seen */
	unsigned int line;
};

struct config {
	struct config_node *nodes;
	size_t n_nodes;
	unsigned int overcommit_percent; /* 0: not given, CONFIG_OVERCOMMIT_DEFAULT */
};

/* A device as far as it can be matched. */
struct device {
	char name[64]; /* dax0.0 */
	char *path; /* in /sys, as in /devices/platform/hmem.0/dax0.0 */
	char *driver; /* NULL while none is bound */
	char *owners; /* drivers of the device and of those above it, with a space behind each */
	uint64_t bytes;
	unsigned int nid; /* the node that its memory is or would be */
};

void config_done(struct config *config);
int config_add_text(struct config *config, const char *path, const char *text, size_t length,
		    struct directive_error *ret_error);
int config_check(const struct config *config, struct directive_error *ret_error);
bool config_node_matches(const struct config_node *node, const struct device *device);

/* The function that does I/O lives in config-load.c. */
int config_load(int root_fd, struct config *ret, char **ret_error);

#endif
