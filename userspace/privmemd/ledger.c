// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ledger.h"

#include <assert.h>
#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nodelist.h"
#include "size.h"

/* So many holders are named when a request is refused; the rest are counted. */
#define EXPLAIN_HOLDERS 3

struct reservation {
	struct pool *pool;
	struct reservation *parent;	/* NULL only for the root of the pool */
	struct reservation *children;	/* in no order */
	struct reservation *next, **link;
	char *path;
	char *holder;
	uint64_t bytes;
	uint64_t drawn;			/* sum of the children's bytes */
};

struct pool {
	struct reservation root;
	struct ledger *ledger;
	void *paths;			/* tsearch() tree by path, without the root */
	uint64_t capacity_bytes;
	uint64_t stray_bytes;		/* in use, and nobody's reservation */
	size_t n_inner;			/* reservations with something above that is no slice */
	unsigned int nid;
	bool is_present;
};

struct ledger {
	struct pool *pools[NODELIST_MAX];
	uint64_t page_bytes;
};

static int path_compare(const void *a, const void *b)
{
	const struct reservation *left = a, *right = b;

	return strcmp(left->path, right->path);
}

/* Is @path a proper descendant of @above? The root path is written "" or "/". */
static bool path_is_below(const char *path, const char *above)
{
	size_t length = strlen(above);

	if (length == 0 || strcmp(above, "/") == 0)
		return strcmp(path, above) != 0;
	return strncmp(path, above, length) == 0 && path[length] == '/';
}

/*
 * Only a slice has units below it. Unless somebody granted a cgroup inside a unit,
 * knowing that spares every service's start a walk over all the reservations beside
 * its own.
 */
static bool path_is_slice(const char *path)
{
	size_t length = strlen(path), suffix = strlen(".slice");

	return length > suffix && strcmp(path + length - suffix, ".slice") == 0;
}

/* Is it a cgroup that somebody made inside a unit, or below a cgroup that is no unit? */
static bool path_is_inner(const char *path)
{
	static const char slice[] = ".slice";
	const size_t suffix = sizeof(slice) - 1;

	for (const char *end = strchr(path + 1, '/'); end; end = strchr(end + 1, '/'))
		if ((size_t)(end - path) < suffix || strncmp(end - suffix, slice, suffix) != 0)
			return true;
	return false;
}

static bool pool_may_hold_below(const struct pool *pool, const char *path)
{
	return path_is_slice(path) || pool->n_inner > 0;
}

static struct reservation *pool_find(const struct pool *pool, const char *path)
{
	struct reservation key = { .path = (char *)path };
	struct reservation **found = tfind(&key, &pool->paths, path_compare);

	return found ? *found : NULL;
}

static struct reservation *pool_find_parent(struct pool *pool, const char *path)
{
	char above[strlen(path) + 1];
	char *slash;

	strcpy(above, path);
	while ((slash = strrchr(above, '/')) && slash != above) {
		struct reservation *found;

		*slash = '\0';
		found = pool_find(pool, above);
		if (found)
			return found;
	}
	return &pool->root;
}

static uint64_t reservation_left(const struct reservation *reservation)
{
	uint64_t left = reservation->bytes > reservation->drawn ?
			reservation->bytes - reservation->drawn : 0;
	uint64_t stray = reservation->parent ? 0 : reservation->pool->stray_bytes;

	return left > stray ? left - stray : 0;
}

static void reservation_link(struct reservation *reservation, struct reservation *parent)
{
	reservation->parent = parent;
	reservation->next = parent->children;
	reservation->link = &parent->children;
	if (reservation->next)
		reservation->next->link = &reservation->next;
	parent->children = reservation;
	parent->drawn += reservation->bytes;
}

static void reservation_unlink(struct reservation *reservation)
{
	assert(reservation->parent->drawn >= reservation->bytes);
	reservation->parent->drawn -= reservation->bytes;
	*reservation->link = reservation->next;
	if (reservation->next)
		reservation->next->link = reservation->link;
	reservation->parent = NULL;
}

/* What the children of @parent that stand below @path hold together. */
static uint64_t reservation_sum_below(const struct reservation *parent, const char *path)
{
	uint64_t sum = 0;

	if (!pool_may_hold_below(parent->pool, path))
		return 0;
	for (const struct reservation *child = parent->children; child; child = child->next)
		if (path_is_below(child->path, path))
			sum += child->bytes;
	return sum;
}

static void reservation_take_children(struct reservation *reservation, struct reservation *from)
{
	struct reservation *next;

	for (struct reservation *child = from->children; child; child = next) {
		next = child->next;
		if (child == reservation || !path_is_below(child->path, reservation->path))
			continue;
		reservation_unlink(child);
		reservation_link(child, reservation);
	}
}

