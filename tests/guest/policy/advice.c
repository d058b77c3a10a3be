// SPDX-License-Identifier: LGPL-2.1-or-later
/* What madvise() does to pages: advice, and poison. And what drivers and shrinkers do. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "policy.h"

static int parse_advice(const char *text)
{
	static const struct {
		const char *name;
		int advice;
	} table[] = {
		{ "cold", MADV_COLD }, { "pageout", MADV_PAGEOUT }, { "free", MADV_FREE },
		{ "collapse", MADV_COLLAPSE }, { "mergeable", MADV_MERGEABLE },
		{ "dontneed", MADV_DONTNEED }, { "hard", MADV_HWPOISON },
		{ "soft", MADV_SOFT_OFFLINE },
	};
	unsigned int i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (!strcmp(text, table[i].name))
			return table[i].advice;
	usage();
	return -1;
}

/* One of several, such as "free" or "process-cold". */
static int advise(char *memory, size_t bytes, const char *name)
{
	struct iovec range = { .iov_base = memory, .iov_len = bytes };
	int pidfd, result, error;

	if (strncmp(name, "process-", 8))
		return madvise(memory, bytes, parse_advice(name));
	pidfd = syscall(SYS_pidfd_open, getpid(), 0);
	if (pidfd < 0)
		fail("pidfd_open");
	result = syscall(SYS_process_madvise, pidfd, &range, 1, parse_advice(name + 8), 0);
	error = errno;
	close(pidfd);
	errno = error;
	return result < 0 ? -1 : 0;
}

int verb_advise(char **args)
{
	size_t bytes = strtoul(args[1], NULL, 10);
	char *memory = map_bound(args[0], bytes), *word;
	int result = 0, error = 0;

	fill(memory, bytes);
	for (word = strtok(args[2], "+"); word && !result; word = strtok(NULL, "+")) {
		result = advise(memory, bytes, word);
		error = errno;
	}
	printf("%s ", result ? strerrorname_np(error) : "0");
	print_places(memory, bytes);
	if (!is_filled(memory, bytes))
		printf("CORRUPT\n");
	return 0;
}

/* One huge page of which one byte is not zero. */
static char *map_huge(const char *nodes)
{
	char *memory = map_bound(nodes, 2 * HUGE_BYTES);

	memory += -(unsigned long)memory % HUGE_BYTES;
	madvise(memory, HUGE_BYTES, MADV_HUGEPAGE);
	*(volatile char *)memory = 1;
	return memory;
}

int verb_splithuge(char **args)
{
	size_t left = HUGE_BYTES - strtoul(args[1], NULL, 10) * PAGE;
	char *memory = map_huge(args[0]);

	if (left < HUGE_BYTES)
		munmap(memory + left, HUGE_BYTES - left);
	write_cgroup("/proc/sys/vm", "drop_caches", "2");
	return print_places(memory, left);
}

int verb_halfhuge(char **args)
{
	char *memory = map_huge(args[0]);

	fill(memory, HUGE_BYTES);
	if (madvise(memory, HUGE_BYTES / 2, MADV_DONTNEED))
		fail("madvise");
	print_places(memory, HUGE_BYTES);
	hold();
	return 0;
}

static void device_move(void *memory)
{
	int fd = open("/sys/kernel/debug/privmem_test/device_move", O_WRONLY), length;
	char address[32];

	length = snprintf(address, sizeof(address), "%#lx", (unsigned long)memory);
	if (fd < 0)
		fail("device_move");
	printf("%s ", write(fd, address, length) < 0 ? strerrorname_np(errno) : "0");
	close(fd);
}

int verb_device(char **args)
{
	char *huge = map_huge(args[0]), *small = map_bound(args[0], PAGE);

	device_move(huge);
	print_places(huge, HUGE_BYTES);
	fill(small, PAGE);
	device_move(small);
	print_places(small, PAGE);
	if (!is_filled(small, PAGE))
		printf("CORRUPT\n");
	return 0;
}

static unsigned long pfn_of(const char *memory)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	unsigned long entry;

	if (fd < 0 || pread(fd, &entry, 8, (unsigned long)memory / PAGE * 8) != 8)
		fail("pagemap");
	close(fd);
	return entry & ((1UL << 55) - 1);
}

static sigjmp_buf sigbus_return;
static volatile int sigbus_code, is_reading;

/* Whoever asks for poison is told at once, and again when it reads. */
static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	sigbus_code = info->si_code;
	if (is_reading)
		siglongjmp(sigbus_return, 1);
}

int verb_poison(char **args)
{
	char *memory = map_bound(args[0], 4 * PAGE);
	struct sigaction action = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };
	volatile int i;

	sigaction(SIGBUS, &action, NULL);
	fill(memory, 4 * PAGE);
	printf("pfn %lu\n", pfn_of(memory + 2 * PAGE));
	if (madvise(memory + 2 * PAGE, PAGE, parse_advice(args[1])))
		return print_error();
	print_places(memory, 4 * PAGE);
	is_reading = 1;
	for (i = 0; i < 4; i++) {
		if (sigsetjmp(sigbus_return, 1))
			printf("page %d: SIGBUS %s\n", i,
			       sigbus_code == BUS_MCEERR_AR ? "BUS_MCEERR_AR" : "other");
		else
			printf("page %d: %s\n", i,
			       *(volatile size_t *)(memory + i * PAGE) == i * PAGE + 1 ?
			       "intact" : "CORRUPT");
	}
	hold();
	return 0;
}
