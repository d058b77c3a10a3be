// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * privmem-policy VERB ARGUMENT... - one question about memory policies
 *
 * Each verb makes one system call, or one and what it takes to set it up, and
 * prints one line: the name of the error, or what came of it.
 *
 *	set MODE NODES			set_mempolicy(): the mode and nodes that hold then
 *	bind MODE NODES			mbind() of one page: the same
 *	home MODE NODES HOME		mbind(), then set_mempolicy_home_node()
 *	mapped MODE NODES PATH ACCESS	mbind() of a mapping of a file; ACCESS is
 *					rw or ro, then -shared or -private
 *	allowed				get_mempolicy(MPOL_F_MEMS_ALLOWED)
 *	remap MODE NODES MODE NODES	touch 4 pages under the first policy, mbind
 *					with MPOL_MF_MOVE to the second: where they are
 *	move MODE NODES NODE...		touch a page for each NODE under the policy,
 *					move_pages() the n-th to the n-th: the statuses
 *	movefile PATH NODE		the same for a page of a file
 *	migrate MODE NODES FROM TO	touch 4 pages, migrate_pages(): its result, and
 *					where they are
 *	migratepid PID FROM TO		migrate_pages() of another process: its result
 *	read NODES BYTES		read(2) of /dev/zero into memory bound there
 *	mlock NODES BYTES		mlock() of such memory
 *	populate NODES BYTES		madvise(MADV_POPULATE_WRITE) of such memory
 *	advise NODES BYTES ADVICE	touch such memory, madvise() it, check what it
 *					held: where it is; ADVICE may be several with a +
 *					between them, process-cold is process_madvise()
 *	longterm NODES BYTES		touch such memory and register it with io_uring as
 *					a fixed buffer, which pins it: where it is
 *	longterm-unmapped NODES BYTES	the same without touching it
 *	fallocate NODES BYTES		fallocate() of a memfd whose mapping is bound there
 *	swapin NODES BYTES CGROUP	touch ordinary memory, page it out, reclaim what
 *					the swap cache keeps of it in our cgroup, bind it,
 *					read it: where it is
 *	movechild CGROUP MODE NODES NODE...
 *					as move, of the memory of a child in that cgroup
 *	movebatch CGROUP NODE		4 shared pages, the second touched by a child in
 *					that cgroup: move_pages() of all to NODE
 *	remapfile PATH NODE		mbind() of 4 pages of a file with MPOL_MF_MOVE to a
 *					node: where they are
 *	migratefile PATH FROM TO	migrate_pages() with 4 pages of a file mapped
 *	odirect NODES PATH		read 16 pages with O_DIRECT into such memory:
 *					where they are
 *	hugetlb NODES			touch a huge page of hugetlb bound there
 *	kernelmem NODES			set_mempolicy(), then make the kernel allocate:
 *					pipes, sockets, files, page tables; holds it
 *	poison NODES ADVICE		touch 4 pages, poison the third or take it offline
 *					(hard, soft): its pfn, where they are, which
 *					cannot be read; holds what is left
 *	balance NODES BYTES		touch, bind to default again and read this and
 *					some ordinary memory for ever in two threads;
 *					at the end: where it is
 *	fork NODES BYTES CGROUP		touch, fork, move the child to the cgroup, let it
 *					write: how it ended, and whether ours is intact
 *
 * MODE is default, preferred, bind, interleave, local, many or weighted, with
 * +static, +relative, +balancing. NODES is a list such as 1,2 or "-" for none.
 * What holds prints "ready" and waits for the end of its standard input.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "places.h"

static const char *const modes[] = {
	"default", "preferred", "bind", "interleave", "local", "many", "weighted", NULL
};

