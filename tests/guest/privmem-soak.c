// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * privmem-soak - everything at once, for a while, and nothing may get lost
 *
 * Workers map memory under random policies, touch, move, fork, lock, page out
 * and unmap it. Meanwhile one process (the admin) grants, revokes, limits, moves
 * workers between cgroups, kills them and removes cgroups with their pages alive;
 * another (the operator) takes nodes and the swap file away and brings them back.
 *
 * Every page a worker wrote holds a stamp that no other page ever held, so a page
 * lost, mixed up or copied too early is seen when it is read next. Reading what
 * was written never fails; what may fail, and how, is in the comment of each
 * operation. The limits and the counters are checked while everything runs, and
 * exactly whenever the operator has the workers frozen.
 *
 * All randomness comes from --seed: the same seed asks for the same things, in an
 * order that the scheduler decides. Prints how often each operation was done and
 * refused, then TAP; "not ok" lines are preceded by what was seen.
 *
 * Exit status: 0, 1 if something was wrong, 2 usage or setup.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mempolicy.h"

#define TOP "/sys/fs/cgroup/privmem-soak"
#define SWAP_FILE "/var/tmp/privmem-swap"
#define MAX_WORKERS 32
#define AREAS 6
#define AREA_PAGES 1024		/* of two huge pages; others are much smaller */
#define MAX_COMPLAINTS 20
#define HANG_SEC 120

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

enum op {
	OP_MAP, OP_UNMAP, OP_WRITE, OP_VERIFY, OP_MBIND, OP_MBIND_MOVE, OP_TASK_POLICY,
	OP_MOVE_PAGES, OP_MIGRATE_PAGES, OP_FORK, OP_COPY_ON_WRITE, OP_MLOCK, OP_POPULATE,
	OP_FALLOCATE, OP_READ_INTO, OP_DONTNEED, OP_FREE, OP_COLD, OP_PAGEOUT, OP_COLLAPSE,
	OP_PROTECT, OP_REMAP, OP_PIN,
	OP_GRANT, OP_SUBTREE, OP_LIMIT, OP_REVOKE, OP_MOVE_TASK, OP_KILL, OP_CGROUP_NEW,
	OP_CGROUP_REMOVE, OP_RECLAIM,
	OP_OFFLINE, OP_ONLINE, OP_UNBIND, OP_BIND, OP_SWAPOFF, OP_CENSUS,
	NR_OPS
};

/* A kind that is_refused must have met its refusal, or the run was too tame. */
static const struct {
	const char *name;
	bool is_refused;
} ops[NR_OPS] = {
	[OP_MAP] = { "map", false },
	[OP_UNMAP] = { "unmap", false },
	[OP_WRITE] = { "write", true },
	[OP_VERIFY] = { "verify", false },
	[OP_MBIND] = { "mbind", true },
	[OP_MBIND_MOVE] = { "mbind-move", true },
	[OP_TASK_POLICY] = { "set_mempolicy", true },
	[OP_MOVE_PAGES] = { "move_pages", true },
	[OP_MIGRATE_PAGES] = { "migrate_pages", true },
	[OP_FORK] = { "fork", false },
	[OP_COPY_ON_WRITE] = { "copy-on-write", true },
	[OP_MLOCK] = { "mlock", true },
	[OP_POPULATE] = { "populate", true },
	[OP_FALLOCATE] = { "fallocate", true },
	[OP_READ_INTO] = { "read-into", true },
	[OP_DONTNEED] = { "madvise-dontneed", false },
	[OP_FREE] = { "madvise-free", false },
	[OP_COLD] = { "madvise-cold", false },
	[OP_PAGEOUT] = { "madvise-pageout", false },
	[OP_COLLAPSE] = { "madvise-collapse", true },
	[OP_PROTECT] = { "mprotect", false },
	[OP_REMAP] = { "mremap", false },
	[OP_PIN] = { "pin", false },
	[OP_GRANT] = { "grant", false },
	[OP_SUBTREE] = { "subtree", false },
	[OP_LIMIT] = { "limit", false },
	[OP_REVOKE] = { "revoke-all", false },
	[OP_MOVE_TASK] = { "move-task", false },
	[OP_KILL] = { "kill", false },
	[OP_CGROUP_NEW] = { "mkdir", false },
	[OP_CGROUP_REMOVE] = { "rmdir", false },
	[OP_RECLAIM] = { "memory.reclaim", false },
	[OP_OFFLINE] = { "offline", false },
	[OP_ONLINE] = { "online", false },
	[OP_UNBIND] = { "unbind", false },
	[OP_BIND] = { "bind", false },
	[OP_SWAPOFF] = { "swapoff", false },
	[OP_CENSUS] = { "census", false },
};

enum kind { KIND_ANON, KIND_HUGE, KIND_SHARED, KIND_MEMFD, NR_KINDS };

/*
 * stamp[] says what each page holds: 0 if it was never written or given away and
 * reads as zeros, else what was written last.  A page that was MADV_FREEd is
 * is_free[]: it still holds its stamp or is zero.
 */
struct area {
	char *memory;
	size_t pages;
	enum kind kind;
	int fd;
	bool is_strict;		/* bound to private memory alone: may be refused */
	bool is_copied;		/* was there at a fork: a write may have to copy */
	uint64_t stamp[AREA_PAGES];
	bool is_free[AREA_PAGES];
};

struct worker {
	_Atomic pid_t pid;
	_Atomic unsigned int beats;
	_Atomic int op;
};

/* Between all processes; the only memory here that is nobody's in particular. */
static struct shared {
	_Atomic bool stop;
	_Atomic unsigned long done[NR_OPS], refused[NR_OPS];
	_Atomic int complaints;
	char complaint[MAX_COMPLAINTS][256];
	struct worker workers[MAX_WORKERS];
	pthread_mutex_t quiet;		/* held while the workers are frozen */
	_Atomic bool frozen;		/* they were, and could not beat */
} *shared;

static struct area areas[AREAS];
static struct worker *me;
static uint64_t rng, last_stamp;
static unsigned int nr_workers = 8, seconds = 60;
static uint64_t seed;
static int pinned[2] = { -1, -1 };
static bool has_policy;			/* of the task, and strict */

static sigjmp_buf bus_return;
static volatile bool is_guarded;

static void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Something happened that must not. The first few are kept, and end the run. */
static void complain(const char *format, ...)
{
	int n = atomic_fetch_add(&shared->complaints, 1);
	va_list args;

	if (n < MAX_COMPLAINTS) {
		va_start(args, format);
		vsnprintf(shared->complaint[n], sizeof(shared->complaint[n]), format, args);
		va_end(args);
	}
	atomic_store(&shared->stop, true);
}

static void count(enum op op, bool is_done)
{
	atomic_fetch_add(is_done ? &shared->done[op] : &shared->refused[op], 1);
}

static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

static unsigned int random_below(unsigned int n)
{
	rng = mix(rng);
	return (rng >> 16) % n;
}

static bool one_in(unsigned int n)
{
	return !random_below(n);
}

