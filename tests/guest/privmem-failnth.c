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
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mempolicy.h"

#define TOP "/sys/fs/cgroup/privmem-test"
#define PAGES 8UL

static char *memory;
static int memfd = -1, fail_fd, file_fd = -1;
static sigjmp_buf bus_return;
static const char *dax;

static void fail(const char *what)
{
	fprintf(stderr, "privmem-failnth: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int write_file(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return errno;
	if (write(fd, value, strlen(value)) < 0)
		err = errno;
	close(fd);
	return err;
}

static void must_write(const char *path, const char *value)
{
	errno = write_file(path, value);
	if (errno)
		fail(path);
}

static void read_file(const char *path, char *buffer, size_t size)
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

static bool file_is(const char *path, const char *want)
{
	char text[4096];

	read_file(path, text, sizeof(text));
	return !strcmp(text, want);
}

/* ---- preparations: without a fault -------------------------------------- */

static void open_for_write(const char *path)
{
	file_fd = open(path, O_WRONLY | O_CLOEXEC);
	if (file_fd < 0)
		fail(path);
}

static void prepare_nodes(void)
{
	open_for_write(TOP "/f/g/memory.private_nodes");
}

static void prepare_subtree(void)
{
	open_for_write(TOP "/f/g/memory.private_nodes.subtree");
}

static void prepare_max(void)
{
	open_for_write(TOP "/f/g/memory.private_nodes.max");
}

static void prepare_mkdir(void)
{
	must_write(TOP "/f/g/cgroup.subtree_control", "+memory");
}

static void prepare_mkdir_granted(void)
{
	must_write(TOP "/f/memory.private_nodes", "1-2");
	must_write(TOP "/f/g/memory.private_nodes.max", "N1 4096");
	prepare_mkdir();
}

/* In f/g, which inherits and has no counters, with memory that is not there. */
static void prepare_granted(void)
{
	must_write(TOP "/f/memory.private_nodes", "1-2");
	must_write(TOP "/f/g/cgroup.procs", "0");
}

static void bind_to(void *area, size_t bytes, unsigned long nodes)
{
	if (syscall(SYS_mbind, area, bytes, MPOL_BIND, &nodes, 65, 0))
		fail("mbind");
}

static char *map_anon(size_t bytes)
{
	char *area = mmap(NULL, bytes + HUGE_BYTES, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED)
		fail("mmap");
	return area + (-(unsigned long)area & (HUGE_BYTES - 1));
}

static void prepare_mapped(void)
{
	prepare_granted();
	memory = map_anon(PAGES * PAGE);
}

static void prepare_bound(void)
{
	prepare_mapped();
	bind_to(memory, PAGES * PAGE, 2);
}

static void prepare_huge(void)
{
	prepare_granted();
	memory = map_anon(HUGE_BYTES);
	madvise(memory, HUGE_BYTES, MADV_HUGEPAGE);
	bind_to(memory, HUGE_BYTES, 2);
}

static void prepare_memfd(void)
{
	prepare_granted();
	memfd = memfd_create("privmem-failnth", MFD_CLOEXEC);
	if (memfd < 0 || ftruncate(memfd, PAGES * PAGE))
		fail("memfd");
	memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	if (memory == MAP_FAILED)
		fail("mmap");
	bind_to(memory, PAGES * PAGE, 2);
}

static void fill(void)
{
	size_t i;

	for (i = 0; i < PAGES; i++)
		*(volatile size_t *)(memory + i * PAGE) = i + 1;
}

static void prepare_filled(void)
{
	prepare_bound();
	fill();
}

static void prepare_ordinary(void)
{
	prepare_mapped();
	fill();
}

static void prepare_source(void)
{
	prepare_bound();
	file_fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	if (file_fd < 0)
		fail("/dev/urandom");
}

static void prepare_state(const char *value)
{
	char path[256];

	snprintf(path, sizeof(path), "/sys/bus/dax/devices/%s/state", dax);
	must_write(path, value);
	open_for_write(path);
}

static void prepare_online(void)
{
	prepare_state("offline");
}

static void prepare_offline(void)
{
	prepare_state("online");
}

static void prepare_unbind(void)
{
	open_for_write("/sys/bus/dax/drivers/kmem/unbind");
}

static void prepare_bind(void)
{
	must_write("/sys/bus/dax/drivers/kmem/unbind", dax);
	open_for_write("/sys/bus/dax/drivers/kmem/bind");
}

/* ---- operations: with a fault. Return: 0 or an errno --------------------- */

static int result(long value)
{
	return value < 0 ? errno : 0;
}

static int write_value(const char *value)
{
	return result(write(file_fd, value, strlen(value)));
}

static int run_nodes(void)
{
	return write_value("1-2");
}

static int run_subtree(void)
{
	return write_value("1-2");
}

static int run_max(void)
{
	return write_value("N1 4096\nN2 8192");
}

static int run_mkdir(void)
{
	return result(mkdir(TOP "/f/g/h", 0755));
}

static int run_mbind(void)
{
	unsigned long nodes = 6;

	return result(syscall(SYS_mbind, memory, PAGES * PAGE / 2, MPOL_BIND, &nodes, 65, 0));
}

static int run_set_mempolicy(void)
{
	unsigned long nodes = 6;
	int err = result(syscall(SYS_set_mempolicy, MPOL_BIND, &nodes, 65));

	syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0);
	return err;
}

