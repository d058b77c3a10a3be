// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which private nodes a cgroup may use.
 *
 *	effective(c) = has_request(c) ? request(c) & avail(parent) : effective(parent)
 *	avail(c)     = effective(c) | (subtree(c) & avail(parent))
 *	effective(root) = none, avail(root) = all
 *
 * Masks cover possible nodes, so a grant may be written before its device
 * appears, and hotplug has nothing to walk: readers and charges intersect
 * with what is online.
 *
 * A write takes privmem_mutex and carries the change down by an RCU walk of
 * the descendants, stopping where nothing changes.  cgroup_mutex is never
 * taken inside; css_reset comes with it held.  Nothing is allocated under
 * privmem_mutex, so reclaim may charge (demotion) without meeting it.
 */
#include <linux/cgroup.h>
#include <linux/memory.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "internal.h"

/* Guards all masks, and the publication of struct privmem and its counters. */
DEFINE_MUTEX(privmem_mutex);

/* Walks so far, under privmem_mutex; see struct privmem.changed. */
static u64 grant_walks;

/**
 * privmem_alloc() - a struct privmem that inherits everything
 *
 * Return: not yet published, to be freed with kfree(), or NULL
 */
struct privmem *privmem_alloc(void)
{
	size_t longs = BITS_TO_LONGS(nr_node_ids);
	struct privmem *pm;

	pm = kzalloc(struct_size(pm, counters, nr_node_ids) + 4 * longs * sizeof(long),
		     GFP_KERNEL_ACCOUNT);
	if (!pm)
		return NULL;
	pm->request = (unsigned long *)&pm->counters[nr_node_ids];
	pm->subtree = pm->request + longs;
	pm->effective = pm->subtree + longs;
	pm->avail = pm->effective + longs;
	return pm;
}

/**
 * privmem_grant_compute() - the formula at the head of this file
 * @pm: holds request and subtree
 * @parent_effective: mask of nr_node_ids bits, as all others
 * @parent_avail: what the parent may give
 * @ret_effective: what the cgroup may use
 * @ret_avail: what its children may be given
 */
void privmem_grant_compute(const struct privmem *pm, const unsigned long *parent_effective,
			   const unsigned long *parent_avail, unsigned long *ret_effective,
			   unsigned long *ret_avail)
{
	if (pm->has_request)
		bitmap_and(ret_effective, pm->request, parent_avail, nr_node_ids);
	else
		bitmap_copy(ret_effective, parent_effective, nr_node_ids);

	bitmap_and(ret_avail, pm->subtree, parent_avail, nr_node_ids);
	bitmap_or(ret_avail, ret_avail, ret_effective, nr_node_ids);
}

/* The nearest struct privmem at or above @memcg, NULL if there is none. */
static struct privmem *grant_nearest(struct mem_cgroup *memcg)
{
	struct privmem *pm = NULL;

	for (; memcg && !pm; memcg = parent_mem_cgroup(memcg))
		pm = smp_load_acquire(&memcg->privmem);	/* pairs with privmem_get() */
	return pm;
}

/* Bring @memcg's masks up to date.  Return: whether anything changed */
static bool grant_update(struct mem_cgroup *memcg, struct privmem *pm)
{
	struct privmem *parent = grant_nearest(parent_mem_cgroup(memcg));
	nodemask_t effective, avail;
	bool is_used, is_given;

	lockdep_assert_held(&privmem_mutex);

	/* In whole first: a charge must not see a bit go and come back. */
	nodes_clear(effective);
	privmem_grant_compute(pm, parent ? parent->effective : effective.bits,
			      parent ? parent->avail : node_possible_map.bits,
			      effective.bits, avail.bits);
	is_used = !bitmap_equal(effective.bits, pm->effective, nr_node_ids);
	is_given = !bitmap_equal(avail.bits, pm->avail, nr_node_ids);

	bitmap_copy(pm->avail, avail.bits, nr_node_ids);
	if (is_used) {
		bitmap_copy(pm->effective, effective.bits, nr_node_ids);
		pm->changed = grant_walks;
	}
	return is_used || is_given;
}

/* Carry a change of @root's request or subtree down to all its descendants. */
static void grant_propagate(struct mem_cgroup *root)
{
	struct mem_cgroup *nearest = root;
	struct cgroup_subsys_state *pos;

	lockdep_assert_held(&privmem_mutex);

	grant_walks++;
	rcu_read_lock();
	css_for_each_descendant_pre(pos, &root->css) {
		struct mem_cgroup *memcg = mem_cgroup_from_css(pos);
		struct privmem *pm = memcg->privmem;

		if (pm && !grant_update(memcg, pm)) {
			pos = css_rightmost_descendant(pos);
			continue;
		}
		/* A bare cgroup inherits. To climb from each would square the depth. */
		if (pm)
			nearest = memcg;
		while (!cgroup_is_descendant(pos->cgroup, nearest->css.cgroup))
			nearest = parent_mem_cgroup(nearest);
		if (nearest->privmem->changed == grant_walks)
			cgroup_file_notify(&memcg->privmem_effective_file);
	}
	rcu_read_unlock();
}

