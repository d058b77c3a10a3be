// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * privmem-touch - ask for a NUMA node, touch memory there, say where it landed
 *
 * Does one thing a test or a demo wants to see, in this order: map, bind,
 * touch, report, hold.  Raw system calls only, no libnuma: what is tested is the
 * kernel's answer and not a library's.  Every output line is "word value", so
 * that a shell can read it:
 *
 *	touched 4096		bytes touched
 *	N1 4096			bytes resident on node 1, a line for each node that has any
 *	sigbus 8192 BUS_ADRERR	with --catch: offset at which SIGBUS came, and its code
 *	half			the first half is touched, pausing (with --pause)
 *	ready			all is done, holding (with --hold)
 *
 * Exit status: 0 done, 1 a call failed (which, and why, on stderr), 2 usage,
 * 3 SIGBUS with --catch.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mempolicy.h"

enum bind_how { BIND_NONE, BIND_MBIND, BIND_TASK };
enum memory_type { MEM_ANON, MEM_SHM, MEM_MEMFD, MEM_SYSV, MEM_FILE };

struct ask {
	enum bind_how how;
	enum memory_type type;
	int mode;
	unsigned long nodes;
	size_t size;
	const char *path;
	const char *pause;
	const char *hold;
	unsigned int children;
	bool is_huge, is_collapsible, is_unbound, is_mergeable, is_catching, is_readonly, is_private_map, is_written;
};

static const char usage[] =
	"Usage: privmem-touch [OPTION]...\n"
	"  --nodes=LIST   nodes to name, such as 1 or 1,2 (default 1)\n"
	"  --bind=HOW     mbind (default), set (set_mempolicy) or none\n"
	"  --mode=MODE    bind (default), preferred, many, interleave, weighted\n"
	"  --type=TYPE    anon (default), shm (shared anonymous), memfd, sysv, file\n"
	"  --path=FILE    the file of --type=file, made if missing\n"
	"  --size=BYTES   K, M and G suffixes; default 4K\n"
	"  --huge         ask for huge pages with madvise\n"
	"  --collapsible  let khugepaged look at it, once it is touched\n"
	"  --unbind       once it is touched, give it the default policy again\n"
	"  --mergeable    let KSM look at it\n"
	"  --readonly     open the file read-only and only read from it\n"
	"  --private      map a file MAP_PRIVATE\n"
	"  --write        fill the file with write(2) instead of through the mapping\n"
	"  --fork=N       then fork N children that write to every page\n"
	"  --pause=FILE   half-way wait until FILE exists\n"
	"  --catch        catch SIGBUS and report where it came\n"
	"  --hold=FILE    at the end wait until FILE exists; - waits for end of stdin\n";

static char *memory;
static size_t page_bytes;
static volatile size_t touched;
static sigjmp_buf sigbus_return;
static volatile size_t sigbus_offset;
static volatile int sigbus_code;

