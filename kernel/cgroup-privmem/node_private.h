/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private memory nodes: NUMA nodes run by the page allocator that nothing
 * reaches unless it names them.
 *
 * A node is either ordinary (N_MEMORY) or private (N_MEMORY_PRIVATE), never
 * both.  The zones of a private node stand in one zonelist only, the one in
 * its struct node_private, and one function allocates from that list:
 * folio_alloc_node_private().  Everything else in this file says what a
 * private node is and which mm services its owner switched on.
 *
 * A node is *registered* from the moment its owner adds memory until the last
 * memory block is removed, and *private* while some of that memory is online.
 * Hotplug asks the first, everybody else the second.
 */
#ifndef _LINUX_NODE_PRIVATE_H
#define _LINUX_NODE_PRIVATE_H

#include <linux/mm.h>
#include <linux/memory_hotplug.h>
#include <linux/nodemask.h>
#include <linux/vmstat.h>

struct range;

/* Opt-ins: each lets one mm service touch the node. */
#define NP_OPS_MIGRATION	BIT(0)
#define NP_OPS_MEMPOLICY	BIT(1)
#define NP_OPS_RECLAIM		BIT(2)
#define NP_OPS_COMPACTION	BIT(3)
#define NP_OPS_DEMOTION		BIT(4)
#define NP_OPS_NUMA_BALANCING	BIT(5)
#define NP_OPS_PROTECT_WRITE	BIT(6)
#define NP_OPS_LONGTERM_PIN	BIT(7)
#define NP_OPS_OOM_ELIGIBLE	BIT(8)

/*
 * Of the mhp flags in memory_hotplug.h: memory of a registered node. For
 * mm/node_private_hotplug.c only, which puts the memory online itself.
 */
#define MHP_PRIVATE		((__force mhp_t)BIT(4))

struct node_private_ops {
	unsigned long flags;	/* NP_OPS_* */
};

/**
 * struct node_private - what mm knows of a private node
 * @owner: resource name given by the driver that added the memory
 * @flags: what the owner opted into, NP_OPS_*
 * @generation: number of this registration among those of all nodes, so that
 *	a policy made for an earlier incarnation of the node is not taken for
 *	one of this
 * @changer: the task that changes the state of the node's memory blocks on
 *	behalf of the owner; under device_hotplug_lock
 * @zonerefs: the only list that holds this node's zones
 *
 * Allocated with the first registration of a nid and kept for ever, so that
 * an allocation under way never meets a freed list.
 */
struct node_private {
	char owner[32];
	unsigned long flags;
	unsigned long generation;
	struct task_struct *changer;
	struct zoneref zonerefs[MAX_NR_ZONES + 1];
};

/* How far offline_pages() got with a private range: node_private_offline_stuck() */
struct node_private_progress {
	unsigned long least_used;
	unsigned int idle_passes;
};

#ifdef CONFIG_NODE_PRIVATE

extern nodemask_t node_private_registered;

static inline bool node_is_private(int nid)
{
	return node_state(nid, N_MEMORY_PRIVATE);
}

/* Has the node an owner?  Stable under device_hotplug_lock. */
static inline bool node_private_is_registered(int nid)
{
	return node_isset(nid, node_private_registered);
}

/* True if the node is private and opted into every service in @flags. */
bool node_private_has(int nid, unsigned long flags);
unsigned long node_private_generation(int nid);
int node_private_nearest(const nodemask_t *nodes, int origin);

struct folio *folio_alloc_node_private_noprof(int nid, gfp_t gfp, unsigned int order);

/* The owner's side */
int node_private_check_flags(unsigned long flags);
int node_private_parse_ops(const char *names, unsigned long *ret_flags);
ssize_t node_private_print_ops(char *buf, unsigned long flags);
bool node_private_param(int nid, unsigned long *ret_flags);
int add_private_memory_driver_managed(int nid, u64 start, u64 size, const char *resource_name,
				      mhp_t mhp_flags, enum mmop online_type,
				      const struct node_private_ops *ops);
int offline_and_remove_private_memory(int nid, const struct range *ranges, int nr_ranges);

/* mm's side: registration */
int node_private_register(int nid, const char *owner, unsigned long flags);
void node_private_forget(int nid);
const char *node_private_owner(int nid);
void node_private_set_changer(int nid, struct task_struct *changer);
bool node_private_refuses(int nid);
struct zoneref *node_private_zonerefs(int nid);
struct page *get_page_from_private_list(struct zoneref *zonerefs, gfp_t gfp, unsigned int order,
					unsigned int alloc_flags);

/* mm's side: reclaim */
void node_private_adjust_watermarks(struct zone *zone);
unsigned long try_to_free_private_pages(int nid, struct mem_cgroup *memcg, unsigned long nr_pages,
					gfp_t gfp_mask, bool proactive);

/* mm's side: sums */
void node_private_managed_add(long pages);
unsigned long node_private_total_pages(void);
unsigned long node_private_free_pages(void);

/* mm's side: bounded offline */
bool node_private_offline_stuck(int nid, unsigned long start_pfn, unsigned long end_pfn,
				struct node_private_progress *progress);

#else /* !CONFIG_NODE_PRIVATE */

static inline bool node_is_private(int nid)
{
	return false;
}

static inline bool node_private_is_registered(int nid)
{
	return false;
}

static inline bool node_private_has(int nid, unsigned long flags)
{
	return false;
}

static inline unsigned long node_private_generation(int nid)
{
	return 0;
}

static inline struct folio *folio_alloc_node_private_noprof(int nid, gfp_t gfp,
							    unsigned int order)
{
	return NULL;
}

static inline void node_private_forget(int nid)
{
}

static inline bool node_private_refuses(int nid)
{
	return false;
}

static inline struct zoneref *node_private_zonerefs(int nid)
{
	return NULL;
}

static inline void node_private_adjust_watermarks(struct zone *zone)
{
}

static inline void node_private_managed_add(long pages)
{
}

static inline unsigned long node_private_free_pages(void)
{
	return 0;
}

static inline bool node_private_offline_stuck(int nid, unsigned long start_pfn,
					      unsigned long end_pfn,
					      struct node_private_progress *progress)
{
	return false;
}

#endif /* CONFIG_NODE_PRIVATE */

#define folio_alloc_node_private(...)	alloc_hooks(folio_alloc_node_private_noprof(__VA_ARGS__))

/* The state that says this node has memory online. */
static inline enum node_states node_memory_state(int nid)
{
	return node_private_is_registered(nid) ? N_MEMORY_PRIVATE : N_MEMORY;
}

/* Has the node memory online, ordinary or private? */
static inline bool node_has_memory(int nid)
{
	return node_state(nid, N_MEMORY) || node_is_private(nid);
}

/* Free pages that anybody may have. */
static inline unsigned long ordinary_free_pages(void)
{
	return global_zone_page_state(NR_FREE_PAGES) - node_private_free_pages();
}

/* Device memory bears the number of a node near by and is not that node's. */
static inline bool folio_is_node_private(const struct folio *folio)
{
	return node_is_private(folio_nid(folio)) && !folio_is_zone_device(folio);
}

/*
 * The one predicate of all filters: may the mm services in @flags act on
 * @folio?  Always on an ordinary node, by opt-in on a private one.
 */
static inline bool folio_node_allows(const struct folio *folio, unsigned long flags)
{
	return !folio_is_node_private(folio) || node_private_has(folio_nid(folio), flags);
}

#endif /* _LINUX_NODE_PRIVATE_H */
