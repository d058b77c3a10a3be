// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * privmem-fault - what does a page fault cost?
 *
 * Usage: privmem-fault NODE|- [PAGES [ROUNDS]]
 *
 * Maps PAGES (default 4096), binds them to NODE with mbind (- leaves them unbound),
 * writes to each, unmaps all; ROUNDS times (default 8) after one that is not
 * counted.  Prints nanoseconds a page, mapping and unmapping included.  Under
 * QEMU's -icount shift=0 that is a count of instructions.
 */
#define _GNU_SOURCE
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "mempolicy.h"

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

static void round_of(int node, size_t pages, size_t page_bytes)
{
	unsigned long mask = node < 0 ? 0 : 1UL << node;
	size_t bytes = pages * page_bytes, offset;
	char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		err(1, "mmap");
	if (madvise(memory, bytes, MADV_NOHUGEPAGE) < 0)
		err(1, "madvise");
	if (mask && syscall(SYS_mbind, memory, bytes, MPOL_BIND, &mask, 65UL, 0) < 0)
		err(1, "mbind");
	for (offset = 0; offset < bytes; offset += page_bytes)
		*(volatile char *)(memory + offset) = 1;
	if (munmap(memory, bytes) < 0)
		err(1, "munmap");
}

int main(int argc, char **argv)
{
	size_t page_bytes = sysconf(_SC_PAGESIZE), pages = 4096;
	int rounds = 8, node, i;
	double start;

	if (argc < 2 || argc > 4)
		errx(2, "usage: privmem-fault NODE|- [PAGES [ROUNDS]]");
	node = strcmp(argv[1], "-") ? atoi(argv[1]) : -1;
	if (argc > 2)
		pages = strtoul(argv[2], NULL, 0);
	if (argc > 3)
		rounds = atoi(argv[3]);
	if (!pages || rounds <= 0)
		errx(2, "PAGES and ROUNDS are at least 1");

	round_of(node, pages, page_bytes);
	start = now();
	for (i = 0; i < rounds; i++)
		round_of(node, pages, page_bytes);
	printf("%.1f\n", (now() - start) / rounds / pages);
	return 0;
}
