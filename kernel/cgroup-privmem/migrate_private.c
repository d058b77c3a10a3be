// SPDX-License-Identifier: GPL-2.0-only
/*
 * Migration to and from private nodes: what may go where, and who pays.
 *
 * Only anonymous and shmem folios enter a private node, only on request of a
 * system call or by demotion, and only if the cgroup that the folio is charged
 * to was granted the node.  The target is charged in full before it is allocated; the source
 * is uncharged when it is freed.  A refusal is an error pointer other
 * than -ENOMEM, so that the rest of a batch goes on.
 */
#include <linux/memcontrol.h>
#include <linux/memory-tiers.h>
#include <linux/migrate_private.h>
#include <linux/privmem.h>
#include <linux/rcupdate.h>
#include <linux/sched/task.h>

#include "internal.h"

/*
 * May what @folio holds be on a private node?  Swapbacked without being anon
 * is shmem; asking the mapping would need the folio lock.
 */
static bool folio_suits_private(const struct folio *folio)
{
	if (folio_test_hugetlb(folio) || folio_test_ksm(folio))
		return false;
	return folio_test_anon(folio) || folio_test_swapbacked(folio);
}

/**
 * alloc_private_migration_target() - a place for a folio on a private node
 * @src: the folio that will move, isolated
 * @nid: the private node
 * @reason: MR_SYSCALL, MR_MEMPOLICY_MBIND or MR_DEMOTION; nothing else moves
 *	folios there
 *
 * Return: a folio, charged to the memcg of @src, or ERR_PTR of
 * * -EACCES - @src or @nid does not permit it
 * * -EPERM - the memcg was not granted @nid
 * * -ENOSPC - no room on the node or under a limit
 * * -EBUSY - no memory to keep count with
 */
struct folio *alloc_private_migration_target(struct folio *src, int nid, int reason)
{
	/* Nobody's pages are swapped out to make room for a move. */
	gfp_t gfp = GFP_HIGHUSER_MOVABLE | __GFP_NOWARN | __GFP_NORETRY;
	struct folio *dst;

	if (reason != MR_SYSCALL && reason != MR_MEMPOLICY_MBIND && reason != MR_DEMOTION)
		return ERR_PTR(-EACCES);
	if (!folio_suits_private(src) || !node_private_has(nid, NP_OPS_MIGRATION))
		return ERR_PTR(-EACCES);

	/* Reclaim has other ways to make room than to search all CPUs for each page. */
	if (reason == MR_DEMOTION)
		gfp &= ~__GFP_DIRECT_RECLAIM;
	dst = privmem_migration_alloc(src, nid, gfp, reason != MR_DEMOTION);
	return dst == ERR_PTR(-ENOMEM) ? ERR_PTR(-EBUSY) : dst;
}

/* The private nodes to which @folio may be demoted. */
static void demotion_nodes(struct folio *folio, nodemask_t *ret_nodes)
{
	int nid;

	nodes_clear(*ret_nodes);
	if (!folio_suits_private(folio))
		return;
	for_each_node_state(nid, N_MEMORY_PRIVATE)
		if (node_private_has(nid, NP_OPS_DEMOTION) &&
		    privmem_granted_demotion(folio_memcg(folio), nid))
			node_set(nid, *ret_nodes);
}

/**
 * folio_demotes() - is there a node to demote a folio to?
 * @folio: isolated by reclaim, on an ordinary node
 *
 * Where there are private nodes only, they are not for every folio; the others
 * are reclaimed as if there were no demotion, proactively, too.
 */
bool folio_demotes(struct folio *folio)
{
	nodemask_t nodes;

	if (next_demotion_node(folio_nid(folio)) != NUMA_NO_NODE)
		return true;
	demotion_nodes(folio, &nodes);
	return !nodes_empty(nodes);
}

/* The nearest node that has room for @src; @from is the node where it is. */
static struct folio *alloc_demotion_target(struct folio *src, unsigned long from)
{
	struct folio *dst = ERR_PTR(-EACCES);
	nodemask_t nodes;

	demotion_nodes(src, &nodes);
	while (IS_ERR(dst) && !nodes_empty(nodes)) {
		int nid = node_private_nearest(&nodes, from);

		node_clear(nid, nodes);
		dst = alloc_private_migration_target(src, nid, MR_DEMOTION);
	}
	return dst;
}

/**
 * demote_to_private() - demote what may be demoted to private nodes
 * @folios: isolated by reclaim; those that stay are left on the list
 * @from: their node
 *
 * Each goes to the nearest node that opted in, was granted to the folio's
 * cgroup and has room, under the cgroup's limit, too.  A private node is never
 * a source.
 *
 * Return: pages demoted
 */