/* The topmost of @memcg and its ancestors that has no struct privmem yet. */
static struct mem_cgroup *grant_topmost_bare(struct mem_cgroup *memcg)
{
	struct mem_cgroup *bare = NULL;

	for (; !mem_cgroup_is_root(memcg); memcg = parent_mem_cgroup(memcg)) {
		if (smp_load_acquire(&memcg->privmem))	/* pairs with privmem_get() */
			break;
		bare = memcg;
	}
	return bare;
}

/**
 * privmem_get() - the struct privmem of a cgroup, made if there is none
 * @memcg: not the root, not on cgroup v1
 *
 * Makes those of all ancestors too.  Context: may sleep.
 *
 * Return: never changes for @memcg once made; NULL if out of memory
 */
struct privmem *privmem_get(struct mem_cgroup *memcg)
{
	struct mem_cgroup *bare;

	while ((bare = grant_topmost_bare(memcg))) {
		struct mem_cgroup *old = set_active_memcg(parent_mem_cgroup(bare));
		struct privmem *pm = privmem_alloc();

		set_active_memcg(old);
		if (!pm)
			return NULL;

		mutex_lock(&privmem_mutex);
		if (!bare->privmem) {
			grant_update(bare, pm);
			/* Pairs with the acquire in all lockless readers. */
			smp_store_release(&bare->privmem, pm);
			pm = NULL;
		}
		mutex_unlock(&privmem_mutex);
		kfree(pm);
	}
	return memcg->privmem;
}

/**
 * privmem_grant_set() - what @memcg and its unset descendants may use
 * @memcg: not the root
 * @request: possible nodes, or NULL to inherit
 *
 * When this returns, no charge succeeds that the new grant forbids.
 *
 * Return: 0, or
 * * -ENOMEM - nothing changed
 */
int privmem_grant_set(struct mem_cgroup *memcg, const nodemask_t *request)
{
	struct privmem *pm = privmem_get(memcg);

	if (!pm)
		return -ENOMEM;

	mutex_lock(&privmem_mutex);
	pm->has_request = request;
	if (request)
		bitmap_copy(pm->request, request->bits, nr_node_ids);
	grant_propagate(memcg);
	mutex_unlock(&privmem_mutex);
	return 0;
}

/**
 * privmem_grant_set_subtree() - what children of @memcg may be given on top
 * @memcg: not the root
 * @subtree: possible nodes
 *
 * Return: 0, or
 * * -ENOMEM - nothing changed
 */
int privmem_grant_set_subtree(struct mem_cgroup *memcg, const nodemask_t *subtree)
{
	struct privmem *pm = privmem_get(memcg);

	if (!pm)
		return -ENOMEM;

	mutex_lock(&privmem_mutex);
	bitmap_copy(pm->subtree, subtree->bits, nr_node_ids);
	grant_propagate(memcg);
	mutex_unlock(&privmem_mutex);
	return 0;
}

/**
 * privmem_grant_request() - what was last written to memory.private_nodes
 * @memcg: any cgroup
 * @ret_nodes: empty if the cgroup inherits
 *
 * Return: false if the cgroup inherits
 */
bool privmem_grant_request(struct mem_cgroup *memcg, nodemask_t *ret_nodes)
{
	struct privmem *pm;
	bool has_request;

	nodes_clear(*ret_nodes);
	mutex_lock(&privmem_mutex);
	pm = memcg->privmem;
	has_request = pm && pm->has_request;
	if (has_request)
		bitmap_copy(ret_nodes->bits, pm->request, nr_node_ids);
	mutex_unlock(&privmem_mutex);
	return has_request;
}

/**
 * privmem_grant_subtree() - what was last written to memory.private_nodes.subtree
 * @memcg: any cgroup
 * @ret_nodes: empty by default
 */
void privmem_grant_subtree(struct mem_cgroup *memcg, nodemask_t *ret_nodes)
{
	nodes_clear(*ret_nodes);
	mutex_lock(&privmem_mutex);
	if (memcg->privmem)
		bitmap_copy(ret_nodes->bits, memcg->privmem->subtree, nr_node_ids);
	mutex_unlock(&privmem_mutex);
}

/**
 * privmem_grant_effective() - the online private nodes that @memcg may use
 * @memcg: any cgroup; for the root cgroup, all of them
 * @ret_nodes: intersected with what is online
 */
void privmem_grant_effective(struct mem_cgroup *memcg, nodemask_t *ret_nodes)
{
	struct privmem *pm;

	*ret_nodes = node_states[N_MEMORY_PRIVATE];
	if (mem_cgroup_is_root(memcg))
		return;
	pm = grant_nearest(memcg);
	if (pm)
		bitmap_and(ret_nodes->bits, ret_nodes->bits, pm->effective, nr_node_ids);
	else
		nodes_clear(*ret_nodes);
}

/**
 * privmem_binds() - do grants and limits bind this cgroup?
 * @memcg: may be NULL
 *
 * Return: true below the root of cgroup v2; all else is left to CAP_SYS_NICE
 */
