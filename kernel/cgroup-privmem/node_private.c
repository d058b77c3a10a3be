// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private memory nodes: who they are, and the one way to allocate from them.
 *
 * The gate is structural.  build_thisnode_zonelists() puts the zones of a
 * registered node into its struct node_private and nowhere else, so that no
 * gfp mask, nid or nodemask leads there; folio_alloc_node_private() is the
 * only reader of that list.  It answers NULL for every reason: no OOM killer, no
 * warning, and reclaim on the node itself alone, if its owner opted in.  What
 * then happens is up to the caller, who charged for the memory before it asked
 * (see privmem_folio_alloc()).
 */
#include <linux/fault-inject.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/node_private.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/swap.h>

#include "internal.h"

/* Set from registration to the removal of the last memory block. */
nodemask_t node_private_registered __read_mostly;

static struct node_private *node_private_data[MAX_NUMNODES] __read_mostly;
static atomic_long_t node_private_managed;

/* Of all nodes, ever: a later registration has the higher generation. */
static unsigned long node_private_registrations;

/**
 * node_private_register() - take a node for an owner
 * @nid: a possible node
 * @owner: resource name of the memory that is about to be added
 * @flags: NP_OPS_*, checked by the caller
 *
 * A node that has an owner already is taken again only by the same owner with
 * the same flags.  Call node_private_forget() if no memory was added.
 *
 * Context: Process context, device_hotplug_lock held.
 * Return: 0, or
 * * -EBUSY - the node has another owner or other flags
 * * -EINVAL - @owner is too long
 * * -ENOMEM - out of memory
 */
int node_private_register(int nid, const char *owner, unsigned long flags)
{
	struct node_private *np = node_private_data[nid];

	if (strlen(owner) >= sizeof(np->owner))
		return -EINVAL;
	if (node_private_is_registered(nid))
		return strcmp(np->owner, owner) || np->flags != flags ? -EBUSY : 0;
	if (!np) {
		np = kzalloc(sizeof(*np), GFP_KERNEL);
		if (!np)
			return -ENOMEM;
	}
	strscpy(np->owner, owner);
	np->flags = flags;
	WRITE_ONCE(np->generation, ++node_private_registrations);
	/* pairs with the acquires below: a reader sees the node it finds whole */
	smp_store_release(&node_private_data[nid], np);
	node_set(nid, node_private_registered);
	return 0;
}

static int node_private_block_on(struct memory_block *mem, void *arg)
{
	return mem->nid == *(int *)arg ? -EEXIST : 0;
}

/**
 * node_private_forget() - let go of a node that has no memory block left
 * @nid: any node; nothing happens while it has memory, or if it has no owner
 *
 * Context: Process context, device_hotplug_lock held.
 */
void node_private_forget(int nid)
{
	if (nid < 0 || !node_private_is_registered(nid))
		return;
	if (!for_each_memory_block(&nid, node_private_block_on))
		node_clear(nid, node_private_registered);
}

/* Name of the owner of a registered node; stays valid for ever. */
const char *node_private_owner(int nid)
{
	return node_private_data[nid]->owner;
}

/**
 * node_private_set_changer() - let one task change the node's memory blocks
 * @nid: a registered node
 * @changer: current, or NULL when done
 *
 * Context: device_hotplug_lock held.
 */
void node_private_set_changer(int nid, struct task_struct *changer)
{
	WRITE_ONCE(node_private_data[nid]->changer, changer);
}

/**
 * node_private_refuses() - must a memory block stay as it is?
 * @nid: the block's node
 *
 * Only the owner of a private node puts its blocks online or offline; a write
 * to a block's `state` or `online` file, or a strange driver, may not.
 *
 * Context: device_hotplug_lock held.
 * Return: true if @nid is registered and current does not act for its owner.
 */
bool node_private_refuses(int nid)
{
	return nid >= 0 && node_private_is_registered(nid) &&
	       READ_ONCE(node_private_data[nid]->changer) != current;
}

/* The list that this node's zones belong in, NULL for an ordinary node. */
struct zoneref *node_private_zonerefs(int nid)
{
	if (nid < 0 || nid >= MAX_NUMNODES || !node_private_is_registered(nid))
		return NULL;
	/* pairs with node_private_register() */
	return smp_load_acquire(&node_private_data[nid])->zonerefs;
}

/**
 * node_private_has() - did the owner of a private node switch services on?
 * @nid: any node
 * @flags: NP_OPS_*
 *
 * Context: Any.
 * Return: true if @nid is private and opted into all of @flags.
 */
bool node_private_has(int nid, unsigned long flags)
{
	return node_is_private(nid) && (node_private_data[nid]->flags & flags) == flags;
}
EXPORT_SYMBOL_GPL(node_private_has);

/* The node of @nodes, not empty, nearest to @origin. */
int node_private_nearest(const nodemask_t *nodes, int origin)
{
	int nearest = first_node(*nodes), nid = nearest;

	while ((nid = next_node(nid, *nodes)) < MAX_NUMNODES)
		if (node_distance(origin, nid) < node_distance(origin, nearest))
			nearest = nid;
	return nearest;
}

/* When @nid was registered last, as a number that only grows; 0 if never. */
unsigned long node_private_generation(int nid)
{
	/* pairs with node_private_register() */
	struct node_private *np = smp_load_acquire(&node_private_data[nid]);

	return np ? READ_ONCE(np->generation) : 0;
}