static void sleep_usec(long usec)
{
	struct timespec time = { .tv_sec = usec / 1000000, .tv_nsec = usec % 1000000 * 1000 };

	nanosleep(&time, NULL);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

/* Return: 0 or -errno */
static int write_file(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static int read_file(const char *path, char *buffer, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while (len < size - 1 && (n = read(fd, buffer + len, size - 1 - len)) > 0)
		len += n;
	buffer[len] = '\0';
	close(fd);
	return 0;
}

static int write_cgroup(const char *path, const char *file, const char *value)
{
	char name[256];

	snprintf(name, sizeof(name), TOP "%s/%s", path, file);
	return write_file(name, value);
}

/* The number behind "N1 " in a cgroup's file; -1 if there is none or it is max. */
static long read_bytes(const char *path, const char *file, int nid)
{
	char name[256], text[1024], key[16], *line;

	snprintf(name, sizeof(name), TOP "%s/%s", path, file);
	if (read_file(name, text, sizeof(text)))
		return -1;
	snprintf(key, sizeof(key), "N%d ", nid);
	for (line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, key, strlen(key)))
			return line[strlen(key)] == 'm' ? -1 : atol(line + strlen(key));
	}
	return -1;
}

/* ---- the worker: memory ------------------------------------------------ */

static void on_bus(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	if (is_guarded) {
		if (info->si_code != BUS_ADRERR)
			complain("SIGBUS with code %d", info->si_code);
		is_guarded = false;
		siglongjmp(bus_return, 1);
	}
	complain("SIGBUS outside of any access to an area, at %p", info->si_addr);
	_exit(1);
}

/* What the program itself writes to: data, heap, stack and thread-local storage. */
static struct range {
	char *start, *end;
} own[8];
static unsigned int nr_own;

static void find_own(void)
{
	static char text[4096];
	char *line, *rest, access[5];
	struct range range;

	if (read_file("/proc/self/maps", text, sizeof(text)))
		complain("/proc/self/maps: %s", strerrorname_np(errno));
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (sscanf(line, "%p-%p %4s", (void **)&range.start, (void **)&range.end, access) != 3 ||
		    strcmp(access, "rw-p"))
			continue;
		if (nr_own == ARRAY_SIZE(own))
			complain("a worker has more mappings than were thought of");
		else
			own[nr_own++] = range;
	}
}

/*
 * After a fork what the parent writes to may have to be copied, and a strict policy of
 * the task may have no page for that: not for the stack that SIGBUS is handled on, nor
 * for the restartable sequence's area in thread-local storage, which the kernel writes
 * to. Both end in SIGSEGV, as ever where user memory cannot be written on behalf of
 * a task. So own all of it first; swap does not take that away again.
 */
static void keep_own(void)
{
	unsigned int i;

	for (i = 0; i < nr_own; i++)
		if (madvise(own[i].start, own[i].end - own[i].start, MADV_POPULATE_WRITE))
			complain("populating %p: %s", own[i].start, strerrorname_np(errno));
}

static void catch_bus(void)
{
	static char stack[64 << 10];
	struct sigaction action = { .sa_sigaction = on_bus, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };

	memset(stack, 1, sizeof(stack));
	sigaltstack(&alternate, NULL);
	sigaction(SIGBUS, &action, NULL);
}

static const size_t word_offset[] = { 0, 2048, PAGE - 8 };

static uint64_t word_of(uint64_t stamp, int i)
{
	return stamp ? mix(stamp + i) : 0;
}

static volatile uint64_t *word_at(const struct area *area, size_t page, int i)
{
	return (volatile uint64_t *)(area->memory + page * PAGE + word_offset[i]);
}

/* Write @stamp over a page. Return: how many words arrived before SIGBUS came */
static __attribute__((noinline)) int store_page(const struct area *area, size_t page,
						uint64_t stamp)
{
	volatile int i = 0;

	if (sigsetjmp(bus_return, 1))
		return i;
	is_guarded = true;
	for (; i < (int)ARRAY_SIZE(word_offset); i++)
		*word_at(area, page, i) = word_of(stamp, i);
	is_guarded = false;
	return i;
}

/* Read the words of a page. Return: how many before SIGBUS came */
static __attribute__((noinline)) int load_page(const struct area *area, size_t page,
					       uint64_t *words)
{
	volatile int i = 0;

	if (sigsetjmp(bus_return, 1))
		return i;
	is_guarded = true;
	for (; i < (int)ARRAY_SIZE(word_offset); i++)
		words[i] = *word_at(area, page, i);
	is_guarded = false;
	return i;
}

static bool holds(const uint64_t *words, uint64_t stamp)
{
	int i;

	for (i = 0; i < (int)ARRAY_SIZE(word_offset); i++)
		if (words[i] != word_of(stamp, i))
			return false;
	return true;
}

/* May the first touch of a page that is not there be refused? */
static bool may_refuse(const struct area *area)
{
	return area->is_strict || has_policy;
}

/* A page that was never written may be refused; one that was must be as it was. */
static bool verify_page(struct area *area, size_t page)
{
	uint64_t words[ARRAY_SIZE(word_offset)], stamp = area->stamp[page];
	int n = load_page(area, page, words);

	if (n < (int)ARRAY_SIZE(word_offset)) {
		if (n || (stamp && !area->is_free[page]) || !may_refuse(area))
			complain("page %zu of a kind %d area cannot be read: stamp %llx, word %d",
				 page, area->kind, (unsigned long long)stamp, n);
		return false;
	}
	if (holds(words, stamp))
		return true;
	if (area->is_free[page] && holds(words, 0)) {
		area->stamp[page] = 0;
		area->is_free[page] = false;
		return true;
	}
	complain("CORRUPT: page %zu of a kind %d area holds %llx %llx %llx, not stamp %llx",
		 page, area->kind, (unsigned long long)words[0], (unsigned long long)words[1],
		 (unsigned long long)words[2], (unsigned long long)stamp);
	return false;
}

/* Refused only where the page is new or has to be copied. */
static bool write_page(struct area *area, size_t page)
{
	bool was_there = area->stamp[page] && !area->is_free[page] &&
			 !(area->is_copied && area->kind <= KIND_HUGE);
	uint64_t stamp = ++last_stamp;
	int n = store_page(area, page, stamp);

	if (n == (int)ARRAY_SIZE(word_offset)) {
		area->stamp[page] = stamp;
		area->is_free[page] = false;
		return true;
	}
	if (n || was_there || !may_refuse(area))
		complain("page %zu of a kind %d area cannot be written: word %d%s%s", page,
			 area->kind, n, was_there ? ", it was there" : "",
			 may_refuse(area) ? "" : ", its policy is not strict");
	return false;
}

static void any_range(const struct area *area, size_t *ret_first, size_t *ret_count)
{
	size_t max = area->kind == KIND_HUGE ? area->pages : 32;

	*ret_first = random_below(area->pages);
	*ret_count = 1 + random_below(max);
	if (*ret_count > area->pages - *ret_first)
		*ret_count = area->pages - *ret_first;
}

static const unsigned long node_choices[] = { 2, 2, 2, 4, 4, 6, 6, 1, 3, 7 };
static const int mode_choices[] = { MPOL_BIND, MPOL_BIND, MPOL_BIND, MPOL_PREFERRED,
				    MPOL_PREFERRED_MANY, MPOL_INTERLEAVE,
				    MPOL_WEIGHTED_INTERLEAVE };

