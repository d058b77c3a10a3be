// SPDX-License-Identifier: LGPL-2.1-or-later
/* Pages that are there and move: when a policy or a call says so, or to balance. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy.h"

int verb_remap(char **args)
{
	char *memory = map_anon(4 * PAGE);

	if (bind_to(memory, 4 * PAGE, parse_mode(args[0]), parse_nodes(args[1]), 0))
		fail("mbind");
	fill(memory, 4 * PAGE);
	if (bind_to(memory, 4 * PAGE, parse_mode(args[2]), parse_nodes(args[3]), MPOL_MF_MOVE))
		return print_error();
	if (!is_filled(memory, 4 * PAGE))
		printf("CORRUPT ");
	return print_places(memory, 4 * PAGE);
}

static int print_move(pid_t pid, char *memory, char **nodes, int flags)
{
	void *pages[64];
	int targets[64], status[64];
	unsigned long count, i;

	for (count = 0; nodes[count] && count < 64; count++) {
		pages[count] = memory + count * PAGE;
		targets[count] = atoi(nodes[count]);
		status[count] = -1000;
	}
	if (syscall(SYS_move_pages, pid, count, pages, targets, status, flags) < 0)
		return print_error();
	for (i = 0; i < count; i++) {
		if (status[i] >= 0)
			printf("%sN%d", i ? " " : "", status[i]);
		else
			printf("%s%s", i ? " " : "", strerrorname_np(-status[i]));
	}
	printf("\n");
	return 0;
}

int verb_move(char **args)
{
	char *memory = map_anon(64 * PAGE);

	if (bind_to(memory, 64 * PAGE, parse_mode(args[0]), parse_nodes(args[1]), 0))
		fail("mbind");
	fill(memory, 64 * PAGE);
	print_move(0, memory, args + 2, MPOL_MF_MOVE);
	if (!is_filled(memory, 64 * PAGE))
		printf("CORRUPT\n");
	return 0;
}

int verb_movefile(char **args)
{
	int fd = open(args[0], O_RDWR);
	char *memory;

	if (fd < 0)
		fail(args[0]);
	memory = map(PAGE, MAP_SHARED, fd, PROT_READ | PROT_WRITE);
	*(volatile char *)memory = 1;
	print_move(0, memory, args + 1, MPOL_MF_MOVE);
	return print_places(memory, PAGE);
}

int verb_migrate(char **args)
{
	unsigned long from = parse_nodes(args[2]), to = parse_nodes(args[3]);
	char *memory = map_anon(4 * PAGE);
	long result;

	if (bind_to(memory, 4 * PAGE, parse_mode(args[0]), parse_nodes(args[1]), 0))
		fail("mbind");
	fill(memory, 4 * PAGE);
	result = syscall(SYS_migrate_pages, 0, MAX_NODES + 1, &from, &to);
	if (result < 0)
		printf("%s ", strerrorname_np(errno));
	else
		printf("left %ld ", result);
	if (!is_filled(memory, 4 * PAGE))
		printf("CORRUPT ");
	return print_places(memory, 4 * PAGE);
}

int verb_migratepid(char **args)
{
	unsigned long from = parse_nodes(args[1]), to = parse_nodes(args[2]);
	long result = syscall(SYS_migrate_pages, atoi(args[0]), MAX_NODES + 1, &from, &to);

	if (result < 0)
		printf("%s\n", strerrorname_np(errno));
	else
		printf("left %ld\n", result);
	return 0;
}

/* A child that enters the cgroup, binds and fills the pages, says so and stays. */
static pid_t fill_in_child(const char *cgroup, char *memory, size_t bytes, int mode,
			   unsigned long nodes)
{
	int ends[2];
	pid_t pid;
	char c;

	if (pipe(ends))
		fail("pipe");
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (!pid) {
		write_cgroup(cgroup, "cgroup.procs", "0");
		if (bind_to(memory, bytes, mode, nodes, 0))
			fail("mbind");
		fill(memory, bytes);
		if (write(ends[1], "", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	close(ends[1]);
	if (read(ends[0], &c, 1) != 1)
		fail("child");
	close(ends[0]);
	return pid;
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int verb_movechild(char **args)
{
	char *memory = map_anon(64 * PAGE);
	pid_t pid;

	pid = fill_in_child(args[0], memory, 64 * PAGE, parse_mode(args[1]), parse_nodes(args[2]));
	print_move(pid, memory, args + 3, MPOL_MF_MOVE);
	end_child(pid);
	return 0;
}

int verb_movebatch(char **args)
{
	char *memory = map(4 * PAGE, MAP_SHARED, -1, PROT_READ | PROT_WRITE);
	char *nodes[] = { args[1], args[1], args[1], args[1], NULL };

	end_child(fill_in_child(args[0], memory + PAGE, PAGE, 0, 0));
	*(volatile size_t *)(memory + PAGE) = PAGE + 1;
	fill(memory, PAGE);
	fill(memory + 2 * PAGE, PAGE);
	fill(memory + 3 * PAGE, PAGE);
	return print_move(0, memory, nodes, MPOL_MF_MOVE);
}

static char *map_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT, 0600);
	char *memory;

	if (fd < 0 || ftruncate(fd, 4 * PAGE))
		fail(path);
	memory = map(4 * PAGE, MAP_SHARED, fd, PROT_READ | PROT_WRITE);
	fill(memory, 4 * PAGE);
	return memory;
}

int verb_remapfile(char **args)
{
	char *memory = map_file(args[0]);

	if (bind_to(memory, 4 * PAGE, MPOL_BIND, parse_nodes(args[1]), MPOL_MF_MOVE))
		printf("%s ", strerrorname_np(errno));
	if (!is_filled(memory, 4 * PAGE))
		printf("CORRUPT ");
	return print_places(memory, 4 * PAGE);
}

int verb_migratefile(char **args)
{
	unsigned long from = parse_nodes(args[1]), to = parse_nodes(args[2]);
	char *memory = map_file(args[0]);

	if (syscall(SYS_migrate_pages, 0, MAX_NODES + 1, &from, &to) < 0)
		printf("%s ", strerrorname_np(errno));
	if (!is_filled(memory, 4 * PAGE))
		printf("CORRUPT ");
	return print_places(memory, 4 * PAGE);
}

struct range {
	volatile char *memory;
	size_t bytes;
};

static void *read_for_ever(void *argument)
{
	const struct range *ranges = argument, *range;
	size_t offset;

	for (;;)
		for (range = ranges; range->bytes; range++)
			for (offset = 0; offset < range->bytes; offset += PAGE)
				(void)range->memory[offset];
	return NULL;
}

int verb_balance(char **args)
{
	size_t bytes = strtoul(args[1], NULL, 10);
	char *memory = map_bound(args[0], bytes), *ordinary = map_anon(1 << 20);
	static struct range ranges[3];
	pthread_t thread;
	int i;

	fill(memory, bytes);
	if (bind_to(memory, bytes, 0, 0, 0))
		fail("mbind");
	fill(ordinary, 1 << 20);
	ranges[0] = (struct range){ memory, bytes };
	ranges[1] = (struct range){ ordinary, 1 << 20 };
	for (i = 0; i < 2; i++)
		if (pthread_create(&thread, NULL, read_for_ever, ranges))
			fail("pthread_create");
	hold();
	return print_places(memory, bytes);
}
