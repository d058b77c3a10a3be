// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory policies that name private nodes: how they come about, and how memory
 * is allocated by them.
 *
 * A private policy is resolved at three times.  When it is set, its mask is
 * reduced to the nodes that opted into mempolicy and that the caller's cgroup
 * was granted; from then on it never grows.  When memory is asked for, each of
 * these nodes is tried once, nearest first, and privmem_folio_alloc() checks
 * grant and limit anew.  When all of them say no, MPOL_BIND means no, and the
 * fault ends in SIGBUS; the other modes go on to ordinary memory.
 *
 * The policy holds for memory of current's own mm.  Kernel threads, debuggers
 * and whoever else touches that memory get ordinary memory.
 */
#include <linux/mempolicy_private.h>
#include <linux/memcontrol.h>
#include <linux/migrate_private.h>
#include <linux/mm.h>
#include <linux/oom.h>
#include <linux/privmem.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/swap.h>
#include <linux/swap_cgroup.h>

#include "internal.h"

/* Strict: nothing else will do. */
static bool mpol_private_is_strict(const struct mempolicy *pol)
{
	return pol->mode == MPOL_BIND;
}

/**
 * mpol_names_private() - does a mask name private nodes and nothing else?
 * @pol: policy under construction, mode and flags set; may be NULL
 * @nodes: the mask as the user gave it
 *
 * One ordinary node makes it an ordinary mask, so that "all nodes" never
 * touches private memory.  Relative masks count ordinary nodes only.
 *
 * Return: true if the policy is for mpol_set_private() to make.
 */
bool mpol_names_private(const struct mempolicy *pol, const nodemask_t *nodes)
{
	if (!pol || pol->mode == MPOL_LOCAL || (pol->flags & MPOL_F_RELATIVE_NODES))
		return false;
	return !nodes_intersects(*nodes, node_states[N_MEMORY]) &&
	       nodes_intersects(*nodes, node_states[N_MEMORY_PRIVATE]);
}

/* Leaves in @nodes those that opted into mempolicy and that current may use. */
static int mpol_private_usable(nodemask_t *nodes)
{
	nodemask_t granted;
	int nid;

	if (!nodes_subset(*nodes, node_states[N_MEMORY_PRIVATE]))
		return -EINVAL;
	for_each_node_mask(nid, *nodes)
		if (!node_private_has(nid, NP_OPS_MEMPOLICY))
			node_clear(nid, *nodes);
	if (nodes_empty(*nodes))
		return -EINVAL;
	privmem_granted_nodes(current->mm, &granted);
	nodes_and(*nodes, *nodes, granted);
	return nodes_empty(*nodes) ? -EPERM : 0;
}

/**
 * mpol_set_private() - make a policy of a mask of private nodes
 * @pol: policy under construction, mode and flags set
 * @nodes: mask that mpol_names_private(); cut down to what the policy holds
 *
 * Context: mmap_lock held for writing, or task_lock held.
 * Return: 0, or
 * * -EINVAL - a node is offline, none opted into mempolicy, or hint faults
 *   were asked for
 * * -EPERM - none is granted to the cgroup of current's mm
 */
int mpol_set_private(struct mempolicy *pol, nodemask_t *nodes)
{
	nodemask_t usable = *nodes;
	int err, nid;

	if (pol->flags & MPOL_F_NUMA_BALANCING)
		return -EINVAL;
	err = mpol_private_usable(&usable);
	if (err)
		return err;

	if (pol->flags & MPOL_MODE_FLAGS)
		pol->w.user_nodemask = *nodes;
	else
		nodes_clear(pol->w.cpuset_mems_allowed);
	*nodes = usable;
	pol->nodes = usable;
	if (pol->mode == MPOL_PREFERRED)
		init_nodemask_of_node(&pol->nodes, first_node(usable));
	pol->generation = 0;
	for_each_node_mask(nid, pol->nodes)
		pol->generation = max(pol->generation, node_private_generation(nid));
	pol->flags |= MPOL_F_PRIVATE;
	return 0;
}

/**
 * mpol_private_check_home() - may a node become the home of a policy?
 * @pol: the policy
 * @home_node: an online node
 *
 * An ordinary policy has no private home: nothing could be allocated there.
 *
 * Return: 0, or
 * * -EINVAL - @home_node is private and did not opt into mempolicy, or @pol is
 *   an ordinary policy
 * * -EPERM - @home_node is private and not granted
 */
