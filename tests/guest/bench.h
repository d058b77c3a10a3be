/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the programs of make bench share. */
#ifndef BENCH_H
#define BENCH_H

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "mempolicy.h"

static inline unsigned long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

/* To the cgroup whose directory is @dir. */
static inline void enter(const char *dir)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		err(1, "%s", path);
	close(fd);
}

/* Maps @pages small pages of memory. */
static inline char *map(size_t pages)
{
	char *memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		err(1, "mmap");
	if (madvise(memory, pages * PAGE, MADV_NOHUGEPAGE))
		err(1, "madvise");
	return memory;
}

/* @nodes is a mask. */
static inline void bind_to(unsigned long nodes, char *memory, size_t pages)
{
	if (syscall(SYS_mbind, memory, pages * PAGE, MPOL_BIND, &nodes, MAX_NODES + 1, 0))
		err(1, "mbind");
}

/* The life of @pages pages, bound unless @nodes is 0: mmap, a touch of each, munmap. */
static inline void use(unsigned long nodes, size_t pages)
{
	char *memory = map(pages);
	size_t i;

	if (nodes)
		bind_to(nodes, memory, pages);
	for (i = 0; i < pages; i++)
		*(volatile char *)(memory + i * PAGE) = 1;
	if (munmap(memory, pages * PAGE))
		err(1, "munmap");
}

#endif
