/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads configuration in the syntax of unit files. Unlike those it is read strictly: a key nobody
 * knows is a mistake, because there is nobody else whose key it could be, and a typing error must
 * not leave a node without the limit it was to have. As everywhere in systemd the last assignment
 * counts, and an empty one takes back what was said before it.
 */

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "unitfile.h"

#define SECTION_NODE "Node "
#define OVERCOMMIT_MAX 10000u

struct context {
	struct config *config;
	const char *path;
	const char *reason;
};

/**
 * config_done() - free what a configuration holds
 * @config: empty afterwards
 */
void config_done(struct config *config)
{
	for (size_t i = 0; i < config->n_nodes; i++) {
		struct config_node *node = &config->nodes[i];

		free(node->name);
		free(node->device);
		free(node->path);
		free(node->owner);
		free(node->private_ops);
		free(node->file);
	}
	free(config->nodes);
	*config = (struct config){};
}

static int node_find_or_add(struct context *context, const char *name, unsigned int line,
			    struct config_node **ret)
{
	struct config *config = context->config;
	struct config_node *grown;

	for (size_t i = 0; i < config->n_nodes; i++)
		if (!strcmp(config->nodes[i].name, name)) {
			*ret = &config->nodes[i];
			return 0;
		}
	if (!nodename_is_valid(name)) {
		context->reason = "a node's name begins with a letter, which letters, digits and "
				  "_ . - may follow; all, any and none are not free";
		return -EINVAL;
	}
	grown = reallocarray(config->nodes, config->n_nodes + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	config->nodes = grown;
	grown += config->n_nodes;
	*grown = (struct config_node){ .name = strdup(name), .file = strdup(context->path),
				       .line = line };
	config->n_nodes++;
	if (!grown->name || !grown->file)
		return -ENOMEM;
	*ret = grown;
	return 0;
}

static int assign_text(char **text, const char *value)
{
	free(*text);
	*text = *value ? strdup(value) : NULL;
	return *value && !*text ? -ENOMEM : 0;
}

static int assign_capacity(struct context *context, uint64_t *bytes, const char *value)
{
	struct limit limit = { LIMIT_BYTES, 0 };
	int r = *value ? limit_parse(value, &limit, &context->reason) : 0;

	if (r < 0)
		return r;
	if (limit.kind != LIMIT_BYTES || (*value && !limit.value)) {
		context->reason = "expected the size of a device, such as 512G";
		return -EINVAL;
	}
	*bytes = limit.value;
	return 0;
}

static int assign_percent(struct context *context, unsigned int *percent, const char *value)
{
	unsigned long number;
	char *end;

	if (!*value) {
		*percent = 0;
		return 0;
	}
	errno = 0;
	number = strtoul(value, &end, 10);
	if (*value < '0' || *value > '9' || errno || strcmp(end, "%") || number < 100 ||
	    number > OVERCOMMIT_MAX) {
		context->reason = "expected a whole percentage from 100% to 10000%";
		return -EINVAL;
	}
	*percent = (unsigned int)number;
	return 0;
}

static int assign_boolean(struct context *context, bool *is_set, const char *value)
{
	static const char *const words[2][4] = {
		{ "no", "false", "off", "0" }, { "yes", "true", "on", "1" },
	};

	for (size_t i = 0; *value && i < 8; i++)
		if (!strcmp(words[i / 4][i % 4], value)) {
			*is_set = i / 4;
			return 0;
		}
	*is_set = false;
	if (!*value)
		return 0;
	context->reason = "expected yes or no";
	return -EINVAL;
}

/* Which opt-ins there are is the kernel's to know; this only keeps to what its file takes. */
static int assign_ops(struct context *context, char **ops, const char *value)
{
	if (value[strspn(value, "abcdefghijklmnopqrstuvwxyz_ \t,")]) {
		context->reason = "expected names of opt-ins such as \"mempolicy migration\"";
		return -EINVAL;
	}
	return assign_text(ops, value);
}

static int assign_node(struct context *context, struct config_node *node,
		       const struct unitfile_assignment *assignment)
{
	const char *key = assignment->key, *value = assignment->value;

	if (!strcmp(key, "Device"))
		return assign_text(&node->device, value);
	if (!strcmp(key, "Path"))
		return assign_text(&node->path, value);
	if (!strcmp(key, "Owner"))
		return assign_text(&node->owner, value);
	if (!strcmp(key, "Capacity"))
		return assign_capacity(context, &node->capacity_bytes, value);
	if (!strcmp(key, "Overcommit"))
		return assign_percent(context, &node->overcommit_percent, value);
	if (!strcmp(key, "Private"))
		return assign_boolean(context, &node->is_private, value);
	if (!strcmp(key, "PrivateOps"))
		return assign_ops(context, &node->private_ops, value);
	context->reason = "this key is not known in a [Node] section";
	return -EINVAL;
}

static int assign_manager(struct context *context, const struct unitfile_assignment *assignment)
{
	if (!strcmp(assignment->key, "DefaultOvercommit"))
		return assign_percent(context, &context->config->overcommit_percent,
				      assignment->value);
	context->reason = "this key is not known in [Manager]";
	return -EINVAL;
}

static int assign(struct context *context, const struct unitfile_assignment *assignment)
{
	const char *section = assignment->section;
	struct config_node *node;
	int r;

	if (!strncmp(section, "X-", 2) || !strncmp(assignment->key, "X-", 2))
		return 0;
	if (!strcmp(section, "Manager"))
		return assign_manager(context, assignment);
	if (strncmp(section, SECTION_NODE, strlen(SECTION_NODE))) {
		context->reason = "there are the sections [Manager] and [Node NAME]";
		return -EINVAL;
	}
	section += strlen(SECTION_NODE);
	r = node_find_or_add(context, section + strspn(section, " \t"), assignment->line, &node);
	return r < 0 ? r : assign_node(context, node, assignment);
}

struct visit {
	struct context context;
	struct directive_error *error;
};

static int assign_visit(const struct unitfile_assignment *assignment, void *userdata)
{
	struct visit *visit = userdata;
	int r = assign(&visit->context, assignment);

	if (r < 0 && visit->context.reason) {
		snprintf(visit->error->reason, sizeof(visit->error->reason), "%.40s=%.60s: %s",
			 assignment->key, assignment->value, visit->context.reason);
		unitfile_make_printable(visit->error->reason);
	}
	return r;
}

/**
 * config_add_text() - merge one more file
 * @config: after a failure only good for config_done()
 * @path: named in @ret_error, never opened
 * @text: content of the file
 * @length: of @text in bytes
 * @ret_error: set only on failure
 *
 * Return: 0, or
 * * -EINVAL, -ERANGE - a key or a value cannot be read
 * * -EBADMSG - the file is none
 * * -ENOMEM - no memory
 */
int config_add_text(struct config *config, const char *path, const char *text, size_t length,
		    struct directive_error *ret_error)
{
	struct directive_error error = { .path = path };
	struct visit visit = { { config, path, NULL }, &error };
	int r = unitfile_walk(text, length, assign_visit, &visit, &error.line);

