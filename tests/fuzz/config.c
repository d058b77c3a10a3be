/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* privmemd.conf and its drop-ins, with a form feed between two files. */
#include "config.h"
#include "fuzz.h"
#include "settings.h"

static struct device devices[] = {
	{ .name = "dax0.0", .path = "/devices/platform/hmem.0/dax0.0", .owners = "hmem ", .nid = 1,
	  .bytes = UINT64_C(4) << 30 },
	{ .name = "dax1.0", .path = "/devices/pci0000:3a/0000:3a:00.0/region0/dax_region0/dax1.0",
	  .owners = "kmem cxl_dax_region ", .nid = 1022, .bytes = UINT64_C(8) << 30 },
};

static void print_pattern(FILE *out, const char *key, const char *value)
{
	if (value)
		fprintf(out, "%s=%s \n", key, value); /* a \ that ends the value joins no line */
}

static void print_node(FILE *out, const struct config_node *node)
{
	fprintf(out, "[Node %s]\nPrivate=%s\n", node->name, node->is_private ? "yes" : "no");
	print_pattern(out, "Device", node->device);
	print_pattern(out, "Path", node->path);
	print_pattern(out, "Owner", node->owner);
	print_pattern(out, "PrivateOps", node->private_ops);
	if (node->capacity_bytes)
		fprintf(out, "Capacity=%ju\n", (uintmax_t)node->capacity_bytes);
	if (node->overcommit_percent)
		fprintf(out, "Overcommit=%u%%\n", node->overcommit_percent);
}

static bool is_same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static void check_node(const struct config_node *a, const struct config_node *b)
{
	require(is_same(a->name, b->name) && nodename_is_valid(a->name));
	require(is_same(a->device, b->device) && is_same(a->path, b->path));
	require(is_same(a->owner, b->owner) && is_same(a->private_ops, b->private_ops));
	require(a->capacity_bytes == b->capacity_bytes && a->is_private == b->is_private);
	require(a->overcommit_percent == b->overcommit_percent);
	require(!a->overcommit_percent ||
		(a->overcommit_percent >= 100 && a->overcommit_percent <= 10000));
}

/* Written down again it says the same. */
static void check_again(const struct config *config)
{
	struct config again = {};
	struct directive_error error;
	size_t length;
	char *text;
	FILE *out = open_memstream(&text, &length);

	if (config->overcommit_percent)
		fprintf(out, "[Manager]\nDefaultOvercommit=%u%%\n", config->overcommit_percent);
	for (size_t i = 0; i < config->n_nodes; i++)
		print_node(out, &config->nodes[i]);
	fclose(out);
	require(!config_add_text(&again, "again", text, length, &error));
	require(!config_check(&again, &error));
	require(again.n_nodes == config->n_nodes);
	require(again.overcommit_percent == config->overcommit_percent);
	for (size_t i = 0; i < again.n_nodes; i++)
		check_node(&again.nodes[i], &config->nodes[i]);
	config_done(&again);
	free(text);
}

/* A name stands for the node of a device that its section fits, or says why it does not. */
static void check_names(struct config *config)
{
	struct settings settings = { .config = *config };

	settings.names.list = calloc(config->n_nodes + 1, sizeof(*settings.names.list));
	settings.names.count = config->n_nodes;
	for (size_t i = 0; i < config->n_nodes; i++)
		settings.names.list[i].name = config->nodes[i].name;
	settings_resolve_against(&settings, devices, 2);
	for (size_t i = 0; i < settings.names.count; i++) {
		const struct nodename *name = &settings.names.list[i];
		const struct device *device = &devices[name->nid != devices[0].nid];

		require(name->reason ? fuzz_is_reason(name->reason) :
			config_node_matches(&config->nodes[i], device) && name->nid == device->nid);
	}
	free(settings.names.list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct directive_error error = {};
	struct config config = {};
	int r = 0;

	while (!r && size) {
		size_t length;
		const uint8_t *piece = fuzz_piece(&data, &size, '\f', &length);
		char *text = malloc(length);

		memcpy(text, piece, length);
		r = config_add_text(&config, "x.conf", text, length, &error);
		free(text);
	}
	if (!r)
		r = config_check(&config, &error);
	if (r < 0) {
		require(!strcmp(error.path, "x.conf") && fuzz_is_reason(error.reason));
	} else {
		check_again(&config);
		check_names(&config);
	}
	config_done(&config);
	return 0;
}
