// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grant.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "utf8.h"

void verdict_set(struct verdict *verdict, enum code code, const char *format, ...)
{
	va_list args;

	verdict->code = code;
	va_start(args, format);
	vsnprintf(verdict->text, sizeof(verdict->text), format, args);
	va_end(args);
	utf8_clean(verdict->text);
}

void verdict_set_no_support(struct verdict *verdict)
{
	verdict_set(verdict, CODE_NO_SUPPORT, "this kernel has no private memory nodes"
		    " (no " FILE_EFFECTIVE " in the root cgroup)");
}

/**
 * grant_read_wish() - read what the files of a unit ask for, for a verdict
 * @ret: set only on success; see wish_done()
 * @ret_verdict: set only on failure
 *
 * Return: whether they could be read
 */
bool grant_read_wish(const struct grants *grants, const struct unit *unit, struct wish *ret,
		     struct verdict *ret_verdict)
{
	char *reason = NULL;
	int r = wish_load(unit, &grants->settings.names, ret, &reason);

	if (r >= 0)
		return true;
	*ret_verdict = (struct verdict){};
	verdict_set(ret_verdict, r == -ENODEV ? CODE_NO_NODE : CODE_BAD_DIRECTIVE, "%s",
		    reason ?: "out of memory");
	free(reason);
	return false;
}

static struct share *grant_find_share(const struct grant *grant, unsigned int nid)
{
	for (size_t i = 0; i < grant->n_shares; i++)
		if (grant->shares[i].nid == nid)
			return &grant->shares[i];
	return NULL;
}

/* One change of the ledger, kept so that it can be undone. */
struct step {
	struct share share;
	struct share *old;	/* NULL if the share is new */
	uint64_t old_bytes;
};

static void verdict_refuse(struct grants *grants, const struct grant *grant,
			   const struct wish_item *item, int error, struct verdict *ret)
{
	char *asked = item->limit.kind == LIMIT_INFINITY ? strdup("all that is left") :
		      limit_format(&item->limit);
	char *known = nodelist_format(&grants->known), *held = NULL;

	if (error == -ENODEV && nodelist_is_set(&grants->known, item->nid))
		verdict_set(ret, CODE_NO_NODE, "node%u: private node is offline", item->nid);
	else if (error == -ENODEV)
		verdict_set(ret, CODE_NO_NODE, "node%u: no such private node; there is %s",
			    item->nid, known && *known ? known : "none");
	else if (error == -EBUSY)
		verdict_set(ret, CODE_NO_ROOM, "node%u: %s is less than what units of %s hold",
			    item->nid, asked ?: "?", grant->unit);
	else if (error == -ENOSPC &&
		 ledger_explain(grants->ledger, grant->cgroup, item->nid, &held) >= 0)
		verdict_set(ret, CODE_NO_ROOM, "node%u: %s asked for, %s", item->nid,
			    asked ?: "?", held);
	else
		verdict_set(ret, CODE_FAILED, "node%u: %s", item->nid, strerror(-error));
	free(asked);
	free(known);
	free(held);
}

/* Nobody can use more than there is, however much of it may be promised. */
static uint64_t all_that_is_left(const struct grants *grants, const struct grant *grant,
				 const struct share *old, unsigned int nid)
{
	uint64_t left = ledger_get_left(grants->ledger, grant->cgroup, nid);
	uint64_t capacity = ledger_get_capacity(grants->ledger, nid);
	uint64_t held = old ? reservation_get_bytes(old->reservation) : 0;
	uint64_t usable = capacity > held ? capacity - held : 0;

	return held + (left < usable ? left : usable);
}

/*
 * The same wish keeps what it got, whatever "all that is left" or 50% would be today. An amount in
 * bytes is another matter: what was adopted may be somebody else's limit.
 */
static bool is_kept(const struct share *old, const struct limit *limit, uint64_t bytes)
{
	return old && old->limit.kind == limit->kind && old->limit.value == limit->value &&
	       (limit->kind != LIMIT_BYTES || bytes == reservation_get_bytes(old->reservation));
}

static int decide_item(struct grants *grants, struct grant *grant, const struct wish_item *item,
		       struct step *ret)
{
	struct share *old = grant_find_share(grant, item->nid);
	uint64_t bytes = limit_resolve(&item->limit,
				       ledger_get_capacity(grants->ledger, item->nid));