unsigned int demote_to_private(struct list_head *folios, int from)
{
	unsigned int nr_succeeded = 0;

	if (private_demotion_possible(from, NULL))
		migrate_pages(folios, alloc_demotion_target, NULL, from, MIGRATE_ASYNC,
			      MR_DEMOTION, &nr_succeeded);
	return nr_succeeded;
}

/**
 * private_demotion_possible() - is it worth the try?
 * @from: the node that is reclaimed
 * @memcg: the target of the reclaim; NULL for all
 */
bool private_demotion_possible(int from, struct mem_cgroup *memcg)
{
	int nid;

	if (node_is_private(from))
		return false;
	for_each_node_state(nid, N_MEMORY_PRIVATE)
		if (node_private_has(nid, NP_OPS_DEMOTION) && privmem_reaches(memcg, nid))
			return true;
	return false;
}

/**
 * migrate_get_folio() - get_new_folio() that knows of private nodes
 * @get_new_folio: makes the target
 * @put_new_folio: takes it back; may be NULL
 * @private: for the two
 * @src: the folio that will move
 * @reason: enum migrate_reason
 *
 * A folio that leaves a private node is charged to memory.current here.
 *
 * Return: a folio; NULL if there is no memory; ERR_PTR if @src stays where it
 * is for another reason, which does not concern other folios.
 */
struct folio *migrate_get_folio(new_folio_t get_new_folio, free_folio_t put_new_folio,
				unsigned long private, struct folio *src, int reason)
{
	/* Memory that is about to go away exceeds memory.max rather than fail. */
	bool force = reason == MR_MEMORY_HOTPLUG || reason == MR_MEMORY_FAILURE;
	struct folio *dst;
	int err;

	if (!folio_node_allows(src, NP_OPS_MIGRATION))
		return ERR_PTR(-EACCES);
	dst = get_new_folio(src, private);
	if (IS_ERR_OR_NULL(dst) || !folio_is_node_private(src) || folio_is_node_private(dst))
		return dst;
	err = privmem_charge_leaving(src, dst, force);
	if (!err)
		return dst;
	if (put_new_folio)
		put_new_folio(dst, private);
	else
		folio_put(dst);
	return ERR_PTR(err);
}

/**
 * migrate_may_enter() - may a folio be moved to a node at all?
 * @folio: the folio, with a reference or under a page table lock
 * @nid: the target, private or not
 *
 * Return: false if move_pages() can say so before it isolates the folio.
 */
bool migrate_may_enter(struct folio *folio, int nid)
{
	bool granted;

	if (!folio_node_allows(folio, NP_OPS_MIGRATION))
		return false;
	if (!node_is_private(nid))
		return true;
	if (!folio_suits_private(folio) || !node_private_has(nid, NP_OPS_MIGRATION))
		return false;
	rcu_read_lock();
	granted = privmem_granted(folio_memcg(folio), nid);
	rcu_read_unlock();
	return granted;
}

/**
 * migrate_private_mask() - what migrate_pages() may move to
 * @task: whose pages will move
 * @nodes: the new nodes; private ones are dropped from a mixed mask, and those
 *	that are of no use from a private one
 *
 * Return: 1 if @nodes is private and permitted, 0 if it is ordinary, or
 * * -EINVAL - a node is offline, or none opted into migration
 * * -EPERM - none is granted to the cgroup of @task
 */
int migrate_private_mask(struct task_struct *task, nodemask_t *nodes)
{
	nodemask_t granted = NODE_MASK_NONE;
	int nid;

	if (!nodes_intersects(*nodes, node_states[N_MEMORY_PRIVATE]))
		return 0;
	if (nodes_intersects(*nodes, node_states[N_MEMORY])) {
		nodes_andnot(*nodes, *nodes, node_states[N_MEMORY_PRIVATE]);
		return 0;
	}
	if (!nodes_subset(*nodes, node_states[N_MEMORY_PRIVATE]))
		return -EINVAL;
	for_each_node_mask(nid, *nodes)
		if (!node_private_has(nid, NP_OPS_MIGRATION))
			node_clear(nid, *nodes);
	if (nodes_empty(*nodes))
		return -EINVAL;

	task_lock(task);
	if (task->mm)
		privmem_granted_nodes(task->mm, &granted);
	task_unlock(task);
	nodes_and(*nodes, *nodes, granted);
	return nodes_empty(*nodes) ? -EPERM : 1;
}
