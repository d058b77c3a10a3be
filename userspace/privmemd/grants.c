// SPDX-License-Identifier: LGPL-2.1-or-later
#include "grants.h"

#include <errno.h>
#include <limits.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache.h"

/* Refusals of units that hold nothing are kept for people to read, the oldest go first. */
#define REFUSALS_MAX 64

static int grant_compare(const void *a, const void *b)
{
	const struct grant *left = a, *right = b;

	return strcmp(left->unit, right->unit);
}

/**
 * grants_new() - make an empty table over a cgroup hierarchy
 * @root_fd: of the hierarchy, or -1; stays the caller's
 * @cache_fd: see cache_open(), or -1; stays the caller's
 * @ret: set only on success; see grants_free()
 *
 * Return: 0 or -ENOMEM
 */
int grants_new(int root_fd, int cache_fd, uint64_t page_bytes, struct grants **ret)
{
	struct grants *grants = calloc(1, sizeof(*grants));
	int r;

	if (!grants)
		return -ENOMEM;
	grants->root_fd = root_fd;
	grants->cache_fd = cache_fd;
	grants->page_bytes = page_bytes;
	r = ledger_new(page_bytes, &grants->ledger);
	if (r < 0) {
		free(grants);
		return r;
	}
	*ret = grants;
	return 0;
}

static void grant_free(struct grant *grant)
{
	if (!grant)
		return;
	for (size_t i = 0; i < grant->n_shares; i++)
		reservation_drop(grant->shares[i].reservation);
	free(grant->shares);
	free(grant->unit);
	free(grant->cgroup);
	free(grant->refusal);
	wish_done(&grant->refused);
	free(grant);
}

/**
 * grants_set_shares() - change what a grant holds, and how many hold something
 * @shares: taken over; those that it held before are the caller's
 */
void grants_set_shares(struct grants *grants, struct grant *grant, struct share *shares,
		       size_t count)
{
	grants->n_granted += (count > 0) - (grant->n_shares > 0);
	grant->shares = shares;
	grant->n_shares = count;
}

/**
 * grants_forget() - drop a grant from the table and the ledger, not from the files
 */
void grants_forget(struct grants *grants, struct grant *grant)
{
	if (grants->forgetting)
		grants->forgetting(grant, grants->userdata);
	tdelete(grant, &grants->by_unit, grant_compare);
	grants->count--;
	grants->n_granted -= grant->n_shares > 0;
	grants->n_refused -= grant->refusal != NULL;
	grant_free(grant);
}

/**
 * grants_free() - forget everything, change nothing: what is granted stays granted
 * @grants: may be NULL
 *
 * Return: NULL
 */
struct grants *grants_free(struct grants *grants)
{
	if (!grants)
		return NULL;
	while (grants->by_unit)
		grants_forget(grants, *(struct grant **)grants->by_unit);
	ledger_free(grants->ledger);
	settings_done(&grants->settings);
	free(grants);
	return NULL;
}

/**
 * grants_tick() - count on; what is touched later has a higher count
 */
uint64_t grants_tick(struct grants *grants)
{
	return ++grants->ticks;
}

struct grant *grants_find(const struct grants *grants, const char *unit)
{
	struct grant key = { .unit = (char *)unit };
	struct grant **found = tfind(&key, &grants->by_unit, grant_compare);

	return found ? *found : NULL;
}

struct listing {
	struct grant **grants;
	size_t count;
};

static void listing_add(const void *node, VISIT visit, void *userdata)
{
	struct listing *listing = userdata;

	if (visit == postorder || visit == leaf)
		listing->grants[listing->count++] = *(struct grant *const *)node;
}

/**
 * grants_list() - all grants and kept refusals, by name of the unit
 * @ret: free() it; NULL when memory ran out
 *
 * Return: how many
 */
size_t grants_list(const struct grants *grants, struct grant ***ret)
{
	struct listing listing = { calloc(grants->count + 1, sizeof(struct grant *)), 0 };

	if (listing.grants)
		twalk_r(grants->by_unit, listing_add, &listing);
	*ret = listing.grants;
	return listing.count;
}

struct grant *grants_add(struct grants *grants, const char *unit, const char *cgroup)
{
	struct grant *grant = calloc(1, sizeof(*grant));

	if (!grant)
		return NULL;
	grant->unit = strdup(unit);
	grant->cgroup = strdup(cgroup);
	grant->watches[0] = grant->watches[1] = -1;
	if (!grant->unit || !grant->cgroup || !tsearch(grant, &grants->by_unit, grant_compare)) {
		grant_free(grant);
		return NULL;
	}
	grants->count++;
	return grant;
}