/* mbind() as it comes; EPERM and EINVAL say that the nodes are not to be had now. */
static void bind_area(struct area *area, enum op op)
{
	unsigned long nodes = node_choices[random_below(ARRAY_SIZE(node_choices))];
	int mode = mode_choices[random_below(ARRAY_SIZE(mode_choices))];
	bool is_strict = mode == MPOL_BIND && !(nodes & 1);
	int flags = 0, err = 0;

	if (op == OP_MBIND_MOVE)
		flags = one_in(4) ? MPOL_MF_MOVE | MPOL_MF_STRICT : MPOL_MF_MOVE;
	if (syscall(SYS_mbind, area->memory, area->pages * PAGE, mode, &nodes, 65, flags))
		err = errno;
	count(op, !err);
	if (err == EIO)
		area->is_strict |= is_strict;	/* set, but not all could be moved */
	else if (err == ENOMEM)
		area->is_strict |= is_strict;	/* vmas are split before it is known */
	else if (!err)
		area->is_strict = is_strict;
	else if (err != EPERM && err != EINVAL)
		complain("mbind mode %d nodes %lx: %s", mode, nodes, strerrorname_np(err));
}

static void do_map(struct area *area)
{
	int flags, prot = PROT_READ | PROT_WRITE;
	char *where;

	memset(area->stamp, 0, sizeof(area->stamp));
	memset(area->is_free, 0, sizeof(area->is_free));
	area->kind = random_below(NR_KINDS);
	area->pages = area->kind == KIND_HUGE ? AREA_PAGES : 1 + random_below(96);
	area->is_strict = area->is_copied = false;
	area->fd = -1;
	if (area->kind == KIND_MEMFD) {
		area->fd = memfd_create("privmem-soak", MFD_CLOEXEC);
		if (area->fd < 0 || ftruncate(area->fd, area->pages * PAGE))
			complain("memfd: %s", strerrorname_np(errno));
	}
	where = mmap(NULL, area->pages * PAGE + HUGE_BYTES, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (where == MAP_FAILED) {
		complain("mmap: %s", strerrorname_np(errno));
		return;
	}
	munmap(where, area->pages * PAGE + HUGE_BYTES);
	where += -(uintptr_t)where & (HUGE_BYTES - 1);
	flags = (area->kind <= KIND_HUGE ? MAP_PRIVATE : MAP_SHARED) | MAP_FIXED_NOREPLACE |
		(area->fd < 0 ? MAP_ANONYMOUS : 0);
	area->memory = mmap(where, area->pages * PAGE, prot, flags, area->fd, 0);
	if (area->memory == MAP_FAILED) {
		area->memory = NULL;
		complain("mmap: %s", strerrorname_np(errno));
		return;
	}
	if (area->kind == KIND_HUGE)
		madvise(area->memory, area->pages * PAGE, MADV_HUGEPAGE);
	count(OP_MAP, true);
	if (!one_in(8))
		bind_area(area, OP_MBIND);
}

static void do_unmap(struct area *area)
{
	munmap(area->memory, area->pages * PAGE);
	if (area->fd >= 0)
		close(area->fd);
	area->memory = NULL;
	count(OP_UNMAP, true);
}

static void do_write(struct area *area)
{
	size_t first, pages, i;

	any_range(area, &first, &pages);
	for (i = first; i < first + pages; i++) {
		bool is_done = write_page(area, i);

		count(OP_WRITE, is_done);
		if (!is_done)
			break;
	}
}

static void do_verify(struct area *area)
{
	size_t i;

	/* Reading holes of shared memory fills them: not always. */
	for (i = 0; i < area->pages; i++)
		if (area->stamp[i] || one_in(16))
			verify_page(area, i);
	count(OP_VERIFY, true);
}

/* Whatever is new meanwhile follows the task's policy. */
static void do_task_policy(struct area *area)
{
	unsigned long nodes = node_choices[random_below(ARRAY_SIZE(node_choices))];
	int mode = mode_choices[random_below(ARRAY_SIZE(mode_choices))];

	keep_own();
	has_policy = mode == MPOL_BIND && !(nodes & 1);
	if (syscall(SYS_set_mempolicy, mode, &nodes, 65)) {
		if (errno != EPERM && errno != EINVAL)
			complain("set_mempolicy: %s", strerrorname_np(errno));
		count(OP_TASK_POLICY, false);
	} else {
		count(OP_TASK_POLICY, true);
		do_write(area);
		do_verify(area);
	}
	if (syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0))
		complain("set_mempolicy(default): %s", strerrorname_np(errno));
	has_policy = false;
}

/*
 * EACCES no grant, room or permission; EBUSY pinned or in use; ENOENT not there;
 * EFAULT the zero page or nothing; ENODEV no such node now; EIO and EAGAIN for a
 * page that changed meanwhile; ENOMEM for one that could not be split.
 */
static void do_move_pages(struct area *area)
{
	static const int expected[] = { EACCES, EBUSY, ENOENT, EFAULT, ENODEV, EIO, EAGAIN, ENOMEM };
	int status[32], nodes[32], nid = random_below(3);
	size_t first, pages, i, k;
	void *addresses[32];
	long result;

	any_range(area, &first, &pages);
	if (pages > 32)
		pages = 32;
	for (i = 0; i < pages; i++) {
		addresses[i] = area->memory + (first + i) * PAGE;
		nodes[i] = one_in(8) ? (int)random_below(3) : nid;
		status[i] = -1000;
	}
	result = syscall(SYS_move_pages, 0, pages, addresses, nodes, status, MPOL_MF_MOVE);
	if (result < 0 && errno != ENODEV && errno != EACCES && errno != ENOMEM)
		complain("move_pages: %s", strerrorname_np(errno));
	for (i = 0; i < pages; i++) {
		count(OP_MOVE_PAGES, status[i] == nodes[i]);
		for (k = 0; k < ARRAY_SIZE(expected); k++)
			if (status[i] >= 0 || status[i] == -1000 || status[i] == -expected[k])
				break;
		if (k == ARRAY_SIZE(expected))
			complain("move_pages: status %d", status[i]);
	}
}

/* Of this or another worker. */
static void do_migrate_pages(void)
{
	unsigned long from = 1UL << random_below(3);
	unsigned long to = node_choices[random_below(ARRAY_SIZE(node_choices))];
	pid_t pid = one_in(3) ? atomic_load(&shared->workers[random_below(nr_workers)].pid) : 0;
	long result = syscall(SYS_migrate_pages, pid, 65, &from, &to);

	count(OP_MIGRATE_PAGES, !result);
	if (result < 0 && errno != EPERM && errno != EINVAL && errno != ESRCH && errno != ENOMEM &&
	    errno != EBUSY && errno != EIO && errno != EAGAIN && errno != EACCES && errno != ENOSPC)
		complain("migrate_pages to %lx: %s", to, strerrorname_np(errno));
}

/* What was lent to a child: it wrote the new stamp, or did not get to it. */
static void take_back(struct area *area, const uint64_t *lent, bool is_torn)
{
	uint64_t words[ARRAY_SIZE(word_offset)];
	size_t i;

	for (i = 0; i < area->pages; i++) {
		if (!lent[i])
			continue;
		if (is_torn)
			write_page(area, i);
		else if (load_page(area, i, words) == (int)ARRAY_SIZE(word_offset) &&
			 holds(words, lent[i]))
			area->stamp[i] = lent[i];
		else
			verify_page(area, i);
	}
}

