// SPDX-License-Identifier: LGPL-2.1-or-later
#include "plan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 3, 4)))
static int fail(struct plan_error *error, int r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return r;
}

static int read_nodes(const struct plan *plan, const char *text, struct nodelist *ret,
		      struct plan_error *error)
{
	const char *reason = "too long";
	int r = strlen(text) <= PLAN_TEXT_MAX ?
			nodelist_parse_named(text, plan->names, ret, &reason) : -EINVAL;

	return r < 0 ? fail(error, r, "nodes \"%.100s\": %s", text, reason) : 0;
}

/**
 * plan_set_limit() - change how much of each of some nodes there is to be
 * @plan: changed only on success
 * @nodes: a list
 * @ret_error: set only on failure
 *
 * Return: 0, or
 * * -EINVAL - @nodes or @size cannot be read, or @nodes is empty
 * * -ENODEV - a name in @nodes stands for no node
 * * -ENXIO - one of the nodes is not granted
 */
int plan_set_limit(struct plan *plan, const char *nodes, const char *size,
		   struct plan_error *ret_error)
{
	struct nodelist list;
	const char *reason;
	struct limit limit;
	unsigned int nid;
	int r = read_nodes(plan, nodes, &list, ret_error);

	if (r < 0)
		return r;
	if (limit_parse(size, &limit, &reason) < 0)
		return fail(ret_error, -EINVAL, "\"%.100s\": %s", size, reason);
	if (nodelist_is_empty(&list))
		return fail(ret_error, -EINVAL, "an amount needs a node");
	nodelist_for_each(nid, &list)
		if (!nodelist_is_set(&plan->nodes, nid))
			return fail(ret_error, -ENXIO, "node%u is not granted", nid);
	nodelist_for_each(nid, &list)
		plan->limits[nid] = limit;
	return 0;
}

/**
 * plan_grant() - add nodes, or change the amounts of nodes that are there
 * @plan: of no use after a failure
 * @nodes: a list
 * @limits: for some of the nodes; one that is new and not among them gets all that is left
 * @ret_error: set only on failure
 *
 * Return: 0 or -Exxx as plan_set_limit()
 */
int plan_grant(struct plan *plan, const char *nodes, const struct plan_limit *limits,
	       size_t n_limits, struct plan_error *ret_error)
{
	struct nodelist added;
	unsigned int nid;
	int r = read_nodes(plan, nodes, &added, ret_error);

	if (r >= 0 && nodelist_is_empty(&added))
		r = fail(ret_error, -EINVAL, "names no node");
	if (r < 0)
		return r;
	nodelist_for_each(nid, &added) {
		if (!nodelist_is_set(&plan->nodes, nid))
			plan->limits[nid] = (struct limit){ LIMIT_INFINITY, 0 };
		nodelist_set(&plan->nodes, nid);
	}
	for (size_t i = 0; r >= 0 && i < n_limits; i++)
		r = plan_set_limit(plan, limits[i].nodes, limits[i].size, ret_error);
	return r;
}

/**
 * plan_revoke() - take nodes away
 * @plan: changed only on success
 * @nodes: "" for all
 * @ret_error: set only on failure
 *
 * Return: 0, or
 * * -EINVAL - @nodes cannot be read
 * * -ENODEV - a name in @nodes stands for no node
 * * -ENXIO - nothing, or not all of @nodes, is granted
 */
int plan_revoke(struct plan *plan, const char *nodes, struct plan_error *ret_error)
{
	struct nodelist gone, missing;
	int r = read_nodes(plan, nodes, &gone, ret_error);

	if (r < 0)
		return r;
	if (nodelist_is_empty(&plan->nodes))
		return fail(ret_error, -ENXIO, "nothing is granted");
	missing = gone;
	nodelist_andnot(&missing, &plan->nodes);
	if (!nodelist_is_empty(&missing))
		return fail(ret_error, -ENXIO, "node%u is not granted", nodelist_next(&missing, 0));
	if (nodelist_is_empty(&gone))
		gone = plan->nodes;
	nodelist_andnot(&plan->nodes, &gone);
	return 0;
}

bool plan_is_equal(const struct plan *a, const struct plan *b)
{
	unsigned int nid;

	if (!nodelist_is_equal(&a->nodes, &b->nodes))
		return false;
	nodelist_for_each(nid, &a->nodes)
		if (a->limits[nid].kind != b->limits[nid].kind ||
		    a->limits[nid].value != b->limits[nid].value)
			return false;
	return true;
}
