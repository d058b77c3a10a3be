// SPDX-License-Identifier: LGPL-2.1-or-later
/* Pages that move into a private node, out of it, and between two. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

#include "failnth.h"

static void prepare_ordinary(void)
{
	prepare_mapped();
	fill();
}

static int move_to(unsigned long nodes)
{
	return result(syscall(SYS_mbind, memory, PAGES * PAGE, MPOL_BIND, &nodes, 65, MPOL_MF_MOVE));
}

static int run_move_in(void)
{
	return move_to(2);
}

static int run_move_out(void)
{
	return move_to(1);
}

static int run_move_across(void)
{
	return move_to(4);
}

static int run_move_pages(void)
{
	int nodes[PAGES], status[PAGES];
	void *pages[PAGES];
	unsigned long i;

	for (i = 0; i < PAGES; i++) {
		pages[i] = memory + i * PAGE;
		nodes[i] = 1 + i % 2;
		status[i] = 0;
	}
	return result(syscall(SYS_move_pages, 0, PAGES, pages, nodes, status, MPOL_MF_MOVE));
}

static int run_migrate_pages(void)
{
	unsigned long from = 1, to = 4;

	return result(syscall(SYS_migrate_pages, 0, 65, &from, &to));
}

const struct operation move_operations[] = {
	{ "move-in", prepare_ordinary, run_move_in, check_kept, false },
	{ "move-out", prepare_filled, run_move_out, check_kept, false },
	{ "move-across", prepare_filled, run_move_across, check_kept, false },
	{ "move_pages", prepare_ordinary, run_move_pages, check_kept, false },
	{ "migrate_pages", prepare_ordinary, run_migrate_pages, check_kept, false },
	{ }
};