int mpol_private_check_home(const struct mempolicy *pol, int home_node)
{
	nodemask_t home = nodemask_of_node(home_node);

	if (!node_is_private(home_node))
		return 0;
	return mpol_is_private(pol) ? mpol_private_usable(&home) : -EINVAL;
}

/**
 * mpol_private_may_share() - may a policy be set on the object behind a mapping?
 * @vma: mapping of a shared object, whose policy holds for all who touch it
 * @pol: the policy; may be NULL
 *
 * Only somebody who can write to the object may send it to a private node.
 */
bool mpol_private_may_share(const struct vm_area_struct *vma, const struct mempolicy *pol)
{
	return !pol || !mpol_is_private(pol) ||
	       ((vma->vm_flags & VM_SHARED) && (vma->vm_file->f_mode & FMODE_WRITE));
}

/* Adds the private nodes that @task may name to @nodes. */
void mpol_private_add_allowed(struct task_struct *task, nodemask_t *nodes)
{
	nodemask_t granted;

	task_lock(task);
	if (task->mm && !(task->flags & PF_KTHREAD)) {
		privmem_granted_nodes(task->mm, &granted);
		nodes_or(*nodes, *nodes, granted);
	}
	task_unlock(task);
}

/* Is @nid still the node that the policy was made for? */
static bool mpol_private_reaches(const struct mempolicy *pol, int nid)
{
	return node_private_has(nid, NP_OPS_MEMPOLICY) &&
	       node_private_generation(nid) <= pol->generation;
}

static bool mpol_private_is_granted(const struct mempolicy *pol, struct mem_cgroup *memcg)
{
	int nid;

	for_each_node_mask(nid, pol->nodes)
		if (privmem_granted(memcg, nid))
			return true;
	return false;
}

/*
 * Can a private policy decide where memory of @mm goes?  Not for kernel
 * threads, nor for memory of others or of a driver, nor for what cannot be in
 * ZONE_MOVABLE.
 */
static bool mpol_private_concerns(gfp_t gfp, struct mm_struct *mm)
{
	return mm && mm == current->mm &&
	       !(current->flags & (PF_KTHREAD | PF_MEMALLOC_ORDINARY)) &&
	       gfp_zone(gfp) == ZONE_MOVABLE;
}

/*
 * Does @pol decide?  The policy of a shared object holds for those who are
 * granted a node of it.
 */
static bool mpol_private_applies(const struct mempolicy *pol, gfp_t gfp, struct mm_struct *mm)
{
	struct mem_cgroup *memcg;
	bool granted;

	if (!mpol_private_concerns(gfp, mm))
		return false;
	if (!(pol->flags & MPOL_F_SHARED))
		return true;
	memcg = get_mem_cgroup_from_mm(mm);
	granted = mpol_private_is_granted(pol, memcg);
	mem_cgroup_put(memcg);
	return granted;
}

/* Where the search for a node begins: a node is nearest to itself. */
static int mpol_private_origin(struct mempolicy *pol, pgoff_t ilx)
{
	switch (pol->mode) {
	case MPOL_INTERLEAVE:
		return interleave_nid(pol, ilx);
	case MPOL_WEIGHTED_INTERLEAVE:
		return weighted_interleave_nid(pol, ilx);
	default:
		return pol->home_node == NUMA_NO_NODE ? numa_node_id() : pol->home_node;
	}
}

/* Takes the next node to ask out of @nodes; NUMA_NO_NODE if it is of no use. */
static int mpol_private_take(const struct mempolicy *pol, nodemask_t *nodes, int origin)
{
	int nid = node_private_nearest(nodes, origin);

	node_clear(nid, *nodes);
	return mpol_private_reaches(pol, nid) ? nid : NUMA_NO_NODE;
}

/*
 * Asks each node of the policy once.  For a single page, the last one is made to
 * reclaim before it refuses, if it opted in, and where a refusal would be final
 * to look for every free page it has.
 */
static struct folio *mpol_private_try(struct mempolicy *pol, struct mem_cgroup *memcg, gfp_t gfp,
				      unsigned int order, pgoff_t ilx)
{
	nodemask_t nodes = pol->nodes;
	struct folio *folio = NULL;
	int origin = mpol_private_origin(pol, ilx);

	gfp &= ~(__GFP_NOFAIL | __GFP_RETRY_MAYFAIL);
	gfp |= __GFP_NOWARN | __GFP_NORETRY;
	while (!folio && !nodes_empty(nodes)) {
		int nid = mpol_private_take(pol, &nodes, origin);

		if (!order && nodes_empty(nodes)) {
			gfp &= ~__GFP_NORETRY;
			if (mpol_private_is_strict(pol))
				gfp |= __GFP_RETRY_MAYFAIL;
		}
		if (nid != NUMA_NO_NODE)
			folio = privmem_folio_alloc(memcg, nid, gfp, order);
	}
	return folio;
}