	*ret = (struct step){ .share = { item->nid, item->limit, old ? old->reservation : NULL },
			      .old = old };
	if (old)
		ret->old_bytes = reservation_get_bytes(old->reservation);
	bytes -= bytes % grants->page_bytes;
	if (is_kept(old, &item->limit, bytes))
		return 0;
	grants_count_strays(grants, grant, item->nid, bytes);
	if (item->limit.kind == LIMIT_INFINITY) {
		bytes = all_that_is_left(grants, grant, old, item->nid);
		if (bytes == 0)
			return ledger_has_node(grants->ledger, item->nid) ? -ENOSPC : -ENODEV;
	}
	return old ? reservation_resize(old->reservation, bytes) :
		     ledger_reserve(grants->ledger, grant->cgroup, grant->unit, item->nid, bytes,
				    &ret->share.reservation);
}

static void decide_undo(struct step *steps, size_t count)
{
	while (count-- > 0)
		if (!steps[count].old)
			reservation_drop(steps[count].share.reservation);
		else
			reservation_restore(steps[count].share.reservation,
					    steps[count].old_bytes);
}

/* Changes the ledger for all items or for none. */
static int decide(struct grants *grants, struct grant *grant, const struct wish *wish,
		  struct step *steps, struct verdict *ret)
{
	for (size_t i = 0; i < wish->n_items; i++) {
		int r = decide_item(grants, grant, &wish->items[i], &steps[i]);

		if (r < 0) {
			verdict_refuse(grants, grant, &wish->items[i], r, ret);
			decide_undo(steps, i);
			return r;
		}
	}
	return 0;
}

/* Installs the new shares; ret_old gets the ones they replace. */
static int grant_swap_shares(struct grants *grants, struct grant *grant, const struct step *steps,
			     size_t count, struct share **ret_old, size_t *ret_n_old)
{
	struct share *shares = calloc(count + 1, sizeof(*shares));

	if (!shares)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		shares[i] = steps[i].share;
	*ret_old = grant->shares;
	*ret_n_old = grant->n_shares;
	grants_set_shares(grants, grant, shares, count);
	return 0;
}

/* Limits of nodes that are not granted, any more, go back to "max". */
static int enforce_max(const struct grants *grants, const struct grant *grant,
		       const struct nodelist *wanted, bool *is_changed)
{
	struct amounts is, set = {};
	unsigned int nid;
	int r = cgroup_read_amounts(grants->root_fd, grant->cgroup, FILE_MAX, &is);

	if (r < 0)
		return r;
	for (size_t i = 0; i < grant->n_shares; i++) {
		uint64_t bytes = reservation_get_bytes(grant->shares[i].reservation);

		nid = grant->shares[i].nid;
		if (nodelist_is_set(&is.nodes, nid) && is.bytes[nid] == bytes)
			continue;
		nodelist_set(&set.nodes, nid);
		set.bytes[nid] = bytes;
	}
	nodelist_for_each(nid, &is.nodes)
		if (!nodelist_is_set(wanted, nid) && is.bytes[nid] != UINT64_MAX) {
			nodelist_set(&set.nodes, nid);
			set.bytes[nid] = UINT64_MAX;
		}
	if (nodelist_is_empty(&set.nodes))
		return 0;
	*is_changed = true;
	return cgroup_write_amounts(grants->root_fd, grant->cgroup, FILE_MAX, &set);
}

/**
 * grant_enforce() - make the cgroup files say what the grant says
 * @ret_is_changed: whether anything had to be written
 * @ret_file: set only on failure: the file that could not be read or written
 *
 * A cgroup that is not there is no failure: it comes with the unit's next
 * process, and the hook with it.
 *
 * Return: 0, or
 * * -EOPNOTSUPP - the memory controller is not enabled for the cgroup
 * * -Exxx - from the kernel
 */
