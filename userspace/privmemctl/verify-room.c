/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether what the checked units ask for fits, by the rule of privmemd's ledger: a unit draws
 * from the nearest slice around it that has something of the node, or else from the node. The
 * checked units count as their files have them, all others as privmemd has them now. A request
 * without an amount takes what is left, so it always fits.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mangle.h"
#include "verify.h"

struct room {
	struct verify *verify;
	const struct node_rows *nodes;
	const struct grant_rows *grants;
};

static const struct verify_unit *find_checked(const struct room *room, const char *name,
					      unsigned int nid)
{
	for (size_t i = 0; i < room->verify->n_units; i++) {
		const struct verify_unit *unit = &room->verify->units[i];

		if (!strcmp(unit->name, name) && unit->is_valid &&
		    nodelist_is_set(&unit->directive.nodes, nid))
			return unit;
	}
	return NULL;
}

static bool is_checked(const struct room *room, const char *name)
{
	for (size_t i = 0; i < room->verify->n_units; i++)
		if (!strcmp(room->verify->units[i].name, name))
			return true;
	return false;
}

static const struct grant_row *find_granted(const struct room *room, const char *name,
					    unsigned int nid)
{
	for (size_t i = 0; i < room->grants->n_rows; i++) {
		const struct grant_row *row = &room->grants->rows[i];

		/* One that was refused holds nothing that could be drawn from. */
		if (row->unit && !strcmp(row->unit, name) && row->nid == nid && row->reserved_bytes)
			return row;
	}
	return NULL;
}

/* What @unit draws from: a name to free, or NULL for the node itself. */
static char *find_source(const struct room *room, const struct verify_unit *unit, unsigned int nid)
{
	bool is_slice = !strcmp(unit->section, "Slice");
	char *slice = strdup(verify_slice_of(unit));
	bool is_outer = is_slice;

	while (slice) {
		if (!is_outer && (find_checked(room, slice, nid) ||
				  (!is_checked(room, slice) && find_granted(room, slice, nid))))
			return slice;
		is_outer = false;
		if (!mangle_cut_slice(slice))
			break;
	}
	free(slice);
	return NULL;
}

static bool is_same_source(const char *a, const char *b)
{
	return !strcmp(a ?: "", b ?: "");
}

/* Bytes that the checked units draw from @source; an amount that cannot fit counts as such. */
static uint64_t sum_demand(const struct room *room, const char *source, const struct node_row *node)
{
	uint64_t demand = 0;

	for (size_t i = 0; i < room->verify->n_units; i++) {
		const struct verify_unit *unit = &room->verify->units[i];
		const struct limit *limit = directive_limit(&unit->directive, node->nid);
		char *own_source;

		if (!unit->is_valid || !nodelist_is_set(&unit->directive.nodes, node->nid) ||
		    limit->kind == LIMIT_INFINITY)
			continue;
		own_source = find_source(room, unit, node->nid);
		if (is_same_source(own_source, source) &&
		    __builtin_add_overflow(demand, limit_resolve(limit, node->capacity_bytes),
					   &demand))
			demand = UINT64_MAX;
		free(own_source);
	}
	return demand;
}

/* Bytes that units which are not checked hold of @source now. */
static uint64_t sum_held(const struct room *room, const char *source, unsigned int nid)
{
	uint64_t held = 0;

	for (size_t i = 0; i < room->grants->n_rows; i++) {
		const struct grant_row *row = &room->grants->rows[i];

		if (row->nid == nid && !is_checked(room, row->unit ?: "") &&
		    is_same_source(row->draws_from, source))
			held += row->reserved_bytes;
	}
	return held;
}

static uint64_t source_bytes(const struct room *room, const char *source,
			     const struct node_row *node)
{
	const struct verify_unit *unit;
	const struct limit *limit;

	if (!source)
		return node->room_bytes;
	unit = find_checked(room, source, node->nid);
	if (!unit)
		return find_granted(room, source, node->nid)->reserved_bytes;
	limit = directive_limit(&unit->directive, node->nid);
	return limit->kind == LIMIT_INFINITY ? node->capacity_bytes :
					       limit_resolve(limit, node->capacity_bytes);
}

static void check_source(struct room *room, const struct verify_unit *unit,
			 const struct node_row *node)
{
	char *source = find_source(room, unit, node->nid);
	uint64_t bytes = source_bytes(room, source, node);
	uint64_t held = sum_held(room, source, node->nid);
	uint64_t left = held < bytes ? bytes - held : 0;
	uint64_t demand = sum_demand(room, source, node);
	char *demand_text, *left_text, *bytes_text, text[300];

	if (demand > left) {
		demand_text = size_format(demand);
		left_text = size_format(left);
		bytes_text = size_format(bytes);
		snprintf(text, sizeof(text), "%s asked for in all, %s left of the %s of %s",
			 demand_text, left_text, bytes_text, source ?: "the node");
		verify_add_node_problem(room->verify, EXIT_NO_ROOM, unit, node->nid, text);
		free(demand_text);
		free(left_text);
		free(bytes_text);
	}
	free(source);
}

static void add_missing(struct room *room, const struct verify_unit *unit, unsigned int nid)
{
	struct nodelist known = {};
	char *list, text[300];

	for (size_t i = 0; i < room->nodes->n_rows; i++)
		nodelist_set(&known, room->nodes->rows[i].nid);
	list = nodelist_format(&known);
	snprintf(text, sizeof(text), "not a private node of this machine; there is %.200s",
		 list && *list ? list : "none");
	verify_add_node_problem(room->verify, EXIT_NOT_FOUND, unit, nid, text);
	free(list);
}

/* What privmemd knows nothing of can only come late. */
static void warn_active(struct room *room, const struct verify_unit *unit, unsigned int nid)
{
	if (unit->is_active && !find_granted(room, unit->name, nid) &&
	    strcmp(unit->name, "-.slice") && strcmp(unit->name, "system.slice"))
		verify_add_node_problem(room->verify, EXIT_DONE, unit, nid,
					"the slice is active already, so it is granted late");
}

/**
 * verify_check_room() - add up what the units ask for
 * @verify: read; gets a problem for each unit that asks for a missing node or too much
 * @nodes: from privmemd
 * @grants: from privmemd
 */
void verify_check_room(struct verify *verify, const struct node_rows *nodes,
		       const struct grant_rows *grants)
{
	struct room room = { verify, nodes, grants };
	unsigned int nid;

	for (size_t i = 0; i < verify->n_units; i++) {
		const struct verify_unit *unit = &verify->units[i];

		if (!unit->is_valid)
			continue;
		nodelist_for_each(nid, &unit->directive.nodes) {
			const struct node_row *node = node_rows_find(nodes, nid);

			warn_active(&room, unit, nid);
			if (node)
				check_source(&room, unit, node);
			else
				add_missing(&room, unit, nid);
		}
	}
}
