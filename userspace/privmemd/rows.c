// SPDX-License-Identifier: LGPL-2.1-or-later
#include "rows.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node.h"

/* The node of a refusal whose nodes are not known. */
#define NO_NODE UINT32_MAX

/* What the kernel says of a cgroup; all zero where it says nothing. */
struct facts {
	struct nodelist effective;
	struct amounts max, current, peak;
};

static void facts_read(int root_fd, const char *cgroup, struct facts *ret)
{
	*ret = (struct facts){};
	(void)cgroup_read_nodes(root_fd, cgroup, FILE_EFFECTIVE, &ret->effective);
	(void)cgroup_read_amounts(root_fd, cgroup, FILE_MAX, &ret->max);
	(void)cgroup_read_amounts(root_fd, cgroup, FILE_CURRENT, &ret->current);
	(void)cgroup_read_amounts(root_fd, cgroup, FILE_PEAK, &ret->peak);
}

static uint64_t amount_of(const struct amounts *amounts, unsigned int nid, uint64_t otherwise)
{
	return nodelist_is_set(&amounts->nodes, nid) ? amounts->bytes[nid] : otherwise;
}

static int append_string(sd_bus_message *m, const char *key, const char *value)
{
	return sd_bus_message_append(m, "{sv}", key, "s", value);
}

static int append_bytes(sd_bus_message *m, const char *key, uint64_t value)
{
	return sd_bus_message_append(m, "{sv}", key, "t", value);
}

struct row {
	const char *unit, *cgroup, *draws_from, *reason;
	unsigned int nid;
	uint64_t requested_bytes, reserved_bytes;
};

static int append_row(sd_bus_message *m, const struct row *row, const struct facts *facts)
{
	bool is_effective = nodelist_is_set(&facts->effective, row->nid);
	int r = sd_bus_message_open_container(m, 'a', "{sv}");

	if (r >= 0)
		r = append_string(m, "Unit", row->unit);
	if (r >= 0)
		r = append_string(m, "ControlGroup", row->cgroup);
	if (r >= 0)
		r = sd_bus_message_append(m, "{sv}", "Node", "u", row->nid);
	if (r >= 0)
		r = append_bytes(m, "Requested", row->requested_bytes);
	if (r >= 0)
		r = append_bytes(m, "Reserved", row->reserved_bytes);
	if (r >= 0)
		r = append_string(m, "DrawsFrom", row->draws_from);
	if (r >= 0)
		r = sd_bus_message_append(m, "{sv}", "Effective", "b", is_effective);
	if (r >= 0)
		r = append_bytes(m, "Limit", amount_of(&facts->max, row->nid, UINT64_MAX));
	if (r >= 0)
		r = append_bytes(m, "Current", amount_of(&facts->current, row->nid, 0));
	if (r >= 0)
		r = append_bytes(m, "Peak", amount_of(&facts->peak, row->nid, 0));
	if (r >= 0)
		r = append_string(m, "Reason", row->reason);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static uint64_t resolve(const struct grants *grants, unsigned int nid, const struct limit *limit)
{
	return limit_resolve(limit, ledger_get_capacity(grants->ledger, nid));
}

/* Why what the unit has is not what it asked for, "" if it is. */
static const char *reason_of(const struct grants *grants, const struct grant *grant,
			     const struct share *share, const struct facts *facts)
{
	if (grant->refusal)
		return grant->refusal;
	if (!ledger_has_node(grants->ledger, share->nid))
		return "the node is offline";
	if (!cgroup_exists(grants->root_fd, grant->cgroup))
		return "no process of the unit is left";
	if (!nodelist_is_set(&facts->effective, share->nid))
		return "a cgroup above withholds the node";
	if (amount_of(&facts->max, share->nid, UINT64_MAX) !=
	    reservation_get_bytes(share->reservation))
		return "somebody else changed the limit";
	return "";
}

static int append_refused(sd_bus_message *m, const struct grants *grants,
			  const struct grant *grant, const struct facts *facts)
{
	struct row row = { .unit = grant->unit, .cgroup = grant->cgroup, .draws_from = "",
			   .reason = grant->refusal };
	bool has_row = grant->n_shares > 0;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < grant->refused.n_items; i++) {
		const struct wish_item *item = &grant->refused.items[i];
		bool is_held = false;

		for (size_t k = 0; k < grant->n_shares; k++)
			is_held = is_held || grant->shares[k].nid == item->nid;
		if (is_held)
			continue;
		row.nid = item->nid;
		row.requested_bytes = resolve(grants, item->nid, &item->limit);
		r = append_row(m, &row, facts);
		has_row = true;
	}
	if (r >= 0 && !has_row) {
		row.nid = NO_NODE;
		row.requested_bytes = 0;
		r = append_row(m, &row, facts);
	}
	return r;
}