static void die(const char *what)
{
	fprintf(stderr, "privmem-touch: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void die_usage(const char *what, const char *value)
{
	fprintf(stderr, "privmem-touch: %s: %s\n%s", what, value, usage);
	exit(2);
}

static size_t parse_size(const char *text)
{
	static const char suffixes[] = "KMG";
	const char *suffix;
	char *end;
	size_t bytes;

	errno = 0;
	bytes = strtoull(text, &end, 0);
	if (errno || end == text || *text == '-')
		die_usage("bad size", text);
	if (*end) {
		suffix = strchr(suffixes, *end);
		if (!suffix || end[1])
			die_usage("bad size", text);
		bytes <<= 10 * (suffix - suffixes + 1);
	}
	if (!bytes)
		die_usage("bad size", text);
	return bytes;
}

static unsigned long parse_nodes(const char *text)
{
	unsigned long nodes = 0, nid;
	char *end;

	for (;; text = end + 1) {
		nid = strtoul(text, &end, 10);
		if (end == text || nid >= MAX_NODES || (*end && *end != ','))
			die_usage("bad node list", text);
		nodes |= 1UL << nid;
		if (!*end)
			return nodes;
	}
}

/* Position of @text in @names, a list of words that ends with NULL. */
static int parse_word(const char *what, const char *text, const char *const *names)
{
	int i;

	for (i = 0; names[i]; i++)
		if (!strcmp(text, names[i]))
			return i;
	die_usage(what, text);
	return -1;
}

static void parse(int argc, char **argv, struct ask *ret_ask)
{
	static const char *const hows[] = { "none", "mbind", "set", NULL };
	static const char *const types[] = { "anon", "shm", "memfd", "sysv", "file", NULL };
	static const char *const modes[] = { "default", "preferred", "bind", "interleave",
					     "local", "many", "weighted", NULL };
	static const struct option options[] = {
		{ "nodes", required_argument, NULL, 'n' },
		{ "bind", required_argument, NULL, 'b' },
		{ "mode", required_argument, NULL, 'm' },
		{ "type", required_argument, NULL, 't' },
		{ "path", required_argument, NULL, 'p' },
		{ "size", required_argument, NULL, 's' },
		{ "hold", required_argument, NULL, 'o' },
		{ "pause", required_argument, NULL, 'a' },
		{ "fork", required_argument, NULL, 'f' },
		{ "huge", no_argument, NULL, 'H' },
		{ "collapsible", no_argument, NULL, 'C' },
		{ "unbind", no_argument, NULL, 'u' },
		{ "mergeable", no_argument, NULL, 'M' },
		{ "readonly", no_argument, NULL, 'r' },
		{ "private", no_argument, NULL, 'P' },
		{ "write", no_argument, NULL, 'w' },
		{ "catch", no_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	struct ask ask = {
		.how = BIND_MBIND, .mode = MPOL_BIND, .nodes = 1UL << 1, .size = page_bytes,
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 'n': ask.nodes = parse_nodes(optarg); break;
		case 'b': ask.how = parse_word("bad --bind", optarg, hows); break;
		case 'm': ask.mode = parse_word("bad --mode", optarg, modes); break;
		case 't': ask.type = parse_word("bad --type", optarg, types); break;
		case 'p': ask.path = optarg; break;
		case 's': ask.size = parse_size(optarg); break;
		case 'o': ask.hold = optarg; break;
		case 'a': ask.pause = optarg; break;
		case 'f': ask.children = parse_size(optarg); break;
		case 'H': ask.is_huge = true; break;
		case 'C': ask.is_collapsible = true; break;
		case 'u': ask.is_unbound = true; break;
		case 'M': ask.is_mergeable = true; break;
		case 'r': ask.is_readonly = true; break;
		case 'P': ask.is_private_map = true; break;
		case 'w': ask.is_written = true; break;
		case 'c': ask.is_catching = true; break;
		case 'h': fputs(usage, stdout); exit(0);
		default: fputs(usage, stderr); exit(2);
		}
	}
	if (optind < argc)
		die_usage("unexpected argument", argv[optind]);
	if ((ask.type == MEM_FILE) != (ask.path != NULL))
		die_usage("--path and --type=file", "need each other");
	if (ask.is_written && ask.type != MEM_FILE && ask.type != MEM_MEMFD)
		die_usage("--write", "needs --type=file or --type=memfd");
	ask.size = (ask.size + page_bytes - 1) & ~(page_bytes - 1);
	*ret_ask = ask;
}

static int open_file(const struct ask *ask)
{
	int fd;

	if (ask->type == MEM_MEMFD)
		fd = memfd_create("privmem-touch", MFD_CLOEXEC);
	else if (ask->is_readonly)
		return open(ask->path, O_RDONLY | O_CLOEXEC);
	else
		fd = open(ask->path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd >= 0 && ftruncate(fd, ask->size) < 0)
		die("ftruncate");
	return fd;
}

/* Maps, aligned to a huge page where that was asked for. */
static void map_memory(const struct ask *ask, int *ret_fd)
{
	int prot = PROT_READ | (ask->is_readonly ? 0 : PROT_WRITE);
	int flags = ask->type == MEM_ANON || ask->is_private_map ? MAP_PRIVATE : MAP_SHARED;
	size_t slack = ask->is_huge || ask->is_collapsible ? HUGE_BYTES : 0;
	char *area;
	int fd = -1, id;

	area = mmap(NULL, ask->size + slack, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED)
		die("mmap");
	if (slack)
		area += -(unsigned long)area & (HUGE_BYTES - 1);
	if (ask->type == MEM_SYSV) {
		id = shmget(IPC_PRIVATE, ask->size, IPC_CREAT | 0600);
		if (id < 0)
			die("shmget");
		memory = shmat(id, area, SHM_REMAP);
		if (memory == (void *)-1)
			die("shmat");
		shmctl(id, IPC_RMID, NULL);
	} else {
		if (ask->type == MEM_FILE || ask->type == MEM_MEMFD) {
			fd = open_file(ask);
			if (fd < 0)
				die("open");
		} else {
			flags |= MAP_ANONYMOUS;
		}
		memory = mmap(area, ask->size, prot, flags | MAP_FIXED, fd, 0);
		if (memory == MAP_FAILED)
			die("mmap");
	}
	if (ask->is_huge && madvise(memory, ask->size, MADV_HUGEPAGE) < 0)
		die("madvise");
	if (ask->is_mergeable && madvise(memory, ask->size, MADV_MERGEABLE) < 0)
		die("madvise");
	*ret_fd = fd;
}

static void bind_memory(const struct ask *ask)
{
	if (ask->how == BIND_MBIND &&
	    syscall(SYS_mbind, memory, ask->size, ask->mode, &ask->nodes, MAX_NODES + 1, 0) < 0)
		die("mbind");
	if (ask->how == BIND_TASK &&
	    syscall(SYS_set_mempolicy, ask->mode, &ask->nodes, MAX_NODES + 1) < 0)
		die("set_mempolicy");
}

static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	sigbus_offset = (char *)info->si_addr - memory;
	sigbus_code = info->si_code;
	siglongjmp(sigbus_return, 1);
}

/* The handler's stack is touched before any policy could refuse it a page. */
static void catch_sigbus(void)
{
	static char stack[64 << 10];
	struct sigaction action = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };

	memset(stack, 1, sizeof(stack));
	if (sigaltstack(&alternate, NULL) < 0 || sigaction(SIGBUS, &action, NULL) < 0)
		die("sigaction");
}

static void write_file(const struct ask *ask, int fd)
{
	static char page[64 << 10];
	ssize_t done;
	size_t left;

	memset(page, 1, page_bytes);
	for (left = ask->size; left; left -= done) {
		done = write(fd, page, left < page_bytes ? left : page_bytes);
		if (done < 0) {
			printf("touched %zu\n", touched);
			fflush(stdout);
			die("write");
		}
		touched += done;
	}
}

/* Say so, then wait until the file exists, or for the end of stdin. */
static void hold(const char *word, const char *path)
{
	struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };
	char discard[64];

	printf("%s\n", word);
	fflush(stdout);
	if (!strcmp(path, "-"))
		while (read(0, discard, sizeof(discard)) > 0)
			;
	else
		while (access(path, F_OK) < 0)
			nanosleep(&pause, NULL);
}