static void on_bus(int sig)
{
	(void)sig;
	siglongjmp(bus_return, 1);
}

/* SIGBUS is an answer, too. */
static __attribute__((noinline)) int run_touch(void)
{
	if (sigsetjmp(bus_return, 1))
		return EFAULT;
	signal(SIGBUS, on_bus);
	fill();
	return 0;
}

static int run_populate(void)
{
	return result(madvise(memory, PAGES * PAGE, MADV_POPULATE_WRITE));
}

static int run_mlock(void)
{
	return result(mlock(memory, PAGES * PAGE));
}

static int run_read(void)
{
	ssize_t n = read(file_fd, memory, PAGE);

	return n < 0 ? errno : 0;
}

static int run_fallocate(void)
{
	return result(fallocate(memfd, 0, 0, PAGES * PAGE));
}

static int run_fork(void)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return errno;
	if (!pid) {
		fill();
		_exit(0);
	}
	/* Where the parent's own copy is refused: it is what it was. */
	waitpid(pid, &status, 0);
	return status ? EFAULT : 0;
}

/* fail-nth is not inherited: the child asks for itself. */
static int run_copy(void)
{
	char text[16];
	int status;
	pid_t pid;

	pread(fail_fd, text, sizeof(text), 0);
	text[strcspn(text, "\n")] = '\0';
	pwrite(fail_fd, "0", 1, 0);
	pid = fork();
	if (!pid) {
		int fd = open("/proc/thread-self/fail-nth", O_RDWR);

		signal(SIGBUS, SIG_DFL);
		write(fd, text, strlen(text));
		fill();
		memset(text, 0, sizeof(text));
		pread(fd, text, sizeof(text) - 1, 0);
		write(fd, "0", 1);
		_exit(atoi(text) ? 0 : 7);
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		pwrite(fail_fd, "99999", 5, 0);	/* it came to its end with none failed */
	else
		pwrite(fail_fd, "0", 1, 0);
	return WIFSIGNALED(status) ? EFAULT : 0;
}

static int move_to(unsigned long nodes)
{
	return result(syscall(SYS_mbind, memory, PAGES * PAGE, MPOL_BIND, &nodes, 65, MPOL_MF_MOVE));
}

static int run_move_in(void)
{
	return move_to(2);
}

static int run_move_out(void)
{
	return move_to(1);
}

static int run_move_across(void)
{
	return move_to(4);
}

static int run_move_pages(void)
{
	int nodes[PAGES], status[PAGES];
	void *pages[PAGES];
	unsigned long i;

	for (i = 0; i < PAGES; i++) {
		pages[i] = memory + i * PAGE;
		nodes[i] = 1 + i % 2;
		status[i] = 0;
	}
	return result(syscall(SYS_move_pages, 0, PAGES, pages, nodes, status, MPOL_MF_MOVE));
}

static int run_migrate_pages(void)
{
	unsigned long from = 1, to = 4;

	return result(syscall(SYS_migrate_pages, 0, 65, &from, &to));
}

static int run_read_files(void)
{
	static const char *const names[] = {
		"", ".subtree", ".effective", ".max", ".current", ".peak", ".events", ".events.local",
	};
	char path[256], text[4096];
	int err = 0, fd;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]) && !err; i++) {
		snprintf(path, sizeof(path), TOP "/f/g/memory.private_nodes%s", names[i]);
		fd = open(path, O_RDONLY);
		if (fd < 0)
			return errno;
		err = result(read(fd, text, sizeof(text)));
		close(fd);
	}
	return err;
}