static void store_lent(const struct area *area, size_t page, uint64_t stamp)
{
	int n = store_page(area, page, stamp);

	if (n && n < (int)ARRAY_SIZE(word_offset))
		complain("a child lost a page of shared memory that it had");
}

/*
 * The child sees what the parent has, copies by writing, in another cgroup perhaps;
 * the parent writes too. In shared memory the child writes what it was lent.
 */
static __attribute__((noreturn)) void child(struct area *mine, const uint64_t *lent)
{
	static const char *const cgroups[] = { "", "/a/x", "/a/y", "/b/x", "/b/y" };
	size_t first, pages, i;
	struct area *area;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (one_in(4))
		write_cgroup(cgroups[1 + random_below(4)], "cgroup.procs", "0");
	for (area = areas; area < areas + AREAS; area++) {
		if (!area->memory)
			continue;
		for (i = 0; i < area->pages; i++) {
			if (area->stamp[i] && area->kind <= KIND_HUGE)
				verify_page(area, i);
			if (area == mine && lent[i])
				store_lent(area, i, lent[i]);
		}
		if (area->kind > KIND_HUGE)
			continue;
		any_range(area, &first, &pages);
		for (i = first; i < first + pages && i < area->pages; i++)
			count(OP_COPY_ON_WRITE, write_page(area, i));
		for (i = 0; i < area->pages; i++)
			if (area->stamp[i])
				verify_page(area, i);
	}
	if (one_in(2))
		raise(SIGKILL);
	_exit(0);
}

static void do_fork(struct area *mine)
{
	static uint64_t lent[AREA_PAGES];
	struct area *area;
	size_t first, pages, i;
	int status;
	pid_t pid;

	memset(lent, 0, sizeof(lent));
	if (mine->kind > KIND_HUGE) {
		any_range(mine, &first, &pages);
		for (i = first; i < first + pages; i++)
			lent[i] = ++last_stamp;
	}
	last_stamp += AREA_PAGES * AREAS;	/* the child's own */
	for (area = areas; area < areas + AREAS; area++)
		area->is_copied = true;
	pid = fork();
	if (!pid) {
		last_stamp -= AREA_PAGES * AREAS;
		rng = mix(rng + 1);
		child(mine, lent);
	}
	count(OP_FORK, pid > 0);
	if (pid < 0) {
		if (errno != ENOMEM && errno != EAGAIN)
			complain("fork: %s", strerrorname_np(errno));
		return;
	}
	if (mine->kind <= KIND_HUGE)
		do_write(mine);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		complain("a child died of signal %d", WTERMSIG(status));
	/* Its own SIGKILL comes last; a foreign one may come between two words. */
	if (mine->kind > KIND_HUGE)
		take_back(mine, lent, WIFSIGNALED(status));
}

static void do_mlock(struct area *area)
{
	size_t first, pages;

	any_range(area, &first, &pages);
	if (mlock(area->memory + first * PAGE, pages * PAGE)) {
		if (errno != ENOMEM && errno != EAGAIN)
			complain("mlock: %s", strerrorname_np(errno));
		count(OP_MLOCK, false);
		if (!may_refuse(area))
			complain("mlock refused without a strict policy: %s", strerrorname_np(errno));
	} else {
		count(OP_MLOCK, true);
	}
	if (!one_in(3))
		munlock(area->memory, area->pages * PAGE);
}

static void do_populate(struct area *area)
{
	size_t first, pages;
	int err = 0;

	any_range(area, &first, &pages);
	if (madvise(area->memory + first * PAGE, pages * PAGE, MADV_POPULATE_WRITE))
		err = errno;
	count(OP_POPULATE, !err);
	if (err && (err != EFAULT || !may_refuse(area)))
		complain("populate: %s", strerrorname_np(err));
}

/* ENOSPC is a strict policy's refusal. Punching gives pages away. */
static void do_fallocate(struct area *area)
{
	size_t first, pages, i;
	int err = 0;

	if (area->kind != KIND_MEMFD)
		return;
	any_range(area, &first, &pages);
	if (one_in(2)) {
		if (fallocate(area->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, first * PAGE,
			      pages * PAGE))
			complain("punch: %s", strerrorname_np(errno));
		for (i = first; i < first + pages; i++)
			area->stamp[i] = 0;
		return;
	}
	if (fallocate(area->fd, 0, first * PAGE, pages * PAGE))
		err = errno;
	count(OP_FALLOCATE, !err);
	if (err && ((err != ENOSPC && err != EINTR) || !may_refuse(area)))
		complain("fallocate: %s", strerrorname_np(err));
}

/* read(2) into a page: EFAULT is the refusal, and it may be one only for a new page. */
static void do_read_into(struct area *area)
{
	static char page[PAGE];
	size_t index = random_below(area->pages);
	bool was_there = area->stamp[index] && !area->is_free[index] &&
			 !(area->is_copied && area->kind <= KIND_HUGE);
	uint64_t stamp = ++last_stamp, word;
	int ends[2], i, err = 0;

	memset(page, 0, sizeof(page));
	for (i = 0; i < (int)ARRAY_SIZE(word_offset); i++) {
		word = word_of(stamp, i);
		memcpy(page + word_offset[i], &word, sizeof(word));
	}
	if (pipe2(ends, O_CLOEXEC)) {
		complain("pipe: %s", strerrorname_np(errno));
		return;
	}
	if (write(ends[1], page, PAGE) != (ssize_t)PAGE)
		complain("pipe: %s", strerrorname_np(errno));
	if (read(ends[0], area->memory + index * PAGE, PAGE) != (ssize_t)PAGE)
		err = errno;
	close(ends[0]);
	close(ends[1]);
	count(OP_READ_INTO, !err);
	if (!err) {
		area->stamp[index] = stamp;
		area->is_free[index] = false;
	} else if (err != EFAULT || was_there || !may_refuse(area)) {
		complain("read into an area: %s%s", strerrorname_np(err),
			 was_there ? ", the page was there" : "");
	}
}

static void do_advise(struct area *area, enum op op)
{
	static const int advice[NR_OPS] = {
		[OP_DONTNEED] = MADV_DONTNEED, [OP_FREE] = MADV_FREE, [OP_COLD] = MADV_COLD,
		[OP_PAGEOUT] = MADV_PAGEOUT, [OP_COLLAPSE] = MADV_COLLAPSE,
	};
	bool is_private = area->kind <= KIND_HUGE, is_done;
	size_t first, pages, i;

	any_range(area, &first, &pages);
	if (op == OP_COLLAPSE) {
		first = 0;
		pages = area->pages;
	}
	if (op == OP_FREE && !is_private)
		return;
	is_done = !madvise(area->memory + first * PAGE, pages * PAGE, advice[op]);
	/* EINVAL for locked memory, and for what cannot be collapsed */
	if (!is_done && errno != EINVAL && op != OP_COLLAPSE)
		complain("madvise %d: %s", advice[op], strerrorname_np(errno));
	count(op, is_done);
	for (i = first; i < first + pages; i++) {
		if (op == OP_DONTNEED && is_private && is_done) {
			area->stamp[i] = 0;
			area->is_free[i] = false;
		} else if (op == OP_FREE || (op == OP_DONTNEED && is_private)) {
			/* A refusal may come after a part was done. */
			area->is_free[i] = area->stamp[i];
		}
	}
}