/**
 * grants_refresh_nodes() - tell the ledger which nodes are there and how large
 */
void grants_refresh_nodes(struct grants *grants)
{
	struct amounts capacity;
	unsigned int nid;

	if (cgroup_read_amounts(grants->root_fd, "/", FILE_CAPACITY, &capacity) < 0)
		capacity.nodes = (struct nodelist){};
	nodelist_for_each(nid, &grants->known)
		if (!nodelist_is_set(&capacity.nodes, nid))
			ledger_set_absent(grants->ledger, nid);
	nodelist_for_each(nid, &capacity.nodes)
		if (ledger_set_node(grants->ledger, nid, capacity.bytes[nid],
				    settings_overcommit(&grants->settings, nid)) >= 0)
			nodelist_set(&grants->known, nid);
}

/* What a cgroup uses of a node and has reserved there. */
static uint64_t covered_by(const struct grants *grants, const struct grant *grant,
			   const struct grant *asking, unsigned int nid)
{
	uint64_t reserved = grant == asking ? UINT64_MAX : 0;
	struct amounts current;

	for (size_t i = 0; i < grant->n_shares && grant != asking; i++)
		if (grant->shares[i].nid == nid &&
		    *reservation_get_source(grant->shares[i].reservation) == '\0')
			reserved = reservation_get_bytes(grant->shares[i].reservation);
	if (!reserved || cgroup_read_amounts(grants->root_fd, grant->cgroup, FILE_CURRENT,
					     &current) < 0 || !nodelist_is_set(&current.nodes, nid))
		return 0;
	return current.bytes[nid] < reserved ? current.bytes[nid] : reserved;
}

/* Is there room for what is asked for, even if nothing that is in use were reserved? */
static bool has_room_anyway(const struct grants *grants, unsigned int nid, uint64_t used,
			    uint64_t asked)
{
	uint64_t room = ledger_get_room(grants->ledger, nid);
	uint64_t reserved = ledger_get_reserved(grants->ledger, nid);

	return used == 0 || (reserved <= room && used <= room - reserved &&
			     asked <= room - reserved - used);
}

/**
 * grants_count_strays() - tell the ledger what is in use of a node beyond what is reserved
 * @asking: what it uses itself is not in its way
 * @asked_bytes: how much it wants; once it is sure that there is so much, nothing more is counted
 *
 * A unit that is gone can leave memory behind, such as a System V segment, and one
 * whose grant was made smaller what it has. Nothing counts by cgroup what is left
 * of cgroups that are gone, so it is what remains when all others are taken off.
 */
void grants_count_strays(struct grants *grants, const struct grant *asking, unsigned int nid,
			 uint64_t asked_bytes)
{
	struct amounts used;
	struct grant **all;
	uint64_t stray;
	size_t count;

	ledger_set_stray(grants->ledger, nid, 0);
	cgroup_read_used(grants->root_fd, FILE_CURRENT, &used);
	stray = used.bytes[nid];
	if (has_room_anyway(grants, nid, stray, asked_bytes))
		return;
	count = grants_list(grants, &all);
	for (size_t i = 0; i < count && !has_room_anyway(grants, nid, stray, asked_bytes); i++) {
		uint64_t covered = covered_by(grants, all[i], asking, nid);

		stray -= covered < stray ? covered : stray;
	}
	free(all);
	ledger_set_stray(grants->ledger, nid, stray);
}

/* The last part of a cgroup path, without the underscore that PID 1 escapes some names with. */
static const char *unit_of_cgroup(const char *path)
{
	const char *name = strrchr(path, '/');

	name = name ? name + 1 : path;
	return name[0] == '_' ? name + 1 : name;
}

static size_t adopt_shares(struct grants *grants, const struct grant *grant,
			   const struct wish *wish, const struct amounts *max,
			   struct share *ret_shares)
{
	size_t count = 0;

	for (size_t i = 0; i < wish->n_items; i++) {
		unsigned int nid = wish->items[i].nid;
		struct share share = { nid, wish->items[i].limit, NULL };

		/* We set a limit before any grant: without one the grant never came about. */
		if (!nodelist_is_set(&max->nodes, nid) || max->bytes[nid] == UINT64_MAX ||
		    ledger_adopt(grants->ledger, grant->cgroup, grant->unit, nid, max->bytes[nid],
				 &share.reservation) < 0)
			continue;
		nodelist_set(&grants->known, nid);
		ret_shares[count++] = share;
	}
	return count;
}