static int run_online(void)
{
	return write_value("online");
}

static int run_offline(void)
{
	return write_value("offline");
}

static int run_driver(void)
{
	return write_value(dax);
}

/* ---- what has to hold afterwards ----------------------------------------- */

static bool check_nodes(int err)
{
	return file_is(TOP "/f/g/memory.private_nodes", err ? "\n" : "1-2\n");
}

static bool check_subtree(int err)
{
	return file_is(TOP "/f/g/memory.private_nodes.subtree", err ? "\n" : "1-2\n");
}

static bool check_max(int err)
{
	return file_is(TOP "/f/g/memory.private_nodes.max",
		       err ? "N1 max\nN2 max\n" : "N1 4096\nN2 8192\n");
}

/* A cgroup with all its files and @effective nodes, or none at all. */
static bool is_made(int err, const char *effective)
{
	bool is_right;

	if (err)
		return access(TOP "/f/g/h", F_OK);
	is_right = !access(TOP "/f/g/h/memory.private_nodes.events.local", F_OK) &&
		   file_is(TOP "/f/g/h/memory.private_nodes.effective", effective);
	return !rmdir(TOP "/f/g/h") && is_right;
}

static bool check_mkdir(int err)
{
	return is_made(err, "\n");
}

static bool check_mkdir_granted(int err)
{
	return is_made(err, "1-2\n");
}

static bool check_any(int err)
{
	(void)err;
	return true;
}

/* All of it is there, or what failed left the rest alone: no page of others. */
static bool check_filled(int err)
{
	size_t i, word;

	for (i = 0; i < PAGES; i++) {
		if (err)
			return true;	/* reading could fault in more */
		word = *(volatile size_t *)(memory + i * PAGE);
		if (word != i + 1)
			return false;
	}
	return true;
}

/* Data that was there before is there after, whatever failed. */
static bool check_kept(int err)
{
	(void)err;
	return check_filled(0);
}

static bool is_private(void)
{
	return file_is("/sys/devices/system/node/has_private_memory", "1-2\n");
}

/* All ranges of the device are node 1's memory, or none. */
static bool is_whole(void)
{
	char path[256], text[4096], *total;
	size_t size;

	if (!file_is("/sys/devices/system/node/has_memory", "0\n"))
		return false;
	if (!is_private())
		return access("/sys/devices/system/node/node1", F_OK);
	snprintf(path, sizeof(path), "/sys/bus/dax/devices/%s/size", dax);
	read_file(path, text, sizeof(text));
	size = strtoull(text, NULL, 10);
	read_file("/sys/devices/system/node/node1/meminfo", text, sizeof(text));
	total = strstr(text, "MemTotal:");
	return total && strtoull(total + 9, NULL, 10) << 10 == size;
}

static bool check_online(int err)
{
	return is_private() == !err && is_whole();
}

/* An unbind reports nothing: both ends are sound. */
static bool check_driver(int err)
{
	(void)err;
	return is_whole();
}

static bool check_offline(int err)
{
	return is_private() == !!err && is_whole();
}

