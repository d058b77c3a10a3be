// SPDX-License-Identifier: LGPL-2.1-or-later
/* What operations are made of. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "failnth.h"

char *memory;
int file_fd = -1;

void fail(const char *what)
{
	fprintf(stderr, "privmem-failnth: %s: %s\n", what, strerror(errno));
	exit(2);
}

int write_file(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return errno;
	if (write(fd, value, strlen(value)) < 0)
		err = errno;
	close(fd);
	return err;
}

void must_write(const char *path, const char *value)
{
	errno = write_file(path, value);
	if (errno)
		fail(path);
}

void read_file(const char *path, char *buffer, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		fail(path);
	len = read(fd, buffer, size - 1);
	if (len < 0)
		fail(path);
	buffer[len] = '\0';
	close(fd);
}

bool file_is(const char *path, const char *want)
{
	char text[4096];

	read_file(path, text, sizeof(text));
	return !strcmp(text, want);
}

int result(long value)
{
	return value < 0 ? errno : 0;
}

void sleep_msec(long msec)
{
	struct timespec time = { .tv_nsec = msec * 1000000 };

	nanosleep(&time, NULL);
}

void open_for_write(const char *path)
{
	file_fd = open(path, O_WRONLY | O_CLOEXEC);
	if (file_fd < 0)
		fail(path);
}

int write_value(const char *value)
{
	return result(write(file_fd, value, strlen(value)));
}

/* In f/g, which inherits and has no counters, with memory that is not there. */
void prepare_granted(void)
{
	must_write(TOP "/f/memory.private_nodes", "1-2");
	must_write(TOP "/f/g/cgroup.procs", "0");
}

void bind_to(void *area, size_t bytes, unsigned long nodes)
{
	if (syscall(SYS_mbind, area, bytes, MPOL_BIND, &nodes, 65, 0))
		fail("mbind");
}

char *map_anon(size_t bytes)
{
	char *area = mmap(NULL, bytes + HUGE_BYTES, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED)
		fail("mmap");
	return area + (-(unsigned long)area & (HUGE_BYTES - 1));
}

void prepare_mapped(void)
{
	prepare_granted();
	memory = map_anon(PAGES * PAGE);
}

void prepare_bound(void)
{
	prepare_mapped();
	bind_to(memory, PAGES * PAGE, 2);
}

void fill(void)
{
	size_t i;

	for (i = 0; i < PAGES; i++)
		*(volatile size_t *)(memory + i * PAGE) = i + 1;
}

void prepare_filled(void)
{
	prepare_bound();
	fill();
}

bool check_any(int err)
{
	(void)err;
	return true;
}

/* All of it is there, or what failed left the rest alone: no page of others. */
bool check_filled(int err)
{
	size_t i;

	if (err)
		return true;	/* reading could fault in more */
	for (i = 0; i < PAGES; i++)
		if (*(volatile size_t *)(memory + i * PAGE) != i + 1)
			return false;
	return true;
}

/* Data that was there before is there after, whatever failed. */
bool check_kept(int err)
{
	(void)err;
	return check_filled(0);
}
