// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * privmem-soak - everything at once, for a while, and nothing may get lost
 *
 * Workers map memory under random policies, touch, move, fork, lock, page out
 * and unmap it. Meanwhile one process (the admin) grants, revokes, limits, moves
 * workers between cgroups, kills them and removes cgroups with their pages alive;
 * another (the operator) takes nodes and the swap file away and brings them back.
 *
 * Every page a worker wrote holds a stamp that no other page ever held, so a page
 * lost, mixed up or copied too early is seen when it is read next. Reading what
 * was written never fails; what may fail, and how, is in the comment of each
 * operation. The limits and the counters are checked while everything runs, and
 * exactly whenever the operator has the workers frozen.
 *
 * All randomness comes from --seed: the same seed asks for the same things, in an
 * order that the scheduler decides. Prints how often each operation was done and
 * refused, then TAP; "not ok" lines are preceded by what was seen.
 *
 * Exit status: 0, 1 if something was wrong, 2 usage or setup.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "soak.h"

unsigned int nr_workers = 8;
uint64_t seed;

static unsigned int seconds = 60;

static __attribute__((noreturn)) void usage(void)
{
	fprintf(stderr, "Usage: privmem-soak [--seconds=N] [--seed=N] [--workers=N]\n");
	exit(2);
}

static void parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seconds", required_argument, NULL, 's' },
		{ "seed", required_argument, NULL, 'S' },
		{ "workers", required_argument, NULL, 'w' },
		{ }
	};
	int opt;

	seed = time(NULL);
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 's': seconds = strtoul(optarg, NULL, 10); break;
		case 'S': seed = strtoull(optarg, NULL, 0); break;
		case 'w': nr_workers = strtoul(optarg, NULL, 10); break;
		default: usage();
		}
	}
	if (optind != argc || !seconds || !nr_workers || nr_workers > MAX_WORKERS)
		usage();
}

static void start(void (*run)(void))
{
	pid_t pid = fork();

	if (!pid)
		run();
	if (pid < 0) {
		perror("fork");
		exit(2);
	}
}

static bool all_happened(void)
{
	bool ok = true;
	int op;

	for (op = 0; op < NR_OPS; op++) {
		printf("# %-18s %8lu done %8lu refused\n", ops[op].name,
		       atomic_load(&shared->done[op]), atomic_load(&shared->refused[op]));
		if (!shared->done[op] || (ops[op].is_refused && !shared->refused[op]))
			ok = false;
	}
	return ok;
}

static int result(bool ok, const char *name)
{
	printf("%sok - %s\n", ok ? "" : "not ", name);
	fflush(stdout);
	return ok ? 0 : 1;
}

static int report(bool is_over)
{
	int n = atomic_load(&shared->complaints), i, failed;

	for (i = 0; i < n && i < MAX_COMPLAINTS; i++)
		printf("# %s\n", shared->complaint[i]);
	failed = result(!n, "no data lost, no limit exceeded, no call failed that must not");
	failed |= result(is_over, "every worker came to its end");
	failed |= result(all_happened(), "every kind of operation happened, refusals included");
	failed |= result(all_released(), "nothing is charged when all is freed");
	failed |= result(remove_cgroups(), "every cgroup can be removed");
	return failed;
}

int main(int argc, char **argv)
{
	parse(argc, argv);
	printf("# privmem-soak --seconds=%u --seed=%llu --workers=%u\n", seconds,
	       (unsigned long long)seed, nr_workers);
	fflush(stdout);
	setup_shared();
	find_dax();
	make_cgroups();
	start(admin);
	start(operator);
	supervise(now() + seconds);
	return report(wait_for_all());
}