/*
 * Pages may be free and yet out of reach: on the lists of other CPUs, or held
 * by a batch on its way to an LRU list although their last user has exited.
 * The second costs a work item on every CPU: only for those who insist.
 */
static void node_private_drain(struct zone *zone, gfp_t gfp)
{
	if (gfp & __GFP_RETRY_MAYFAIL)
		lru_add_drain_all();
	drain_all_pages(zone);
}

/*
 * Rounds of reclaim for one page.  One that frees nothing is no proof: it may
 * have found all pages referenced, and others may take what another freed.
 */
#define NODE_PRIVATE_RECLAIM_ROUNDS	16

/*
 * Little or nothing is free.  kswapd is told for single pages only, as nobody
 * compacts the node; and large folios have small ones to fall back to.
 */
static struct page *node_private_alloc_slow(struct zoneref *zonerefs, gfp_t gfp,
					    unsigned int order)
{
	struct zone *zone = zonelist_zone(zonerefs);
	int rounds = NODE_PRIVATE_RECLAIM_ROUNDS;
	struct page *page;
	bool reclaims;

	if (!zone)
		return NULL;
	reclaims = !order && node_private_has(zone_to_nid(zone), NP_OPS_RECLAIM);
	if (reclaims && (gfp & __GFP_KSWAPD_RECLAIM))
		wakeup_kswapd(zone, gfp, 0, zone_idx(zone));

	page = get_page_from_private_list(zonerefs, gfp, order, ALLOC_NO_WATERMARKS);
	if (page || order || !gfpflags_allow_blocking(gfp))
		return page;

	node_private_drain(zone, gfp);
	page = get_page_from_private_list(zonerefs, gfp, 0, ALLOC_NO_WATERMARKS);
	reclaims = reclaims && !(gfp & __GFP_NORETRY);
	while (!page && reclaims && rounds-- && !fatal_signal_pending(current)) {
		try_to_free_private_pages(zone_to_nid(zone), NULL, 1, gfp, false);
		page = get_page_from_private_list(zonerefs, gfp, 0, ALLOC_NO_WATERMARKS);
	}
	return page;
}

/**
 * folio_alloc_node_private() - allocate on a private node
 * @nid: the node; any number, an ordinary one has no private list
 * @gfp: must allow ZONE_MOVABLE (GFP_HIGHUSER_MOVABLE); __GFP_PRIVATE is
 *	implied.  __GFP_RETRY_MAYFAIL: collect every free page before failing.
 *	__GFP_NORETRY: do not reclaim
 * @order: order of the folio
 *
 * The folio is not charged to anybody: see privmem_folio_alloc().
 *
 * Context: Any; where @gfp allows to block, per-CPU lists are drained and, on a
 * node that opted in, pages reclaimed for a single page.
 * Return: a folio of order @order with one reference, or NULL.
 */
struct folio *folio_alloc_node_private_noprof(int nid, gfp_t gfp, unsigned int order)
{
	struct zoneref *zonerefs = node_private_zonerefs(nid);
	struct page *page;

	if (!zonerefs || WARN_ON_ONCE(order > MAX_PAGE_ORDER))
		return NULL;
	/* A full node, for fault injection: it is the one allocation mm does not see. */
	if (should_fail_alloc_page(gfp, order))
		return NULL;
	gfp = current_gfp_context(gfp & gfp_allowed_mask) | GFP_PRIVATE | __GFP_COMP;
	page = get_page_from_private_list(zonerefs, gfp, order, ALLOC_WMARK_LOW);
	if (unlikely(!page))
		page = node_private_alloc_slow(zonerefs, gfp, order);
	return page_rmappable_folio(page);
}
EXPORT_SYMBOL_GPL(folio_alloc_node_private_noprof);

/**
 * node_private_adjust_watermarks() - what a zone's watermarks are for
 * @zone: any; one of a private node changes
 *
 * Those of a private node wake kswapd, where it runs, and keep no reserve.  They
 * depend on the zone alone, so that what can be handed out of it does not change
 * with the ordinary memory's settings.
 *
 * Context: zone->lock held.
 */
void node_private_adjust_watermarks(struct zone *zone)
{
	unsigned long step = 0;

	if (!node_private_is_registered(zone_to_nid(zone)))
		return;
	if (node_private_has(zone_to_nid(zone), NP_OPS_RECLAIM))
		step = zone_managed_pages(zone) / 1000;
	for (int mark = WMARK_MIN; mark < NR_WMARK; mark++)
		zone->_watermark[mark] = mark * step;
}

/* Memory of a private node came or went; it is not in totalram_pages(). */
void node_private_managed_add(long pages)
{
	atomic_long_add(pages, &node_private_managed);
}

/* Pages on all private nodes. */
unsigned long node_private_total_pages(void)
{
	return atomic_long_read(&node_private_managed);
}

/* Free pages on all private nodes. */
unsigned long node_private_free_pages(void)
{
	unsigned long pages = 0;
	int nid;

	for_each_node_state(nid, N_MEMORY_PRIVATE)
		pages += sum_zone_node_page_state(nid, NR_FREE_PAGES);
	return pages;
}
