/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PRIVMEM_NODELIST_H
#define PRIVMEM_NODELIST_H

/*
 * A set of NUMA nodes and its text form. libnuma's parser takes "!1", "2-1" and "all" and refuses
 * "1 2", so directives, cgroup files and command lines are read by this one instead.
 *
 * People may give nodes names, see config.h; a name begins with a letter. Which node a name stands
 * for is up to whoever has the table.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NODELIST_MAX 1024u /* the kernel's largest MAX_NUMNODES */

struct nodelist {
	uint64_t bits[NODELIST_MAX / 64];
};

struct nodename {
	const char *name;
	unsigned int nid;
	const char *reason; /* why it stands for no node now, a constant string; NULL if it does */
};

struct nodenames {
	struct nodename *list;
	size_t count;
};

static inline bool nodelist_is_set(const struct nodelist *list, unsigned int nid)
{
	return nid < NODELIST_MAX && (list->bits[nid / 64] >> (nid % 64) & 1);
}

static inline void nodelist_set(struct nodelist *list, unsigned int nid)
{
	if (nid < NODELIST_MAX)
		list->bits[nid / 64] |= UINT64_C(1) << (nid % 64);
}

static inline void nodelist_clear(struct nodelist *list, unsigned int nid)
{
	if (nid < NODELIST_MAX)
		list->bits[nid / 64] &= ~(UINT64_C(1) << (nid % 64));
}

bool nodelist_is_empty(const struct nodelist *list);
bool nodelist_is_equal(const struct nodelist *a, const struct nodelist *b);
bool nodelist_is_subset(const struct nodelist *part, const struct nodelist *whole);
void nodelist_and(struct nodelist *list, const struct nodelist *other);
void nodelist_andnot(struct nodelist *list, const struct nodelist *other);
void nodelist_or(struct nodelist *list, const struct nodelist *other);
unsigned int nodelist_count(const struct nodelist *list);
unsigned int nodelist_next(const struct nodelist *list, unsigned int nid);

bool nodename_is_valid(const char *text);
int nodelist_parse_node(const char *text, const struct nodenames *names, unsigned int *ret,
			const char **ret_reason);
int nodelist_parse_named(const char *text, const struct nodenames *names, struct nodelist *ret,
			 const char **ret_reason);
int nodelist_parse(const char *text, struct nodelist *ret, const char **ret_reason);
char *nodelist_format(const struct nodelist *list);

/* Visits the nodes of a list in ascending order; nid must be an unsigned int. */
#define nodelist_for_each(nid, list)                                                               \
	for ((nid) = nodelist_next((list), 0); (nid) < NODELIST_MAX;                               \
	     (nid) = nodelist_next((list), (nid) + 1))

#endif
