// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * privmem-pin NID - keep one page of a node from being moved
 *
 * Binds a page to the node and hands it to a pipe with vmsplice(2), which holds
 * a reference that migration cannot do anything about. On a node that was empty the
 * page is not in the first memory block: what goes offline before it is met has to
 * come back. Prints "ready" and waits for the end of its standard input.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "mempolicy.h"

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

#define BLOCK_BYTES (128UL << 20)

static char *map_bound(size_t bytes, unsigned long nodes)
{
	char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		fail("mmap");
	if (syscall(SYS_mbind, memory, bytes, MPOL_BIND, &nodes, 64, 0))
		fail("mbind");
	return memory;
}

int main(int argc, char **argv)
{
	struct iovec iov = { .iov_len = PAGE };
	unsigned long nodes;
	char *block, c;
	size_t offset;
	int ends[2];

	if (argc != 2) {
		fprintf(stderr, "Usage: privmem-pin NID\n");
		return 2;
	}
	nodes = 1UL << atoi(argv[1]);
	block = map_bound(BLOCK_BYTES, nodes);
	madvise(block, BLOCK_BYTES, MADV_HUGEPAGE);
	for (offset = 0; offset < BLOCK_BYTES; offset += PAGE)
		*(volatile char *)(block + offset) = 1;
	iov.iov_base = map_bound(iov.iov_len, nodes);
	*(volatile char *)iov.iov_base = 1;
	if (munmap(block, BLOCK_BYTES))
		fail("munmap");
	if (pipe(ends))
		fail("pipe");
	if (vmsplice(ends[1], &iov, 1, 0) != (ssize_t)iov.iov_len)
		fail("vmsplice");
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	return 0;
}
