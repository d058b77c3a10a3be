// SPDX-License-Identifier: LGPL-2.1-or-later
/* The ways to get pages, or hold of them, where they may be refused. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy.h"

int verb_read(char **args)
{
	size_t bytes = strtoul(args[1], NULL, 10);
	char *memory = map_bound(args[0], bytes);
	int fd = open("/dev/urandom", O_RDONLY);
	size_t done = 0;
	ssize_t n = 0;

	while (done < bytes) {
		n = read(fd, memory + done, bytes - done < PAGE ? bytes - done : PAGE);
		if (n <= 0)
			break;
		done += n;
	}
	printf("%zu %s\n", done, n < 0 ? strerrorname_np(errno) : "0");
	return 0;
}

int verb_mlock(char **args)
{
	size_t bytes = strtoul(args[1], NULL, 10);
	char *memory = map_bound(args[0], bytes);

	if (mlock(memory, bytes))
		return print_error();
	return print_places(memory, bytes);
}

int verb_populate(char **args)
{
	size_t bytes = strtoul(args[1], NULL, 10);
	char *memory = map_bound(args[0], bytes);

	if (madvise(memory, bytes, MADV_POPULATE_WRITE))
		return print_error();
	return print_places(memory, bytes);
}

static int register_buffer(void *memory, size_t bytes)
{
	struct iovec buffer = { .iov_base = memory, .iov_len = bytes };
	struct io_uring_params params = { };
	int ring = syscall(SYS_io_uring_setup, 1, &params);

	if (ring < 0)
		fail("io_uring_setup");
	if (syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &buffer, 1))
		printf("%s ", strerrorname_np(errno));
	else
		printf("0 ");
	return print_places(memory, bytes);
}

int verb_longterm(char **args)
{
	size_t bytes = strtoul(args[1], NULL, 10);
	char *memory = map_bound(args[0], bytes);

	fill(memory, bytes);
	return register_buffer(memory, bytes);
}

int verb_longterm_unmapped(char **args)
{
	size_t bytes = strtoul(args[1], NULL, 10);

	return register_buffer(map_bound(args[0], bytes), bytes);
}

int verb_fallocate(char **args)
{
	size_t bytes = strtoul(args[1], NULL, 10);
	int fd = memfd_create("privmem-policy", MFD_CLOEXEC);
	char *memory;

	if (fd < 0 || ftruncate(fd, bytes))
		fail("memfd");
	memory = map(bytes, MAP_SHARED, fd, PROT_READ | PROT_WRITE);
	if (bind_to(memory, bytes, MPOL_BIND, parse_nodes(args[0]), 0))
		fail("mbind");
	if (fallocate(fd, 0, 0, bytes))
		return print_error();
	fill(memory, bytes);
	return print_places(memory, bytes);
}

/* A page that is being written stays in the swap cache, where mincore() sees it. */
static bool is_cached(char *memory, size_t bytes)
{
	unsigned char cached[bytes / PAGE];

	if (mincore(memory, bytes, cached))
		fail("mincore");
	return memchr(cached, 1, sizeof(cached));
}

int verb_swapin(char **args)
{
	size_t bytes = strtoul(args[1], NULL, 10);
	char *memory = map_anon(bytes);
	int i;

	fill(memory, bytes);
	if (madvise(memory, bytes, MADV_PAGEOUT))
		fail("madvise");
	for (i = 0; i < 1000 && is_cached(memory, bytes); i++) {
		usleep(10000);
		write_cgroup(args[2], "memory.reclaim", "1M");
	}
	if (bind_to(memory, bytes, MPOL_BIND, parse_nodes(args[0]), 0))
		fail("mbind");
	printf("out: ");
	print_places(memory, bytes);
	printf("%s: ", is_filled(memory, bytes) ? "in" : "CORRUPT");
	return print_places(memory, bytes);
}

int verb_fork(char **args)
{
	size_t bytes = strtoul(args[1], NULL, 10);
	char *memory = map_bound(args[0], bytes);
	int status;
	pid_t pid;

	fill(memory, bytes);
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return print_error();
	if (!pid) {
		write_cgroup(args[2], "cgroup.procs", "0");
		memset(memory, 7, bytes);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		printf("child %s, ", sigabbrev_np(WTERMSIG(status)));
	else
		printf("child %d, ", WEXITSTATUS(status));
	printf("%s\n", is_filled(memory, bytes) ? "intact" : "CORRUPT");
	return 0;
}

int verb_odirect(char **args)
{
	size_t bytes = 16 * PAGE;
	char *memory = map_bound(args[0], bytes), *copy;
	int fd = open(args[1], O_RDONLY | O_DIRECT);

	if (fd < 0)
		fail(args[1]);
	copy = map(bytes, MAP_SHARED, open(args[1], O_RDONLY), PROT_READ);
	if (read(fd, memory, bytes) != (ssize_t)bytes)
		return print_error();
	printf("%s ", memcmp(memory, copy, bytes) ? "CORRUPT" : "0");
	return print_places(memory, bytes);
}

int verb_hugetlb(char **args)
{
	size_t bytes = 2UL << 20;
	char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

	if (memory == MAP_FAILED)
		return print_error();
	if (bind_to(memory, bytes, MPOL_BIND, parse_nodes(args[0]), 0))
		fail("mbind");
	*(volatile char *)memory = 1;
	return print_places(memory, PAGE);
}