/**
 * mpol_private_alloc_folio() - allocate by a private policy
 * @gfp: as for folio_alloc_mpol()
 * @order: order of the folio
 * @pol: the policy, mpol_is_private()
 * @ilx: interleave index
 * @mm: whose memory it will be; NULL if nobody's
 *
 * On a private node the folio is charged already.  A large folio that does not
 * fit is not looked for elsewhere: small ones may fit.
 *
 * Return: a folio, or NULL; mpol_private_refuses() tells whether NULL was this
 * policy's answer.
 */
struct folio *mpol_private_alloc_folio_noprof(gfp_t gfp, unsigned int order, struct mempolicy *pol,
					      pgoff_t ilx, struct mm_struct *mm)
{
	struct mem_cgroup *memcg;
	struct folio *folio;
	bool granted;

	if (!mpol_private_applies(pol, gfp, mm))
		return folio_alloc_mpol_noprof(gfp, order, pol, ilx, numa_node_id());

	memcg = get_mem_cgroup_from_mm(mm);
	folio = mpol_private_try(pol, memcg, gfp, order, ilx);
	if (!folio && !order) {
		granted = mpol_private_is_granted(pol, memcg);
		/* A shared object's policy does not bind who lost the grant meanwhile. */
		if (mpol_private_is_strict(pol) && (granted || !(pol->flags & MPOL_F_SHARED)))
			privmem_count_event(memcg, first_node(pol->nodes),
					    granted ? PRIVMEM_EVENT_FAIL : PRIVMEM_EVENT_DENIED);
		else
			folio = folio_alloc_mpol_noprof(gfp, order, pol, ilx, numa_node_id());
	}
	mem_cgroup_put(memcg);
	return folio;
}

/* The memcg that swapped @entry out pays for it when it comes back. */
static struct mem_cgroup *get_mem_cgroup_from_swap(swp_entry_t entry, struct mm_struct *mm)
{
	struct mem_cgroup *memcg;

	rcu_read_lock();
	memcg = mem_cgroup_from_id(lookup_swap_cgroup_id(entry));
	if (!memcg || !mem_cgroup_tryget_online(memcg))
		memcg = get_mem_cgroup_from_mm(mm);
	rcu_read_unlock();
	return memcg;
}

/*
 * Whoever takes a swap file away, or breaks up KSM, reads back what belongs to
 * others. It must not place that by its own grant, the less as the cgroup that
 * would have to pay may be gone.
 */
static bool swapin_for_others(void)
{
	return oom_task_origin(current);
}

/**
 * mpol_swapin_folio() - allocate for the swap entry that current faults on
 * @gfp: as for folio_alloc_mpol()
 * @order: order of the folio
 * @pol: the policy of the memory, private or not
 * @ilx: interleave index
 * @entry: the swap entry
 *
 * Data that exists is never refused: where a private policy cannot be
 * followed, even a strict one, it comes back to ordinary memory.
 *
 * Return: a folio, or NULL if there is no ordinary memory either; for a large
 * order, if there is none on the policy's nodes.
 */
struct folio *mpol_swapin_folio_noprof(gfp_t gfp, unsigned int order, struct mempolicy *pol,
				       pgoff_t ilx, swp_entry_t entry)
{
	struct mem_cgroup *memcg;
	struct folio *folio = NULL;

	if (mpol_is_private(pol) && !swapin_for_others() &&
	    mpol_private_applies(pol, gfp, current->mm)) {
		memcg = get_mem_cgroup_from_swap(entry, current->mm);
		folio = mpol_private_try(pol, memcg, gfp, order, ilx);
		mem_cgroup_put(memcg);
		if (folio || order)
			return folio;
	}
	return folio_alloc_mpol_noprof(gfp, order, pol, ilx, numa_node_id());
}

/* mpol_swapin_folio() by the policy of @vma at @addr. */
struct folio *vma_swapin_folio_noprof(gfp_t gfp, unsigned int order, struct vm_area_struct *vma,
				      unsigned long addr, swp_entry_t entry)
{
	struct mempolicy *pol;
	struct folio *folio;
	pgoff_t ilx;

	pol = get_vma_policy(vma, addr, order, &ilx);
	folio = mpol_swapin_folio_noprof(gfp, order, mpol_for_mm(pol, vma->vm_mm), ilx, entry);
	mpol_cond_put(pol);
	return folio;
}

