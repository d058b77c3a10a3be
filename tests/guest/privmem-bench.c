// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * privmem-bench NODE PAGES SAMPLES - what a page costs, from mmap to munmap
 *
 * NODE is the number of a node to bind to, or "-" for no policy. A sample maps PAGES
 * pages, touches each, unmaps them, and is printed as a line: nanoseconds a page. In a
 * guest with --icount and one that is otherwise idle these are instructions. One sample
 * before the first is not printed: caches and cgroup counters are warm.
 *
 * Exit status: 0, 1 if a call failed, 2 usage.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

static double sample(unsigned long nodes, size_t pages)
{
	unsigned long long start = now();

	use(nodes, pages);
	return (double)(now() - start) / pages;
}

int main(int argc, char **argv)
{
	unsigned long nodes;
	size_t pages;
	int samples;

	if (argc != 4) {
		fprintf(stderr, "Usage: privmem-bench NODE PAGES SAMPLES\n");
		return 2;
	}
	nodes = strcmp(argv[1], "-") ? 1UL << atoi(argv[1]) : 0;
	pages = strtoul(argv[2], NULL, 10);
	sample(nodes, pages);
	for (samples = atoi(argv[3]); samples > 0; samples--)
		printf("%.1f\n", sample(nodes, pages));
	return 0;
}
