// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * privmem-swap NODES BYTES [shared] - memory that is swapped out, with a policy over it
 *
 * Fills ordinary memory, pages it out, has its own cgroup give up what the swap
 * cache still holds of it, binds it to NODES ("-": leaves it alone) and prints
 * where it is. Then obeys its standard input, a word a line, an answer each:
 *
 *	read	read all of it, check it: where it is
 *	where	where it is
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

int main(int argc, char **argv)
{
	size_t bytes, offset;
	unsigned long nodes;
	char *memory, word[16];
	bool is_shared = argc == 4 && !strcmp(argv[3], "shared");

	if (argc != 3 + is_shared) {
		fprintf(stderr, "Usage: privmem-swap NODES BYTES [shared]\n");
		return 2;
	}
	bytes = strtoul(argv[2], NULL, 10);
	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		      (is_shared ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		fail("mmap");
	for (offset = 0; offset < bytes; offset += PAGE)
		*word_at(memory, offset) = offset + 1;
	if (madvise(memory, bytes, MADV_PAGEOUT))
		fail("madvise");
	reclaim();
	nodes = parse_nodes(argv[1]);
	if (strcmp(argv[1], "-") &&
	    syscall(SYS_mbind, memory, bytes, MPOL_BIND, &nodes, MAX_NODES + 1, 0))
		fail("mbind");
	print_places(memory, bytes);
	while (scanf("%15s", word) == 1) {
		for (offset = 0; !strcmp(word, "read") && offset < bytes; offset += PAGE)
			if (*(volatile size_t *)word_at(memory, offset) != offset + 1)
				printf("CORRUPT ");
		print_places(memory, bytes);
	}
	return 0;
}
