// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where a worker's pages are to be: policies, and moves from node to node.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "soak.h"

static const unsigned long node_choices[] = { 2, 2, 2, 4, 4, 6, 6, 1, 3, 7 };
static const int mode_choices[] = { MPOL_BIND, MPOL_BIND, MPOL_BIND, MPOL_PREFERRED,
				    MPOL_PREFERRED_MANY, MPOL_INTERLEAVE,
				    MPOL_WEIGHTED_INTERLEAVE };

/* mbind() as it comes; EPERM and EINVAL say that the nodes are not to be had now. */
void bind_area(struct area *area, enum op op)
{
	unsigned long nodes = node_choices[random_below(ARRAY_SIZE(node_choices))];
	int mode = mode_choices[random_below(ARRAY_SIZE(mode_choices))];
	bool is_strict = mode == MPOL_BIND && !(nodes & 1);
	int flags = 0, err = 0;

	if (op == OP_MBIND_MOVE)
		flags = one_in(4) ? MPOL_MF_MOVE | MPOL_MF_STRICT : MPOL_MF_MOVE;
	if (syscall(SYS_mbind, area->memory, area->pages * PAGE, mode, &nodes, 65, flags))
		err = errno;
	count(op, !err);
	if (err == EIO)
		area->is_strict |= is_strict;	/* set, but not all could be moved */
	else if (err == ENOMEM)
		area->is_strict |= is_strict;	/* vmas are split before it is known */
	else if (!err)
		area->is_strict = is_strict;
	else if (err != EPERM && err != EINVAL)
		complain("mbind mode %d nodes %lx: %s", mode, nodes, strerrorname_np(err));
}

/* Whatever is new meanwhile follows the task's policy. */
void do_task_policy(struct area *area)
{
	unsigned long nodes = node_choices[random_below(ARRAY_SIZE(node_choices))];
	int mode = mode_choices[random_below(ARRAY_SIZE(mode_choices))];

	keep_own();
	has_policy = mode == MPOL_BIND && !(nodes & 1);
	if (syscall(SYS_set_mempolicy, mode, &nodes, 65)) {
		if (errno != EPERM && errno != EINVAL)
			complain("set_mempolicy: %s", strerrorname_np(errno));
		count(OP_TASK_POLICY, false);
	} else {
		count(OP_TASK_POLICY, true);
		do_write(area);
		do_verify(area);
	}
	if (syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0))
		complain("set_mempolicy(default): %s", strerrorname_np(errno));
	has_policy = false;
}

/*
 * EACCES no grant, room or permission; EBUSY pinned or in use; ENOENT not there;
 * EFAULT the zero page or nothing; ENODEV no such node now; EIO and EAGAIN for a
 * page that changed meanwhile; ENOMEM for one that could not be split.
 */
void do_move_pages(struct area *area)
{
	static const int expected[] = { EACCES, EBUSY, ENOENT, EFAULT, ENODEV, EIO, EAGAIN, ENOMEM };
	int status[32], nodes[32], nid = random_below(3);
	size_t first, pages, i, k;
	void *addresses[32];
	long result;

	any_range(area, &first, &pages);
	if (pages > 32)
		pages = 32;
	for (i = 0; i < pages; i++) {
		addresses[i] = area->memory + (first + i) * PAGE;
		nodes[i] = one_in(8) ? (int)random_below(3) : nid;
		status[i] = -1000;
	}
	result = syscall(SYS_move_pages, 0, pages, addresses, nodes, status, MPOL_MF_MOVE);
	if (result < 0 && errno != ENODEV && errno != EACCES && errno != ENOMEM)
		complain("move_pages: %s", strerrorname_np(errno));
	for (i = 0; i < pages; i++) {
		count(OP_MOVE_PAGES, status[i] == nodes[i]);
		for (k = 0; k < ARRAY_SIZE(expected); k++)
			if (status[i] >= 0 || status[i] == -1000 || status[i] == -expected[k])
				break;
		if (k == ARRAY_SIZE(expected))
			complain("move_pages: status %d", status[i]);
	}
}

/* Of this or another worker. */
void do_migrate_pages(void)
{
	unsigned long from = 1UL << random_below(3);
	unsigned long to = node_choices[random_below(ARRAY_SIZE(node_choices))];
	pid_t pid = one_in(3) ? atomic_load(&shared->workers[random_below(nr_workers)].pid) : 0;
	long result = syscall(SYS_migrate_pages, pid, 65, &from, &to);

	count(OP_MIGRATE_PAGES, !result);
	if (result < 0 && errno != EPERM && errno != EINVAL && errno != ESRCH && errno != ENOMEM &&
	    errno != EBUSY && errno != EIO && errno != EAGAIN && errno != EACCES && errno != ENOSPC)
		complain("migrate_pages to %lx: %s", to, strerrorname_np(errno));
}
