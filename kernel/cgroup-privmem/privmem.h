/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Grants and limits of private memory nodes (memory.private_nodes*).
 */
#ifndef _LINUX_PRIVMEM_H
#define _LINUX_PRIVMEM_H

#include <linux/capability.h>
#include <linux/memcontrol.h>
#include <linux/node_private.h>

enum privmem_event {
	PRIVMEM_EVENT_MAX,	/* a limit was hit */
	PRIVMEM_EVENT_FAIL,	/* an ask failed for want of room */
	PRIVMEM_EVENT_DENIED,	/* an ask was refused for want of a grant */
	NR_PRIVMEM_EVENTS,
};

#ifdef CONFIG_CGROUP_PRIVMEM

/* May @memcg use @nid?  In the root cgroup: is current there, with CAP_SYS_NICE? */
bool privmem_granted(struct mem_cgroup *memcg, int nid);
/* May pages of @memcg be demoted to @nid?  Not those of the root cgroup. */
bool privmem_granted_demotion(struct mem_cgroup *memcg, int nid);
/* Or those of some cgroup at or below @memcg?  For reclaim to know whether to try. */
bool privmem_reaches(struct mem_cgroup *memcg, int nid);
/* The online private nodes that the owner of @mm may use. */
void privmem_granted_nodes(struct mm_struct *mm, nodemask_t *ret_nodes);

/*
 * Charge @memcg (and all its ancestors) first, then allocate on @nid and bind
 * the charge to the folio: mem_cgroup_charge() then leaves the folio alone.
 * NULL for every reason.  The max event is counted for order 0 only.
 */
struct folio *privmem_folio_alloc(struct mem_cgroup *memcg, int nid, gfp_t gfp,
				  unsigned int order);

/* One ask of @memcg came to the end of the road on @nid. */
void privmem_count_event(struct mem_cgroup *memcg, int nid, enum privmem_event event);

/*
 * The target of a move, charged in full to the memcg of @src before it is
 * allocated on @nid.  ERR_PTR of -EPERM no grant, -ENOSPC no room, -ENOMEM.
 */
struct folio *privmem_migration_alloc(struct folio *src, int nid, gfp_t gfp, bool count_events);

/*
 * Before migration copies @src, on a private node, to @dst in ordinary memory:
 * charge @dst to the memcg of @src. @force: exceed memory.max (offline,
 * poison).  0 or -ENOSPC.
 */
int privmem_charge_leaving(struct folio *src, struct folio *dst, bool force);

/* For mm/memcontrol.c alone: */

/* Freed pages of one private node, whose counters are still to be lowered. */
struct privmem_gather {
	int nid;
	unsigned long nr_pages;
};

void privmem_uncharge(struct mem_cgroup *memcg, int nid, unsigned long nr_pages);
void privmem_reset(struct mem_cgroup *memcg);
void privmem_free(struct mem_cgroup *memcg);

static inline void privmem_gather_flush(const struct privmem_gather *gather,
					struct mem_cgroup *memcg)
{
	if (gather->nr_pages)
		privmem_uncharge(memcg, gather->nid, gather->nr_pages);
}

/* Gather @folio, which is charged to @memcg.  False if its memory is ordinary. */
static inline bool privmem_gather_folio(struct privmem_gather *gather, struct mem_cgroup *memcg,
					struct folio *folio)
{
	int nid = folio_nid(folio);

	if (likely(!folio_is_node_private(folio)))
		return false;
	if (gather->nid != nid) {
		privmem_gather_flush(gather, memcg);
		gather->nr_pages = 0;
		gather->nid = nid;
	}
	gather->nr_pages += folio_nr_pages(folio);
	return true;
}

#else /* !CONFIG_CGROUP_PRIVMEM */

static inline bool privmem_granted(struct mem_cgroup *memcg, int nid)
{
	return has_capability_noaudit(current, CAP_SYS_NICE);
}

static inline bool privmem_granted_demotion(struct mem_cgroup *memcg, int nid)
{
	return false;
}

static inline bool privmem_reaches(struct mem_cgroup *memcg, int nid)
{
	return false;
}

static inline void privmem_granted_nodes(struct mm_struct *mm, nodemask_t *ret_nodes)
{
	nodes_clear(*ret_nodes);
#ifdef CONFIG_NODE_PRIVATE
	if (has_capability_noaudit(current, CAP_SYS_NICE))
		*ret_nodes = node_states[N_MEMORY_PRIVATE];
#endif
}

static inline struct folio *privmem_folio_alloc(struct mem_cgroup *memcg, int nid, gfp_t gfp,
						unsigned int order)
{
	return folio_alloc_node_private(nid, gfp, order);
}

static inline void privmem_count_event(struct mem_cgroup *memcg, int nid,
				       enum privmem_event event)
{
}

static inline struct folio *privmem_migration_alloc(struct folio *src, int nid, gfp_t gfp,
						    bool count_events)
{
	return folio_alloc_node_private(nid, gfp, folio_order(src)) ?: ERR_PTR(-ENOSPC);
}

static inline int privmem_charge_leaving(struct folio *src, struct folio *dst, bool force)
{
	return 0;
}

struct privmem_gather { };

static inline void privmem_reset(struct mem_cgroup *memcg)
{
}

static inline void privmem_free(struct mem_cgroup *memcg)
{
}

static inline void privmem_gather_flush(const struct privmem_gather *gather,
					struct mem_cgroup *memcg)
{
}

static inline bool privmem_gather_folio(struct privmem_gather *gather, struct mem_cgroup *memcg,
					struct folio *folio)
{
	return false;
}

#endif /* CONFIG_CGROUP_PRIVMEM */
#endif /* _LINUX_PRIVMEM_H */
