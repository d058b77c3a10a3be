/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * privmemctl verify - check files before systemd reads them. privmemd is only needed to add up
 * what is asked for; where it does not answer, that is said and the rest is checked.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"
#include "verbs.h"
#include "verify.h"

static int ask(struct client **client, struct node_rows *nodes, struct grant_rows *grants,
	       struct client_error *error)
{
	bool has_kernel_support;
	char *version;
	int r;

	r = client_open(client, error);
	if (r >= 0)
		r = client_get_facts(*client, &version, &has_kernel_support, error);
	if (r < 0)
		return r;
	free(version);
	if (!has_kernel_support) {
		snprintf(error->text, sizeof(error->text), "this kernel has no private memory nodes");
		return -EOPNOTSUPP;
	}
	r = client_list_nodes(*client, nodes, error);
	return r < 0 ? r : client_list_grants(*client, grants, error);
}

/* Returns false when there is nobody, or nothing, to add up against. */
static bool ask_for_room(struct verify *verify)
{
	struct node_rows nodes = {};
	struct grant_rows grants = {};
	struct client *client = NULL;
	struct client_error error;
	int r;

	r = ask(&client, &nodes, &grants, &error);
	if (r >= 0)
		verify_check_room(verify, &nodes, &grants);
	else
		fprintf(stderr, "privmemctl: verify: sums are not checked: %s\n", error.text);
	node_rows_done(&nodes);
	grant_rows_done(&grants);
	client_close(client);
	return r >= 0;
}

/* Whoever has a name in a directive needs the configuration for it, and nobody else does. */
static void read_names(struct verify *verify)
{
	char *error = NULL;

	if (settings_load(&verify->settings, AT_FDCWD, &error) < 0)
		fprintf(stderr, "privmemctl: verify: names of nodes are not known: %s\n",
			error ?: "out of memory");
	free(error);
	settings_resolve(&verify->settings);
}

static void print_problems(const struct verify *verify)
{
	for (size_t i = 0; i < verify->n_problems; i++) {
		const struct verify_problem *problem = &verify->problems[i];

		fprintf(stderr, "%s:", problem->path);
		if (problem->line)
			fprintf(stderr, "%u:", problem->line);
		fprintf(stderr, " %s: %s\n", problem->is_error ? "error" : "warning", problem->text);
	}
}

static void print_table(const struct verify *verify)
{
	static const char *const titles[] = { "UNIT", ">NODE", ">MAX", NULL };
	struct table table = { .titles = titles };
	unsigned int nid;

	for (size_t i = 0; i < verify->n_units; i++) {
		const struct verify_unit *unit = &verify->units[i];
		char number[16], *max;

		if (!unit->is_valid || !unit->is_asked_for)
			continue;
		nodelist_for_each(nid, &unit->directive.nodes) {
			snprintf(number, sizeof(number), "%u", nid);
			max = limit_format(directive_limit(&unit->directive, nid));
			table_add(&table, unit->name);
			table_add(&table, number);
			table_add(&table, max);
			free(max);
		}
		if (nodelist_is_empty(&unit->directive.nodes)) {
			table_add(&table, unit->name);
			table_add(&table, "none");
			table_add(&table, NULL);
		}
	}
	if (table.n_cells)
		table_print(&table, stdout);
	table_done(&table);
}

static struct json_object *json_unit(const struct verify_unit *unit)
{
	struct json_object *object = json_object_new_object(), *nodes = json_object_new_array();
	unsigned int nid;

	json_object_object_add(object, "unit", json_object_new_string(unit->name));
	json_object_object_add(object, "valid", json_object_new_boolean(unit->is_valid));
	if (unit->is_valid)
		nodelist_for_each(nid, &unit->directive.nodes) {
			struct json_object *node = json_object_new_object();
			char *max = limit_format(directive_limit(&unit->directive, nid));

			json_object_object_add(node, "node", json_object_new_uint64(nid));
			json_object_object_add(node, "max", json_object_new_string(max ?: ""));
			json_object_array_add(nodes, node);
			free(max);
		}
	json_object_object_add(object, "nodes", nodes);
	return object;
}

static void print_json(const struct verify *verify, bool is_room_checked,
		       enum report_format format)
{
	struct json_object *object = report_json_new(), *units = json_object_new_array(),
			   *problems = json_object_new_array();

	for (size_t i = 0; i < verify->n_units; i++)
		if (verify->units[i].is_asked_for)
			json_object_array_add(units, json_unit(&verify->units[i]));
	for (size_t i = 0; i < verify->n_problems; i++) {
		const struct verify_problem *problem = &verify->problems[i];
		struct json_object *entry = json_object_new_object();

		json_object_object_add(entry, "severity", json_object_new_string(
			problem->is_error ? "error" : "warning"));
		json_object_object_add(entry, "file", json_object_new_string(problem->path));
		json_object_object_add(entry, "line", problem->line ?
			json_object_new_uint64(problem->line) : NULL);
		json_object_object_add(entry, "text", json_object_new_string(problem->text));
		json_object_array_add(problems, entry);
	}
	json_object_object_add(object, "room_checked", json_object_new_boolean(is_room_checked));
	json_object_object_add(object, "units", units);
	json_object_object_add(object, "problems", problems);
	report_json_print(object, format, stdout);
}

/**
 * verb_verify() - check unit files and drop-ins
 * @arguments: paths; files for the same unit are merged
 * @options: format of what goes to standard output; problems go to standard error in any case
 *
 * Return: EXIT_DONE even with warnings, EXIT_FAILED, EXIT_NOT_FOUND or EXIT_NO_ROOM.
 */
enum exit_code verb_verify(char *const *arguments, const struct options *options)
{
	struct verify verify = {};
	bool is_room_checked;
	enum exit_code code;

	read_names(&verify);
	verify_collect(&verify, arguments);
	verify_read(&verify);
	verify_add_slices(&verify);
	is_room_checked = ask_for_room(&verify);
	if (options->format == REPORT_TABLE)
		print_table(&verify);
	else
		print_json(&verify, is_room_checked, options->format);
	print_problems(&verify);
	code = verify.code;
	verify_done(&verify);
	return code;
}
