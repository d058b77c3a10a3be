// SPDX-License-Identifier: GPL-2.0-only
/*
 * Grants and limits of private memory nodes: memory.private_nodes*
 *
 * Needs a private node that opted into memory policy and has some MiB free;
 * without one everything is skipped.  Each test has three cgroups of its
 * own, a parent and two children.  What a task does in a cgroup is done by a
 * child process, see cg_run(), which returns 0 if all went as it should.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <linux/mempolicy.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../kselftest.h"
#include "cgroup_util.h"

#define STEM		"memory.private_nodes"
#define MAX_NODES	1024
#define WAIT_MSEC	10000

static char parent[PATH_MAX], child[PATH_MAX], sibling[PATH_MAX];
static int node;
static long page_size;

#define ok(condition)	said((condition), #condition, __LINE__)

static bool said(bool condition, const char *text, int line)
{
	if (!condition)
		ksft_print_msg("line %d: not so: %s\n", line, text);
	return condition;
}

/* Files */

static int grant(const char *cgroup)
{
	return cg_write_numeric(cgroup, STEM, node);
}

static int set_max(const char *cgroup, long bytes)
{
	char text[64];

	snprintf(text, sizeof(text), "N%d %ld", node, bytes);
	return cg_write(cgroup, STEM ".max", text);
}

static long bytes_in(const char *cgroup, const char *control)
{
	char key[16];

	snprintf(key, sizeof(key), "N%d ", node);
	return cg_read_key_long(cgroup, control, key);
}

static long limit(const char *cgroup)
{
	return bytes_in(cgroup, STEM ".max");
}

static long usage(const char *cgroup)
{
	return bytes_in(cgroup, STEM ".current");
}

static long peak_usage(const char *cgroup)
{
	return bytes_in(cgroup, STEM ".peak");
}

static bool has_events(const char *cgroup, const char *control, long max, long fail, long denied)
{
	const char * const names[] = { "max", "fail", "denied" };
	const long want[] = { max, fail, denied };
	bool same = true;
	char key[32];
	int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(key, sizeof(key), "N%d.%s ", node, names[i]);
		same &= cg_read_key_long(cgroup, control, key) == want[i];
	}
	return same;
}

/* Does a file hold the number of the node and nothing else? */
static bool names_node(const char *cgroup, const char *control)
{
	char text[16];

	snprintf(text, sizeof(text), "%d\n", node);
	return !cg_read_strcmp(cgroup, control, text);
}

static bool names_none(const char *cgroup, const char *control)
{
	return !cg_read_strcmp(cgroup, control, "\n");
}

/* Memory */

static char *map_pages(long pages)
{
	char *mem = mmap(NULL, pages * page_size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED)
		ksft_exit_fail_perror("mmap");
	madvise(mem, pages * page_size, MADV_NOHUGEPAGE);	/* pages are what is counted */
	return mem;
}

/* 0, or the negative error of mbind(). */
static int bind_pages(char *mem, long pages, int nid)
{
	unsigned long mask[MAX_NODES / (8 * sizeof(long))] = {};

	mask[nid / (8 * sizeof(long))] = 1UL << (nid % (8 * sizeof(long)));
	if (syscall(SYS_mbind, mem, pages * page_size, MPOL_BIND, mask, MAX_NODES + 1, 0))
		return -errno;
	return 0;
}

static char *map_bound(long pages)
{
	char *mem = map_pages(pages);

	if (bind_pages(mem, pages, node))
		ksft_exit_fail_perror("mbind");
	return mem;
}

static void unmap_pages(char *mem, long pages)
{
	munmap(mem, pages * page_size);
}

static int node_of(char *mem)
{
	int nid = -1;

	syscall(SYS_get_mempolicy, &nid, NULL, 0, mem, MPOL_F_NODE | MPOL_F_ADDR);
	return nid;
}

static sigjmp_buf sigbus_return;
static siginfo_t sigbus_info;

static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	sigbus_info = *info;
	siglongjmp(sigbus_return, 1);
}

