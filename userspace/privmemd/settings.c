// SPDX-License-Identifier: LGPL-2.1-or-later
#include "settings.h"

#include <errno.h>
#include <stdlib.h>

#include "device.h"

/* One device of the right kind decides, and all others of that kind have to agree. */
static void resolve_name(struct nodename *name, const struct config_node *node,
			 const struct device *devices, size_t count)
{
	*name = (struct nodename){ node->name, 0, "no device is there that its [Node] fits" };
	for (size_t i = 0; i < count; i++) {
		if (!config_node_matches(node, &devices[i]))
			continue;
		if (!name->reason && name->nid != devices[i].nid) {
			name->reason = "its [Node] fits devices of more than one node";
			return;
		}
		name->nid = devices[i].nid;
		name->reason = NULL;
	}
}

/**
 * settings_resolve_against() - find out which node each name stands for
 * @devices: all there are
 */
void settings_resolve_against(struct settings *settings, const struct device *devices,
			      size_t count)
{
	for (size_t i = 0; i < settings->names.count; i++)
		resolve_name(&settings->names.list[i], &settings->config.nodes[i], devices, count);
}

/**
 * settings_resolve() - the same, against the devices that are there now
 */
void settings_resolve(struct settings *settings)
{
	struct device *devices;
	size_t count;

	if (settings->names.count == 0 || device_list(&devices, &count) < 0)
		return;
	settings_resolve_against(settings, devices, count);
	device_list_free(devices, count);
}

/**
 * settings_load() - read the configuration anew
 * @settings: changed only on success; call settings_resolve() then
 * @root_fd: see config_load()
 * @ret_error: set only on failure: file, line and reason, or NULL when memory ran out; free() it
 *
 * Return: 0 or -Exxx
 */
int settings_load(struct settings *settings, int root_fd, char **ret_error)
{
	struct settings fresh = {};
	int r = config_load(root_fd, &fresh.config, ret_error);

	if (r < 0)
		return r;
	fresh.names.list = calloc(fresh.config.n_nodes + 1, sizeof(*fresh.names.list));
	if (!fresh.names.list) {
		config_done(&fresh.config);
		*ret_error = NULL;
		return -ENOMEM;
	}
	fresh.names.count = fresh.config.n_nodes;
	settings_resolve_against(&fresh, NULL, 0);
	settings_done(settings);
	*settings = fresh;
	return 0;
}

static bool is_of_node(const struct settings *settings, size_t i, unsigned int nid)
{
	return !settings->names.list[i].reason && settings->names.list[i].nid == nid;
}

/**
 * settings_overcommit() - how much of a node may be promised, in percent of what it holds
 */
unsigned int settings_overcommit(const struct settings *settings, unsigned int nid)
{
	for (size_t i = 0; i < settings->names.count; i++)
		if (is_of_node(settings, i, nid) && settings->config.nodes[i].overcommit_percent)
			return settings->config.nodes[i].overcommit_percent;
	return settings->config.overcommit_percent ?: CONFIG_OVERCOMMIT_DEFAULT;
}

/**
 * settings_name() - the name of a node, the first if it has several, "" if it has none
 */
const char *settings_name(const struct settings *settings, unsigned int nid)
{
	for (size_t i = 0; i < settings->names.count; i++)
		if (is_of_node(settings, i, nid))
			return settings->config.nodes[i].name;
	return "";
}

/**
 * settings_done() - free what the settings hold
 * @settings: empty afterwards
 */
void settings_done(struct settings *settings)
{
	config_done(&settings->config);
	free(settings->names.list);
	*settings = (struct settings){};
}
