// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A worker: does something to one of its areas, at random, until all stops.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "soak.h"

static struct worker *me;

/* How often each comes, of their sum. */
static const struct {
	enum op op;
	unsigned int weight;
} mixture[] = {
	{ OP_UNMAP, 4 }, { OP_WRITE, 24 }, { OP_VERIFY, 6 }, { OP_MBIND, 4 },
	{ OP_MBIND_MOVE, 8 }, { OP_TASK_POLICY, 4 }, { OP_MOVE_PAGES, 8 },
	{ OP_MIGRATE_PAGES, 2 }, { OP_FORK, 4 }, { OP_MLOCK, 3 }, { OP_POPULATE, 3 },
	{ OP_FALLOCATE, 6 }, { OP_READ_INTO, 4 }, { OP_DONTNEED, 3 }, { OP_FREE, 2 },
	{ OP_COLD, 1 }, { OP_PAGEOUT, 4 }, { OP_COLLAPSE, 2 }, { OP_PROTECT, 2 },
	{ OP_REMAP, 2 }, { OP_PIN, 1 },
};

static enum op any_op(void)
{
	static unsigned int sum;
	unsigned int i, n;

	if (!sum)
		for (i = 0; i < ARRAY_SIZE(mixture); i++)
			sum += mixture[i].weight;
	for (i = 0, n = random_below(sum); n >= mixture[i].weight; i++)
		n -= mixture[i].weight;
	return mixture[i].op;
}

static void work_once(void)
{
	struct area *area = &areas[random_below(AREAS)];
	enum op op = area->memory ? any_op() : OP_MAP;

	/* A pin holds up a whole node: not for long. */
	if (has_pin() && one_in(8) && area->memory)
		op = OP_PIN;
	atomic_store(&me->op, op);
	switch (op) {
	case OP_MAP: do_map(area); break;
	case OP_UNMAP: do_unmap(area); break;
	case OP_WRITE: do_write(area); break;
	case OP_VERIFY: do_verify(area); break;
	case OP_MBIND:
	case OP_MBIND_MOVE: bind_area(area, op); break;
	case OP_TASK_POLICY: do_task_policy(area); break;
	case OP_MOVE_PAGES: do_move_pages(area); break;
	case OP_MIGRATE_PAGES: do_migrate_pages(); break;
	case OP_FORK: do_fork(area); break;
	case OP_MLOCK: do_mlock(area); break;
	case OP_POPULATE: do_populate(area); break;
	case OP_FALLOCATE: do_fallocate(area); break;
	case OP_READ_INTO: do_read_into(area); break;
	case OP_PROTECT: do_protect(area); break;
	case OP_REMAP: do_remap(area); break;
	case OP_PIN: do_pin(area); break;
	default: do_advise(area, op); break;
	}
	atomic_fetch_add(&me->beats, 1);
}

void worker(unsigned int index, unsigned int life)
{
	struct area *area;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	me = &shared->workers[index];
	random_seed(seed ^ mix(index * 1000003UL + life));
	last_stamp = (uint64_t)(index + 1) << 56 | (uint64_t)life << 40;
	if (write_cgroup(cgroups[FIRST_LEAF + index % NR_LEAVES], "cgroup.procs", "0"))
		complain("a worker cannot enter its cgroup");
	catch_bus();
	find_own();
	while (!atomic_load(&shared->stop))
		work_once();
	for (area = areas; area < areas + AREAS; area++)
		if (area->memory)
			do_verify(area);
	_exit(0);
}
