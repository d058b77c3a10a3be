/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * In JSON amounts are numbers of bytes, null where there is no limit, and every field is always
 * there. In tables the columns requested, effective, limit, current and peak stand side by side,
 * and the last one says why they differ.
 */

#include "report.h"
#include "table.h"

static const char *or_empty(const char *text)
{
	return text ?: "";
}

static void add_node(struct table *table, uint32_t nid)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", nid);
	table_add(table, nid == CLIENT_NO_NODE ? NULL : text);
}

/**
 * report_print_nodes() - a line a node
 * @nodes: what to print
 * @file: where to
 */
void report_print_nodes(const struct node_rows *nodes, FILE *file)
{
	static const char *const titles[] = { ">NODE",     "NAME",	 "STATE", "DEVICE", "OWNER",
					      ">CAPACITY", ">RESERVED", ">USED", ">FREE",  NULL };
	struct table table = { .titles = titles };

	if (!nodes->n_rows) {
		fputs("No private nodes.\n", file);
		return;
	}
	for (size_t i = 0; i < nodes->n_rows; i++) {
		const struct node_row *row = &nodes->rows[i];

		add_node(&table, row->nid);
		table_add(&table, row->name);
		table_add(&table, row->is_online ? "online" : "absent");
		table_add(&table, row->device);
		table_add(&table, row->owner);
		table_add_size(&table, row->capacity_bytes);
		table_add_size(&table, row->reserved_bytes);
		table_add_size(&table, row->used_bytes);
		table_add_size(&table, row->free_bytes);
	}
	table_print(&table, file);
	table_done(&table);
}

/* Why the figures of a row differ, as far as privmemd knows. */
static void add_remark(struct table *table, const struct grant_row *row)
{
	char text[512];

	if (*or_empty(row->draws_from) && *or_empty(row->reason))
		snprintf(text, sizeof(text), "from %s; %s", row->draws_from, row->reason);
	else if (*or_empty(row->draws_from))
		snprintf(text, sizeof(text), "from %s", row->draws_from);
	else
		snprintf(text, sizeof(text), "%s", or_empty(row->reason));
	table_add(table, text);
}

/**
 * report_print_grants() - a line a unit and node
 * @grants: what to print
 * @nodes: tell which device a node belongs to
 * @file: where to
 */
void report_print_grants(const struct grant_rows *grants, const struct node_rows *nodes, FILE *file)
{
	static const char *const titles[] = { "UNIT",	  ">NODE",  "DEVICE",	">REQUESTED",
					      "EFFECTIVE", ">LIMIT", ">CURRENT", ">PEAK",
					      "REMARK",	  NULL };
	struct table table = { .titles = titles };

	if (!grants->n_rows) {
		fputs("No private memory is asked for.\n", file);
		return;
	}
	for (size_t i = 0; i < grants->n_rows; i++) {
		const struct grant_row *row = &grants->rows[i];
		const struct node_row *node = node_rows_find(nodes, row->nid);
		bool is_refused = !row->is_effective && !row->reserved_bytes;

		table_add(&table, *or_empty(row->unit) ? row->unit : row->control_group);
		add_node(&table, row->nid);
		table_add(&table, node ? node->device : NULL);
		/* A cgroup asks for nothing, and what a file that cannot be read asks for is not known. */
		if (*or_empty(row->unit) && row->nid != CLIENT_NO_NODE)
			table_add_size(&table, row->requested_bytes);
		else
			table_add(&table, NULL);
		table_add(&table, row->is_effective ? "yes" : "no");
		if (is_refused && row->limit_bytes == CLIENT_UNLIMITED)
			table_add(&table, NULL);
		else
			table_add_size(&table, row->limit_bytes);
		table_add_size(&table, row->current_bytes);
		table_add_size(&table, row->peak_bytes);
		add_remark(&table, row);
	}
	table_print(&table, file);
	table_done(&table);
}

