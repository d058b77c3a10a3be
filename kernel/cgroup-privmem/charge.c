// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much of a private node a cgroup uses.
 *
 * One counter per cgroup and node, chained to the counters of the ancestors.
 * Charges are exact, not batched: a charge adds to every counter of the chain
 * with a compare-and-exchange that cannot step over the limit, or to none.
 * So usage never exceeds max, and what is freed is gone from it at once.
 *
 * Limit and grant are looked at again after the counter was raised: whoever
 * lowers one sees either the raised counter or the charge undone.
 *
 * A folio is charged before it is allocated and carries its memcg in
 * memcg_data as any other; that it stands on a private node says which
 * counter holds it.  Nothing of it is in memory.current.
 */
#include <linux/cgroup.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/swap.h>

#include "internal.h"

/**
 * privmem_counter_init() - an unused counter without a limit
 * @counter: not yet visible to anyone
 * @parent: counter of the same node one level up, or NULL
 * @memcg: whose counter it is
 */
void privmem_counter_init(struct privmem_counter *counter, struct privmem_counter *parent,
			  struct mem_cgroup *memcg)
{
	memset(counter, 0, sizeof(*counter));
	counter->max = PRIVMEM_COUNTER_MAX;
	counter->parent = parent;
	counter->memcg = memcg;
}

static __always_inline bool counter_try_add(struct privmem_counter *counter, long nr_pages)
{
	long usage = atomic_long_read(&counter->usage);

	do {
		if (unlikely(nr_pages > READ_ONCE(counter->max) - usage))
			return false;
	} while (unlikely(!atomic_long_try_cmpxchg(&counter->usage, &usage, usage + nr_pages)));

	/* The exchange is a full barrier; pairs with privmem_counter_set_max(). */
	if (likely(usage + nr_pages <= READ_ONCE(counter->max)))
		return true;

	atomic_long_sub(nr_pages, &counter->usage);
	return false;
}

/**
 * privmem_counter_find_full() - the first counter upwards without room
 * @counter: where to begin; may be NULL
 * @nr_pages: what it would have to take
 *
 * Return: NULL if all have room
 */
struct privmem_counter *privmem_counter_find_full(struct privmem_counter *counter, long nr_pages)
{
	for (; counter; counter = counter->parent)
		if (nr_pages > READ_ONCE(counter->max) - atomic_long_read(&counter->usage))
			break;
	return counter;
}

/* Undo a charge from @counter up to but not including @end: it was never use. */
static void counter_cancel(struct privmem_counter *counter, const struct privmem_counter *end,
			   unsigned long nr_pages)
{
	for (; counter != end; counter = counter->parent)
		atomic_long_sub(nr_pages, &counter->usage);
}

/**
 * privmem_counter_charge() - charge a counter and all above it, or none
 * @counter: where the charge starts
 * @nr_pages: pages to add
 *
 * Context: any.
 *
 * Return: NULL if charged, else the counter that has no room
 */
struct privmem_counter *privmem_counter_charge(struct privmem_counter *counter,
					       unsigned long nr_pages)
{
	struct privmem_counter *full;

	/*
	 * A large charge that fails high up in the chain has for a moment filled
	 * the counters below, where it could refuse a small charge that fits.  So
	 * ask before adding.  A small charge does no such harm: the others would
	 * have met the same full counter.
	 */
	if (nr_pages > 1) {
		full = privmem_counter_find_full(counter, nr_pages);
		if (full)
			return full;
	}

	for (full = counter; full; full = full->parent)
		if (unlikely(!counter_try_add(full, nr_pages)))
			break;
	if (likely(!full))
		return NULL;

	counter_cancel(counter, full, nr_pages);
	return full;
}

static void counter_raise_peak(struct privmem_counter *counter, long usage)
{
	long peak = READ_ONCE(counter->peak);

	while (usage > peak && !try_cmpxchg(&counter->peak, &peak, usage))
		;
}

