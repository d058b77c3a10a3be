// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private memory nodes: how their memory comes and goes.
 *
 * Both directions are all or none, under one hold of device_hotplug_lock:
 * memory that was added but cannot be put online is removed again, and memory
 * of which a part cannot be put offline is put back online.  Nobody else may
 * change the state of a private node's memory blocks (node_private_refuses()).
 */
#include <linux/delay.h>
#include <linux/ioport.h>
#include <linux/memory.h>
#include <linux/memory_hotplug.h>
#include <linux/node_private.h>
#include <linux/range.h>

#include "internal.h"

/* Passes of offline_pages() in which no page was freed, before it gives up */
#define NODE_PRIVATE_IDLE_PASSES	10

static int node_private_online_block(struct memory_block *mem, void *arg)
{
	int rc;

	mem->online_type = MMOP_ONLINE_MOVABLE;
	rc = device_online(&mem->dev);
	return rc < 0 ? rc : 0;		/* 1: is online already */
}

static int node_private_offline_block(struct memory_block *mem, void *arg)
{
	int rc = device_offline(&mem->dev);

	return rc < 0 ? rc : 0;
}

static int node_private_online(int nid, u64 start, u64 size)
{
	int rc;

	node_private_set_changer(nid, current);
	rc = walk_memory_blocks(start, size, NULL, node_private_online_block);
	node_private_set_changer(nid, NULL);
	return rc;
}

static int node_private_offline(int nid, u64 start, u64 size)
{
	int rc;

	node_private_set_changer(nid, current);
	rc = walk_memory_blocks(start, size, NULL, node_private_offline_block);
	node_private_set_changer(nid, NULL);
	return rc;
}

struct node_private_blocks {
	int nid;
	unsigned long mine;
	unsigned long others;
};

static int node_private_count_block(struct memory_block *mem, void *arg)
{
	struct node_private_blocks *blocks = arg;

	if (mem->nid == blocks->nid)
		blocks->mine++;
	else
		blocks->others++;
	return 0;
}

/* Offline memory counts too: it could be put online later. */
static bool node_private_has_blocks(int nid)
{
	struct node_private_blocks blocks = { .nid = nid };

	for_each_memory_block(&blocks, node_private_count_block);
	return blocks.mine;
}

/* Is all of this range memory of @nid? -EBUSY if a part, or somebody else's */
static int node_private_range_present(int nid, u64 start, u64 size)
{
	struct node_private_blocks blocks = { .nid = nid };

	walk_memory_blocks(start, size, &blocks, node_private_count_block);
	if (blocks.others || (blocks.mine && blocks.mine * memory_block_size_bytes() != size))
		return -EBUSY;
	return blocks.mine ? 1 : 0;
}

static int node_private_add_range(int nid, u64 start, u64 size)
{
	unsigned long flags = IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY |
			      IORESOURCE_SYSRAM_DRIVER_MANAGED;
	struct resource *res;
	int rc;

	if (!mhp_range_allowed(start, size, true))
		return -E2BIG;
	/* struct node_private is never freed, so neither is this name */
	res = __request_region(&iomem_resource, start, size, node_private_owner(nid), flags);
	if (!res)
		return -EBUSY;
	rc = add_memory_resource(nid, res, MHP_PRIVATE);
	if (rc < 0) {
		release_resource(res);
		kfree(res);
		/* -EEXIST is our word for memory that is there and online */
		return rc == -EEXIST ? -EBUSY : rc;
	}
	rc = node_private_online(nid, start, size);
	if (rc) {
		if (node_private_offline(nid, start, size))
			pr_err("node %d: memory [%#llx-%#llx] stays, partly online\n",
			       nid, start, start + size - 1);
		else
			__remove_memory(start, size);
	}
	return rc;
}

static int node_private_check_request(int nid, const char *name, mhp_t mhp_flags,
				      enum mmop online_type, unsigned long flags)
{
	if (!name || !str_has_prefix(name, "System RAM (") || name[strlen(name) - 1] != ')')
		return -EINVAL;
	if (mhp_flags || online_type != MMOP_ONLINE_MOVABLE)
		return -EINVAL;
	if (nid < 0 || nid >= MAX_NUMNODES || !node_possible(nid))
		return -EINVAL;
	return node_private_check_flags(flags);
}

/**
 * add_private_memory_driver_managed() - add memory as a private node
 * @nid: node without ordinary memory, online or not
 * @start: physical address, aligned to memory blocks
 * @size: bytes, a multiple of the memory block size
 * @resource_name: "System RAM (<driver>)"
 * @mhp_flags: MHP_NONE; the memory map of a private node is ordinary memory,
 *	and private memory joins no memory group
 * @online_type: MMOP_ONLINE_MOVABLE
 * @ops: what the owner opts into
 *
 * Adds and puts online, or changes nothing.  Several ranges may make up one
 * node, all with the same @resource_name and @ops.
 *
 * Context: Process context; takes device_hotplug_lock.
 * Return: 0, or
 * * -EEXIST - the range is private memory of this node, owner and opt-ins
 *   already (a driver unbound while it was in use), and is online now
 * * -EBUSY - the node has ordinary memory, another owner or other opt-ins, or
 *   the range is taken
 * * -EINVAL - an argument is not one of the above
 * * -EOPNOTSUPP - an opt-in that this kernel does not have yet
 * * another error of adding memory or putting it online
 */