bool privmem_binds(struct mem_cgroup *memcg)
{
	return memcg && !mem_cgroup_is_root(memcg) &&
	       cgroup_subsys_on_dfl(memory_cgrp_subsys);
}

/*
 * What is charged to the root cgroup is under no limit. A task that is must not
 * bring it to a private node, not even with CAP_SYS_NICE: tasks come by such
 * memory, for instance where khugepaged reads from swap what a removed cgroup
 * had left there.
 */
static bool privmem_binds_current(void)
{
	bool binds;

	rcu_read_lock();
	binds = privmem_binds(mem_cgroup_from_task(current));
	rcu_read_unlock();
	return binds;
}

/**
 * privmem_granted() - may @memcg use @nid?
 * @memcg: whose memory it is going to be; may be NULL
 * @nid: NUMA node number
 *
 * Outside the reach of cgroup v2's memory controller, and in the root cgroup,
 * the answer is whether current has CAP_SYS_NICE and is there itself.
 *
 * Return: false too if @nid is not an online private node
 */
bool privmem_granted(struct mem_cgroup *memcg, int nid)
{
	struct privmem *pm;

	if (!node_is_private(nid))
		return false;
	if (!privmem_binds(memcg))
		return !privmem_binds_current() && has_capability_noaudit(current, CAP_SYS_NICE);
	pm = grant_nearest(memcg);
	return pm && test_bit(nid, pm->effective);
}

/**
 * privmem_granted_demotion() - may pages of @memcg be demoted to @nid?
 * @memcg: what the pages are charged to; may be NULL
 * @nid: NUMA node number
 *
 * Nobody asks for a demotion, so a capability of whoever reclaims is no grant.
 *
 * Context: RCU, or a reference to @memcg.
 */
bool privmem_granted_demotion(struct mem_cgroup *memcg, int nid)
{
	return privmem_binds(memcg) && privmem_granted(memcg, nid);
}

/**
 * privmem_reaches() - could @memcg, or a cgroup below it, be granted @nid?
 * @memcg: any; NULL and the root cgroup say yes
 * @nid: NUMA node number
 */
bool privmem_reaches(struct mem_cgroup *memcg, int nid)
{
	struct privmem *pm;

	if (!privmem_binds(memcg))
		return !memcg || mem_cgroup_is_root(memcg);
	pm = grant_nearest(memcg);
	return pm && test_bit(nid, memcg->privmem ? pm->avail : pm->effective);
}

/**
 * privmem_granted_nodes() - the online private nodes that @mm may use
 * @mm: decided by the cgroup of its owner; NULL may use none
 * @ret_nodes: all private nodes or none where privmem_granted() asks for
 *	CAP_SYS_NICE
 */
void privmem_granted_nodes(struct mm_struct *mm, nodemask_t *ret_nodes)
{
	struct mem_cgroup *memcg;

	nodes_clear(*ret_nodes);
	if (!mm || nodes_empty(node_states[N_MEMORY_PRIVATE]))
		return;

	memcg = get_mem_cgroup_from_mm(mm);
	if (privmem_binds(memcg))
		privmem_grant_effective(memcg, ret_nodes);
	else if (has_capability_noaudit(current, CAP_SYS_NICE))
		*ret_nodes = node_states[N_MEMORY_PRIVATE];
	mem_cgroup_put(memcg);
}

/**
 * privmem_reset() - css_reset: every file back to its default
 * @memcg: any cgroup
 *
 * Context: cgroup_mutex held.
 */
void privmem_reset(struct mem_cgroup *memcg)
{
	struct privmem *pm;
	int nid;

	mutex_lock(&privmem_mutex);
	pm = memcg->privmem;
	if (pm) {
		pm->has_request = false;
		bitmap_zero(pm->subtree, nr_node_ids);
		for_each_node(nid)
			if (pm->counters[nid])
				privmem_counter_set_max(pm->counters[nid], PRIVMEM_COUNTER_MAX);
		grant_propagate(memcg);
	}
	mutex_unlock(&privmem_mutex);
}

/**
 * privmem_free() - css_free: give back what the files and charges allocated
 * @memcg: has no pages, no tasks and no children any more
 */
void privmem_free(struct mem_cgroup *memcg)
{
	struct privmem *pm = memcg->privmem;
	int nid;

	if (!pm)
		return;
	for_each_node(nid)
		kfree(pm->counters[nid]);
	kfree(pm);
}

/* The root's .effective lists what is online, so hotplug notifies that one. */
static int grant_hotplug(struct notifier_block *nb, unsigned long action, void *arg)
{
	if (action == MEM_ONLINE || action == MEM_OFFLINE)
		cgroup_file_notify(&root_mem_cgroup->privmem_effective_file);
	return NOTIFY_OK;
}

static int __init privmem_grant_init(void)
{
	if (mem_cgroup_disabled())
		return 0;
	return hotplug_memory_notifier(grant_hotplug, DEFAULT_CALLBACK_PRI);
}
subsys_initcall(privmem_grant_init);