/**
 * ledger_new() - make an empty ledger that knows no node
 * @page_bytes: every reservation is a multiple of this
 * @ret: set only on success; owned by the caller, see ledger_free()
 *
 * Return: 0 or -ENOMEM
 */
int ledger_new(uint64_t page_bytes, struct ledger **ret)
{
	struct ledger *ledger = calloc(1, sizeof(*ledger));

	if (!ledger)
		return -ENOMEM;
	ledger->page_bytes = page_bytes;
	*ret = ledger;
	return 0;
}

/**
 * ledger_free() - free a ledger whose reservations have all been dropped
 * @ledger: may be NULL
 *
 * Return: NULL
 */
struct ledger *ledger_free(struct ledger *ledger)
{
	if (!ledger)
		return NULL;
	for (size_t nid = 0; nid < NODELIST_MAX; nid++) {
		struct pool *pool = ledger->pools[nid];

		if (!pool)
			continue;
		assert(!pool->root.children && pool->root.drawn == 0 && !pool->paths);
		free(pool);
	}
	free(ledger);
	return NULL;
}

static struct pool *ledger_get_pool(const struct ledger *ledger, unsigned int nid)
{
	return nid < NODELIST_MAX ? ledger->pools[nid] : NULL;
}

static int ledger_ensure_pool(struct ledger *ledger, unsigned int nid, struct pool **ret)
{
	struct pool *pool = ledger_get_pool(ledger, nid);

	if (nid >= NODELIST_MAX)
		return -EINVAL;
	if (!pool) {
		pool = calloc(1, sizeof(*pool));
		if (!pool)
			return -ENOMEM;
		pool->root.path = "";
		pool->root.holder = "";
		pool->root.pool = pool;
		pool->ledger = ledger;
		pool->nid = nid;
		ledger->pools[nid] = pool;
	}
	*ret = pool;
	return 0;
}

static uint64_t percent_of(uint64_t bytes, unsigned int percent)
{
	uint64_t whole = bytes / 100, rest = bytes % 100 * percent / 100;

	return __builtin_mul_overflow(whole, percent, &whole) ||
	       __builtin_add_overflow(whole, rest, &whole) ? UINT64_MAX : whole;
}

/**
 * ledger_set_node() - tell the ledger that a node is there, and its size
 * @capacity_bytes: may be less than what is reserved; then nothing is left
 * @overcommit_percent: how much of that may be promised, 100 for no more than there is
 *
 * Return: 0, -EINVAL for a node number out of range, or -ENOMEM
 */
int ledger_set_node(struct ledger *ledger, unsigned int nid, uint64_t capacity_bytes,
		    unsigned int overcommit_percent)
{
	struct pool *pool;
	int r = ledger_ensure_pool(ledger, nid, &pool);

	if (r < 0)
		return r;
	pool->capacity_bytes = capacity_bytes;
	pool->root.bytes = percent_of(capacity_bytes, overcommit_percent);
	pool->root.bytes -= pool->root.bytes % ledger->page_bytes;
	pool->is_present = true;
	return 0;
}

/**
 * ledger_set_absent() - a node went away; its reservations stay
 */
void ledger_set_absent(struct ledger *ledger, unsigned int nid)
{
	struct pool *pool = ledger_get_pool(ledger, nid);

	if (pool)
		pool->is_present = false;
}

/**
 * ledger_has_node() - can anything be reserved on the node?
 */
bool ledger_has_node(const struct ledger *ledger, unsigned int nid)
{
	const struct pool *pool = ledger_get_pool(ledger, nid);

	return pool && pool->is_present;
}

/**
 * ledger_get_capacity() - bytes of the node as last told, 0 if never told
 */
uint64_t ledger_get_capacity(const struct ledger *ledger, unsigned int nid)
{
	const struct pool *pool = ledger_get_pool(ledger, nid);

	return pool ? pool->capacity_bytes : 0;
}

/**
 * ledger_get_room() - bytes of the node that may be promised in all
 */
uint64_t ledger_get_room(const struct ledger *ledger, unsigned int nid)
{
	const struct pool *pool = ledger_get_pool(ledger, nid);

	return pool ? pool->root.bytes : 0;
}

/**
 * ledger_get_reserved() - bytes promised of the node, each byte counted once
 */
uint64_t ledger_get_reserved(const struct ledger *ledger, unsigned int nid)
{
	const struct pool *pool = ledger_get_pool(ledger, nid);

	return pool ? pool->root.drawn : 0;
}

/**
 * ledger_set_stray() - tell the ledger what of a node is in use without a reservation
 * @bytes: replaces what was told before
 */
void ledger_set_stray(struct ledger *ledger, unsigned int nid, uint64_t bytes)
{
	struct pool *pool = ledger_get_pool(ledger, nid);

	if (pool)
		pool->stray_bytes = bytes;
}

