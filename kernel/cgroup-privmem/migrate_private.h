/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Migration to and from private nodes.
 *
 * Two choke points: alloc_private_migration_target() makes every folio that is
 * to be filled on a private node, migrate_get_folio() every folio that replaces
 * one of a private node.
 */
#ifndef _LINUX_MIGRATE_PRIVATE_H
#define _LINUX_MIGRATE_PRIVATE_H

#include <linux/migrate.h>
#include <linux/node_private.h>
#include <linux/sched.h>

#ifdef CONFIG_NODE_PRIVATE

struct folio *alloc_private_migration_target(struct folio *src, int nid, int reason);
struct folio *migrate_get_folio(new_folio_t get_new_folio, free_folio_t put_new_folio,
				unsigned long private, struct folio *src, int reason);
bool migrate_may_enter(struct folio *folio, int nid);
int migrate_private_mask(struct task_struct *task, nodemask_t *nodes);
bool folio_demotes(struct folio *folio);
unsigned int demote_to_private(struct list_head *folios, int from);
bool private_demotion_possible(int from, struct mem_cgroup *memcg);

#else /* !CONFIG_NODE_PRIVATE */

static inline struct folio *alloc_private_migration_target(struct folio *src, int nid, int reason)
{
	return NULL;
}

static inline struct folio *migrate_get_folio(new_folio_t get_new_folio,
					      free_folio_t put_new_folio, unsigned long private,
					      struct folio *src, int reason)
{
	return get_new_folio(src, private);
}

static inline bool migrate_may_enter(struct folio *folio, int nid)
{
	return true;
}

static inline bool folio_demotes(struct folio *folio)
{
	return true;
}

static inline unsigned int demote_to_private(struct list_head *folios, int from)
{
	return 0;
}

static inline bool private_demotion_possible(int from, struct mem_cgroup *memcg)
{
	return false;
}

static inline int migrate_private_mask(struct task_struct *task, nodemask_t *nodes)
{
	return 0;
}

#endif /* CONFIG_NODE_PRIVATE */
#endif /* _LINUX_MIGRATE_PRIVATE_H */
