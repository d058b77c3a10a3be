// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * privmem-failnth OPERATION [MAX] - let every allocation of an operation fail once
 *
 * Runs the operation with its first allocation failing (/proc/PID/fail-nth), then with
 * its second, and so on until it comes to its end with none failed. Each time it must
 * either do what it says or report an error and have changed nothing, and nothing may
 * stay charged. From the 64th on the step grows, and MAX (4096) is the last.
 *
 * Needs the debug kernel, for online and bind with the filter that 70-fail-nth.bats
 * sets, and an empty /sys/fs/cgroup/privmem-test that may give away
 * nodes 1 and 2. Each try has a process and cgroups f and f/g of its own, granted
 * nothing yet but what the operation's preparation writes.
 *
 * Prints "OPERATION: N tries, F failed, last ERROR". Exit status: 0, 1 if something
 * was wrong (on stderr), 2 usage or setup.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "failnth.h"

int fail_fd;

struct outcome {
	int err;
	bool is_injected, is_right;
};

static __attribute__((noreturn)) void try_child(const struct operation *op, unsigned int n, int out)
{
	struct outcome outcome = { };
	char text[16] = "";

	op->prepare();
	fail_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail_fd < 0)
		fail("fail-nth");
	snprintf(text, sizeof(text), "%u", n);
	if (pwrite(fail_fd, text, strlen(text), 0) < 0)
		fail("fail-nth");
	outcome.err = op->run();
	memset(text, 0, sizeof(text));
	while (pread(fail_fd, text, sizeof(text) - 1, 0) < 0)
		;
	outcome.is_injected = !atoi(text);
	pwrite(fail_fd, "0", 1, 0);
	outcome.is_right = op->check(outcome.err);
	if (write(out, &outcome, sizeof(outcome)) != sizeof(outcome))
		fail("pipe");
	_exit(0);
}

/* Nothing is charged any more; a little while for what is on its way. */
static bool is_released(void)
{
	int i;

	for (i = 0; i < 500; i++) {
		if (file_is(TOP "/f/memory.private_nodes.current", "N1 0\nN2 0\n"))
			return true;
		sleep_msec(10);
	}
	return false;
}

static void make_cgroups(void)
{
	if (mkdir(TOP "/f", 0755) && errno != EEXIST)
		fail(TOP "/f");
	must_write(TOP "/f/cgroup.subtree_control", "+memory");
	if (mkdir(TOP "/f/g", 0755) && errno != EEXIST)
		fail(TOP "/f/g");
}

static void remove_cgroups(void)
{
	int i;

	for (i = 0; i < 500 && rmdir(TOP "/f/g") && errno == EBUSY; i++)
		sleep_msec(10);
	if (rmdir(TOP "/f"))
		fail(TOP "/f");
}

static struct outcome try_once(const struct operation *op, unsigned int n)
{
	struct outcome outcome = { };
	int ends[2], status;
	pid_t pid;

	make_cgroups();
	if (pipe2(ends, O_CLOEXEC))
		fail("pipe");
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (!pid)
		try_child(op, n, ends[1]);
	close(ends[1]);
	if (read(ends[0], &outcome, sizeof(outcome)) != sizeof(outcome)) {
		waitpid(pid, &status, 0);
		fprintf(stderr, "%s, allocation %u: ended with status %x\n", op->name, n, status);
		exit(1);
	}
	close(ends[0]);
	waitpid(pid, &status, 0);
	return outcome;
}

/* Is this a way to say that there is no memory? EPERM is KASAN's, whose notifier vetoes. */
static bool is_failure(const struct operation *op, int err)
{
	switch (err) {
	case EPERM:
		return op->is_node;
	case 0:
	case ENOMEM:
	case EAGAIN:
	case EBUSY:
	case EFAULT:
	case ENOSPC:
	case EIO:
	case EINTR:
	case EACCES:
	case EEXIST:
	case ENODEV:
		return true;
	default:
		return false;
	}
}

static void run_all(const struct operation *op, unsigned int max)
{
	unsigned int n, tries = 0, failed = 0;
	struct outcome outcome;
	int last = 0;

	for (n = 1; n <= max; n += 1 + n / 64) {
		outcome = try_once(op, n);
		tries++;
		if (op->is_node)
			restore_node();
		if (!outcome.is_right || !is_failure(op, outcome.err) ||
		    (!outcome.is_injected && outcome.err)) {
			fprintf(stderr, "%s, allocation %u%s: %s%s\n", op->name, n,
				outcome.is_injected ? "" : " not reached",
				outcome.err ? strerror(outcome.err) : "done",
				outcome.is_right ? "" : ", and not what has to hold then");
			exit(1);
		}
		if (!is_released()) {
			fprintf(stderr, "%s, allocation %u: something stays charged\n", op->name, n);
			exit(1);
		}
		remove_cgroups();
		if (!outcome.is_injected)
			break;
		if (outcome.err) {
			failed++;
			last = outcome.err;
		}
	}
	printf("%s: %u tries, %u failed, last %s\n", op->name, tries, failed,
	       last ? strerrorname_np(last) : "none");
	if (n > max)
		printf("%s: gave up at allocation %u\n", op->name, n);
}

/* All kinds of allocations may fail, user memory included. */
static void set_up_injection(void)
{
	static const char *const settings[][2] = {
		{ "failslab/ignore-gfp-wait", "0" },
		{ "failslab/verbose", "0" },
		{ "fail_page_alloc/ignore-gfp-wait", "0" },
		{ "fail_page_alloc/ignore-gfp-highmem", "0" },
		{ "fail_page_alloc/min-order", "0" },
		{ "fail_page_alloc/verbose", "0" },
	};
	char path[128];
	size_t i;

	for (i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s", settings[i][0]);
		must_write(path, settings[i][1]);
	}
}

static const struct operation *find_operation(const char *name)
{
	static const struct operation *const themes[] = {
		control_operations, page_operations, move_operations, node_operations,
	};
	const struct operation *op;
	size_t i;

	for (i = 0; i < sizeof(themes) / sizeof(themes[0]); i++)
		for (op = themes[i]; op->name; op++)
			if (!strcmp(op->name, name))
				return op;
	return NULL;
}

int main(int argc, char **argv)
{
	const struct operation *op;

	if (argc != 2 && argc != 3) {
		fprintf(stderr, "Usage: privmem-failnth OPERATION [MAX]\n");
		return 2;
	}
	op = find_operation(argv[1]);
	if (!op) {
		fprintf(stderr, "privmem-failnth: there is no operation %s\n", argv[1]);
		return 2;
	}
	find_dax();
	set_up_injection();
	run_all(op, argc == 3 ? strtoul(argv[2], NULL, 10) : 4096);
	return 0;
}
