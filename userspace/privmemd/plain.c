// SPDX-License-Identifier: LGPL-2.1-or-later
#include "plain.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

/**
 * plain_path_is_valid() - is it the path of a cgroup below the root, written as PID 1 writes them?
 */
bool plain_path_is_valid(const char *path)
{
	if (strlen(path) >= PATH_MAX || path[0] != '/')
		return false;
	while (*path) {
		size_t length = strcspn(++path, "/");

		if (length == 0 || (length == 1 && path[0] == '.') ||
		    (length == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		path += length;
	}
	return true;
}

/*
 * A service or slice has files that say what it gets, and whoever reads them next would take
 * away what was granted beside them. A scope has none, and ends as its cgroup does.
 */
static const char *plain_name(const struct grants *grants, const char *path, struct verdict *ret)
{
	const char *unit = grants_unit_of_cgroup(path);

	if (!plain_path_is_valid(path))
		verdict_set(ret, CODE_USAGE, "\"%.200s\" is not the path of a cgroup", path);
	else if (!cgroup_has_support(grants->root_fd))
		verdict_set_no_support(ret);
	else if (unit && unit_name_has_directives(unit))
		verdict_set(ret, CODE_USAGE, "%s is the cgroup of %s: name the unit", path, unit);
	else if (!cgroup_exists(grants->root_fd, path))
		verdict_set(ret, CODE_NO_UNIT, "%s: no such cgroup", path);
	else
		return unit ?: path;
	return NULL;
}

static void plain_start(const struct grants *grants, const char *name, struct plan *ret)
{
	const struct grant *grant = grants_find(grants, name);

	*ret = (struct plan){ .names = &grants->settings.names };
	for (size_t i = 0; grant && i < grant->n_shares; i++) {
		nodelist_set(&ret->nodes, grant->shares[i].nid);
		ret->limits[grant->shares[i].nid] = grant->shares[i].limit;
	}
}

static void plain_refuse(const char *path, int error, const struct plan_error *why,
			 struct verdict *ret)
{
	verdict_set(ret, error == -ENXIO || error == -ENODEV ? CODE_NO_NODE : CODE_USAGE, "%s: %s", path, why->text);
}

/* A change of what a cgroup has, from plain_begin() to plain_end() */
struct change {
	struct grants *grants;
	const char *path, *name;
	struct plan plan;
	struct plan_error error;
};

/* False if there is no such cgroup; @ret says so. */
static bool plain_begin(struct change *change, struct grants *grants, const char *path,
			struct verdict *ret)
{
	change->grants = grants;
	change->path = path;
	change->name = plain_name(grants, path, ret);
	if (change->name)
		plain_start(grants, change->name, &change->plan);
	return change->name;
}

static void plain_apply(struct grants *grants, const char *name, const char *path,
		       const struct plan *plan, struct verdict *ret)
{
	struct unit unit = { .name = (char *)name, .cgroup = (char *)path, .is_live = true };
	struct wish wish;

	if (wish_new(&plan->nodes, plan->limits, &wish) < 0) {
		verdict_set(ret, CODE_FAILED, "out of memory");
		return;
	}
	wish.is_request = true;
	grant_apply(grants, &unit, &wish, false, ret);
	wish_done(&wish);
}

/* @error: of making the plan, 0 if it was made */
static void plain_end(const struct change *change, int error, struct verdict *ret)
{
	if (error < 0)
		plain_refuse(change->path, error, &change->error, ret);
	else
		plain_apply(change->grants, change->name, change->path, &change->plan, ret);
}

/**
 * plain_grant() - grant a cgroup more nodes, or other amounts of them
 * @nodes: list of nodes, added to what it has
 * @limits: see plan_grant()
 * @ret: always set
 */
void plain_grant(struct grants *grants, const char *path, const char *nodes,
		 const struct plan_limit *limits, size_t n_limits, struct verdict *ret)
{
	struct change change;

	if (plain_begin(&change, grants, path, ret))
		plain_end(&change, plan_grant(&change.plan, nodes, limits, n_limits, &change.error),
			  ret);
}

/**
 * plain_set_limit() - change how much of a node a cgroup may use
 * @ret: always set
 */
void plain_set_limit(struct grants *grants, const char *path, const char *node, const char *size,
		     struct verdict *ret)
{
	struct change change;

	if (plain_begin(&change, grants, path, ret))
		plain_end(&change, plan_set_limit(&change.plan, node, size, &change.error), ret);
}

/**
 * plain_revoke() - take nodes away
 * @nodes: "" for all
 * @ret: always set
 */
void plain_revoke(struct grants *grants, const char *path, const char *nodes, struct verdict *ret)
{
	struct change change;

	if (plain_begin(&change, grants, path, ret))
		plain_end(&change, plan_revoke(&change.plan, nodes, &change.error), ret);
}