/* Write to one page after the other: how many until SIGBUS, -1 if that was of another kind. */
static long touch(char *mem, long pages)
{
	struct sigaction action = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };
	long i;

	if (sigaction(SIGBUS, &action, NULL))
		return -1;
	if (sigsetjmp(sigbus_return, 1)) {
		if (sigbus_info.si_code != BUS_ADRERR)
			return -1;
		return ((char *)sigbus_info.si_addr - mem) / page_size;
	}
	for (i = 0; i < pages; i++)
		mem[i * page_size] = 1;
	return pages;
}

/* Tests, and what their tasks do */

static int get_node(const char *cgroup, void *arg)
{
	char *mem = map_pages(2);

	if (!ok(!bind_pages(mem, 2, node)) || !ok(touch(mem, 2) == 2))
		return -1;
	if (!ok(node_of(mem) == node) || !ok(node_of(mem + page_size) == node))
		return -1;
	return !ok(usage(cgroup) == 2 * page_size);
}

static int get_refused(const char *cgroup, void *arg)
{
	char *mem = map_pages(2);

	if (!ok(bind_pages(mem, 2, node) == -EPERM) || !ok(touch(mem, 2) == 2))
		return -1;
	return !ok(node_of(mem) != node) || !ok(usage(cgroup) == 0);
}

/* Nobody may use a private node by default; who was granted it, may. */
static int test_privmem_grant(void)
{
	if (!ok(names_none(child, STEM)) || !ok(names_none(child, STEM ".effective")))
		return KSFT_FAIL;
	if (!ok(!cg_run(child, get_refused, NULL)))
		return KSFT_FAIL;
	/* a child gets no more than its parent can give */
	if (!ok(!grant(child)) || !ok(names_none(child, STEM ".effective")))
		return KSFT_FAIL;
	if (!ok(!cg_run(child, get_refused, NULL)))
		return KSFT_FAIL;
	/* and it gets that as soon as the parent can */
	if (!ok(!grant(parent)) || !ok(names_node(child, STEM ".effective")))
		return KSFT_FAIL;
	if (!ok(!cg_run(child, get_node, NULL)))
		return KSFT_FAIL;
	return KSFT_PASS;
}

/* A cgroup without a value of its own has its parent's, one with "none" has none. */
static int test_privmem_inherit(void)
{
	if (!ok(!grant(parent)) || !ok(names_node(child, STEM ".effective")))
		return KSFT_FAIL;
	if (!ok(!cg_run(child, get_node, NULL)))
		return KSFT_FAIL;
	if (!ok(!cg_write(child, STEM, "none")) || !ok(!cg_read_strcmp(child, STEM, "none\n")))
		return KSFT_FAIL;
	if (!ok(names_none(child, STEM ".effective")) || !ok(!cg_run(child, get_refused, NULL)))
		return KSFT_FAIL;
	if (!ok(!cg_run(sibling, get_node, NULL)))
		return KSFT_FAIL;
	if (!ok(!cg_write(child, STEM, "\n")) || !ok(names_none(child, STEM)))
		return KSFT_FAIL;
	if (!ok(!cg_run(child, get_node, NULL)))
		return KSFT_FAIL;
	return KSFT_PASS;
}

/* What .subtree names can be given to children, and is nobody's until it is. */
static int test_privmem_subtree(void)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", node);
	if (!ok(!cg_write(parent, STEM ".subtree", text)) || !ok(!grant(child)))
		return KSFT_FAIL;
	if (!ok(names_none(parent, STEM ".effective")))
		return KSFT_FAIL;
	if (!ok(!cg_run(child, get_node, NULL)) || !ok(!cg_run(sibling, get_refused, NULL)))
		return KSFT_FAIL;
	/* not to the cgroup's own tasks either */
	if (!ok(!cg_write(sibling, STEM ".subtree", text)))
		return KSFT_FAIL;
	if (!ok(!cg_run(sibling, get_refused, NULL)))
		return KSFT_FAIL;
	if (!ok(!cg_write(parent, STEM ".subtree", "none")))
		return KSFT_FAIL;
	if (!ok(names_node(child, STEM)) || !ok(!cg_run(child, get_refused, NULL)))
		return KSFT_FAIL;
	return KSFT_PASS;
}