static void touch(const struct ask *ask)
{
	size_t offset, half = ask->size / page_bytes / 2 * page_bytes;

	for (offset = 0; offset < ask->size; offset += page_bytes) {
		if (ask->pause && offset == half)
			hold("half", ask->pause);
		if (ask->is_readonly)
			(void)*(volatile char *)(memory + offset);
		else
			*(volatile char *)(memory + offset) = 1;
		touched = offset + page_bytes;
	}
}

static void report(const struct ask *ask)
{
	enum { BATCH = 512 };
	size_t bytes[MAX_NODES] = { }, offset, count, i;
	void *pages[BATCH];
	int status[BATCH];

	for (offset = 0; offset < ask->size; offset += count * page_bytes) {
		count = (ask->size - offset) / page_bytes;
		if (count > BATCH)
			count = BATCH;
		for (i = 0; i < count; i++)
			pages[i] = memory + offset + i * page_bytes;
		if (syscall(SYS_move_pages, 0, count, pages, NULL, status, 0) < 0)
			die("move_pages");
		for (i = 0; i < count; i++)
			if (status[i] >= 0 && status[i] < MAX_NODES)
				bytes[status[i]] += page_bytes;
	}
	printf("touched %zu\n", touched);
	for (i = 0; i < MAX_NODES; i++)
		if (bytes[i])
			printf("N%zu %zu\n", i, bytes[i]);
	fflush(stdout);
}

/* Return: 0, or 3 if SIGBUS ended it. On its own, for what siglongjmp() clobbers. */
static __attribute__((noinline)) int fill(const struct ask *ask, int fd)
{
	if (sigsetjmp(sigbus_return, 1)) {
		printf("sigbus %zu %s\n", sigbus_offset,
		       sigbus_code == BUS_ADRERR ? "BUS_ADRERR" : "other");
		return 3;
	}
	if (ask->is_written)
		write_file(ask, fd);
	else
		touch(ask);
	return 0;
}

/* Children write to all pages; their worst exit status is ours. */
static int fork_children(const struct ask *ask)
{
	unsigned int i;
	int status, worst = 0, code;
	pid_t pid;

	for (i = 0; i < ask->children; i++) {
		pid = fork();
		if (pid < 0)
			die("fork");
		if (!pid) {
			status = fill(ask, -1);
			report(ask);
			_exit(status);
		}
	}
	while (wait(&status) > 0) {
		code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		if (code > worst)
			worst = code;
	}
	return worst;
}

int main(int argc, char **argv)
{
	static char buffer[64 << 10];
	struct ask ask;
	int fd, status;

	page_bytes = sysconf(_SC_PAGESIZE);
	parse(argc, argv, &ask);

	/* Whatever the program itself needs is in place before the policy is. */
	memset(buffer, 1, sizeof(buffer));
	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	if (ask.is_catching)
		catch_sigbus();

	map_memory(&ask, &fd);
	bind_memory(&ask);
	status = fill(&ask, fd);
	if (ask.is_unbound &&
	    syscall(SYS_mbind, memory, ask.size, MPOL_DEFAULT, NULL, 0, 0) < 0)
		die("mbind");
	if (ask.is_collapsible && madvise(memory, ask.size, MADV_HUGEPAGE) < 0)
		die("madvise");
	report(&ask);
	if (!status && ask.children)
		status = fork_children(&ask);
	if (ask.hold)
		hold("ready", ask.hold);
	return status;
}