/**
 * ledger_is_over() - is more promised of a node than it has room for?
 */
bool ledger_is_over(const struct ledger *ledger, unsigned int nid)
{
	const struct pool *pool = ledger_get_pool(ledger, nid);

	return pool && pool->is_present && pool->root.drawn > pool->root.bytes;
}

/**
 * ledger_get_left() - the most that a new reservation of @path could hold
 *
 * What is already reserved below @path counts as left: it would be drawn from
 * the new reservation.
 */
uint64_t ledger_get_left(const struct ledger *ledger, const char *path, unsigned int nid)
{
	struct pool *pool = ledger_get_pool(ledger, nid);
	const struct reservation *parent;
	uint64_t bytes;

	if (!pool || !pool->is_present)
		return 0;
	parent = pool_find_parent(pool, path);
	bytes = reservation_left(parent) + reservation_sum_below(parent, path);
	return bytes - bytes % pool->ledger->page_bytes;
}

static int pool_insert(struct pool *pool, const char *path, const char *holder, uint64_t bytes,
		       struct reservation *parent, struct reservation **ret)
{
	struct reservation *reservation = calloc(1, sizeof(*reservation));

	if (!reservation)
		return -ENOMEM;
	reservation->path = strdup(path);
	reservation->holder = strdup(holder);
	if (!reservation->path || !reservation->holder ||
	    !tsearch(reservation, &pool->paths, path_compare)) {
		free(reservation->path);
		free(reservation->holder);
		free(reservation);
		return -ENOMEM;
	}
	reservation->pool = pool;
	reservation->bytes = bytes;
	reservation_link(reservation, parent);
	if (pool_may_hold_below(pool, path))
		reservation_take_children(reservation, parent);
	pool->n_inner += path_is_inner(path);
	*ret = reservation;
	return 0;
}

/**
 * ledger_reserve() - set bytes of one node aside for one unit
 * @ledger: changed only on success
 * @path: cgroup path of the unit, beginning with a slash; not the root
 * @holder: name of the unit, for the explanation of refusals
 * @nid: NUMA node number, as in /sys/devices/system/node/node<N>
 * @bytes: amount in bytes; a multiple of the page size
 * @ret: set only on success; owned by the caller, see reservation_drop()
 *
 * Reservations that exist below @path are drawn from the new one from now on.
 *
 * Return: 0, or
 * * -EINVAL - @bytes is not page-aligned, or @path is not below the root
 * * -EEXIST - @path holds a reservation on @nid already
 * * -ENODEV - @nid has no private memory now
 * * -EBUSY - units below @path hold more than @bytes already
 * * -ENOSPC - fewer than @bytes are unreserved
 * * -ENOMEM
 */
int ledger_reserve(struct ledger *ledger, const char *path, const char *holder, unsigned int nid,
		   uint64_t bytes, struct reservation **ret)
{
	struct pool *pool = ledger_get_pool(ledger, nid);
	struct reservation *parent;
	uint64_t below;

	if (path[0] != '/' || path[1] == '\0' || bytes % ledger->page_bytes != 0)
		return -EINVAL;
	if (!pool || !pool->is_present)
		return -ENODEV;
	if (pool_find(pool, path))
		return -EEXIST;
	parent = pool_find_parent(pool, path);
	below = reservation_sum_below(parent, path);
	if (bytes < below)
		return -EBUSY;
	if (bytes - below > reservation_left(parent))
		return -ENOSPC;
	return pool_insert(pool, path, holder, bytes, parent, ret);
}

/**
 * ledger_adopt() - enter a grant that was found in force
 *
 * As ledger_reserve(), but what is in force is a fact: it is entered though the
 * node is away or too small. Only what cannot be counted is refused.
 *
 * Return: 0, -EINVAL, -EEXIST, -EOVERFLOW or -ENOMEM
 */
int ledger_adopt(struct ledger *ledger, const char *path, const char *holder, unsigned int nid,
		 uint64_t bytes, struct reservation **ret)
{
	struct reservation *parent;
	struct pool *pool;
	int r;

	if (path[0] != '/' || path[1] == '\0' || bytes % ledger->page_bytes != 0)
		return -EINVAL;
	r = ledger_ensure_pool(ledger, nid, &pool);
	if (r < 0)
		return r;
	if (pool_find(pool, path))
		return -EEXIST;
	parent = pool_find_parent(pool, path);
	if (bytes > UINT64_MAX - parent->drawn)
		return -EOVERFLOW;
	return pool_insert(pool, path, holder, bytes, parent, ret);
}

/**
 * reservation_resize() - change what a unit holds
 * @reservation: changed only on success
 *
 * Return: 0, or
 * * -EINVAL - @bytes is not page-aligned
 * * -ENODEV - more is asked of a node that is away
 * * -EBUSY - units below hold more than @bytes already
 * * -ENOSPC - there is not so much left to grow into
 */
