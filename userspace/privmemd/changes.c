// SPDX-License-Identifier: LGPL-2.1-or-later
#include "changes.h"

#include <errno.h>

#include "errors.h"
#include "news.h"
#include "plain.h"

static int reply(struct reconcile *reconcile, sd_bus_message *call, const char *path,
		 const struct verdict *verdict, sd_bus_error *error)
{
	const char *unit = grants_unit_of_cgroup(path);

	if (verdict->code != CODE_DONE)
		return sd_bus_error_set(error, error_name(verdict->code), verdict->text);
	if (verdict->is_changed)
		news_of_verdict(reconcile_grants(reconcile), NEWS_GRANTED, unit ?: path, path,
				verdict);
	reconcile_watch(reconcile, unit ?: path);
	return sd_bus_reply_method_return(call, NULL);
}

/* Reads an a(ss). */
static int read_limits(sd_bus_message *call, struct plan_limit *limits, size_t *ret_count)
{
	size_t count = 0;
	int r = sd_bus_message_enter_container(call, 'a', "(ss)");

	while (r >= 0 && (r = sd_bus_message_at_end(call, false)) == 0) {
		if (count == PLAN_LIMITS_MAX)
			return -E2BIG;
		r = sd_bus_message_read(call, "(ss)", &limits[count].nodes, &limits[count].size);
		count++;
	}
	if (r < 0)
		return r;
	*ret_count = count;
	return 0;
}

/**
 * changes_grant() - GrantControlGroup(path, nodes, limits)
 */
int changes_grant(struct reconcile *reconcile, sd_bus_message *call, sd_bus_error *error)
{
	struct plan_limit limits[PLAN_LIMITS_MAX];
	struct verdict verdict = {};
	const char *path, *nodes;
	size_t n_limits;
	int r = sd_bus_message_read(call, "ss", &path, &nodes);

	if (r >= 0)
		r = read_limits(call, limits, &n_limits);
	if (r < 0)
		return r;
	plain_grant(reconcile_grants(reconcile), path, nodes, limits, n_limits, &verdict);
	return reply(reconcile, call, path, &verdict, error);
}

/**
 * changes_set_limit() - SetControlGroupLimit(path, node, size)
 */
int changes_set_limit(struct reconcile *reconcile, sd_bus_message *call, sd_bus_error *error)
{
	const char *path, *node, *size;
	struct verdict verdict = {};
	int r = sd_bus_message_read(call, "sss", &path, &node, &size);

	if (r < 0)
		return r;
	plain_set_limit(reconcile_grants(reconcile), path, node, size, &verdict);
	return reply(reconcile, call, path, &verdict, error);
}

/**
 * changes_revoke() - RevokeControlGroup(path, nodes)
 */
int changes_revoke(struct reconcile *reconcile, sd_bus_message *call, sd_bus_error *error)
{
	struct verdict verdict = {};
	const char *path, *nodes;
	int r = sd_bus_message_read(call, "ss", &path, &nodes);

	if (r < 0)
		return r;
	plain_revoke(reconcile_grants(reconcile), path, nodes, &verdict);
	return reply(reconcile, call, path, &verdict, error);
}
