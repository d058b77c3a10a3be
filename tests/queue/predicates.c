// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compiled by tests/queue/matrix as mm/privmem_predicates.c in every configuration,
 * never linked: where an option is off, what asks about it has to be false at compile
 * time, so that the code behind it vanishes.
 */
#include <linux/build_bug.h>
#include <linux/mempolicy_private.h>
#include <linux/migrate_private.h>
#include <linux/node_private.h>
#include <linux/privmem.h>

void privmem_predicates(struct folio *folio, struct mempolicy *pol, struct mem_cgroup *memcg,
			struct vm_fault *vmf, nodemask_t *nodes, int nid);

void privmem_predicates(struct folio *folio, struct mempolicy *pol, struct mem_cgroup *memcg,
			struct vm_fault *vmf, nodemask_t *nodes, int nid)
{
	struct node_private_progress progress = {};
	struct privmem_gather gather = {};

	if (!IS_ENABLED(CONFIG_NODE_PRIVATE)) {
		BUILD_BUG_ON(node_is_private(nid));
		BUILD_BUG_ON(node_private_is_registered(nid));
		BUILD_BUG_ON(node_private_has(nid, 0));
		BUILD_BUG_ON(node_private_refuses(nid));
		BUILD_BUG_ON(node_private_zonerefs(nid));
		BUILD_BUG_ON(node_private_free_pages());
		BUILD_BUG_ON(node_private_offline_stuck(nid, 0, 0, &progress));
		BUILD_BUG_ON(node_memory_state(nid) != N_MEMORY);
		BUILD_BUG_ON(folio_is_node_private(folio));
		BUILD_BUG_ON(!folio_node_allows(folio, NP_OPS_RECLAIM));
		BUILD_BUG_ON(mpol_is_private(pol));
		BUILD_BUG_ON(mpol_names_private(pol, nodes));
		BUILD_BUG_ON(!mpol_private_may_share(NULL, pol));
		BUILD_BUG_ON(mpol_private_refuses(pol, 0, NULL));
		BUILD_BUG_ON(mpol_ordinary(pol) != pol);
		BUILD_BUG_ON(vmf_unshares_private(vmf));
		BUILD_BUG_ON(vmf_private_error(vmf) != VM_FAULT_OOM);
		BUILD_BUG_ON(!migrate_may_enter(folio, nid));
		BUILD_BUG_ON(migrate_private_mask(current, nodes));
		BUILD_BUG_ON(folio_alloc_node_private(nid, GFP_KERNEL, 0));
	}
	if (!IS_ENABLED(CONFIG_CGROUP_PRIVMEM)) {
		BUILD_BUG_ON(privmem_gather_folio(&gather, memcg, folio));
		BUILD_BUG_ON(privmem_charge_leaving(folio, folio, false));
	}
}