/**
 * rows_append_grant() - append a row for each node of one unit's grant or refusal
 */
int rows_append_grant(sd_bus_message *m, const struct grants *grants, const struct grant *grant)
{
	struct facts facts;
	int r = 0;

	facts_read(grants->root_fd, grant->cgroup, &facts);
	for (size_t i = 0; r >= 0 && i < grant->n_shares; i++) {
		const struct share *share = &grant->shares[i];
		struct row row = {
			.unit = grant->unit, .cgroup = grant->cgroup, .nid = share->nid,
			.draws_from = reservation_get_source(share->reservation),
			.requested_bytes = resolve(grants, share->nid, &share->limit),
			.reserved_bytes = reservation_get_bytes(share->reservation),
			.reason = reason_of(grants, grant, share, &facts),
		};

		r = append_row(m, &row, &facts);
	}
	if (r >= 0 && grant->refusal)
		r = append_refused(m, grants, grant, &facts);
	return r;
}

/**
 * rows_append_cgroup() - append a row for each node that a cgroup may use or uses
 *
 * Return: 0, -ENOENT if there is no such cgroup or it has no such files, or -Exxx
 */
int rows_append_cgroup(sd_bus_message *m, const struct grants *grants, const char *cgroup)
{
	struct nodelist nodes;
	struct facts facts;
	unsigned int nid;
	int r = cgroup_read_nodes(grants->root_fd, cgroup, FILE_NODES, &nodes);

	if (r < 0)
		return r;
	facts_read(grants->root_fd, cgroup, &facts);
	nodelist_or(&nodes, &facts.effective);
	for (nid = 0; nid < NODELIST_MAX; nid++)
		if (amount_of(&facts.current, nid, 0) > 0)
			nodelist_set(&nodes, nid);
	nodelist_for_each(nid, &nodes) {
		struct row row = {
			.unit = "", .cgroup = cgroup, .draws_from = "", .reason = "", .nid = nid,
			.requested_bytes = amount_of(&facts.max, nid, UINT64_MAX),
		};

		r = append_row(m, &row, &facts);
		if (r < 0)
			return r;
	}
	return 0;
}

static int append_node(sd_bus_message *m, const struct grants *grants, const struct node *node,
		       uint64_t used_bytes)
{
	int r = sd_bus_message_open_container(m, 'a', "{sv}");

	if (r >= 0)
		r = sd_bus_message_append(m, "{sv}", "Node", "u", node->nid);
	if (r >= 0)
		r = sd_bus_message_append(m, "{sv}", "Online", "b", node->is_online);
	if (r >= 0)
		r = append_string(m, "Name", settings_name(&grants->settings, node->nid));
	if (r >= 0)
		r = append_string(m, "Owner", node->owner);
	if (r >= 0)
		r = append_string(m, "Device", node->device);
	if (r >= 0)
		r = append_bytes(m, "Capacity", ledger_get_capacity(grants->ledger, node->nid));
	if (r >= 0)
		r = append_bytes(m, "Room", ledger_get_room(grants->ledger, node->nid));
	if (r >= 0)
		r = append_bytes(m, "Reserved", ledger_get_reserved(grants->ledger, node->nid));
	if (r >= 0)
		r = append_bytes(m, "Used", used_bytes);
	if (r >= 0)
		r = append_bytes(m, "Free", node->free_bytes);
	if (r >= 0 && node->distance > 0)
		r = sd_bus_message_append(m, "{sv}{sv}", "Nearest", "u", node->nearest_nid,
					  "Distance", "u", node->distance);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

/**
 * rows_append_nodes() - append a row for each private node, absent ones with grants included
 */
int rows_append_nodes(sd_bus_message *m, struct grants *grants)
{
	struct nodelist held = {};
	struct amounts used;
	struct node *nodes;
	unsigned int nid;
	size_t count;
	int r;

	grants_refresh_nodes(grants);
	nodelist_for_each(nid, &grants->known)
		if (ledger_has_node(grants->ledger, nid) ||
		    ledger_get_reserved(grants->ledger, nid) > 0)
			nodelist_set(&held, nid);
	r = node_describe(&held, &nodes, &count);
	if (r < 0)
		return r;
	cgroup_read_used(grants->root_fd, FILE_CURRENT, &used);
	for (size_t i = 0; r >= 0 && i < count; i++)
		r = append_node(m, grants, &nodes[i], used.bytes[nodes[i].nid]);
	free(nodes);
	return r;
}