static const struct operation {
	const char *name;
	void (*prepare)(void);
	int (*run)(void);
	bool (*check)(int err);
	bool is_node;
} operations[] = {
	{ "nodes", prepare_nodes, run_nodes, check_nodes, false },
	{ "subtree", prepare_subtree, run_subtree, check_subtree, false },
	{ "max", prepare_max, run_max, check_max, false },
	{ "mkdir", prepare_mkdir, run_mkdir, check_mkdir, false },
	{ "mkdir-granted", prepare_mkdir_granted, run_mkdir, check_mkdir_granted, false },
	{ "mbind", prepare_mapped, run_mbind, check_any, false },
	{ "set_mempolicy", prepare_granted, run_set_mempolicy, check_any, false },
	{ "touch", prepare_bound, run_touch, check_filled, false },
	{ "huge", prepare_huge, run_touch, check_filled, false },
	{ "memfd", prepare_memfd, run_touch, check_filled, false },
	{ "fallocate", prepare_memfd, run_fallocate, check_any, false },
	{ "populate", prepare_bound, run_populate, check_any, false },
	{ "mlock", prepare_bound, run_mlock, check_any, false },
	{ "read", prepare_source, run_read, check_any, false },
	{ "fork", prepare_filled, run_fork, check_kept, false },
	{ "copy", prepare_filled, run_copy, check_kept, false },
	{ "move-in", prepare_ordinary, run_move_in, check_kept, false },
	{ "move-out", prepare_filled, run_move_out, check_kept, false },
	{ "move-across", prepare_filled, run_move_across, check_kept, false },
	{ "move_pages", prepare_ordinary, run_move_pages, check_kept, false },
	{ "migrate_pages", prepare_ordinary, run_migrate_pages, check_kept, false },
	{ "read-files", prepare_granted, run_read_files, check_any, false },
	{ "online", prepare_online, run_online, check_online, true },
	{ "offline", prepare_offline, run_offline, check_offline, true },
	{ "unbind", prepare_unbind, run_driver, check_driver, true },
	{ "bind", prepare_bind, run_driver, check_driver, true },
};

/* ---- the loop ------------------------------------------------------------ */

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

static void sleep_msec(long msec)
{
	struct timespec time = { .tv_nsec = msec * 1000000 };

	nanosleep(&time, NULL);
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

/* Bound and online again, without a fault. */
static void restore_node(void)
{
	char path[256];

	snprintf(path, sizeof(path), "/sys/bus/dax/devices/%s/driver", dax);
	if (access(path, F_OK))
		must_write("/sys/bus/dax/drivers/kmem/bind", dax);
	snprintf(path, sizeof(path), "/sys/bus/dax/devices/%s/state", dax);
	must_write(path, "online");
	if (!is_private()) {
		fprintf(stderr, "node 1 did not come back\n");
		exit(1);
	}
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

/* Is this a way to say that there is no memory? */
static bool is_failure(int err)
{
	switch (err) {
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
		if (!outcome.is_right || !is_failure(outcome.err) ||
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

static void find_dax(void)
{
	static char name[32];
	char path[128], text[64];
	int i;

	for (i = 0; i < 8 && !dax; i++) {
		snprintf(path, sizeof(path), "/sys/bus/dax/devices/dax%d.0/target_node", i);
		if (access(path, R_OK))
			continue;
		read_file(path, text, sizeof(text));
		if (atoi(text) != 1 || dax)
			continue;
		snprintf(name, sizeof(name), "dax%d.0", i);
		dax = name;
	}
	if (!dax)
		fail("node 1's device");
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

int main(int argc, char **argv)
{
	const struct operation *op;

	if (argc != 2 && argc != 3) {
		fprintf(stderr, "Usage: privmem-failnth OPERATION [MAX]\n");
		return 2;
	}
	find_dax();
	set_up_injection();
	for (op = operations; op < operations + sizeof(operations) / sizeof(operations[0]); op++) {
		if (strcmp(op->name, argv[1]))
			continue;
		run_all(op, argc == 3 ? strtoul(argv[2], NULL, 10) : 4096);
		return 0;
	}
	fprintf(stderr, "privmem-failnth: there is no operation %s\n", argv[1]);
	return 2;
}