static void do_protect(struct area *area)
{
	if (mprotect(area->memory, area->pages * PAGE, PROT_READ))
		complain("mprotect: %s", strerrorname_np(errno));
	do_verify(area);
	if (mprotect(area->memory, area->pages * PAGE, PROT_READ | PROT_WRITE))
		complain("mprotect: %s", strerrorname_np(errno));
	count(OP_PROTECT, true);
}

static void do_remap(struct area *area)
{
	size_t bytes = area->pages * PAGE;
	char *where = mmap(NULL, bytes + HUGE_BYTES, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *to = where + (-(uintptr_t)where & (HUGE_BYTES - 1));

	if (where == MAP_FAILED)
		return;
	munmap(where, bytes + HUGE_BYTES);
	/* EFAULT where binding or locking a part has made several mappings of it */
	to = mremap(area->memory, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	if (to != MAP_FAILED)
		area->memory = to;
	else if (errno != EFAULT && errno != EINVAL && errno != EAGAIN)
		complain("mremap: %s", strerrorname_np(errno));
	count(OP_REMAP, to != MAP_FAILED);
}

/* Hold a page in a pipe for a while: nothing can move it. */
static void do_pin(struct area *area)
{
	size_t page = random_below(area->pages);
	struct iovec iov = { .iov_base = area->memory + page * PAGE, .iov_len = PAGE };

	if (pinned[0] >= 0) {
		close(pinned[0]);
		close(pinned[1]);
		pinned[0] = -1;
		return;
	}
	if (!area->stamp[page] || area->is_free[page] || pipe2(pinned, O_CLOEXEC))
		return;
	if (vmsplice(pinned[1], &iov, 1, 0) != (ssize_t)PAGE)
		complain("vmsplice of a page that is there: %s", strerrorname_np(errno));
	count(OP_PIN, true);
}

/* How often each comes, of their sum. */
static const struct {
	enum op op;
	unsigned int weight;
} mixture[] = {
	{ OP_UNMAP, 4 }, { OP_WRITE, 24 }, { OP_VERIFY, 6 }, { OP_MBIND, 4 },
	{ OP_MBIND_MOVE, 8 }, { OP_TASK_POLICY, 4 }, { OP_MOVE_PAGES, 8 },
	{ OP_MIGRATE_PAGES, 2 }, { OP_FORK, 4 }, { OP_MLOCK, 3 }, { OP_POPULATE, 3 },
	{ OP_FALLOCATE, 6 }, { OP_READ_INTO, 4 }, { OP_DONTNEED, 3 }, { OP_FREE, 2 },
	{ OP_COLD, 1 }, { OP_PAGEOUT, 4 }, { OP_COLLAPSE, 2 }, { OP_PROTECT, 2 },
	{ OP_REMAP, 2 }, { OP_PIN, 1 },
};

static enum op any_op(void)
{
	static unsigned int sum;
	unsigned int i, n;

	if (!sum)
		for (i = 0; i < ARRAY_SIZE(mixture); i++)
			sum += mixture[i].weight;
	for (i = 0, n = random_below(sum); n >= mixture[i].weight; i++)
		n -= mixture[i].weight;
	return mixture[i].op;
}

static void work_once(void)
{
	struct area *area = &areas[random_below(AREAS)];
	enum op op = area->memory ? any_op() : OP_MAP;

	/* A pin holds up a whole node: not for long. */
	if (pinned[0] >= 0 && one_in(8) && area->memory)
		op = OP_PIN;
	atomic_store(&me->op, op);
	switch (op) {
	case OP_MAP: do_map(area); break;
	case OP_UNMAP: do_unmap(area); break;
	case OP_WRITE: do_write(area); break;
	case OP_VERIFY: do_verify(area); break;
	case OP_MBIND:
	case OP_MBIND_MOVE: bind_area(area, op); break;
	case OP_TASK_POLICY: do_task_policy(area); break;
	case OP_MOVE_PAGES: do_move_pages(area); break;
	case OP_MIGRATE_PAGES: do_migrate_pages(); break;
	case OP_FORK: do_fork(area); break;
	case OP_MLOCK: do_mlock(area); break;
	case OP_POPULATE: do_populate(area); break;
	case OP_FALLOCATE: do_fallocate(area); break;
	case OP_READ_INTO: do_read_into(area); break;
	case OP_PROTECT: do_protect(area); break;
	case OP_REMAP: do_remap(area); break;
	case OP_PIN: do_pin(area); break;
	default: do_advise(area, op); break;
	}
	atomic_fetch_add(&me->beats, 1);
}

static __attribute__((noreturn)) void worker(unsigned int index, unsigned int life)
{
	static const char *const homes[] = { "/a/x", "/a/y", "/b/x", "/b/y" };
	struct area *area;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	me = &shared->workers[index];
	rng = mix(seed ^ mix(index * 1000003UL + life));
	last_stamp = (uint64_t)(index + 1) << 56 | (uint64_t)life << 40;
	if (write_cgroup(homes[index % 4], "cgroup.procs", "0"))
		complain("a worker cannot enter its cgroup");
	catch_bus();
	find_own();
	while (!atomic_load(&shared->stop))
		work_once();
	for (area = areas; area < areas + AREAS; area++)
		if (area->memory)
			do_verify(area);
	_exit(0);
}

/* ---- the admin: cgroups ------------------------------------------------- */

static const char *const cgroups[] = { "", "/a", "/b", "/a/x", "/a/y", "/b/x", "/b/y" };
#define NR_DYNAMIC 4

/* The limit, and the use that was seen last, per node. */
static struct bound {
	long max, use;
} bounds[ARRAY_SIZE(cgroups)][3];

/* No charge takes use above the limit; where it was lowered, use only shrinks. */
static void check_bounds(unsigned int cg)
{
	int nid;

	for (nid = 1; nid <= 2; nid++) {
		struct bound *bound = &bounds[cg][nid];
		long use = read_bytes(cgroups[cg], "memory.private_nodes.current", nid);

		if (use < 0)		/* the node is away */
			continue;
		if (bound->max >= 0 && use > bound->max && use > bound->use)
			complain("%s uses %ld of node %d, its limit is %ld, it used %ld",
				 cgroups[cg], use, nid, bound->max, bound->use);
		bound->use = use;
	}
}

static void do_limit(void)
{
	unsigned int cg = random_below(ARRAY_SIZE(cgroups));
	int nid = 1 + random_below(2), err;
	long bytes = one_in(3) ? -1 : (long)random_below(one_in(2) ? 256 : 4096) * (long)PAGE;
	char value[64];

	if (bytes < 0)
		snprintf(value, sizeof(value), "N%d max", nid);
	else
		snprintf(value, sizeof(value), "N%d %ld", nid, bytes);
	err = write_cgroup(cgroups[cg], "memory.private_nodes.max", value);
	if (err)
		complain("limit '%s': %s", value, strerrorname_np(-err));
	bounds[cg][nid].max = bytes;
	bounds[cg][nid].use = read_bytes(cgroups[cg], "memory.private_nodes.current", nid);
	if (bounds[cg][nid].use < 0)
		bounds[cg][nid].use = LONG_MAX;
	count(OP_LIMIT, true);
}

static void do_grant(void)
{
	static const char *const grants[] = { "1-2", "1-2", "1", "2", "none", "\n" };
	unsigned int cg = random_below(ARRAY_SIZE(cgroups));
	const char *grant = grants[random_below(ARRAY_SIZE(grants))];
	bool is_subtree = one_in(3);
	int err = write_cgroup(cgroups[cg], is_subtree ? "memory.private_nodes.subtree" :
			       "memory.private_nodes", grant);

	if (err)
		complain("grant '%s': %s", grant, strerrorname_np(-err));
	count(is_subtree ? OP_SUBTREE : OP_GRANT, true);
	/* Most of the time there shall be something to be had. */
	if (!cg || one_in(2)) {
		write_cgroup("", "memory.private_nodes", "1-2");
		write_cgroup("/a", "memory.private_nodes", "\n");
	}
}

/* Once the revoke is written no new page comes, anywhere below. */
static void do_revoke(void)
{
	long before[3], after = 0;
	int nid, tries;

	write_cgroup("", "memory.private_nodes.subtree", "none");
	write_cgroup("", "memory.private_nodes", "none");
	for (nid = 1; nid <= 2; nid++)
		before[nid] = read_bytes("", "memory.private_nodes.current", nid);
	sleep_usec(3000);
	for (nid = 1; nid <= 2; nid++) {
		if (before[nid] < 0)
			continue;
		/* A charge that was under way may show for the moment it takes to undo it. */
		for (tries = 0; tries < 100; tries++) {
			after = read_bytes("", "memory.private_nodes.current", nid);
			if (after <= before[nid])
				break;
			sleep_usec(1000);
		}
		if (after > before[nid])
			complain("use of node %d grew from %ld to %ld after the grant was revoked",
				 nid, before[nid], after);
	}
	write_cgroup("", "memory.private_nodes", "1-2");
	write_cgroup("", "memory.private_nodes.subtree", "1-2");
	count(OP_REVOKE, true);
}

static bool is_dynamic[NR_DYNAMIC];

static void dynamic_path(unsigned int i, char *path, size_t size)
{
	snprintf(path, size, "/%c/d%u", i & 1 ? 'a' : 'b', i);
}

static void move_worker(const char *path)
{
	pid_t pid = atomic_load(&shared->workers[random_below(nr_workers)].pid);
	char text[16];
	int err;

	if (pid <= 0)
		return;
	snprintf(text, sizeof(text), "%d", pid);
	err = write_cgroup(path, "cgroup.procs", text);
	if (err && err != -ESRCH)
		complain("moving %d to %s: %s", pid, path, strerrorname_np(-err));
	count(OP_MOVE_TASK, !err);
}

static void do_cgroup(void)
{
	unsigned int i = random_below(NR_DYNAMIC);
	char path[32], name[128], text[4096], *line;
	int err;

	dynamic_path(i, path, sizeof(path));
	snprintf(name, sizeof(name), TOP "%s", path);
	if (!is_dynamic[i]) {
		if (mkdir(name, 0755) && errno != EEXIST)
			complain("mkdir: %s", strerrorname_np(errno));
		is_dynamic[i] = true;
		count(OP_CGROUP_NEW, true);
		write_cgroup(path, "memory.private_nodes.max", one_in(2) ? "N1 256K" : "N2 1M");
		move_worker(path);
		move_worker(path);
		return;
	}
	snprintf(name, sizeof(name), TOP "%s/cgroup.procs", path);
	read_file(name, text, sizeof(text));
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		write_cgroup("/a/x", "cgroup.procs", line);
	snprintf(name, sizeof(name), TOP "%s", path);
	err = rmdir(name) ? errno : 0;
	if (!err)
		is_dynamic[i] = false;
	else if (err != EBUSY)
		complain("rmdir: %s", strerrorname_np(err));
	count(OP_CGROUP_REMOVE, !err);
}

static void do_kill(void)
{
	pid_t pid = atomic_load(&shared->workers[random_below(nr_workers)].pid);

	if (pid > 0)
		kill(pid, SIGKILL);
	count(OP_KILL, pid > 0);
}

static void do_reclaim(void)
{
	int err = write_cgroup(cgroups[random_below(ARRAY_SIZE(cgroups))], "memory.reclaim", "256K");

	if (err && err != -EAGAIN && err != -EINTR)
		complain("memory.reclaim: %s", strerrorname_np(-err));
	count(OP_RECLAIM, !err);
}

static __attribute__((noreturn)) void admin(void)
{
	unsigned int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	rng = mix(seed ^ 0xad317);
	for (i = 0; i < ARRAY_SIZE(bounds); i++)
		bounds[i][1].max = bounds[i][2].max = -1;
	while (!atomic_load(&shared->stop)) {
		pthread_mutex_lock(&shared->quiet);
		switch (random_below(16)) {
		case 0 ... 2: do_grant(); break;
		case 3 ... 6: do_limit(); break;
		case 7: do_revoke(); break;
		case 8 ... 9: move_worker(cgroups[3 + random_below(4)]); break;
		case 10 ... 11: do_cgroup(); break;
		case 12: do_reclaim(); break;
		case 13:
			if (one_in(4))
				do_kill();
			break;
		default: check_bounds(random_below(ARRAY_SIZE(cgroups))); break;
		}
		pthread_mutex_unlock(&shared->quiet);
		sleep_usec(1000 + random_below(10000));
	}
	_exit(0);
}

/* ---- the operator: nodes and swap --------------------------------------- */

static char dax_name[3][64];

static void find_dax(void)
{
	char path[128], text[64];
	int i, nid;

	for (i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), "/sys/bus/dax/devices/dax%d.0/target_node", i);
		if (read_file(path, text, sizeof(text)))
			continue;
		nid = atoi(text);
		if (nid == 1 || nid == 2)
			snprintf(dax_name[nid], sizeof(dax_name[nid]), "dax%d.0", i);
	}
	if (!*dax_name[1] || !*dax_name[2]) {
		fprintf(stderr, "privmem-soak: nodes 1 and 2 are not both dax devices\n");
		exit(2);
	}
}