/**
 * report_json_new() - an object that holds the version and nothing else yet
 *
 * Return: the object, owned by the caller.
 */
struct json_object *report_json_new(void)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "version", json_object_new_int(REPORT_JSON_VERSION));
	return object;
}

/**
 * report_json_bytes() - an amount
 * @bytes: UINT64_MAX for no limit
 *
 * Return: a number, or NULL, which is JSON's null.
 */
struct json_object *report_json_bytes(uint64_t bytes)
{
	return bytes == CLIENT_UNLIMITED ? NULL : json_object_new_uint64(bytes);
}

/* A text, or null for none. */
static struct json_object *json_text(const char *text)
{
	return text && *text ? json_object_new_string(text) : NULL;
}

/**
 * report_json_nodes() - an array of nodes
 * @nodes: what to put in
 *
 * Return: the array, owned by the caller.
 */
struct json_object *report_json_nodes(const struct node_rows *nodes)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < nodes->n_rows; i++) {
		const struct node_row *row = &nodes->rows[i];
		struct json_object *node = json_object_new_object();

		json_object_object_add(node, "node", json_object_new_uint64(row->nid));
		json_object_object_add(node, "online", json_object_new_boolean(row->is_online));
		json_object_object_add(node, "name", json_text(row->name));
		json_object_object_add(node, "owner", json_text(row->owner));
		json_object_object_add(node, "device", json_text(row->device));
		json_object_object_add(node, "capacity_bytes", report_json_bytes(row->capacity_bytes));
		json_object_object_add(node, "room_bytes", report_json_bytes(row->room_bytes));
		json_object_object_add(node, "reserved_bytes", report_json_bytes(row->reserved_bytes));
		json_object_object_add(node, "used_bytes", report_json_bytes(row->used_bytes));
		json_object_object_add(node, "free_bytes", report_json_bytes(row->free_bytes));
		json_object_array_add(array, node);
	}
	return array;
}

/**
 * report_json_grants() - an array of grants
 * @grants: what to put in
 * @nodes: tell which device a node belongs to
 *
 * Return: the array, owned by the caller.
 */
struct json_object *report_json_grants(const struct grant_rows *grants,
				       const struct node_rows *nodes)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < grants->n_rows; i++) {
		const struct grant_row *row = &grants->rows[i];
		const struct node_row *node = node_rows_find(nodes, row->nid);
		struct json_object *grant = json_object_new_object();

		json_object_object_add(grant, "unit", json_text(row->unit));
		json_object_object_add(grant, "control_group", json_text(row->control_group));
		json_object_object_add(grant, "node", row->nid == CLIENT_NO_NODE ? NULL :
						      json_object_new_uint64(row->nid));
		json_object_object_add(grant, "device", json_text(node ? node->device : NULL));
		json_object_object_add(grant, "requested_bytes",
				       report_json_bytes(row->requested_bytes));
		json_object_object_add(grant, "reserved_bytes",
				       report_json_bytes(row->reserved_bytes));
		json_object_object_add(grant, "draws_from", json_text(row->draws_from));
		json_object_object_add(grant, "effective",
				       json_object_new_boolean(row->is_effective));
		json_object_object_add(grant, "limit_bytes", report_json_bytes(row->limit_bytes));
		json_object_object_add(grant, "current_bytes",
				       report_json_bytes(row->current_bytes));
		json_object_object_add(grant, "peak_bytes", report_json_bytes(row->peak_bytes));
		json_object_object_add(grant, "reason", json_text(row->reason));
		json_object_array_add(array, grant);
	}
	return array;
}

/**
 * report_json_print() - print and free
 * @object: freed
 * @format: one of the JSON formats
 * @file: where to
 */
void report_json_print(struct json_object *object, enum report_format format, FILE *file)
{
	int flags = format == REPORT_JSON_PRETTY ?
			    JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED :
			    JSON_C_TO_STRING_PLAIN;

	fprintf(file, "%s\n",
		json_object_to_json_string_ext(object, flags | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}