	return directive_walked(r, &error, ret_error);
}

/**
 * config_check() - look at the whole once every file is merged
 * @ret_error: set only on failure
 *
 * Return: 0, or
 * * -EINVAL - a section would name every device there is
 */
int config_check(const struct config *config, struct directive_error *ret_error)
{
	for (size_t i = 0; i < config->n_nodes; i++) {
		const struct config_node *node = &config->nodes[i];

		if (node->device || node->path || node->owner || node->capacity_bytes)
			continue;
		*ret_error = (struct directive_error){ node->file, node->line, "" };
		snprintf(ret_error->reason, sizeof(ret_error->reason),
			 "[Node %.64s] needs one of Device=, Path=, Owner= and Capacity=", node->name);
		return -EINVAL;
	}
	return 0;
}

/* Does the pattern fit some devices in a row, such as "0000:3a:00.0" or "region0/dax_region0"? */
static bool path_matches(const char *pattern, const char *path)
{
	char copy[strlen(path) + 1];

	for (; *path; path += strcspn(path, "/")) {
		path++;
		strcpy(copy, path);
		for (char *slash = copy + strlen(copy); slash; slash = strrchr(copy, '/')) {
			*slash = '\0';
			if (!fnmatch(pattern, copy, FNM_PATHNAME))
				return true;
		}
	}
	return false;
}

static bool owner_matches(const char *pattern, const char *owners)
{
	while (*owners) {
		size_t length = strcspn(owners, " ");
		char owner[length + 1];

		memcpy(owner, owners, length);
		owner[length] = '\0';
		if (!fnmatch(pattern, owner, 0))
			return true;
		owners += length + strspn(owners + length, " ");
	}
	return false;
}

/**
 * config_node_matches() - is it a device that a section speaks of?
 */
bool config_node_matches(const struct config_node *node, const struct device *device)
{
	if (node->device && fnmatch(node->device, device->name, 0))
		return false;
	if (node->path && !path_matches(node->path, device->path))
		return false;
	if (node->owner && !owner_matches(node->owner, device->owners))
		return false;
	return !node->capacity_bytes || node->capacity_bytes == device->bytes;
}
