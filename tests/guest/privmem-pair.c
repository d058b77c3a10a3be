// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * privmem-pair DIR DIR SAMPLES - page faults of two CPUs at a time, each in a cgroup DIR
 *
 * A process on each of CPUs 0 and 1 maps, touches and unmaps pages for a second, both bound
 * to node 0, and for another one bound to node 1: that is a sample. Which comes first takes
 * turns. Prints for each of them pages a second of both together and the ratio, as
 * "ordinary", "private" and "private / ordinary", a tab and the number. One sample before the
 * first is not printed.
 *
 * Exit status: 0, 1 if a call failed, 2 usage.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "bench.h"

#define CPUS		2
#define CHUNK_PAGES	256
#define ROUND_NSEC	1000000000ULL

static struct shared {
	pthread_barrier_t barrier;
	double rate[CPUS];
} *shared;

static void stay_on(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		err(1, "CPU %d", cpu);
}

/* Return: pages a second of all CPUs, each of which calls it. */
static double round_of(int cpu, int nid)
{
	unsigned long long start, end;
	size_t pages = 0;
	double rate = 0;

	pthread_barrier_wait(&shared->barrier);
	start = now();
	do {
		use(1UL << nid, CHUNK_PAGES);
		pages += CHUNK_PAGES;
		end = now();
	} while (end - start < ROUND_NSEC);
	shared->rate[cpu] = pages * 1e9 / (end - start);
	pthread_barrier_wait(&shared->barrier);
	for (cpu = 0; cpu < CPUS; cpu++)
		rate += shared->rate[cpu];
	return rate;
}

static void run(int cpu, const char *dir, int samples)
{
	double rate[2];
	int i, first;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	enter(dir);
	stay_on(cpu);
	for (i = 0; i <= samples; i++) {
		first = i % 2;
		rate[first] = round_of(cpu, first);
		rate[!first] = round_of(cpu, !first);
		if (cpu || !i)
			continue;
		printf("ordinary\t%.0f\nprivate\t%.0f\nprivate / ordinary\t%.4f\n",
		       rate[0], rate[1], rate[1] / rate[0]);
	}
	exit(0);
}

int main(int argc, char **argv)
{
	pthread_barrierattr_t attr;
	int cpu, status;

	if (argc != 2 + CPUS) {
		fprintf(stderr, "Usage: privmem-pair DIR DIR SAMPLES\n");
		return 2;
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		err(1, "mmap");
	pthread_barrierattr_init(&attr);
	pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&shared->barrier, &attr, CPUS);
	for (cpu = 0; cpu < CPUS; cpu++) {
		pid_t pid = fork();

		if (pid < 0)
			err(1, "fork");
		if (!pid)
			run(cpu, argv[1 + cpu], atoi(argv[1 + CPUS]));
	}
	/* One that fails leaves the other waiting: ours is then the death of it. */
	while (wait(&status) > 0)
		if (!WIFEXITED(status) || WEXITSTATUS(status))
			return 1;
	return 0;
}