/**
 * privmem_counter_uncharge() - take back what privmem_counter_charge() added
 * @counter: the same as was charged
 * @nr_pages: pages to take, any part of what was charged
 *
 * Usage peaks right before it falls, so here is where the peak is recorded:
 * the charge has no time for it, and one that is cancelled was never use.
 *
 * Context: any.
 */
void privmem_counter_uncharge(struct privmem_counter *counter, unsigned long nr_pages)
{
	for (; counter; counter = counter->parent) {
		long usage = atomic_long_fetch_sub(nr_pages, &counter->usage);

		WARN_ON_ONCE(usage < (long)nr_pages);
		if (usage > READ_ONCE(counter->peak))
			counter_raise_peak(counter, usage);
	}
}

/**
 * privmem_counter_set_max() - set a limit, be it below what is in use
 * @counter: its usage stays; nothing is charged until it is under @max
 * @max: pages, or PRIVMEM_COUNTER_MAX
 */
void privmem_counter_set_max(struct privmem_counter *counter, long max)
{
	WRITE_ONCE(counter->max, max);
	smp_mb();	/* limit before any later look at usage; see counter_try_add() */
}

/**
 * privmem_counter_peak() - highest usage so far
 * @counter: any
 *
 * Return: pages
 */
long privmem_counter_peak(struct privmem_counter *counter)
{
	counter_raise_peak(counter, atomic_long_read(&counter->usage));
	return READ_ONCE(counter->peak);
}

/**
 * privmem_counter_find() - the counter of a cgroup and node, if there is one
 * @memcg: may be NULL
 * @nid: NUMA node number
 *
 * Return: lives as long as @memcg; NULL if the node was neither used nor limited
 */
struct privmem_counter *privmem_counter_find(struct mem_cgroup *memcg, int nid)
{
	struct privmem *pm;

	if (!memcg)
		return NULL;
	pm = smp_load_acquire(&memcg->privmem);	/* pairs with privmem_get() */
	if (!pm)
		return NULL;
	return smp_load_acquire(&pm->counters[nid]);	/* pairs with counter_create() */
}

/* Make the counter of @memcg and @nid, whose parent has one.  0 or -ENOMEM */
static int counter_create(struct mem_cgroup *memcg, int nid)
{
	struct mem_cgroup *parent = parent_mem_cgroup(memcg);
	struct mem_cgroup *old = set_active_memcg(parent);
	struct privmem_counter *counter = kmalloc(sizeof(*counter), GFP_KERNEL_ACCOUNT);

	set_active_memcg(old);
	if (!counter)
		return -ENOMEM;
	privmem_counter_init(counter, privmem_counter_find(parent, nid), memcg);

	mutex_lock(&privmem_mutex);
	if (!memcg->privmem->counters[nid]) {
		/* Pairs with privmem_counter_find(). */
		smp_store_release(&memcg->privmem->counters[nid], counter);
		counter = NULL;
	}
	mutex_unlock(&privmem_mutex);
	kfree(counter);
	return 0;
}

/**
 * privmem_counter_get() - the counter of a cgroup and node, made if there is none
 * @memcg: not the root, not on cgroup v1
 * @nid: a possible node
 *
 * Makes those of all ancestors too.  Context: may sleep.
 *
 * Return: lives as long as @memcg; NULL if out of memory
 */
struct privmem_counter *privmem_counter_get(struct mem_cgroup *memcg, int nid)
{
	if (!privmem_get(memcg))
		return NULL;

	while (!privmem_counter_find(memcg, nid)) {
		struct mem_cgroup *bare = memcg, *parent;

		while (parent = parent_mem_cgroup(bare), !mem_cgroup_is_root(parent) &&
		       !privmem_counter_find(parent, nid))
			bare = parent;
		if (counter_create(bare, nid))
			return NULL;
	}
	return privmem_counter_find(memcg, nid);
}