static void adopt(struct grants *grants, const char *unit, const char *cgroup,
		  const struct wish *wish, const struct amounts *max)
{
	struct grant *grant = grants_find(grants, unit) ? NULL : grants_add(grants, unit, cgroup);
	struct share *shares;

	if (!grant)
		return;
	grant->is_request = wish->is_request;
	shares = calloc(wish->n_items + 1, sizeof(*shares));
	if (shares)
		grants_set_shares(grants, grant, shares,
				  adopt_shares(grants, grant, wish, max, shares));
	if (grant->n_shares == 0)
		grants_forget(grants, grant);
}

/* What the files of a cgroup grant; fails, with -ENXIO, if they grant nothing. */
static int adopt_read(const struct grants *grants, const char *cgroup, struct amounts *ret_max)
{
	struct nodelist nodes;
	int r = cgroup_read_nodes(grants->root_fd, cgroup, FILE_NODES, &nodes);

	if (r >= 0 && nodelist_is_empty(&nodes))
		return -ENXIO;
	return r < 0 ? r : cgroup_read_amounts(grants->root_fd, cgroup, FILE_MAX, ret_max);
}

/**
 * grants_unit_of_cgroup() - the unit whose cgroup this is, by the path alone
 *
 * PID 1 puts units into slices and nowhere else. What is below a service or a scope is its
 * own affair: cgroups there may be named after any unit, and marked.
 *
 * Return: the name, a part of @path; NULL for a cgroup that is no unit's
 */
const char *grants_unit_of_cgroup(const char *path)
{
	static const char slice[] = ".slice";
	const size_t suffix = sizeof(slice) - 1;
	const char *unit = unit_of_cgroup(path);

	for (const char *end = strchr(path + 1, '/'); end; end = strchr(end + 1, '/'))
		if ((size_t)(end - path) < suffix || strncmp(end - suffix, slice, suffix) != 0)
			return NULL;
	return unit_name_is_valid(unit) ? unit : NULL;
}

/* Nobody above may have let it have the node: then the files were not written by us. */
static void adopt_drop_unusable(const struct grants *grants, const char *cgroup,
				struct amounts *max)
{
	struct nodelist effective = {};
	unsigned int nid;

	(void)cgroup_read_nodes(grants->root_fd, cgroup, FILE_EFFECTIVE, &effective);
	nodelist_for_each(nid, &max->nodes)
		if (ledger_has_node(grants->ledger, nid) && !nodelist_is_set(&effective, nid))
			nodelist_clear(&max->nodes, nid);
}

/* Half a grant, or half a revocation, of one who was killed at it: no node, but a limit. */
static void adopt_undo(const struct grants *grants, const char *cgroup)
{
	struct amounts max;
	unsigned int nid;

	if (cgroup_read_amounts(grants->root_fd, cgroup, FILE_MAX, &max) < 0)
		return;
	nodelist_for_each(nid, &max.nodes)
		max.bytes[nid] = UINT64_MAX;
	(void)cgroup_write_amounts(grants->root_fd, cgroup, FILE_MAX, &max);
	cgroup_clear_mark(grants->root_fd, cgroup);
}

static bool adopt_cgroup(int dir_fd, const char *path, void *userdata)
{
	struct grants *grants = userdata;
	const char *unit = grants_unit_of_cgroup(path);
	struct wish wish = {};
	struct amounts max;
	char text[4096];
	struct stat st;
	int r;

	/* What belongs to a user bears no mark of ours, and may be as deep as the user likes. */
	if (fstat(dir_fd, &st) < 0 || st.st_uid != geteuid() || strlen(path) >= PATH_MAX)
		return false;
	if (cgroup_get_mark(grants->root_fd, path, text, sizeof(text)) < 0 ||
	    wish_parse_mark(text, &wish) < 0)
		return true;
	r = adopt_read(grants, path, &max);
	if (r == -ENXIO) {
		adopt_undo(grants, path);
	} else if (r >= 0) {
		if (!unit)
			adopt_drop_unusable(grants, path, &max);
		adopt(grants, unit ?: path, path, &wish, &max);
	}
	wish_done(&wish);
	return true;
}

/* What is kept of a grant; NULL when memory ran out. */
static char *grant_format(const struct grant *grant)
{
	struct wish_item items[grant->n_shares + 1];
	struct wish wish = { .items = items, .is_request = grant->is_request };
	struct amounts max = {};
	char *mark, *max_text, *text = NULL;

	for (size_t i = 0; i < grant->n_shares; i++) {
		const struct share *share = &grant->shares[i];

		items[wish.n_items++] = (struct wish_item){ share->nid, share->limit };
		nodelist_set(&max.nodes, share->nid);
		max.bytes[share->nid] = reservation_get_bytes(share->reservation);
	}
	mark = wish_format_mark(&wish);
	max_text = amounts_format(&max);
	if (!mark || !max_text || asprintf(&text, "%s\n%s%s", grant->cgroup, mark, max_text) < 0)
		text = NULL;
	free(mark);
	free(max_text);
	return text;
}

