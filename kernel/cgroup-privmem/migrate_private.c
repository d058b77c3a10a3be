// SPDX-License-Identifier: GPL-2.0-only
/*
 * Migration to and from private nodes: what may go where, and who pays.
 *
 * Only anonymous and shmem folios enter a private node, only on request of a
 * system call, and only if the cgroup that the folio is charged to was granted
 * the node.  The target is charged in full before it is allocated; the source
 * is uncharged when it is freed.  A refusal is an error pointer other
 * than -ENOMEM, so that the rest of a batch goes on.
 */
#include <linux/memcontrol.h>
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
 * @reason: MR_SYSCALL or MR_MEMPOLICY_MBIND; nothing else moves folios there
 *
 * Return: a folio, charged to the memcg of @src, or ERR_PTR of
 * * -EACCES - @src or @nid does not permit it
 * * -EPERM - the memcg was not granted @nid
 * * -ENOSPC - no room on the node or under a limit
 * * -EBUSY - no memory to keep count with
 */
struct folio *alloc_private_migration_target(struct folio *src, int nid, int reason)
{
	struct folio *dst;

	if (reason != MR_SYSCALL && reason != MR_MEMPOLICY_MBIND)
		return ERR_PTR(-EACCES);
	if (!folio_suits_private(src) || !node_private_has(nid, NP_OPS_MIGRATION))
		return ERR_PTR(-EACCES);

	/* Nobody's pages are swapped out to make room for a move. */
	dst = privmem_migration_alloc(src, nid, GFP_HIGHUSER_MOVABLE | __GFP_NOWARN | __GFP_NORETRY);
	return dst == ERR_PTR(-ENOMEM) ? ERR_PTR(-EBUSY) : dst;
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