static int write_state(int nid, const char *value)
{
	char path[160];

	snprintf(path, sizeof(path), "/sys/bus/dax/devices/%s/state", dax_name[nid]);
	return write_file(path, value);
}

static bool is_private(int nid)
{
	char text[64];

	if (read_file("/sys/devices/system/node/has_private_memory", text, sizeof(text)))
		return false;
	/* "1-2", "1", "2" or nothing */
	return strchr(text, '0' + nid) != NULL;
}

/* Busy while a page is pinned, or new ones come as fast as others leave. */
static void do_offline(int nid)
{
	int err = write_state(nid, "offline");

	count(OP_OFFLINE, !err);
	if (err && err != -EBUSY)
		complain("offline: %s", strerrorname_np(-err));
	if (err && !is_private(nid))
		complain("offline was refused and node %d is gone", nid);
	if (!err && is_private(nid))
		complain("node %d is offline and private", nid);
	sleep_usec(random_below(50000));
	err = write_state(nid, "online");
	count(OP_ONLINE, !err);
	if (err || !is_private(nid))
		complain("online: %d, node %d is %sprivate", err, nid, is_private(nid) ? "" : "not ");
}

/* Cannot fail; what is in use stays private, and is adopted. */
static void do_unbind(int nid)
{
	int err = write_file("/sys/bus/dax/drivers/kmem/unbind", dax_name[nid]);

	if (err)
		complain("unbind: %s", strerrorname_np(-err));
	count(OP_UNBIND, !is_private(nid));
	sleep_usec(random_below(50000));
	err = write_file("/sys/bus/dax/drivers/kmem/bind", dax_name[nid]);
	if (err || !is_private(nid))
		complain("bind: %d, node %d is %sprivate", err, nid, is_private(nid) ? "" : "not ");
	count(OP_BIND, !err);
}

