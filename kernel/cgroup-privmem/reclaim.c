// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reclaim of the pages that a cgroup has on one private node: when it meets its
 * limit, when its limit is lowered, and when an administrator asks for it.
 *
 * What is taken is the node's alone, by try_to_free_private_pages(), and only
 * where the node opted in.  It goes to swap, so memory.swap.max bounds it.
 */
#include <linux/cgroup.h>
#include <linux/sched/signal.h>
#include <linux/swap.h>

#include "internal.h"

/*
 * A round that frees nothing is no proof that nothing can be freed: it may have
 * found all pages referenced.  And others may take what another freed.
 */
#define PRIVMEM_RECLAIM_ROUNDS	16

/**
 * privmem_reclaim_and_charge() - make room for one page under a limit
 * @memcg: who asks; some counter from it upwards is full
 * @nid: the private node
 * @gfp: of the allocation
 *
 * Takes from the cgroup whose limit is met and from those below it.
 *
 * Context: may sleep.  Return: as privmem_try_charge()
 */
int privmem_reclaim_and_charge(struct mem_cgroup *memcg, int nid, gfp_t gfp)
{
	int rounds = node_private_has(nid, NP_OPS_RECLAIM) ? PRIVMEM_RECLAIM_ROUNDS : 0;
	int err = -ENOSPC;

	while (err == -ENOSPC && rounds-- && !fatal_signal_pending(current)) {
		struct privmem_counter *full;

		full = privmem_counter_find_full(privmem_counter_find(memcg, nid), 1);
		if (full)
			try_to_free_private_pages(nid, full->memcg, 1, gfp, false);
		err = privmem_try_charge(memcg, nid, 1, false);
	}
	return err;
}

/**
 * privmem_reclaim_excess() - bring usage under a limit that was lowered
 * @memcg: whose limit
 * @nid: the private node
 *
 * Ends when usage is under the limit, when nothing more can be had, or with a
 * signal.  Context: may sleep for long.
 */
void privmem_reclaim_excess(struct mem_cgroup *memcg, int nid)
{
	struct privmem_counter *counter = privmem_counter_find(memcg, nid);
	int rounds = PRIVMEM_RECLAIM_ROUNDS;
	long excess;

	if (!node_private_has(nid, NP_OPS_RECLAIM) ||
	    atomic_long_read(&counter->usage) <= READ_ONCE(counter->max))
		return;

	lru_add_drain_all();
	while ((excess = atomic_long_read(&counter->usage) - READ_ONCE(counter->max)) > 0 &&
	       !signal_pending(current)) {
		if (!try_to_free_private_pages(nid, memcg, excess, GFP_KERNEL, false) && !rounds--)
			break;
	}
}

/**
 * privmem_reclaim_proactive() - take pages from a cgroup ahead of any need
 * @memcg: from it and those below it; the root cgroup: from whoever is there
 * @nid: a private node that opted into reclaim
 * @nr_pages: how many
 *
 * Context: may sleep for long.
 *
 * Return: 0, or
 * * -EAGAIN - fewer were reclaimed
 * * -EINTR - a signal came first
 */
int privmem_reclaim_proactive(struct mem_cgroup *memcg, int nid, unsigned long nr_pages)
{
	unsigned long nr_reclaimed = 0, got;
	int rounds = PRIVMEM_RECLAIM_ROUNDS;

	lru_add_drain_all();
	while (nr_reclaimed < nr_pages) {
		if (signal_pending(current))
			return -EINTR;
		got = try_to_free_private_pages(nid, memcg,
						min(nr_pages - nr_reclaimed, SWAP_CLUSTER_MAX * 32),
						GFP_KERNEL, true);
		if (!got && !rounds--)
			return -EAGAIN;
		nr_reclaimed += got;
	}
	return 0;
}