static void counter_count_event(struct privmem_counter *counter, enum privmem_event event)
{
	atomic_long_inc(&counter->events_local[event]);
	cgroup_file_notify(&counter->memcg->privmem_events_local_file);

	for (; counter; counter = counter->parent) {
		atomic_long_inc(&counter->events[event]);
		cgroup_file_notify(&counter->memcg->privmem_events_file);
	}
}

/**
 * privmem_count_event() - count in .events and .events.local, and notify
 * @memcg: whose ask it was; the root and cgroup v1 have no such files
 * @nid: the private node asked for
 * @event: what happened
 *
 * Context: may sleep.
 */
void privmem_count_event(struct mem_cgroup *memcg, int nid, enum privmem_event event)
{
	struct privmem_counter *counter = privmem_counter_find(memcg, nid);

	if (!counter && privmem_binds(memcg))
		counter = privmem_counter_get(memcg, nid);
	if (counter)
		counter_count_event(counter, event);
}

/* The first charge of @memcg on @nid, or one that has no counter.  See privmem_try_charge(). */
static noinline int charge_first(struct mem_cgroup *memcg, int nid,
				 struct privmem_counter **ret_counter)
{
	if (!privmem_granted(memcg, nid))
		return -EPERM;
	if (!privmem_binds(memcg)) {
		*ret_counter = NULL;
		return 0;
	}
	*ret_counter = privmem_counter_get(memcg, nid);
	return *ret_counter ? 0 : -ENOMEM;
}

/**
 * privmem_try_charge() - charge a cgroup and its ancestors
 * @memcg: may be NULL
 * @nid: a private node
 * @nr_pages: what to charge
 * @count_max: count a limit that is met
 *
 * Context: may sleep.
 *
 * Return: 0, or
 * * -EPERM - no grant
 * * -ENOSPC - no room under a limit
 * * -ENOMEM - no memory for a counter
 */
int privmem_try_charge(struct mem_cgroup *memcg, int nid, unsigned long nr_pages, bool count_max)
{
	struct privmem_counter *counter = privmem_counter_find(memcg, nid), *full;
	int err;

	if (unlikely(!counter)) {
		err = charge_first(memcg, nid, &counter);
		if (err || !counter)
			return err;
	}

	if (unlikely(!test_bit(nid, memcg->privmem->effective)))
		return -EPERM;

	full = privmem_counter_charge(counter, nr_pages);
	if (unlikely(full)) {
		if (count_max)
			counter_count_event(full, PRIVMEM_EVENT_MAX);
		return -ENOSPC;
	}

	/* Revoked meanwhile?  The charge was a full barrier. */
	if (unlikely(!test_bit(nid, memcg->privmem->effective))) {
		counter_cancel(counter, NULL, nr_pages);
		return -EPERM;
	}
	return 0;
}

/**
 * privmem_uncharge() - give back pages of a private node
 * @memcg: what they were charged to; may be NULL
 * @nid: their node
 * @nr_pages: how many
 *
 * Context: any.
 */
void privmem_uncharge(struct mem_cgroup *memcg, int nid, unsigned long nr_pages)
{
	privmem_counter_uncharge(privmem_counter_find(memcg, nid), nr_pages);
}

/* Under a limit there is no room: see privmem_folio_alloc() for what @gfp permits. */
static noinline int charge_harder(struct mem_cgroup *memcg, int nid, gfp_t gfp,
				  unsigned int order)
{
	int err = -ENOSPC;

	if (gfp & __GFP_RETRY_MAYFAIL) {
		lru_add_drain_all();
		err = privmem_try_charge(memcg, nid, 1UL << order, !order);
	}
	if (err == -ENOSPC && !order && !(gfp & __GFP_NORETRY))
		err = privmem_reclaim_and_charge(memcg, nid, gfp);
	return err;
}

