/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The verbs that change who has what. A service or slice is changed by a drop-in, which PID 1 is
 * made to read and privmemd then applies; if that is refused the old drop-in is put back. A scope
 * or any other cgroup has no files to say what it wants, so privmemd is told directly.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "directive.h"
#include "evict.h"
#include "mangle.h"
#include "override.h"
#include "pid1.h"
#include "settings.h"
#include "verbs.h"

enum change_kind { CHANGE_GRANT, CHANGE_LIMIT, CHANGE_REVOKE, CHANGE_REVERT };

struct change {
	enum change_kind kind;
	const char *nodes; /* "" for all */
	struct plan_limit limits[OPTIONS_LIMITS_MAX];
	size_t n_limits;
	bool evict;
	/* Filled in on the way. */
	struct client *client;
	struct pid1 *pid1;
	struct node_rows known;
	struct settings settings; /* for the names of nodes */
	struct nodelist evicted; /* none for all */
	char *control_group; /* what is to be evicted; NULL if there is nothing */
};

static int fail(struct client_error *error, enum exit_code code, const char *text)
{
	error->code = code;
	snprintf(error->text, sizeof(error->text), "%s", text);
	return -EINVAL;
}

/* What a unit asks for, changed. */
static int change_plan(const struct change *change, const struct plan *base, struct plan *plan,
		       struct client_error *error)
{
	struct plan_error why;
	int r = 0;

	switch (change->kind) {
	case CHANGE_GRANT:
		r = plan_grant(plan, change->nodes, change->limits, change->n_limits, &why);
		break;
	case CHANGE_LIMIT:
		r = plan_set_limit(plan, change->nodes, change->limits[0].size, &why);
		break;
	case CHANGE_REVOKE:
		r = plan_revoke(plan, change->nodes, &why);
		/* Pages may be left from an earlier time: what is granted of these nodes goes. */
		if (r == -ENXIO && change->evict) {
			nodelist_andnot(&plan->nodes, &change->evicted);
			r = 0;
		}
		break;
	case CHANGE_REVERT:
		*plan = *base;
	}
	return r < 0 ? fail(error, r == -EINVAL ? EXIT_USAGE : EXIT_NOT_FOUND, why.text) : 0;
}

/* A typing error in a number is told before anything is written. */
static int check_nodes(const struct change *change, const struct plan *plan,
		       struct client_error *error)
{
	char text[64];
	unsigned int nid;

	nodelist_for_each(nid, &plan->nodes) {
		if (node_rows_find(&change->known, nid))
			continue;
		snprintf(text, sizeof(text), "node%u: not a private node of this machine", nid);
		return fail(error, EXIT_NOT_FOUND, text);
	}
	return 0;
}

static int apply(const struct change *change, const struct pid1_unit *unit,
		 struct client_error *error)
{
	if (pid1_unit_is_active(unit))
		return client_apply(change->client, unit->name, error);
	fprintf(stderr, "privmemctl: %s: not active, so this holds from its next start\n",
		unit->name);
	return 0;
}

/* A reload can take longer than privmemd bears with a peer that says nothing. */
static int reload(struct change *change, struct client_error *error)
{
	int r = pid1_reload(change->pid1, error);

	if (r < 0)
		return r;
	client_close(change->client);
	change->client = NULL;
	return client_open(&change->client, error);
}

/* The files are as they shall be: what do PID 1 and privmemd say? */
static int reload_and_apply(struct change *change, const char *name, const struct plan *plan,
			    struct client_error *error)
{
	struct pid1_unit unit;
	struct plan is;
	int r = reload(change, error);

	if (r >= 0)
		r = pid1_get_unit(change->pid1, name, &unit, error);
	if (r < 0)
		return r;
	r = override_load(name, unit.files, NULL, &change->settings.names, &is, error);
	if (r >= 0 && !plan_is_equal(&is, plan))
		r = fail(error, EXIT_FAILED, "another drop-in has the last word, see systemctl cat");
	if (r >= 0)
		r = apply(change, &unit, error);
	pid1_unit_done(&unit);
	return r;
}

static int write_and_apply(struct change *change, const char *name, const char *path,
			   const char *text, const struct plan *plan, struct client_error *error)
{
	struct client_error ignored;
	char *old = NULL;
	int r = override_read(path, &old);

	if (r >= 0)
		r = override_write(path, text);
	if (r < 0) {
		fail(error, EXIT_FAILED, strerror(-r));
	} else {
		r = reload_and_apply(change, name, plan, error);
		if (r < 0 && override_write(path, old) >= 0)
			(void)pid1_reload(change->pid1, &ignored);
	}
	free(old);
	return r;
}