static int fill_to_max(const char *cgroup, void *arg)
{
	long pages = (long)arg;
	char *mem = map_bound(pages + 1);
	int zero = open("/dev/zero", O_RDONLY);

	if (!ok(touch(mem, pages) == pages) || !ok(usage(cgroup) == pages * page_size))
		return -1;
	if (!ok(has_events(cgroup, STEM ".events", 0, 0, 0)))
		return -1;
	if (!ok(touch(mem, pages + 1) == pages))
		return -1;
	if (!ok(has_events(cgroup, STEM ".events", 1, 1, 0)))
		return -1;
	if (!ok(read(zero, mem + pages * page_size, 1) == -1) || !ok(errno == EFAULT))
		return -1;
	return !ok(usage(cgroup) == pages * page_size);
}

/* A limit is rounded down to pages, and can be used to the last byte. */
static int test_privmem_max(void)
{
	if (!ok(!grant(parent)) || !ok(!set_max(child, 17 * page_size - 1)))
		return KSFT_FAIL;
	if (!ok(limit(child) == 16 * page_size) || !ok(!cg_run(child, fill_to_max, (void *)16)))
		return KSFT_FAIL;
	if (!ok(usage(child) == 0) || !ok(peak_usage(child) == 16 * page_size))
		return KSFT_FAIL;
	/* none at all is a limit, too */
	if (!ok(!set_max(sibling, 0)) || !ok(!cg_run(sibling, fill_to_max, (void *)0)))
		return KSFT_FAIL;
	if (!ok(peak_usage(sibling) == 0))
		return KSFT_FAIL;
	return KSFT_PASS;
}

static int come_and_go(const char *cgroup, void *arg)
{
	long ordinary = cg_read_long(cgroup, "memory.current");
	long pages = MB(4L) / page_size;
	char *mem = map_bound(pages);

	if (!ok(usage(cgroup) == 0))
		return -1;
	if (!ok(touch(mem, 1) == 1) || !ok(usage(cgroup) == page_size))
		return -1;
	if (!ok(touch(mem, pages) == pages) || !ok(usage(cgroup) == pages * page_size))
		return -1;
	if (!ok(cg_read_long(cgroup, "memory.current") < ordinary + MB(2L)))
		return -1;
	if (!ok(!madvise(mem, page_size, MADV_DONTNEED)))
		return -1;
	if (!ok(usage(cgroup) == (pages - 1) * page_size))
		return -1;
	unmap_pages(mem, pages);
	return !ok(usage(cgroup) == 0);
}

/* Use is exact to the page and not part of memory.current. */
static int test_privmem_current_peak(void)
{
	if (!ok(usage(child) == 0) || !ok(peak_usage(child) == 0) || !ok(!grant(parent)))
		return KSFT_FAIL;
	if (!ok(!cg_run(child, come_and_go, NULL)))
		return KSFT_FAIL;
	if (!ok(peak_usage(child) == MB(4L)) || !ok(peak_usage(parent) == MB(4L)))
		return KSFT_FAIL;
	if (!ok(usage(child) == 0) || !ok(usage(parent) == 0))
		return KSFT_FAIL;
	return KSFT_PASS;
}

static int overfill(const char *cgroup, void *arg)
{
	long pages = (long)arg;
	char *mem = map_bound(pages + 1);

	if (!ok(touch(mem, pages + 1) == pages))
		return -1;
	return !ok(usage(parent) == 24 * page_size) || !ok(usage(cgroup) == pages * page_size);
}

static int use_most(const char *cgroup, void *arg)
{
	char *mem = map_bound(16);

	if (!ok(touch(mem, 16) == 16) || !ok(!cg_run(sibling, overfill, (void *)8)))
		return -1;
	return !ok(usage(parent) == 16 * page_size);
}

/* A cgroup uses what its children use, and its limit is theirs together. */
static int test_privmem_hierarchy(void)
{
	if (!ok(!grant(parent)) || !ok(!set_max(parent, 24 * page_size)))
		return KSFT_FAIL;
	if (!ok(!cg_run(child, use_most, NULL)))
		return KSFT_FAIL;
	if (!ok(peak_usage(parent) == 24 * page_size) || !ok(usage(parent) == 0))
		return KSFT_FAIL;
	if (!ok(peak_usage(child) == 16 * page_size) || !ok(peak_usage(sibling) == 8 * page_size))
		return KSFT_FAIL;
	return KSFT_PASS;
}