static void do_swapoff(void)
{
	if (swapoff(SWAP_FILE)) {
		if (errno != ENOMEM && errno != EINTR)
			complain("swapoff: %s", strerrorname_np(errno));
		count(OP_SWAPOFF, false);
		return;
	}
	count(OP_SWAPOFF, true);
	if (swapon(SWAP_FILE, 0))
		complain("swapon: %s", strerrorname_np(errno));
}

/* Pages on the free lists of a node: exact, unlike the counters, which hear of them later. */
static long node_buddy_pages(int nid)
{
	static char text[16 << 10];
	char *line, *rest;
	long sum = 0;
	int found, used, order;

	if (read_file("/proc/buddyinfo", text, sizeof(text)))
		return -1;
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		unsigned long blocks;

		used = 0;
		if (sscanf(line, "Node %d, zone %*s%n", &found, &used) != 1 || found != nid)
			continue;
		for (order = 0, line += used; sscanf(line, "%lu%n", &blocks, &used) == 1; line += used)
			sum += blocks << order++;
	}
	return sum;
}

/* The sum of a node's lines of zoneinfo that @format reads a number from. */
static long node_zoneinfo(int nid, const char *format)
{
	static char text[128 << 10];
	char *line, *rest;
	bool is_ours = false;
	long sum = 0, value;
	int found;

	if (read_file("/proc/zoneinfo", text, sizeof(text)))
		return -1;
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (sscanf(line, "Node %d,", &found) == 1)
			is_ours = found == nid;
		if (is_ours && sscanf(line, format, &value) == 1)
			sum += value;
	}
	return sum;
}

/* Pages of a node that are not free, per-CPU lists counted as free. */
static long node_used(int nid)
{
	long pcp, before, buddy;
	char path[96];

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/compact", nid);
	write_file(path, "1");
	pcp = node_zoneinfo(nid, " count: %ld");
	do {
		before = pcp;
		buddy = node_buddy_pages(nid);
		pcp = node_zoneinfo(nid, " count: %ld");
	} while (pcp != before);
	return node_zoneinfo(nid, " managed %ld") - buddy - pcp;
}

static bool is_our_cgroup(uint64_t inode)
{
	char path[32], name[128];
	struct stat st;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cgroups) + NR_DYNAMIC; i++) {
		if (i < ARRAY_SIZE(cgroups))
			snprintf(path, sizeof(path), "%s", cgroups[i]);
		else
			dynamic_path(i - ARRAY_SIZE(cgroups), path, sizeof(path));
		snprintf(name, sizeof(name), TOP "%s", path);
		if (!stat(name, &st) && st.st_ino == inode)
			return true;
	}
	return false;
}

#define KPF_BUDDY	(1ULL << 10)
#define KPF_NOPAGE	(1ULL << 20)

/* For whoever has to find out: pages of a node in use that are charged to no cgroup of ours. */
static void tell_strays(int nid)
{
	int flags_fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	int cgroup_fd = open("/proc/kpagecgroup", O_RDONLY | O_CLOEXEC);
	long pfn = node_zoneinfo(nid, " start_pfn: %ld"), told = 0;
	long end = pfn + node_zoneinfo(nid, " spanned %ld");
	static uint64_t flags[512], inode[512];
	int i;

	for (; pfn < end && told < 4; pfn += 512) {
		if (pread(flags_fd, flags, sizeof(flags), pfn * 8) != sizeof(flags) ||
		    pread(cgroup_fd, inode, sizeof(inode), pfn * 8) != sizeof(inode))
			break;
		for (i = 0; i < 512 && told < 4; i++) {
			/* A page without flags is on a per-CPU list, as far as can be told. */
			if (!flags[i] || flags[i] & (KPF_BUDDY | KPF_NOPAGE) || is_our_cgroup(inode[i]))
				continue;
			complain("pfn %lx of node %d: flags %llx, cgroup %llu", pfn + i, nid,
				 (unsigned long long)flags[i], (unsigned long long)inode[i]);
			told++;
		}
	}
	close(flags_fd);
	close(cgroup_fd);
}

static bool is_frozen(const char *want)
{
	char text[256];

	return !read_file(TOP "/cgroup.events", text, sizeof(text)) && strstr(text, want);
}

static bool wait_frozen(const char *want)
{
	double deadline = now() + 60;

	while (!is_frozen(want)) {
		if (now() > deadline)
			return false;
		sleep_usec(2000);
	}
	return true;
}

/*
 * Stop the world and count: what is charged is what is used, to the page, on each
 * node. Memory that is on its way to be freed gets five seconds.
 */
static void do_census(void)
{
	double deadline;
	long charged = 0, used = 0;
	int nid;

	pthread_mutex_lock(&shared->quiet);
	write_cgroup("", "cgroup.freeze", "1");
	if (!wait_frozen("frozen 1"))
		complain("the workers cannot be frozen");
	for (nid = 1; nid <= 2; nid++) {
		for (deadline = now() + 5; now() < deadline; sleep_usec(5000)) {
			charged = read_bytes("", "memory.private_nodes.current", nid);
			used = node_used(nid) * (long)PAGE;
			if (charged == used)
				break;
		}
		if (charged != used) {
			complain("node %d: %ld bytes are charged and %ld used", nid, charged, used);
			tell_strays(nid);
		}
	}
	write_cgroup("", "cgroup.freeze", "0");
	atomic_store(&shared->frozen, true);
	pthread_mutex_unlock(&shared->quiet);
	count(OP_CENSUS, true);
}

static __attribute__((noreturn)) void operator(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	rng = mix(seed ^ 0x09e);
	while (!atomic_load(&shared->stop)) {
		switch (random_below(8)) {
		case 0 ... 2: do_offline(1 + random_below(2)); break;
		case 3 ... 4: do_unbind(1 + random_below(2)); break;
		case 5: do_swapoff(); break;
		default: do_census(); break;
		}
		sleep_usec(20000 + random_below(150000));
	}
	_exit(0);
}

/* ---- the whole ----------------------------------------------------------- */