static int change_unit(struct change *change, const struct pid1_unit *unit,
		       struct client_error *error)
{
	const struct nodenames *names = &change->settings.names;
	char *path = override_path(unit->name), *text = NULL;
	struct plan base, before, plan;
	int r = path ? 0 : fail(error, EXIT_FAILED, "out of memory");

	if (r >= 0)
		r = override_load(unit->name, unit->files, path, names, &base, error);
	if (r >= 0)
		r = override_load(unit->name, unit->files, NULL, names, &before, error);
	plan = before;
	if (r >= 0)
		r = change_plan(change, &base, &plan, error);
	if (r >= 0 && change->kind == CHANGE_GRANT)
		r = check_nodes(change, &plan, error);
	if (r >= 0 && !plan_is_equal(&plan, &base)) {
		text = override_format(directive_section_of(unit->name), &plan);
		r = text ? 0 : fail(error, EXIT_FAILED, "out of memory");
	}
	/* What the files say already needs no reload, which is dear where units are many. */
	if (r >= 0 && change->kind != CHANGE_REVERT && plan_is_equal(&plan, &before))
		r = apply(change, unit, error);
	else if (r >= 0)
		r = write_and_apply(change, unit->name, path, text, &plan, error);
	if (r >= 0)
		change->control_group = strdup(unit->control_group);
	free(text);
	free(path);
	return r;
}

/* Node by node, for pages may be left from an earlier time: one that is not granted is no error. */
static int revoke_evicted(const struct change *change, const char *path, struct client_error *error)
{
	unsigned int nid;

	nodelist_for_each(nid, &change->evicted) {
		char text[16];

		snprintf(text, sizeof(text), "%u", nid);
		if (client_revoke_cgroup(change->client, path, text, error) < 0 &&
		    error->code != EXIT_NOT_FOUND)
			return -EINVAL;
	}
	return 0;
}

static int change_control_group(struct change *change, const char *path, struct client_error *error)
{
	int r = 0;

	switch (change->kind) {
	case CHANGE_GRANT:
		r = client_grant_cgroup(change->client, path, change->nodes, change->limits,
					change->n_limits, error);
		break;
	case CHANGE_LIMIT:
		r = client_set_cgroup_limit(change->client, path, change->nodes,
					    change->limits[0].size, error);
		break;
	case CHANGE_REVOKE:
		r = client_revoke_cgroup(change->client, path, change->nodes, error);
		if (r < 0 && change->evict && error->code == EXIT_NOT_FOUND)
			r = revoke_evicted(change, path, error);
		break;
	case CHANGE_REVERT:
		r = fail(error, EXIT_USAGE, "has no unit files to go back to");
	}
	if (r >= 0)
		change->control_group = strdup(path);
	return r;
}

static int change_named(struct change *change, const char *name, struct client_error *error)
{
	char *mangled = mangle_unit(name);
	struct pid1_unit unit;
	int r = mangled ? pid1_open(&change->pid1, error) :
			  fail(error, EXIT_FAILED, "out of memory");

	if (r >= 0)
		r = pid1_get_unit(change->pid1, mangled, &unit, error);
	free(mangled);
	if (r < 0)
		return r;
	if (directive_section_of(unit.name))
		r = change_unit(change, &unit, error);
	else if (pid1_unit_is_active(&unit))
		r = change_control_group(change, unit.control_group, error);
	else
		r = fail(error, EXIT_NOT_FOUND, "not active");
	pid1_unit_done(&unit);
	return r;
}

/* Without a configuration that can be read there are no names, which is told where one is used. */
static int read_names(struct change *change, struct client_error *error)
{
	const char *reason;
	char *ignored = NULL;
	int r;

	if (settings_load(&change->settings, AT_FDCWD, &ignored) < 0)
		free(ignored);
	settings_resolve(&change->settings);
	if (!change->evict)
		return 0;
	r = nodelist_parse_named(change->nodes, &change->settings.names, &change->evicted, &reason);
	if (r < 0) {
		error->code = r == -EINVAL ? EXIT_USAGE : EXIT_NOT_FOUND;
		snprintf(error->text, sizeof(error->text), "nodes \"%.100s\": %s", change->nodes, reason);
	}
	return r;
}