static int be_lowered(const char *cgroup, void *arg)
{
	char *mem = map_bound(16), *more = map_bound(2);

	if (!ok(touch(mem, 16) == 16) || !ok(!set_max(cgroup, 8 * page_size)))
		return -1;
	if (!ok(limit(cgroup) == 8 * page_size) || !ok(usage(cgroup) == 16 * page_size))
		return -1;
	if (!ok(touch(mem, 16) == 16) || !ok(touch(more, 1) == 0))
		return -1;
	unmap_pages(mem, 8);
	if (!ok(usage(cgroup) == 8 * page_size) || !ok(touch(more, 1) == 0))
		return -1;
	unmap_pages(mem + 8 * page_size, 1);
	return !ok(touch(more, 2) == 1) || !ok(usage(cgroup) == 8 * page_size);
}

/* A limit can be set below what is in use, and then holds off what is new. */
static int test_privmem_lower(void)
{
	if (!ok(!grant(parent)) || !ok(!cg_run(child, be_lowered, NULL)))
		return KSFT_FAIL;
	return KSFT_PASS;
}

static int be_revoked(const char *cgroup, void *arg)
{
	char *mem = map_bound(8);

	if (!ok(touch(mem, 4) == 4) || !ok(!cg_write(parent, STEM, "none")))
		return -1;
	/* old pages stay, bound memory gets no new ones, and is not bound again */
	if (!ok(touch(mem, 8) == 4) || !ok(has_events(cgroup, STEM ".events", 0, 0, 1)))
		return -1;
	if (!ok(node_of(mem) == node) || !ok(usage(cgroup) == 4 * page_size))
		return -1;
	if (!ok(bind_pages(mem, 8, node) == -EPERM))
		return -1;
	if (!ok(!grant(parent)) || !ok(touch(mem, 8) == 8))
		return -1;
	return !ok(usage(cgroup) == 8 * page_size);
}

/* A grant that is taken away binds at once. */
static int test_privmem_revoke(void)
{
	if (!ok(!grant(parent)) || !ok(!cg_run(child, be_revoked, NULL)))
		return KSFT_FAIL;
	return KSFT_PASS;
}

static int hit_max(const char *cgroup, void *arg)
{
	char *mem = map_bound(1);

	return !ok(touch(mem, 1) == 0);
}

