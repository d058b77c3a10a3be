/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory policies that name private nodes.
 *
 * A policy names private nodes alone, or none.  One that does carries
 * MPOL_F_PRIVATE and speaks only for anonymous and shmem memory of the task
 * that faults it in; everything else treats it as absent, mpol_ordinary().
 */
#ifndef _LINUX_MEMPOLICY_PRIVATE_H
#define _LINUX_MEMPOLICY_PRIVATE_H

#include <linux/mempolicy.h>
#include <linux/mm_types.h>
#include <linux/node_private.h>
#include <linux/swap.h>

#ifdef CONFIG_NODE_PRIVATE

static inline bool mpol_is_private(const struct mempolicy *pol)
{
	return unlikely(pol->flags & MPOL_F_PRIVATE);
}

static inline unsigned long mpol_generation(const struct mempolicy *pol)
{
	return pol->generation;
}

/* Making a policy */
bool mpol_names_private(const struct mempolicy *pol, const nodemask_t *nodes);
int mpol_set_private(struct mempolicy *pol, nodemask_t *nodes);
int mpol_private_check_home(const struct mempolicy *pol, int home_node);
bool mpol_private_may_share(const struct vm_area_struct *vma, const struct mempolicy *pol);
void mpol_private_add_allowed(struct task_struct *task, nodemask_t *nodes);

/* Allocating by it */
struct folio *mpol_private_alloc_folio_noprof(gfp_t gfp, unsigned int order, struct mempolicy *pol,
					      pgoff_t ilx, struct mm_struct *mm);
struct folio *mpol_swapin_folio_noprof(gfp_t gfp, unsigned int order, struct mempolicy *pol,
				       pgoff_t ilx, swp_entry_t entry);
struct folio *vma_swapin_folio_noprof(gfp_t gfp, unsigned int order, struct vm_area_struct *vma,
				      unsigned long addr, swp_entry_t entry);

struct folio *vma_alloc_ordinary_folio_noprof(gfp_t gfp, struct vm_area_struct *vma,
					      unsigned long addr);
struct folio *vmf_prealloc_ordinary(struct vm_fault *vmf, gfp_t gfp);
bool vmf_unshares_private(struct vm_fault *vmf);

/* What to answer when that failed */
bool mpol_private_refuses(const struct mempolicy *pol, gfp_t gfp, struct mm_struct *mm);
vm_fault_t vmf_private_error(struct vm_fault *vmf);
bool vma_policy_is_private(struct vm_area_struct *vma);

struct folio *mpol_private_migration_target(struct folio *src, struct mempolicy *pol, pgoff_t ilx);

#else /* !CONFIG_NODE_PRIVATE */

static inline bool mpol_is_private(const struct mempolicy *pol)
{
	return false;
}

static inline unsigned long mpol_generation(const struct mempolicy *pol)
{
	return 0;
}

static inline bool mpol_names_private(const struct mempolicy *pol, const nodemask_t *nodes)
{
	return false;
}

static inline int mpol_set_private(struct mempolicy *pol, nodemask_t *nodes)
{
	return -EINVAL;
}

static inline int mpol_private_check_home(const struct mempolicy *pol, int home_node)
{
	return 0;
}

static inline bool mpol_private_may_share(const struct vm_area_struct *vma,
					  const struct mempolicy *pol)
{
	return true;
}

static inline void mpol_private_add_allowed(struct task_struct *task, nodemask_t *nodes)
{
}

static inline struct folio *mpol_private_alloc_folio_noprof(gfp_t gfp, unsigned int order,
							    struct mempolicy *pol, pgoff_t ilx,
							    struct mm_struct *mm)
{
	return folio_alloc_mpol_noprof(gfp, order, pol, ilx, numa_node_id());
}

static inline struct folio *mpol_swapin_folio_noprof(gfp_t gfp, unsigned int order,
						     struct mempolicy *pol, pgoff_t ilx,
						     swp_entry_t entry)
{
	return folio_alloc_mpol_noprof(gfp, order, pol, ilx, numa_node_id());
}

static inline struct folio *vma_swapin_folio_noprof(gfp_t gfp, unsigned int order,
						    struct vm_area_struct *vma,
						    unsigned long addr, swp_entry_t entry)
{
	return vma_alloc_folio_noprof(gfp, order, vma, addr, true);
}

static inline struct folio *vma_alloc_ordinary_folio_noprof(gfp_t gfp,
							    struct vm_area_struct *vma,
							    unsigned long addr)
{
	return vma_alloc_folio_noprof(gfp, 0, vma, addr, false);
}

static inline struct folio *vmf_prealloc_ordinary(struct vm_fault *vmf, gfp_t gfp)
{
	return NULL;
}

static inline bool vmf_unshares_private(struct vm_fault *vmf)
{
	return false;
}

static inline bool mpol_private_refuses(const struct mempolicy *pol, gfp_t gfp,
					struct mm_struct *mm)
{
	return false;
}

static inline vm_fault_t vmf_private_error(struct vm_fault *vmf)
{
	return VM_FAULT_OOM;
}

static inline bool vma_policy_is_private(struct vm_area_struct *vma)
{
	return false;
}

static inline struct folio *mpol_private_migration_target(struct folio *src,
							  struct mempolicy *pol, pgoff_t ilx)
{
	return NULL;
}

#endif /* CONFIG_NODE_PRIVATE */

/* Allocate by any policy for memory of @mm; see mpol_private_alloc_folio(). */
static inline struct folio *mpol_alloc_user_folio_noprof(gfp_t gfp, unsigned int order,
							 struct mempolicy *pol, pgoff_t ilx,
							 struct mm_struct *mm)
{
	if (mpol_is_private(pol))
		return mpol_private_alloc_folio_noprof(gfp, order, pol, ilx, mm);
	return folio_alloc_mpol_noprof(gfp, order, pol, ilx, numa_node_id());
}

#define mpol_alloc_user_folio(...) alloc_hooks(mpol_alloc_user_folio_noprof(__VA_ARGS__))
#define vma_alloc_ordinary_folio(...) alloc_hooks(vma_alloc_ordinary_folio_noprof(__VA_ARGS__))
#define mpol_swapin_folio(...) alloc_hooks(mpol_swapin_folio_noprof(__VA_ARGS__))
#define vma_swapin_folio(...) alloc_hooks(vma_swapin_folio_noprof(__VA_ARGS__))

#ifdef CONFIG_NUMA
struct mempolicy *mpol_instead_of_private(void);
#else
static inline struct mempolicy *mpol_instead_of_private(void)
{
	return NULL;
}
#endif

/*
 * The policy that holds where a private one has no say: what the task would
 * have without it.  A policy returned in place of @pol needs no mpol_cond_put().
 */
static inline struct mempolicy *mpol_ordinary(struct mempolicy *pol)
{
	return mpol_is_private(pol) ? mpol_instead_of_private() : pol;
}

/* The policy for memory of @mm: a private one holds for one's own memory only. */
static inline struct mempolicy *mpol_for_mm(struct mempolicy *pol, const struct mm_struct *mm)
{
	return mm == current->mm ? pol : mpol_ordinary(pol);
}

#endif /* _LINUX_MEMPOLICY_PRIVATE_H */