static void make_cgroups(void)
{
	char name[128];
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(cgroups); i++) {
		snprintf(name, sizeof(name), TOP "%s", cgroups[i]);
		if (mkdir(name, 0755) && errno != EEXIST)
			goto fail;
		if (i < 3) {
			err = write_cgroup(cgroups[i], "cgroup.subtree_control", "+memory");
			if (err) {
				errno = -err;
				goto fail;
			}
		}
	}
	write_cgroup("", "memory.private_nodes", "1-2");
	write_cgroup("", "memory.private_nodes.subtree", "1-2");
	/* One half has little ordinary memory, so what moves there may not fit. */
	write_cgroup("/b", "memory.max", "24M");
	return;
fail:
	perror(name);
	exit(2);
}

static bool remove_cgroups(void)
{
	double deadline = now() + 30;
	char path[32], name[128];
	unsigned int i;
	int n;

	write_cgroup("", "cgroup.kill", "1");
	while (wait(NULL) > 0)
		;
	for (i = 0; i < NR_DYNAMIC; i++) {
		dynamic_path(i, path, sizeof(path));
		snprintf(name, sizeof(name), TOP "%s", path);
		while (rmdir(name) && errno == EBUSY && now() < deadline)
			sleep_usec(10000);
	}
	for (n = ARRAY_SIZE(cgroups) - 1; n > 0; n--) {
		snprintf(name, sizeof(name), TOP "%s", cgroups[n]);
		while (rmdir(name) && errno == EBUSY && now() < deadline)
			sleep_usec(10000);
		if (!access(name, F_OK))
			return false;
	}
	return true;
}

static void start(void (*run)(void))
{
	pid_t pid = fork();

	if (!pid)
		run();
	if (pid < 0) {
		perror("fork");
		exit(2);
	}
}

/* Fork a worker in the place of one that ended. */
static void start_worker(unsigned int index, unsigned int life)
{
	pid_t pid = fork();

	if (!pid)
		worker(index, life);
	if (pid < 0) {
		perror("fork");
		exit(2);
	}
	atomic_store(&shared->workers[index].pid, pid);
}

/* How may a worker end?  By itself when all stops, or killed. */
static void check_end(unsigned int index, int status)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	complain("worker %u ended with status %x in %s", index, status,
		 ops[shared->workers[index].op].name);
}

static unsigned int lives[MAX_WORKERS];
static double alive_since[MAX_WORKERS];

/* Which worker was it? Restarted while there is time. */
static void replace_worker(pid_t pid, int status)
{
	unsigned int i;

	for (i = 0; i < nr_workers; i++) {
		if (shared->workers[i].pid != pid)
			continue;
		check_end(i, status);
		alive_since[i] = now();
		if (!atomic_load(&shared->stop))
			start_worker(i, ++lives[i]);
		return;
	}
	if (!atomic_load(&shared->stop))
		complain("the admin or the operator ended with status %x", status);
}

static void check_beats(unsigned int *beats)
{
	bool was_frozen = atomic_exchange(&shared->frozen, false);
	unsigned int i;

	for (i = 0; i < nr_workers; i++) {
		struct worker *w = &shared->workers[i];

		if (w->beats != beats[i] || was_frozen)
			alive_since[i] = now();
		beats[i] = w->beats;
		if (now() - alive_since[i] > HANG_SEC)
			complain("worker %u hangs in %s", i, ops[w->op].name);
	}
}

/* Reap, restart, and see that nobody stands still. */
static void supervise(double end)
{
	unsigned int beats[MAX_WORKERS] = { }, i;
	int status;
	pid_t pid;

	for (i = 0; i < nr_workers; i++) {
		alive_since[i] = now();
		start_worker(i, 0);
	}
	while (!atomic_load(&shared->stop)) {
		if (now() > end)
			atomic_store(&shared->stop, true);
		pid = waitpid(-1, &status, WNOHANG);
		if (pid > 0)
			replace_worker(pid, status);
		check_beats(beats);
		if (pid <= 0)
			sleep_usec(20000);
	}
}

/* All but the killed end by themselves, having looked at their memory again. */
static bool wait_for_all(void)
{
	double deadline = now() + HANG_SEC;
	unsigned int i;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) >= 0) {
		for (i = 0; pid && i < nr_workers; i++)
			if (shared->workers[i].pid == pid)
				check_end(i, status);
		if (!pid && now() > deadline)
			return false;
		if (!pid)
			sleep_usec(20000);
	}
	return true;
}

static bool all_released(void)
{
	double deadline = now() + 20;
	long left;
	int nid;

	for (nid = 1; nid <= 2; nid++) {
		while ((left = read_bytes("", "memory.private_nodes.current", nid)) > 0 &&
		       now() < deadline)
			sleep_usec(20000);
		if (left) {
			printf("# node %d: %ld bytes are still charged\n", nid, left);
			return false;
		}
	}
	return true;
}

static bool all_happened(void)
{
	bool ok = true;
	int op;

	for (op = 0; op < NR_OPS; op++) {
		printf("# %-18s %8lu done %8lu refused\n", ops[op].name,
		       atomic_load(&shared->done[op]), atomic_load(&shared->refused[op]));
		if (!shared->done[op] || (ops[op].is_refused && !shared->refused[op]))
			ok = false;
	}
	return ok;
}

static int result(bool ok, const char *name)
{
	printf("%sok - %s\n", ok ? "" : "not ", name);
	fflush(stdout);
	return ok ? 0 : 1;
}

static int report(bool is_over)
{
	int n = atomic_load(&shared->complaints), i, failed;

	for (i = 0; i < n && i < MAX_COMPLAINTS; i++)
		printf("# %s\n", shared->complaint[i]);
	failed = result(!n, "no data lost, no limit exceeded, no call failed that must not");
	failed |= result(is_over, "every worker came to its end");
	failed |= result(all_happened(), "every kind of operation happened, refusals included");
	failed |= result(all_released(), "nothing is charged when all is freed");
	failed |= result(remove_cgroups(), "every cgroup can be removed");
	return failed;
}

static void setup_shared(void)
{
	pthread_mutexattr_t attributes;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&shared->quiet, &attributes);
	/* Nobody's policy shall decide where this is. */
	memset(shared->complaint, 1, sizeof(shared->complaint));
	if (mlock(shared, sizeof(*shared))) {
		perror("mlock");
		exit(2);
	}
}

static void parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seconds", required_argument, NULL, 's' },
		{ "seed", required_argument, NULL, 'S' },
		{ "workers", required_argument, NULL, 'w' },
		{ }
	};
	int opt;

	seed = time(NULL);
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 's': seconds = strtoul(optarg, NULL, 10); break;
		case 'S': seed = strtoull(optarg, NULL, 0); break;
		case 'w': nr_workers = strtoul(optarg, NULL, 10); break;
		default: optind = argc + 1;
		}
	}
	if (optind != argc || !seconds || !nr_workers || nr_workers > MAX_WORKERS) {
		fprintf(stderr, "Usage: privmem-soak [--seconds=N] [--seed=N] [--workers=N]\n");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	parse(argc, argv);
	printf("# privmem-soak --seconds=%u --seed=%llu --workers=%u\n", seconds,
	       (unsigned long long)seed, nr_workers);
	fflush(stdout);
	setup_shared();
	find_dax();
	make_cgroups();
	start(admin);
	start(operator);
	supervise(now() + seconds);
	return report(wait_for_all());
}