int grant_enforce(struct grants *grants, struct grant *grant, bool *ret_is_changed,
		  const char **ret_file)
{
	struct nodelist wanted = {}, is, gone;
	int r;

	*ret_is_changed = false;
	if (!cgroup_exists(grants->root_fd, grant->cgroup))
		return 0;
	for (size_t i = 0; i < grant->n_shares; i++)
		nodelist_set(&wanted, grant->shares[i].nid);
	*ret_file = FILE_NODES;
	r = cgroup_read_nodes(grants->root_fd, grant->cgroup, FILE_NODES, &is);
	if (r < 0)
		return r == -ENOENT ? -EOPNOTSUPP : r;
	gone = is;
	nodelist_andnot(&gone, &wanted);
	if (!nodelist_is_empty(&gone)) {
		/* Revoke before the limit goes, grant after it came. */
		nodelist_and(&is, &wanted);
		*ret_is_changed = true;
		r = cgroup_write_nodes(grants->root_fd, grant->cgroup, FILE_NODES, &is);
		if (r < 0)
			return r;
	}
	*ret_file = FILE_SUBTREE;
	r = cgroup_hand_down(grants->root_fd, grant->cgroup, &wanted);
	if (r < 0)
		return r == -ENOENT ? -EOPNOTSUPP : r;
	*ret_file = FILE_MAX;
	r = enforce_max(grants, grant, &wanted, ret_is_changed);
	if (r < 0 || nodelist_is_equal(&is, &wanted))
		return r;
	*ret_is_changed = true;
	*ret_file = FILE_NODES;
	return cgroup_write_nodes(grants->root_fd, grant->cgroup, FILE_NODES, &wanted);
}

/* Is every granted node that is online usable, now that all files are written? */
static bool grant_is_effective(const struct grants *grants, const struct grant *grant)
{
	struct nodelist effective;

	if (!cgroup_exists(grants->root_fd, grant->cgroup))
		return true;
	if (cgroup_read_nodes(grants->root_fd, grant->cgroup, FILE_EFFECTIVE, &effective) < 0)
		return false;
	for (size_t i = 0; i < grant->n_shares; i++)
		if (ledger_has_node(grants->ledger, grant->shares[i].nid) &&
		    !nodelist_is_set(&effective, grant->shares[i].nid))
			return false;
	return true;
}

static int grant_mark(const struct grants *grants, const struct grant *grant,
		      const struct wish *wish)
{
	char *text = wish_format_mark(wish), old[4096];
	int r = text ? 0 : -ENOMEM;

	if (text && (cgroup_get_mark(grants->root_fd, grant->cgroup, old, sizeof(old)) < 0 ||
		     strcmp(old, text) != 0))
		r = cgroup_set_mark(grants->root_fd, grant->cgroup, text);
	free(text);
	return r;
}

static void act(struct grants *grants, struct grant *grant, const struct wish *wish,
		bool is_early, struct verdict *ret)
{
	const char *file = "";
	int r = is_early ? cgroup_make(grants->root_fd, grant->cgroup) : 0;

	if (r < 0) {
		verdict_set(ret, CODE_FAILED, "%s: cannot make the cgroup: %s", grant->cgroup,
			    strerror(-r));
		return;
	}
	/*
	 * A cgroup delegated to a user refuses the mark. A unit's directives are read again after
	 * a restart all the same; of any other cgroup nothing would be left then.
	 */
	r = grant_mark(grants, grant, wish);
	if (r < 0 && grant_is_plain(grant)) {
		verdict_set(ret, CODE_FAILED, "%s: cannot be marked as granted (%s);"
			    " grant a cgroup above it that is root's", grant->cgroup, strerror(-r));
		return;
	}
	r = grant_enforce(grants, grant, &ret->is_changed, &file);
	if (r == -EOPNOTSUPP)
		verdict_set(ret, CODE_FAILED,
			    "%s: the memory controller is off, set MemoryAccounting=yes",
			    grant->cgroup);
	else if (r < 0)
		verdict_set(ret, CODE_FAILED, "%s/%s: %s", grant->cgroup, file, strerror(-r));
	else if (!grant_is_effective(grants, grant))
		verdict_set(ret, CODE_FAILED, "%s: written, but a cgroup above withholds a node",
			    grant->cgroup);
}

static void grant_describe(const struct grant *grant, struct verdict *ret)
{
	size_t length = 0;

	for (size_t i = 0; i < grant->n_shares; i++) {
		char *bytes = size_format(reservation_get_bytes(grant->shares[i].reservation));

		if (length < sizeof(ret->text))
			length += snprintf(ret->text + length, sizeof(ret->text) - length,
					   "%snode%u: %s granted", i ? ", " : "",
					   grant->shares[i].nid, bytes ?: "?");
		free(bytes);
	}
}

static void shares_drop(struct share *shares, size_t count)
{
	for (size_t i = 0; i < count; i++)
		reservation_drop(shares[i].reservation);
	free(shares);
}

/**
 * grant_release() - give a unit's reservations back and forget it
 *
 * A cgroup that outlives its unit keeps what it uses but gets no more.
 */