/* vma_alloc_folio() for a copy that must not be on a private node. */
struct folio *vma_alloc_ordinary_folio_noprof(gfp_t gfp, struct vm_area_struct *vma,
					      unsigned long addr)
{
	struct mempolicy *pol;
	struct folio *folio;
	pgoff_t ilx;

	pol = get_vma_policy(vma, addr, 0, &ilx);
	folio = folio_alloc_mpol_noprof(gfp, 0, pol, ilx, numa_node_id());
	mpol_cond_put(pol);
	return folio;
}

/* Allocates and charges the page that ends an unshare fault. */
struct folio *vmf_prealloc_ordinary(struct vm_fault *vmf, gfp_t gfp)
{
	struct folio *folio = vma_alloc_ordinary_folio_noprof(gfp, vmf->vma, vmf->address);

	if (folio && mem_cgroup_charge(folio, vmf->vma->vm_mm, GFP_KERNEL)) {
		folio_put(folio);
		return NULL;
	}
	return folio;
}

/*
 * Unsharing makes a copy that a longterm pin can hold on to: on ordinary
 * memory, whatever the policy of the mapping.
 */
bool vmf_unshares_private(struct vm_fault *vmf)
{
	struct mempolicy *pol;
	bool is_private;
	pgoff_t ilx;

	if (!(vmf->flags & FAULT_FLAG_UNSHARE))
		return false;
	pol = get_vma_policy(vmf->vma, vmf->address, 0, &ilx);
	is_private = mpol_is_private(pol);
	mpol_cond_put(pol);
	return is_private;
}

/**
 * mpol_private_refuses() - was it a private policy that got no memory?
 * @pol: the policy by which an allocation of one page failed
 * @gfp: what was asked for
 * @mm: whose memory it would have been
 *
 * The grant is not asked for again: it may have gone since, and those whom the
 * policy of a shared object does not bind had ordinary memory to fall back to.
 *
 * Return: true if no memory but that of @pol's nodes would have done.
 */
bool mpol_private_refuses(const struct mempolicy *pol, gfp_t gfp, struct mm_struct *mm)
{
	return mpol_is_private(pol) && mpol_private_is_strict(pol) &&
	       mpol_private_concerns(gfp, mm);
}

/**
 * vmf_private_error() - how does a fault end that got no anonymous page?
 * @vmf: the fault
 *
 * Return: VM_FAULT_SIGBUS if a strict private policy stood in the way: trying
 * again or killing others would not help.  VM_FAULT_OOM otherwise.
 */
vm_fault_t vmf_private_error(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct mempolicy *pol;
	bool refused;
	pgoff_t ilx;

	if (vmf->flags & FAULT_FLAG_UNSHARE)
		return VM_FAULT_OOM;
	pol = get_vma_policy(vma, vmf->address, 0, &ilx);
	refused = mpol_private_refuses(pol, GFP_HIGHUSER_MOVABLE, vma->vm_mm);
	mpol_cond_put(pol);
	return refused ? VM_FAULT_SIGBUS : VM_FAULT_OOM;
}

/**
 * mpol_private_migration_target() - alloc_private_migration_target() by policy
 * @src: the folio that will move
 * @pol: the policy, mpol_is_private()
 * @ilx: interleave index
 *
 * There is no fallback: @src is somewhere already.
 *
 * Return: a folio, or ERR_PTR of the last node's refusal.
 */
struct folio *mpol_private_migration_target(struct folio *src, struct mempolicy *pol, pgoff_t ilx)
{
	struct folio *folio = ERR_PTR(-EACCES);
	int origin = mpol_private_origin(pol, ilx);
	nodemask_t nodes = pol->nodes;

	while (IS_ERR(folio) && !nodes_empty(nodes)) {
		int nid = mpol_private_take(pol, &nodes, origin);

		if (nid != NUMA_NO_NODE)
			folio = alloc_private_migration_target(src, nid, MR_MEMPOLICY_MBIND);
	}
	return folio;
}

/* Has @vma a private policy of its own, at its start? */
bool vma_policy_is_private(struct vm_area_struct *vma)
{
	struct mempolicy *pol;
	bool is_private;
	pgoff_t ilx;

	pol = __get_vma_policy(vma, vma->vm_start, &ilx);
	is_private = pol && mpol_is_private(pol);
	mpol_cond_put(pol);
	return is_private;
}