int add_private_memory_driver_managed(int nid, u64 start, u64 size, const char *resource_name,
				      mhp_t mhp_flags, enum mmop online_type,
				      const struct node_private_ops *ops)
{
	int rc, present;

	rc = node_private_check_request(nid, resource_name, mhp_flags, online_type, ops->flags);
	if (rc)
		return rc;

	lock_device_hotplug();
	present = node_private_range_present(nid, start, size);
	if (present < 0)
		rc = present;
	else if (!node_private_is_registered(nid) && node_private_has_blocks(nid))
		rc = -EBUSY;
	else
		rc = node_private_register(nid, resource_name, ops->flags);
	if (rc)
		goto unlock;

	if (present)
		rc = node_private_online(nid, start, size) ?: -EEXIST;
	else
		rc = node_private_add_range(nid, start, size);
	node_private_forget(nid);
unlock:
	unlock_device_hotplug();
	return rc;
}
EXPORT_SYMBOL_GPL(add_private_memory_driver_managed);

/**
 * offline_and_remove_private_memory() - take private memory away
 * @nid: the private node
 * @ranges: ranges added with add_private_memory_driver_managed()
 * @nr_ranges: how many
 *
 * All ranges go, or all are online again.  Takes bounded time:
 * see node_private_offline_stuck().
 *
 * Context: Process context; takes device_hotplug_lock.
 * Return: 0, or
 * * -ENODEV - @nid has no private memory
 * * -EINTR - a signal came
 * * -EBUSY - pages are in use and could not be moved
 */
int offline_and_remove_private_memory(int nid, const struct range *ranges, int nr_ranges)
{
	int i, rc = 0;

	lock_device_hotplug();
	if (!node_private_is_registered(nid)) {
		rc = -ENODEV;
		goto unlock;
	}
	for (i = 0; i < nr_ranges && !rc; i++)
		rc = node_private_offline(nid, ranges[i].start, range_len(&ranges[i]));
	for (i = 0; i < nr_ranges; i++) {
		if (!rc)
			__remove_memory(ranges[i].start, range_len(&ranges[i]));
		else if (node_private_online(nid, ranges[i].start, range_len(&ranges[i])))
			pr_err("node %d: memory [%#llx-%#llx] stays, partly offline\n",
			       nid, ranges[i].start, ranges[i].end);
	}
	if (rc && rc != -EINTR)
		rc = -EBUSY;
unlock:
	unlock_device_hotplug();
	return rc;
}
EXPORT_SYMBOL_GPL(offline_and_remove_private_memory);

/* Pages of an isolated range that are not free yet; poisoned ones never will be. */
static unsigned long node_private_count_used(unsigned long start_pfn, unsigned long end_pfn)
{
	unsigned long pfn, used = 0;

	for (pfn = start_pfn; pfn < end_pfn; pfn++) {
		struct page *page = pfn_to_page(pfn);

		if (PageBuddy(page)) {
			unsigned int order = buddy_order_unsafe(page);

			if (order <= MAX_PAGE_ORDER)
				pfn += (1UL << order) - 1;
		} else if (!PageHWPoison(page)) {
			used++;
		}
	}
	return used;
}

/**
 * node_private_offline_stuck() - is it time to give up offlining a range?
 * @nid: the node of the range
 * @start_pfn: its start
 * @end_pfn: its end
 * @progress: zeroed before the first pass
 *
 * Called before each pass of offline_pages(), which would try for ever.  A
 * page of a private node may be pinned by a task or by the owner's hardware
 * for good, and the hotplug locks are held meanwhile.
 *
 * Context: Process context; sleeps shortly after a pass without progress.
 * Return: true if pages are in use and either the node did not opt into
 * migration or ten passes freed none.
 */
bool node_private_offline_stuck(int nid, unsigned long start_pfn, unsigned long end_pfn,
				struct node_private_progress *progress)
{
	unsigned long used;

	if (!node_private_is_registered(nid))
		return false;
	used = node_private_count_used(start_pfn, end_pfn);
	if (!used)
		return false;
	if (!node_private_has(nid, NP_OPS_MIGRATION))
		return true;
	if (!progress->least_used || used < progress->least_used) {
		progress->least_used = used;
		progress->idle_passes = 0;
		return false;
	}
	msleep(20);
	return ++progress->idle_passes >= NODE_PRIVATE_IDLE_PASSES;
}