/* A file to be told of changes by poll(). */
static int watch(const char *cgroup, const char *control)
{
	int fd = cg_open(cgroup, control, O_RDONLY);
	char text[512];

	if (fd >= 0 && read(fd, text, sizeof(text)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool is_told(int fd, int msec)
{
	struct pollfd ask = { .fd = fd, .events = POLLPRI };

	return poll(&ask, 1, msec) == 1 && ask.revents & POLLPRI;
}

/* Events are counted, and told, where they happen and in all cgroups above. */
static int test_privmem_events(void)
{
	int local, above, above_local, ret = KSFT_FAIL;

	local = watch(child, STEM ".events.local");
	above = watch(parent, STEM ".events");
	above_local = watch(parent, STEM ".events.local");
	if (!ok(!grant(parent)) || !ok(!set_max(child, 0)))
		goto cleanup;
	if (!ok(!is_told(local, 0)) || !ok(!is_told(above, 0)))
		goto cleanup;
	if (!ok(!cg_run(child, hit_max, NULL)))
		goto cleanup;
	if (!ok(is_told(local, WAIT_MSEC)) || !ok(is_told(above, WAIT_MSEC)))
		goto cleanup;
	if (!ok(has_events(child, STEM ".events.local", 1, 1, 0)))
		goto cleanup;
	if (!ok(has_events(parent, STEM ".events", 1, 1, 0)))
		goto cleanup;
	if (!ok(has_events(parent, STEM ".events.local", 0, 0, 0)) || !ok(!is_told(above_local, 0)))
		goto cleanup;

	/* An ancestor's limit is the ancestor's event, and the failure the asker's. */
	if (!ok(!set_max(parent, 0)) || !ok(!cg_run(sibling, hit_max, NULL)))
		goto cleanup;
	if (!ok(is_told(above_local, WAIT_MSEC)))
		goto cleanup;
	if (!ok(has_events(parent, STEM ".events.local", 1, 0, 0)))
		goto cleanup;
	if (!ok(has_events(sibling, STEM ".events.local", 0, 1, 0)))
		goto cleanup;
	if (!ok(has_events(parent, STEM ".events", 2, 2, 0)))
		goto cleanup;
	ret = KSFT_PASS;
cleanup:
	close(local);
	close(above);
	close(above_local);
	return ret;
}

static ssize_t write_bytes(const char *cgroup, const char *control, char *text, size_t len)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", cgroup, control);
	return write_text(path, text, len);
}

/* Is a write of these bytes refused, and the file left as it was? */
static bool is_refused(const char *control, char *text, size_t len, int error)
{
	char before[512], after[512];
	ssize_t written;

	if (cg_read(child, control, before, sizeof(before)))
		return false;
	written = write_bytes(child, control, text, len);
	if (cg_read(child, control, after, sizeof(after)))
		return false;
	if (written == error && !strcmp(before, after))
		return true;
	ksft_print_msg("%s: \"%s\": %zd, want %d\n", control, text, written, error);
	return false;
}

/* What cannot be read is -EINVAL and changes nothing; %d is the node. */
static int test_privmem_input(void)
{
	static const struct {
		const char *control, *text;
	} bad[] = {
		{ STEM, "x" }, { STEM, "," }, { STEM, "-1" }, { STEM, "%d-" }, { STEM, "%d,x" },
		{ STEM, "!%d" }, { STEM, "0x1" }, { STEM, "all" }, { STEM, "none,%d" },
		{ STEM, "%d,99999" },
		{ STEM ".subtree", "x" }, { STEM ".subtree", "," }, { STEM ".subtree", "99999" },
		{ STEM ".max", "\n" }, { STEM ".max", "N%d" }, { STEM ".max", "%d 1M" },
		{ STEM ".max", "Nx 1M" }, { STEM ".max", "N99999 1M" }, { STEM ".max", "N%d -1" },
		{ STEM ".max", "N%d 1X" }, { STEM ".max", "N%d 1.5M" },
		{ STEM ".max", "N%d 0x1000" },
		{ STEM ".max", "N%d 18446744073709551616" }, { STEM ".max", "N%d 1M 2M" },
		/* all lines or none */
		{ STEM ".max", "N%d 3M\nN99999 1M" },
	};
	char *text;
	int i, ret = KSFT_FAIL;

	text = malloc(page_size + 1);
	if (!text)
		return KSFT_FAIL;
	if (!ok(!grant(child)) || !ok(!set_max(child, MB(1L))))
		goto cleanup;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(text, page_size, bad[i].text, node);
		if (!ok(is_refused(bad[i].control, text, strlen(text), -EINVAL)))
			goto cleanup;
	}

	/* what a NUL hides, and what may have lost its end */
	memset(text, ' ', page_size + 1);
	i = sprintf(text, "N%d 2M", node);
	if (!ok(is_refused(STEM ".max", text, i + 1, -EINVAL)))
		goto cleanup;
	text[i] = ' ';
	if (!ok(is_refused(STEM ".max", text, page_size, -EINVAL)))
		goto cleanup;
	if (!ok(is_refused(STEM ".max", text, page_size + 1, -E2BIG)))
		goto cleanup;
	if (!ok(write_bytes(child, STEM ".max", text, page_size - 1) == page_size - 1))
		goto cleanup;
	if (!ok(limit(child) == MB(2L)) || !ok(names_node(child, STEM)))
		goto cleanup;
	ret = KSFT_PASS;
cleanup:
	free(text);
	return ret;
}

static int move_over(const char *cgroup, void *arg)
{
	char *mem = map_bound(8);

	if (!ok(touch(mem, 4) == 4) || !ok(!cg_enter_current(sibling)))
		return -1;
	if (!ok(usage(child) == 4 * page_size) || !ok(usage(sibling) == 0))
		return -1;
	if (!ok(touch(mem, 6) == 6))
		return -1;
	if (!ok(usage(child) == 4 * page_size) || !ok(usage(sibling) == 2 * page_size))
		return -1;
	/* and what the cgroup it is in was not granted it does not get */
	if (!ok(!cg_write(sibling, STEM, "none")) || !ok(touch(mem, 8) == 6))
		return -1;
	unmap_pages(mem, 8);
	return !ok(usage(parent) == 0);
}

/* Charges stay where they are when the task moves; its new pages are another matter. */
static int test_privmem_move_task(void)
{
	if (!ok(!grant(parent)) || !ok(!cg_run(child, move_over, NULL)))
		return KSFT_FAIL;
	return KSFT_PASS;
}

static int be_orphaned(const char *cgroup, void *arg)
{
	char *mem = map_bound(8);

	if (!ok(touch(mem, 8) == 8) || !ok(!cg_enter_current(sibling)) || !ok(!rmdir(child)))
		return -1;
	if (!ok(usage(parent) == 8 * page_size) || !ok(usage(sibling) == 0))
		return -1;
	unmap_pages(mem, 8);
	return !ok(usage(parent) == 0);
}

/* What a removed cgroup leaves is its parent's use until it is freed. */
static int test_privmem_removed(void)
{
	if (!ok(!grant(parent)) || !ok(!cg_run(child, be_orphaned, NULL)))
		return KSFT_FAIL;
	return KSFT_PASS;
}

#define T(x) { x, #x }
static const struct privmem_test {
	int (*fn)(void);
	const char *name;
} tests[] = {
	T(test_privmem_grant),
	T(test_privmem_inherit),
	T(test_privmem_subtree),
	T(test_privmem_max),
	T(test_privmem_current_peak),
	T(test_privmem_hierarchy),
	T(test_privmem_lower),
	T(test_privmem_revoke),
	T(test_privmem_events),
	T(test_privmem_input),
	T(test_privmem_move_task),
	T(test_privmem_removed),
};
#undef T

static int run(const struct privmem_test *test)
{
	int ret = KSFT_FAIL;

	if (ok(!cg_create(parent)) &&
	    ok(!cg_write(parent, "cgroup.subtree_control", "+memory")) &&
	    ok(!cg_create(child)) && ok(!cg_create(sibling)))
		ret = test->fn();
	cg_destroy(sibling);
	cg_destroy(child);
	cg_destroy(parent);
	return ret;
}

/* The first private node that memory policies may name, -1 if there is none. */
static int find_node(void)
{
	char text[4096], *pos = text;
	char *mem = map_pages(1);
	long first, last;

	if (read_text("/sys/devices/system/node/has_private_memory", text, sizeof(text)) <= 0)
		return -1;
	while (*pos >= '0' && *pos <= '9') {
		first = strtol(pos, &pos, 10);
		last = first;
		if (*pos == '-')
			last = strtol(pos + 1, &pos, 10);
		for (; first <= last && first < MAX_NODES; first++)
			if (bind_pages(mem, 1, first) != -EINVAL)
				return first;
		if (*pos == ',')
			pos++;
	}
	return -1;
}

int main(int argc, char **argv)
{
	char root[PATH_MAX - 64];
	int i;

	ksft_print_header();
	page_size = sysconf(_SC_PAGESIZE);
	node = find_node();
	if (node < 0)
		ksft_exit_skip("there is no private node that memory policies may name\n");
	if (cg_find_unified_root(root, sizeof(root), NULL))
		ksft_exit_skip("cgroup v2 isn't mounted\n");
	if (cg_read_strstr(root, "cgroup.controllers", "memory"))
		ksft_exit_skip("memory controller isn't available\n");
	if (cg_read_strstr(root, "cgroup.subtree_control", "memory"))
		if (cg_write(root, "cgroup.subtree_control", "+memory"))
			ksft_exit_skip("Failed to set memory controller\n");

	snprintf(parent, sizeof(parent), "%s/privmem_test", root);
	snprintf(child, sizeof(child), "%s/privmem_test/child", root);
	snprintf(sibling, sizeof(sibling), "%s/privmem_test/sibling", root);

	ksft_set_plan(ARRAY_SIZE(tests));
	for (i = 0; i < ARRAY_SIZE(tests); i++)
		ksft_test_result_report(run(&tests[i]), "%s\n", tests[i].name);
	ksft_finished();
}
