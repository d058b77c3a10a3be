// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * privmem-pin NID - keep one page of a node from being moved
 *
 * Binds a page to the node and hands it to a pipe with vmsplice(2), which holds
 * a reference that migration cannot do anything about. Prints "ready" and waits
 * for the end of its standard input.
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

int main(int argc, char **argv)
{
	unsigned long nodes;
	struct iovec iov = { .iov_len = 4096 };
	int ends[2];
	char c;

	if (argc != 2) {
		fprintf(stderr, "Usage: privmem-pin NID\n");
		return 2;
	}
	nodes = 1UL << atoi(argv[1]);
	iov.iov_base = mmap(NULL, iov.iov_len, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (iov.iov_base == MAP_FAILED)
		fail("mmap");
	if (syscall(SYS_mbind, iov.iov_base, iov.iov_len, MPOL_BIND, &nodes, 64, 0))
		fail("mbind");
	memset(iov.iov_base, 1, iov.iov_len);
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
