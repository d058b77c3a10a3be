// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * privmem-swap NODES BYTES [shared] [bound|preferred|locked] - memory in swap, with a policy over it
 *
 * Fills ordinary memory, pages it out, has its own cgroup give up what the swap
 * cache still holds of it, binds it to NODES ("-": leaves it alone) and prints
 * where it is. "bound": binds it first and pages nothing out; "preferred": the
 * same, preferring NODES; "locked": bound, and locked. Then obeys its standard
 * input, a word a line, an answer each:
 *
 *	read	read all of it, check it: where it is
 *	where	where it is
 *	pageout	page it out: where it is
 *
 * Answers are as "N1 8 absent 8", pages each; "CORRUPT" where data was lost.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mempolicy.h"
#include "places.h"

static void fail(const char *what)
{
	fprintf(stderr, "privmem-swap: %s: %s\n", what, strerror(errno));
	exit(1);
}

static unsigned long parse_nodes(char *text)
{
	unsigned long nodes = 0;
	char *word;

	for (word = strtok(text, ","); word; word = strtok(NULL, ","))
		nodes |= 1UL << atoi(word);
	return nodes;
}

static size_t *word_at(char *memory, size_t offset)
{
	return (size_t *)(memory + offset);
}

/* memory.reclaim of the cgroup we are in, of cgroup v2 */
static void reclaim(void)
{
	char line[512], path[600];
	FILE *file = fopen("/proc/self/cgroup", "r");
	int fd, i;

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, "0::", 3))
			break;
	if (!file)
		fail("/proc/self/cgroup");
	fclose(file);
	line[strcspn(line, "\n")] = '\0';
	snprintf(path, sizeof(path), "/sys/fs/cgroup%s/memory.reclaim", line + 3);
	for (i = 0; i < 10; i++) {
		fd = open(path, O_WRONLY);
		if (fd < 0 || (write(fd, "1M", 2) < 0 && errno != EAGAIN))
			fail(path);
		close(fd);
	}
}

struct plan {
	int mode;	/* of the policy */
	bool is_shared, is_bound, is_locked;
};

static struct plan parse_plan(char **words)
{
	struct plan plan = { .mode = MPOL_BIND };

	for (; *words; words++) {
		if (!strcmp(*words, "shared"))
			plan.is_shared = true;
		else if (!strcmp(*words, "bound"))
			plan.is_bound = true;
		else if (!strcmp(*words, "preferred"))
			plan.is_bound = true, plan.mode = MPOL_PREFERRED;
		else if (!strcmp(*words, "locked"))
			plan.is_bound = plan.is_locked = true;
		else
			fail(*words);
	}
	return plan;
}

static void bind_memory(const char *memory, size_t bytes, int mode, char *list)
{
	unsigned long nodes = parse_nodes(list);

	if (strcmp(list, "-") && syscall(SYS_mbind, memory, bytes, mode, &nodes, MAX_NODES + 1, 0))
		fail("mbind");
}

static char *map_filled(size_t bytes, const struct plan *plan, char *list)
{
	char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    (plan->is_shared ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		fail("mmap");
	if (plan->is_bound)
		bind_memory(memory, bytes, plan->mode, list);
	for (size_t offset = 0; offset < bytes; offset += PAGE)
		*word_at(memory, offset) = offset + 1;
	if (plan->is_locked && mlock(memory, bytes))
		fail("mlock");
	if (plan->is_bound)
		return memory;
	if (madvise(memory, bytes, MADV_PAGEOUT))
		fail("madvise");
	reclaim();
	bind_memory(memory, bytes, plan->mode, list);
	return memory;
}

int main(int argc, char **argv)
{
	size_t bytes, offset;
	struct plan plan;
	char *memory, word[16];

	if (argc < 3) {
		fprintf(stderr, "Usage: privmem-swap NODES BYTES [shared] [bound|preferred|locked]\n");
		return 2;
	}
	bytes = strtoul(argv[2], NULL, 10);
	plan = parse_plan(argv + 3);
	memory = map_filled(bytes, &plan, argv[1]);
	print_places(memory, bytes);
	while (scanf("%15s", word) == 1) {
		if (!strcmp(word, "pageout") && madvise(memory, bytes, MADV_PAGEOUT))
			fail("madvise");
		for (offset = 0; !strcmp(word, "read") && offset < bytes; offset += PAGE)
			if (*(volatile size_t *)word_at(memory, offset) != offset + 1)
				printf("CORRUPT ");
		print_places(memory, bytes);
	}
	return 0;
}