void grant_release(struct grants *grants, struct grant *grant)
{
	bool is_changed;
	const char *file;

	if (grant->n_shares > 0) {
		shares_drop(grant->shares, grant->n_shares);
		grants_set_shares(grants, grant, NULL, 0);
		(void)grant_enforce(grants, grant, &is_changed, &file);
		cgroup_clear_mark(grants->root_fd, grant->cgroup);
		if (!grant_is_plain(grant))
			cache_drop(grants->cache_fd, grant->unit);
	}
	grants_forget(grants, grant);
}

/* A unit without a grant, or one that moved to another slice, starts from nothing. */
static struct grant *grant_prepare(struct grants *grants, const struct unit *unit)
{
	struct grant *grant = grants_find(grants, unit->name);

	if (grant && strcmp(grant->cgroup, unit->cgroup) != 0) {
		grant_release(grants, grant);
		grant = NULL;
	}
	return grant ?: grants_add(grants, unit->name, unit->cgroup);
}

/* Are these shares what was kept of them? A unit that merely restarts costs no write. */
static bool grant_is_remembered(const struct grant *grant, const struct wish *wish,
				const struct step *steps, size_t n_old)
{
	if (!grant->is_remembered || n_old != wish->n_items ||
	    grant->is_request != wish->is_request)
		return false;
	for (size_t i = 0; i < wish->n_items; i++)
		if (!steps[i].old || steps[i].old->limit.kind != wish->items[i].limit.kind ||
		    steps[i].old->limit.value != wish->items[i].limit.value)
			return false;
	return true;
}

/* Puts the new shares into force, or everything back as it was. */
static void grant_commit(struct grants *grants, struct grant *grant, const struct wish *wish,
			 bool is_early, struct step *steps, struct verdict *ret)
{
	bool is_changed, is_remembered;
	struct share *old;
	size_t n_old;
	const char *file;

	if (grant_swap_shares(grants, grant, steps, wish->n_items, &old, &n_old) < 0) {
		decide_undo(steps, wish->n_items);
		verdict_set(ret, CODE_FAILED, "out of memory");
		return;
	}
	act(grants, grant, wish, is_early, ret);
	if (ret->code != CODE_DONE) {
		decide_undo(steps, wish->n_items);
		free(grant->shares);
		grants_set_shares(grants, grant, old, n_old);
		(void)grant_enforce(grants, grant, &is_changed, &file);
		if (n_old == 0)
			cgroup_clear_mark(grants->root_fd, grant->cgroup);
		return;
	}
	is_remembered = grant_is_remembered(grant, wish, steps, n_old);
	for (size_t i = 0; i < n_old; i++)
		if (!grant_find_share(grant, old[i].nid))
			reservation_drop(old[i].reservation);
	free(old);
	grant->is_request = wish->is_request;
	if (!is_remembered)
		grants_remember(grants, grant);
	grants_clear_refusal(grants, grant);
	grant_describe(grant, ret);
}

/**
 * grant_apply() - give a unit what it asks for, or refuse and change nothing
 * @unit: as PID 1 told of it just now
 * @wish: all that it asks for; what it held beyond that is taken away
 * @is_early: make the cgroup if it is not there
 * @ret: always set
 */
void grant_apply(struct grants *grants, const struct unit *unit, const struct wish *wish,
		 bool is_early, struct verdict *ret)
{
	struct grant *grant = grants_find(grants, unit->name);
	struct step steps[wish->n_items + 1];

	*ret = (struct verdict){ .code = CODE_DONE };
	if (wish->n_items == 0) {
		verdict_set(ret, CODE_DONE, "nothing is asked for");
		ret->is_changed = grant && grant->n_shares > 0;
		if (grant)
			grant_release(grants, grant);
		return;
	}
	if (!cgroup_has_support(grants->root_fd)) {
		verdict_set_no_support(ret);
		return;
	}
	if (unit->cgroup[strspn(unit->cgroup, "/")] == '\0') {
		verdict_set(ret, CODE_FAILED, "%s is the root cgroup, which takes no grant",
			    unit->name);
		return;
	}
	grants_refresh_nodes(grants);
	grant = grant_prepare(grants, unit);
	if (!grant) {
		verdict_set(ret, CODE_FAILED, "out of memory");
		return;
	}
	grant->touched = grants_tick(grants);
	if (decide(grants, grant, wish, steps, ret) >= 0)
		grant_commit(grants, grant, wish, is_early, steps, ret);
	if (grant->n_shares == 0 && !grant->refusal)
		grants_forget(grants, grant);
}