int reservation_resize(struct reservation *reservation, uint64_t bytes)
{
	struct reservation *parent = reservation->parent;

	if (bytes % reservation->pool->ledger->page_bytes != 0)
		return -EINVAL;
	if (bytes > reservation->bytes) {
		if (!reservation->pool->is_present)
			return -ENODEV;
		if (bytes - reservation->bytes > reservation_left(parent))
			return -ENOSPC;
		parent->drawn += bytes - reservation->bytes;
	} else {
		if (bytes < reservation->drawn)
			return -EBUSY;
		parent->drawn -= reservation->bytes - bytes;
	}
	reservation->bytes = bytes;
	return 0;
}

/**
 * reservation_restore() - undo a resize
 * @bytes: what it held before; nobody else was served since
 *
 * This cannot fail, also where the node has shrunk or is away and a resize to as
 * much would be refused.
 */
void reservation_restore(struct reservation *reservation, uint64_t bytes)
{
	reservation->parent->drawn += bytes - reservation->bytes;
	reservation->bytes = bytes;
}

/**
 * reservation_drop() - give everything back
 * @reservation: may be NULL
 *
 * Reservations below it draw from the next one above from now on.
 *
 * Return: NULL
 */
struct reservation *reservation_drop(struct reservation *reservation)
{
	struct reservation *parent, *child;

	if (!reservation)
		return NULL;
	parent = reservation->parent;
	reservation_unlink(reservation);
	while ((child = reservation->children)) {
		reservation_unlink(child);
		reservation_link(child, parent);
	}
	assert(reservation->drawn == 0);
	reservation->pool->n_inner -= path_is_inner(reservation->path);
	tdelete(reservation, &reservation->pool->paths, path_compare);
	free(reservation->path);
	free(reservation->holder);
	free(reservation);
	return NULL;
}

uint64_t reservation_get_bytes(const struct reservation *reservation)
{
	return reservation->bytes;
}

/**
 * reservation_get_source() - the slice it draws from, "" for the node itself
 */
const char *reservation_get_source(const struct reservation *reservation)
{
	return reservation->parent->holder;
}

/* The largest holders of @parent other than @path, largest first. */
static size_t explain_collect(const struct reservation *parent, const char *path,
			      const struct reservation *top[EXPLAIN_HOLDERS], size_t *ret_others)
{
	size_t count = 0, others = 0;

	for (const struct reservation *child = parent->children; child; child = child->next) {
		const struct reservation *moving = child;

		if (strcmp(child->path, path) == 0)
			continue;
		for (size_t i = 0; i < count; i++)
			if (moving->bytes > top[i]->bytes) {
				const struct reservation *smaller = top[i];

				top[i] = moving;
				moving = smaller;
			}
		if (count < EXPLAIN_HOLDERS)
			top[count++] = moving;
		else
			others++;
	}
	*ret_others = others;
	return count;
}

/**
 * ledger_explain() - say who holds what @path would draw from
 * @ret: "256M of 512M left; 256M reserved by alpha.service"; free() it
 *
 * Return: 0, -ENODEV if nothing is known of @nid, or -ENOMEM
 */
int ledger_explain(const struct ledger *ledger, const char *path, unsigned int nid, char **ret)
{
	const struct reservation *top[EXPLAIN_HOLDERS], *parent, *own;
	struct pool *pool = ledger_get_pool(ledger, nid);
	size_t count, others, length;
	char *left, *all, *text = NULL;
	FILE *out;

	if (!pool)
		return -ENODEV;
	parent = pool_find_parent(pool, path);
	own = pool_find(pool, path);
	out = open_memstream(&text, &length);
	if (!out)
		return -ENOMEM;
	left = size_format(reservation_left(parent) + (own ? own->bytes : 0));
	all = size_format(parent->bytes);
	fprintf(out, "%s of %s left", left ?: "?", all ?: "?");
	free(left);
	free(all);
	if (parent != &pool->root)
		fprintf(out, " in %s", parent->holder);
	count = explain_collect(parent, path, top, &others);
	for (size_t i = 0; i < count; i++) {
		char *bytes = size_format(top[i]->bytes);

		fprintf(out, "%s %s reserved by %s", i ? "," : ";", bytes ?: "?", top[i]->holder);
		free(bytes);
	}
	if (others > 0)
		fprintf(out, " and %zu others", others);
	if (parent == &pool->root && pool->stray_bytes > 0) {
		char *bytes = size_format(pool->stray_bytes);

		fprintf(out, "; %s still in use by units that were granted it before", bytes ?: "?");
		free(bytes);
	}
	if (fclose(out) != 0) {
		free(text);
		return -ENOMEM;
	}
	*ret = text;
	return 0;
}
