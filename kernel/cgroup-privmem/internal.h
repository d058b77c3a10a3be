/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What grant.c, charge.c, reclaim.c and files.c share.
 *
 * A cgroup that never wrote one of the files and never used a private node
 * has no struct privmem: it inherits its parent's grant and has no limit of
 * its own.  Where a cgroup has one, so has every ancestor below the root, and
 * the same holds for the counter of each node; hence counters chain without
 * gaps and a charge walks plain pointers.  Both are published once, with
 * release semantics, under privmem_mutex, and freed with the css.
 *
 * The root cgroup and cgroup v1 never have one.
 */
#ifndef _CGROUP_PRIVMEM_INTERNAL_H
#define _CGROUP_PRIVMEM_INTERNAL_H

#include <linux/atomic.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/page_counter.h>
#include <linux/privmem.h>

#define PRIVMEM_COUNTER_MAX	PAGE_COUNTER_MAX

/**
 * struct privmem_counter - pages of one node charged to one cgroup and below
 * @usage: pages in use; no charge takes it above @max
 * @max: limit in pages, or PRIVMEM_COUNTER_MAX
 * @parent: counter of the same node one level up, NULL below the root cgroup
 * @peak: highest @usage as of the last uncharge
 * @memcg: whose counter this is
 * @events: by enum privmem_event, of this cgroup and below
 * @events_local: the same of this cgroup alone
 */
struct privmem_counter {
	atomic_long_t usage;
	long max;
	struct privmem_counter *parent;
	long peak;
	struct mem_cgroup *memcg;
	atomic_long_t events[NR_PRIVMEM_EVENTS];
	atomic_long_t events_local[NR_PRIVMEM_EVENTS];
};

/**
 * struct privmem - grants and counters of one cgroup
 * @has_request: @request was written; otherwise the cgroup inherits
 * @request: what memory.private_nodes holds
 * @subtree: what memory.private_nodes.subtree holds
 * @effective: what tasks of the cgroup may use
 * @avail: what children may be given: @effective and what @subtree lets pass
 * @changed: the walk that last changed @effective
 * @counters: by nid, NULL where the node was neither used nor limited
 *
 * The masks hold nr_node_ids bits, stand behind @counters in the same
 * allocation, and change under privmem_mutex only.  Charges test bits of
 * @effective without it.
 */
struct privmem {
	bool has_request;
	unsigned long *request;
	unsigned long *subtree;
	unsigned long *effective;
	unsigned long *avail;
	u64 changed;
	struct privmem_counter *counters[];
};

/* grant.c */
extern struct mutex privmem_mutex;

struct privmem *privmem_alloc(void);
void privmem_grant_compute(const struct privmem *pm, const unsigned long *parent_effective,
			   const unsigned long *parent_avail, unsigned long *ret_effective,
			   unsigned long *ret_avail);
bool privmem_binds(struct mem_cgroup *memcg);
struct privmem *privmem_get(struct mem_cgroup *memcg);
int privmem_grant_set(struct mem_cgroup *memcg, const nodemask_t *request);
int privmem_grant_set_subtree(struct mem_cgroup *memcg, const nodemask_t *subtree);
bool privmem_grant_request(struct mem_cgroup *memcg, nodemask_t *ret_nodes);
void privmem_grant_subtree(struct mem_cgroup *memcg, nodemask_t *ret_nodes);
void privmem_grant_effective(struct mem_cgroup *memcg, nodemask_t *ret_nodes);

/* charge.c */
void privmem_counter_init(struct privmem_counter *counter, struct privmem_counter *parent,
			  struct mem_cgroup *memcg);
struct privmem_counter *privmem_counter_charge(struct privmem_counter *counter,
					       unsigned long nr_pages);
void privmem_counter_uncharge(struct privmem_counter *counter, unsigned long nr_pages);
void privmem_counter_set_max(struct privmem_counter *counter, long max);
long privmem_counter_peak(struct privmem_counter *counter);
struct privmem_counter *privmem_counter_find(struct mem_cgroup *memcg, int nid);
struct privmem_counter *privmem_counter_get(struct mem_cgroup *memcg, int nid);
struct privmem_counter *privmem_counter_find_full(struct privmem_counter *counter, long nr_pages);
int privmem_try_charge(struct mem_cgroup *memcg, int nid, unsigned long nr_pages, bool count_max);

/* reclaim.c */
int privmem_reclaim_and_charge(struct mem_cgroup *memcg, int nid, gfp_t gfp);
void privmem_reclaim_excess(struct mem_cgroup *memcg, int nid);
int privmem_reclaim_proactive(struct mem_cgroup *memcg, int nid, unsigned long nr_pages);

#endif /* _CGROUP_PRIVMEM_INTERNAL_H */