static void fail(const char *what)
{
	fprintf(stderr, "privmem-policy: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void usage(void)
{
	fprintf(stderr, "Usage: privmem-policy VERB ARGUMENT...\n");
	exit(2);
}

static unsigned long parse_nodes(const char *text)
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

static int parse_mode(char *text)
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

static void print_nodes(unsigned long nodes)
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

static int print_error(void)
{
	printf("%s\n", strerrorname_np(errno));
	return 0;
}

static int print_policy(void *addr)
{
	unsigned long nodes = 0;
	int mode;

	if (syscall(SYS_get_mempolicy, &mode, &nodes, MAX_NODES + 1, addr, addr ? MPOL_F_ADDR : 0))
		fail("get_mempolicy");
	printf("%s ", modes[mode & ~MPOL_MODE_FLAGS]);
	print_nodes(nodes);
	return 0;
}

static char *map(size_t bytes, int flags, int fd, int prot)
{
	char *memory = mmap(NULL, bytes, prot, flags | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);

	if (memory == MAP_FAILED)
		fail("mmap");
	return memory;
}

static char *map_anon(size_t bytes)
{
	return map(bytes, MAP_PRIVATE, -1, PROT_READ | PROT_WRITE);
}

static int bind_to(void *memory, size_t bytes, int mode, unsigned long nodes, int flags)
{
	return syscall(SYS_mbind, memory, bytes, mode, nodes ? &nodes : NULL,
		       nodes ? MAX_NODES + 1 : 0, flags);
}

static char *map_bound(const char *nodes, size_t bytes)
{
	char *memory = map_anon(bytes);

	if (bind_to(memory, bytes, MPOL_BIND, parse_nodes(nodes), 0))
		fail("mbind");
	return memory;
}

static void fill(char *memory, size_t bytes)
{
	size_t offset;

	for (offset = 0; offset < bytes; offset += PAGE)
		*(volatile size_t *)(memory + offset) = offset + 1;
}

static bool is_filled(const char *memory, size_t bytes)
{
	size_t offset;

	for (offset = 0; offset < bytes; offset += PAGE)
		if (*(const volatile size_t *)(memory + offset) != offset + 1)
			return false;
	return true;
}

static int verb_set(char **args)
{
	unsigned long nodes = parse_nodes(args[1]);

	if (syscall(SYS_set_mempolicy, parse_mode(args[0]), nodes ? &nodes : NULL,
		    nodes ? MAX_NODES + 1 : 0))
		return print_error();
	return print_policy(NULL);
}

static int verb_bind(char **args)
{
	char *memory = map_anon(PAGE);

	if (bind_to(memory, PAGE, parse_mode(args[0]), parse_nodes(args[1]), 0))
		return print_error();
	return print_policy(memory);
}

static int verb_home(char **args)
{
	char *memory = map_anon(2 * PAGE);

	if (bind_to(memory, 2 * PAGE, parse_mode(args[0]), parse_nodes(args[1]), 0))
		fail("mbind");
	if (syscall(SYS_set_mempolicy_home_node, memory, 2 * PAGE, strtoul(args[2], NULL, 10), 0UL))
		return print_error();
	fill(memory, 2 * PAGE);
	return print_places(memory, 2 * PAGE);
}

static int verb_mapped(char **args)
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

static int verb_allowed(char **args)
{
	unsigned long nodes = 0;

	(void)args;
	if (syscall(SYS_get_mempolicy, NULL, &nodes, MAX_NODES + 1, NULL, MPOL_F_MEMS_ALLOWED))
		return print_error();
	print_nodes(nodes);
	return 0;
}

static int verb_remap(char **args)
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

static int verb_move(char **args)
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

static int verb_movefile(char **args)
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

static int verb_migrate(char **args)
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

static int verb_migratepid(char **args)
{
	unsigned long from = parse_nodes(args[1]), to = parse_nodes(args[2]);
	long result = syscall(SYS_migrate_pages, atoi(args[0]), MAX_NODES + 1, &from, &to);

	if (result < 0)
		printf("%s\n", strerrorname_np(errno));
	else
		printf("left %ld\n", result);
	return 0;
}

static int verb_read(char **args)
{
	size_t bytes = strtoul(args[1], NULL, 10);
	char *memory = map_bound(args[0], bytes);
	int fd = open("/dev/urandom", O_RDONLY);
	size_t done = 0;
	ssize_t n = 0;

	while (done < bytes) {
		n = read(fd, memory + done, bytes - done < PAGE ? bytes - done : PAGE);
		if (n <= 0)
			break;
		done += n;
	}
	printf("%zu %s\n", done, n < 0 ? strerrorname_np(errno) : "0");
	return 0;
}

static int verb_mlock(char **args)
{
	size_t bytes = strtoul(args[1], NULL, 10);
	char *memory = map_bound(args[0], bytes);

	if (mlock(memory, bytes))
		return print_error();
	return print_places(memory, bytes);
}

static int verb_populate(char **args)
{
	size_t bytes = strtoul(args[1], NULL, 10);
	char *memory = map_bound(args[0], bytes);

	if (madvise(memory, bytes, MADV_POPULATE_WRITE))
		return print_error();
	return print_places(memory, bytes);
}

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

static int verb_advise(char **args)
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

static int register_buffer(void *memory, size_t bytes)
{
	struct iovec buffer = { .iov_base = memory, .iov_len = bytes };
	struct io_uring_params params = { };
	int ring = syscall(SYS_io_uring_setup, 1, &params);

	if (ring < 0)
		fail("io_uring_setup");
	if (syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &buffer, 1))
		printf("%s ", strerrorname_np(errno));
	else
		printf("0 ");
	return print_places(memory, bytes);
}

static int verb_longterm(char **args)
{
	size_t bytes = strtoul(args[1], NULL, 10);
	char *memory = map_bound(args[0], bytes);

	fill(memory, bytes);
	return register_buffer(memory, bytes);
}

static int verb_longterm_unmapped(char **args)
{
	size_t bytes = strtoul(args[1], NULL, 10);

	return register_buffer(map_bound(args[0], bytes), bytes);
}

static int verb_fallocate(char **args)
{
	size_t bytes = strtoul(args[1], NULL, 10);
	int fd = memfd_create("privmem-policy", MFD_CLOEXEC);
	char *memory;

	if (fd < 0 || ftruncate(fd, bytes))
		fail("memfd");
	memory = map(bytes, MAP_SHARED, fd, PROT_READ | PROT_WRITE);
	if (bind_to(memory, bytes, MPOL_BIND, parse_nodes(args[0]), 0))
		fail("mbind");
	if (fallocate(fd, 0, 0, bytes))
		return print_error();
	fill(memory, bytes);
	return print_places(memory, bytes);
}

static void write_cgroup(const char *path, const char *file, const char *value)
{
	char name[512];
	int fd;

	snprintf(name, sizeof(name), "%s/%s", path, file);
	fd = open(name, O_WRONLY);
	if (fd < 0 || (write(fd, value, strlen(value)) < 0 && errno != EAGAIN))
		fail(name);
	close(fd);
}

/* A page that is being written stays in the swap cache, where mincore() sees it. */
static bool is_cached(char *memory, size_t bytes)
{
	unsigned char cached[bytes / PAGE];

	if (mincore(memory, bytes, cached))
		fail("mincore");
	return memchr(cached, 1, sizeof(cached));
}

static int verb_swapin(char **args)
{
	size_t bytes = strtoul(args[1], NULL, 10);
	char *memory = map_anon(bytes);
	int i;

	fill(memory, bytes);
	if (madvise(memory, bytes, MADV_PAGEOUT))
		fail("madvise");
	for (i = 0; i < 1000 && is_cached(memory, bytes); i++) {
		usleep(10000);
		write_cgroup(args[2], "memory.reclaim", "1M");
	}
	if (bind_to(memory, bytes, MPOL_BIND, parse_nodes(args[0]), 0))
		fail("mbind");
	printf("out: ");
	print_places(memory, bytes);
	printf("%s: ", is_filled(memory, bytes) ? "in" : "CORRUPT");
	return print_places(memory, bytes);
}

static int verb_fork(char **args)
{
	size_t bytes = strtoul(args[1], NULL, 10);
	char *memory = map_bound(args[0], bytes);
	int status;
	pid_t pid;

	fill(memory, bytes);
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return print_error();
	if (!pid) {
		write_cgroup(args[2], "cgroup.procs", "0");
		memset(memory, 7, bytes);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		printf("child %s, ", sigabbrev_np(WTERMSIG(status)));
	else
		printf("child %d, ", WEXITSTATUS(status));
	printf("%s\n", is_filled(memory, bytes) ? "intact" : "CORRUPT");
	return 0;
}

static void hold(void)
{
	char c;

	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
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

static int verb_movechild(char **args)
{
	char *memory = map_anon(64 * PAGE);
	pid_t pid;

	pid = fill_in_child(args[0], memory, 64 * PAGE, parse_mode(args[1]), parse_nodes(args[2]));
	print_move(pid, memory, args + 3, MPOL_MF_MOVE);
	end_child(pid);
	return 0;
}

static int verb_movebatch(char **args)
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

static int verb_remapfile(char **args)
{
	char *memory = map_file(args[0]);

	if (bind_to(memory, 4 * PAGE, MPOL_BIND, parse_nodes(args[1]), MPOL_MF_MOVE))
		printf("%s ", strerrorname_np(errno));
	if (!is_filled(memory, 4 * PAGE))
		printf("CORRUPT ");
	return print_places(memory, 4 * PAGE);
}

static int verb_migratefile(char **args)
{
	unsigned long from = parse_nodes(args[1]), to = parse_nodes(args[2]);
	char *memory = map_file(args[0]);

	if (syscall(SYS_migrate_pages, 0, MAX_NODES + 1, &from, &to) < 0)
		printf("%s ", strerrorname_np(errno));
	if (!is_filled(memory, 4 * PAGE))
		printf("CORRUPT ");
	return print_places(memory, 4 * PAGE);
}

static int verb_odirect(char **args)
{
	size_t bytes = 16 * PAGE;
	char *memory = map_bound(args[0], bytes), *copy;
	int fd = open(args[1], O_RDONLY | O_DIRECT);

	if (fd < 0)
		fail(args[1]);
	copy = map(bytes, MAP_SHARED, open(args[1], O_RDONLY), PROT_READ);
	if (read(fd, memory, bytes) != (ssize_t)bytes)
		return print_error();
	printf("%s ", memcmp(memory, copy, bytes) ? "CORRUPT" : "0");
	return print_places(memory, bytes);
}

static int verb_hugetlb(char **args)
{
	size_t bytes = 2UL << 20;
	char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

	if (memory == MAP_FAILED)
		return print_error();
	if (bind_to(memory, bytes, MPOL_BIND, parse_nodes(args[0]), 0))
		fail("mbind");
	*(volatile char *)memory = 1;
	return print_places(memory, PAGE);
}

/* What fits into one end, written without waiting for a reader. */
static void stuff(int fd)
{
	static char junk[4096];

	while (write(fd, junk, sizeof(junk)) > 0)
		;
}

static int verb_kernelmem(char **args)
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

static int verb_poison(char **args)
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

static int verb_balance(char **args)
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

static const struct verb {
	const char *name;
	int nr_args;
	int (*run)(char **args);
} verbs[] = {
	{ "set", 2, verb_set },
	{ "bind", 2, verb_bind },
	{ "home", 3, verb_home },
	{ "mapped", 4, verb_mapped },
	{ "allowed", 0, verb_allowed },
	{ "remap", 4, verb_remap },
	{ "move", -3, verb_move },
	{ "movefile", 2, verb_movefile },
	{ "migrate", 4, verb_migrate },
	{ "migratepid", 3, verb_migratepid },
	{ "read", 2, verb_read },
	{ "mlock", 2, verb_mlock },
	{ "populate", 2, verb_populate },
	{ "advise", 3, verb_advise },
	{ "longterm", 2, verb_longterm },
	{ "longterm-unmapped", 2, verb_longterm_unmapped },
	{ "fallocate", 2, verb_fallocate },
	{ "swapin", 3, verb_swapin },
	{ "fork", 3, verb_fork },
	{ "movechild", -4, verb_movechild },
	{ "movebatch", 2, verb_movebatch },
	{ "remapfile", 2, verb_remapfile },
	{ "migratefile", 3, verb_migratefile },
	{ "odirect", 2, verb_odirect },
	{ "hugetlb", 1, verb_hugetlb },
	{ "kernelmem", 1, verb_kernelmem },
	{ "poison", 2, verb_poison },
	{ "balance", 2, verb_balance },
};

int main(int argc, char **argv)
{
	const struct verb *verb;

	if (argc < 2)
		usage();
	for (verb = verbs; verb < verbs + sizeof(verbs) / sizeof(verbs[0]); verb++) {
		if (strcmp(argv[1], verb->name))
			continue;
		if (verb->nr_args >= 0 ? argc - 2 != verb->nr_args : argc - 2 < -verb->nr_args)
			usage();
		return verb->run(argv + 2);
	}
	usage();
	return 2;
}
