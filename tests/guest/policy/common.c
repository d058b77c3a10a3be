// SPDX-License-Identifier: LGPL-2.1-or-later
/* What verbs have in common: their arguments, their output and their memory. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "policy.h"

static const char *const modes[] = {
	"default", "preferred", "bind", "interleave", "local", "many", "weighted", NULL
};

void fail(const char *what)
{
	fprintf(stderr, "privmem-policy: %s: %s\n", what, strerror(errno));
	exit(1);
}

void usage(void)
{
	fprintf(stderr, "Usage: privmem-policy VERB ARGUMENT...\n");
	exit(2);
}

unsigned long parse_nodes(const char *text)
{
	unsigned long nodes = 0;
	char *end;

	if (!strcmp(text, "-"))
		return 0;
	for (;; text = end + 1) {
		nodes |= 1UL << strtoul(text, &end, 10);
		if (end == text || (*end && *end != ','))
			usage();
		if (!*end)
			return nodes;
	}
}

int parse_mode(char *text)
{
	int mode = -1, flags = 0, i;
	char *word;

	for (word = strtok(text, "+"); word; word = strtok(NULL, "+")) {
		for (i = 0; modes[i]; i++)
			if (!strcmp(word, modes[i]))
				mode = i;
		if (!strcmp(word, "static"))
			flags |= MPOL_F_STATIC_NODES;
		if (!strcmp(word, "relative"))
			flags |= MPOL_F_RELATIVE_NODES;
		if (!strcmp(word, "balancing"))
			flags |= MPOL_F_NUMA_BALANCING;
	}
	if (mode < 0)
		usage();
	return mode | flags;
}

void print_nodes(unsigned long nodes)
{
	const char *separator = "";
	int nid;

	for (nid = 0; nid < MAX_NODES; nid++)
		if (nodes & (1UL << nid)) {
			printf("%s%d", separator, nid);
			separator = ",";
		}
	printf(nodes ? "\n" : "-\n");
}

int print_error(void)
{
	printf("%s\n", strerrorname_np(errno));
	return 0;
}

int print_policy(void *addr)
{
	unsigned long nodes = 0;
	int mode;

	if (syscall(SYS_get_mempolicy, &mode, &nodes, MAX_NODES + 1, addr, addr ? MPOL_F_ADDR : 0))
		fail("get_mempolicy");
	printf("%s ", modes[mode & ~MPOL_MODE_FLAGS]);
	print_nodes(nodes);
	return 0;
}

char *map(size_t bytes, int flags, int fd, int prot)
{
	char *memory = mmap(NULL, bytes, prot, flags | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);

	if (memory == MAP_FAILED)
		fail("mmap");
	return memory;
}

char *map_anon(size_t bytes)
{
	return map(bytes, MAP_PRIVATE, -1, PROT_READ | PROT_WRITE);
}

int bind_to(void *memory, size_t bytes, int mode, unsigned long nodes, int flags)
{
	return syscall(SYS_mbind, memory, bytes, mode, nodes ? &nodes : NULL,
		       nodes ? MAX_NODES + 1 : 0, flags);
}

char *map_bound(const char *nodes, size_t bytes)
{
	char *memory = map_anon(bytes);

	if (bind_to(memory, bytes, MPOL_BIND, parse_nodes(nodes), 0))
		fail("mbind");
	return memory;
}

void fill(char *memory, size_t bytes)
{
	size_t offset;

	for (offset = 0; offset < bytes; offset += PAGE)
		*(volatile size_t *)(memory + offset) = offset + 1;
}

bool is_filled(const char *memory, size_t bytes)
{
	size_t offset;

	for (offset = 0; offset < bytes; offset += PAGE)
		if (*(const volatile size_t *)(memory + offset) != offset + 1)
			return false;
	return true;
}

void write_cgroup(const char *path, const char *file, const char *value)
{
	char name[512];
	int fd;

	snprintf(name, sizeof(name), "%s/%s", path, file);
	fd = open(name, O_WRONLY);
	if (fd < 0 || (write(fd, value, strlen(value)) < 0 && errno != EAGAIN))
		fail(name);
	close(fd);
}

void hold(void)
{
	char c;

	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
}
