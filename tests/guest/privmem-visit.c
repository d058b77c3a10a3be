// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * privmem-visit NODE DIR... - goes from cgroup to cgroup and uses a page of NODE in each
 *
 * A page stays charged to the cgroup DIR that the process was in when it touched it, until
 * the process ends.
 *
 * Exit status: 0, 1 if a call failed, 2 usage.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

int main(int argc, char **argv)
{
	size_t pages = argc - 2, i;
	unsigned long nodes;
	char *memory;

	if (argc < 3) {
		fprintf(stderr, "Usage: privmem-visit NODE DIR...\n");
		return 2;
	}
	nodes = 1UL << atoi(argv[1]);
	memory = map(pages);
	for (i = 0; i < pages; i++) {
		enter(argv[i + 2]);
		/* Only now, as it is refused where it is not granted. */
		if (!i)
			bind_to(nodes, memory, pages);
		*(volatile char *)(memory + i * PAGE) = 1;
	}
	return 0;
}