/**
 * privmem_folio_alloc() - charge, then allocate on a private node
 * @memcg: whose memory it is going to be; NULL where memcg is disabled
 * @nid: a private node
 * @gfp: as for folio_alloc_node_private(); __GFP_RETRY_MAYFAIL also gives back
 *	what CPUs keep of pages whose last user is gone, before it counts a limit
 *	as hit; __GFP_NORETRY does without reclaim
 * @order: of the folio; a limit hit is counted for order 0 alone, since small
 *	pages may yet serve what a large folio could not
 *
 * Context: may sleep.
 *
 * Return: a folio that mem_cgroup_charge() leaves alone, or NULL for every
 * reason: no private node, no grant, no room under a limit, node full
 */
struct folio *privmem_folio_alloc(struct mem_cgroup *memcg, int nid, gfp_t gfp,
				  unsigned int order)
{
	struct folio *folio;
	int err;

	if (!node_is_private(nid))
		return NULL;
	err = privmem_try_charge(memcg, nid, 1UL << order,
				 !order && !(gfp & __GFP_RETRY_MAYFAIL));
	if (unlikely(err == -ENOSPC))
		err = charge_harder(memcg, nid, gfp, order);
	if (unlikely(err))
		return NULL;

	folio = folio_alloc_node_private(nid, gfp, order);
	if (!folio)
		counter_cancel(privmem_counter_find(memcg, nid), NULL, 1UL << order);
	else if (memcg)
		mem_cgroup_commit_charge(folio, memcg);
	return folio;
}

/**
 * privmem_migration_alloc() - charge, then allocate the target of a move
 * @src: stays as it is, and charged until it is freed
 * @nid: a private node
 * @gfp: as for folio_alloc_node_private()
 * @count_events: count a refusal, as somebody asked for the move
 *
 * The target is charged in full to the memcg of @src. Within one node it is
 * left uncharged, and mem_cgroup_migrate() hands the charge over.
 *
 * Context: may sleep; @src locked or otherwise exclusively held.
 *
 * Return: a folio of the order of @src, or ERR_PTR of
 * * -EPERM - no grant for @nid
 * * -ENOSPC - no room on the node or under a limit
 * * -ENOMEM - no memory for a counter
 */
struct folio *privmem_migration_alloc(struct folio *src, int nid, gfp_t gfp, bool count_events)
{
	struct mem_cgroup *memcg = folio_nid(src) == nid ? NULL : folio_memcg(src);
	unsigned long nr_pages = folio_nr_pages(src);
	struct folio *folio;
	int err = memcg ? privmem_try_charge(memcg, nid, nr_pages, count_events) : 0;

	if (err == -EPERM && count_events)
		privmem_count_event(memcg, nid, PRIVMEM_EVENT_DENIED);
	if (err)
		return ERR_PTR(err);

	folio = folio_alloc_node_private(nid, gfp, folio_order(src));
	if (folio && memcg)
		mem_cgroup_commit_charge(folio, memcg);
	else if (!folio)
		counter_cancel(privmem_counter_find(memcg, nid), NULL, nr_pages);
	return folio ?: ERR_PTR(-ENOSPC);
}

/**
 * privmem_charge_leaving() - charge the target of a move to ordinary memory
 * @src: on a private node; stays as it is, and charged until it is freed
 * @dst: in ordinary memory; charged in full to the memcg of @src on success
 * @force: exceed memory.max rather than fail, for offlining and poison
 *
 * The target has to fit memory.max as it is: nothing is reclaimed for it.
 *
 * Context: may sleep; both folios locked or otherwise exclusively held.
 *
 * Return: 0, or
 * * -ENOSPC - no room under memory.max
 */
int privmem_charge_leaving(struct folio *src, struct folio *dst, bool force)
{
	struct mem_cgroup *memcg = folio_memcg(src), *old;
	int err;

	if (!memcg || folio_memcg_charged(dst))
		return 0;
	old = set_active_memcg(memcg);
	err = mem_cgroup_charge(dst, NULL, force ? GFP_ATOMIC : GFP_NOWAIT);
	set_active_memcg(old);
	return err ? -ENOSPC : 0;
}