/* The cgroup, the mark it would bear, and the lines its limit file would hold. */
static void adopt_kept(struct grants *grants, const char *unit, const char *text)
{
	char copy[strlen(text) + 1], *mark, *max_text;
	struct wish wish = {};
	struct amounts max;
	int r;

	strcpy(copy, text);
	mark = strchr(copy, '\n');
	max_text = mark ? strstr(mark, "\nN") : NULL;
	if (copy[0] != '/' || !max_text || !unit_name_is_valid(unit))
		return;
	*mark++ = '\0';
	*max_text++ = '\0';
	if (wish_parse_mark(mark, &wish) < 0)
		return;
	/* A cgroup without a mark, delegated to a user, still knows better what it may use. */
	r = cgroup_exists(grants->root_fd, copy) ? adopt_read(grants, copy, &max) :
						   amounts_parse(max_text, &max);
	if (r >= 0)
		adopt(grants, unit, copy, &wish, &max);
	else if (r == -ENXIO)
		cache_drop(grants->cache_fd, unit);	/* revoked, and no time to forget it */
	wish_done(&wish);
}

static void adopt_cached(const char *unit, const char *text, void *userdata)
{
	struct grants *grants = userdata;
	struct grant *grant;
	char *kept;

	adopt_kept(grants, unit, text);
	grant = grants_find(grants, unit);
	kept = grant ? grant_format(grant) : NULL;
	if (kept)
		grant->is_remembered = strcmp(kept, text) == 0;
	free(kept);
}

/**
 * grants_adopt() - enter into the ledger what an earlier daemon granted
 *
 * The cgroup files are the truth: what they allow is reserved before anybody
 * else can ask, whatever the unit's files say by now.
 */
void grants_adopt(struct grants *grants)
{
	grants_refresh_nodes(grants);
	if (!cgroup_has_support(grants->root_fd))
		return;
	cgroup_walk(grants->root_fd, adopt_cgroup, grants);
	if (grants->cache_fd >= 0)
		cache_walk(grants->cache_fd, adopt_cached, grants);
}

/**
 * grants_remember() - keep a grant where it survives us and its cgroup
 */
void grants_remember(const struct grants *grants, struct grant *grant)
{
	char *text;

	if (grants->cache_fd < 0 || grant_is_plain(grant))
		return;
	text = grant_format(grant);
	grant->is_remembered = text && cache_put(grants->cache_fd, grant->unit, text) >= 0;
	free(text);
}

static void forget_oldest_refusal(struct grants *grants)
{
	struct grant **all, *oldest = NULL;
	size_t count, refused = 0;

	if (grants->n_refused < REFUSALS_MAX)
		return;
	count = grants_list(grants, &all);
	for (size_t i = 0; i < count; i++) {
		if (all[i]->n_shares > 0)
			continue;
		refused++;
		if (!oldest || all[i]->touched < oldest->touched)
			oldest = all[i];
	}
	free(all);
	if (refused > REFUSALS_MAX)
		grants_forget(grants, oldest);
}

/**
 * grants_note_refusal() - remember why a unit was refused
 * @wish: what was refused; taken over and left empty
 *
 * Return: is this news, or did the same start of the unit hear the same already?
 */
bool grants_note_refusal(struct grants *grants, const struct unit *unit, struct wish *wish,
			 const char *text)
{
	struct grant *grant = grants_find(grants, unit->name);
	char *copy = strdup(text);
	bool is_news;

	if (!grant) {
		grant = grants_add(grants, unit->name, unit->cgroup);
		if (grant)
			grant->touched = grants_tick(grants);
		forget_oldest_refusal(grants);
		grant = grants_find(grants, unit->name);
	}
	if (!grant || !copy) {
		free(copy);
		return true;
	}
	is_news = !grant->refusal || strcmp(grant->refusal, copy) != 0 ||
		  !sd_id128_equal(grant->invocation, unit->invocation);
	grants_clear_refusal(grants, grant);
	grant->refusal = copy;
	grants->n_refused++;
	grant->refused = *wish;
	grant->invocation = unit->invocation;
	*wish = (struct wish){};
	return is_news;
}

void grants_clear_refusal(struct grants *grants, struct grant *grant)
{
	grants->n_refused -= grant->refusal != NULL;
	free(grant->refusal);
	grant->refusal = NULL;
	wish_done(&grant->refused);
}
