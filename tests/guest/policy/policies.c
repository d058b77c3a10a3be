// SPDX-License-Identifier: LGPL-2.1-or-later
/* Policies that are set: what is taken, what holds then, and for whom. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "policy.h"

int verb_set(char **args)
{
	unsigned long nodes = parse_nodes(args[1]);

	if (syscall(SYS_set_mempolicy, parse_mode(args[0]), nodes ? &nodes : NULL,
		    nodes ? MAX_NODES + 1 : 0))
		return print_error();
	return print_policy(NULL);
}

int verb_bind(char **args)
{
	char *memory = map_anon(PAGE);

	if (bind_to(memory, PAGE, parse_mode(args[0]), parse_nodes(args[1]), 0))
		return print_error();
	return print_policy(memory);
}

int verb_home(char **args)
{
	char *memory = map_anon(2 * PAGE);

	if (bind_to(memory, 2 * PAGE, parse_mode(args[0]), parse_nodes(args[1]), 0))
		fail("mbind");
	if (syscall(SYS_set_mempolicy_home_node, memory, 2 * PAGE, strtoul(args[2], NULL, 10), 0UL))
		return print_error();
	fill(memory, 2 * PAGE);
	return print_places(memory, 2 * PAGE);
}

int verb_mapped(char **args)
{
	bool is_writable = !strncmp(args[3], "rw", 2);
	int fd = open(args[2], is_writable ? O_RDWR : O_RDONLY);
	char *memory;

	if (fd < 0)
		fail(args[2]);
	memory = map(PAGE, strstr(args[3], "shared") ? MAP_SHARED : MAP_PRIVATE, fd,
		     PROT_READ | (is_writable ? PROT_WRITE : 0));
	if (bind_to(memory, PAGE, parse_mode(args[0]), parse_nodes(args[1]), 0))
		return print_error();
	return print_policy(memory);
}

int verb_allowed(char **args)
{
	unsigned long nodes = 0;

	(void)args;
	if (syscall(SYS_get_mempolicy, NULL, &nodes, MAX_NODES + 1, NULL, MPOL_F_MEMS_ALLOWED))
		return print_error();
	print_nodes(nodes);
	return 0;
}

/* What fits into one end, written without waiting for a reader. */
static void stuff(int fd)
{
	static char junk[4096];

	while (write(fd, junk, sizeof(junk)) > 0)
		;
}

int verb_kernelmem(char **args)
{
	unsigned long nodes = parse_nodes(args[0]);
	char *area = mmap(NULL, 64UL << 30, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int i, ends[2], fd;

	if (area == MAP_FAILED)
		fail("mmap");
	if (syscall(SYS_set_mempolicy, MPOL_BIND, &nodes, MAX_NODES + 1))
		fail("set_mempolicy");
	for (i = 0; i < 16; i++) {
		if (pipe2(ends, O_NONBLOCK))
			fail("pipe");
		stuff(ends[1]);
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends))
			fail("socketpair");
		stuff(ends[0]);
		/* a page table of its own for each */
		area[(unsigned long)i << 30] = 1;
	}
	fd = open("/var/tmp", O_TMPFILE | O_RDWR, 0600);
	if (fd < 0)
		fail("/var/tmp");
	for (i = 0; i < 256; i++)
		if (write(fd, area, PAGE) != (ssize_t)PAGE)
			fail("write");
	hold();
	return 0;
}