static int change_any(struct change *change, const char *target, struct client_error *error)
{
	bool has_kernel_support;
	char *version;
	int r;

	if (geteuid() != 0)
		return fail(error, EXIT_NOT_PERMITTED, "only root may change grants");
	r = client_open(&change->client, error);
	if (r >= 0)
		r = client_get_facts(change->client, &version, &has_kernel_support, error);
	if (r < 0)
		return r;
	free(version);
	if (!has_kernel_support)
		return fail(error, EXIT_NO_KERNEL_SUPPORT,
			    "this kernel has no private memory nodes");
	r = client_list_nodes(change->client, &change->known, error);
	if (r >= 0)
		r = read_names(change, error);
	if (r < 0)
		return r;
	return *target == '/' ? change_control_group(change, target, error) :
				change_named(change, target, error);
}

static enum exit_code change_evict(struct change *change)
{
	for (size_t i = 0; !*change->nodes && i < change->known.n_rows; i++)
		nodelist_set(&change->evicted, change->known.rows[i].nid);
	return evict(change->control_group, &change->evicted);
}

/* Two of us at once would each put back what the other has read. */
static int lock(void)
{
	int fd = open(OVERRIDE_DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		(void)flock(fd, LOCK_EX);
	return fd;
}

static enum exit_code change_run(struct change *change, const char *target,
				 const struct options *options)
{
	enum exit_code code = EXIT_DONE;
	struct client_error error;
	int lock_fd = lock();

	if (change_any(change, target, &error) < 0)
		code = client_complain(target, &error);
	close(lock_fd);
	if (code == EXIT_DONE && change->evict && change->control_group &&
	    *change->control_group)
		code = change_evict(change);
	node_rows_done(&change->known);
	settings_done(&change->settings);
	client_close(change->client);
	pid1_close(change->pid1);
	free(change->control_group);
	if (code == EXIT_DONE && options->format != REPORT_TABLE && change->kind != CHANGE_REVOKE &&
	    change->kind != CHANGE_REVERT)
		code = verb_show((char *const[]){ (char *)target, NULL }, options);
	return code;
}

/* "SIZE", for all nodes that are granted, or "NODE SIZE". */
static void split_limit(char *text, const char *nodes, struct plan_limit *ret)
{
	size_t length = strcspn(text + strspn(text, " \t"), " \t") + strspn(text, " \t");

	*ret = (struct plan_limit){ nodes, text };
	if (!text[length])
		return;
	text[length] = '\0';
	*ret = (struct plan_limit){ text, text + length + 1 + strspn(text + length + 1, " \t") };
}

/**
 * verb_grant() - grant nodes, or other amounts of them
 * @arguments: unit or cgroup, list of nodes, and amounts for each of them in turn
 * @options: limits are those of --max=
 *
 * Return: what to exit with.
 */
enum exit_code verb_grant(char *const *arguments, const struct options *options)
{
	struct change change = { .kind = CHANGE_GRANT, .nodes = arguments[1],
				 .n_limits = options->n_limits };

	for (size_t i = 0; i < options->n_limits; i++)
		split_limit(options->limits[i], arguments[1], &change.limits[i]);
	for (size_t i = 2; arguments[i]; i++) {
		if (change.n_limits == OPTIONS_LIMITS_MAX) {
			fputs("privmemctl: grant: too many amounts\n", stderr);
			return EXIT_USAGE;
		}
		split_limit(arguments[i], arguments[1], &change.limits[change.n_limits++]);
	}
	return change_run(&change, arguments[0], options);
}

/**
 * verb_set_limit() - change how much of a node may be used
 * @arguments: unit or cgroup, node, amount
 * @options: how to print
 *
 * Return: what to exit with.
 */
enum exit_code verb_set_limit(char *const *arguments, const struct options *options)
{
	struct change change = { .kind = CHANGE_LIMIT, .nodes = arguments[1], .n_limits = 1,
				 .limits = { { arguments[1], arguments[2] } } };

	return change_run(&change, arguments[0], options);
}

/**
 * verb_revoke() - take nodes away
 * @arguments: unit or cgroup, list of nodes or nothing for all
 * @options: with evict, what is on the nodes is moved off as well
 *
 * Return: what to exit with.
 */
enum exit_code verb_revoke(char *const *arguments, const struct options *options)
{
	struct change change = { .kind = CHANGE_REVOKE, .nodes = arguments[1] ?: "",
				 .evict = options->evict };

	return change_run(&change, arguments[0], options);
}

/**
 * verb_revert() - give a unit again what its own files ask for
 * @arguments: unit
 * @options: none
 *
 * Return: what to exit with.
 */
enum exit_code verb_revert(char *const *arguments, const struct options *options)
{
	struct change change = { .kind = CHANGE_REVERT, .nodes = "" };

	return change_run(&change, arguments[0], options);
}
