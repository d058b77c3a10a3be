// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "cgroup.h"
#include "tap.h"

static void expect_slice(const char *slice, const char *want)
{
	char *path = NULL, what[128];
	int r = cgroup_path_of_slice(slice, &path);

	snprintf(what, sizeof(what), "path of %s", slice);
	if (want)
		is_str(path, want, what);
	else
		is_int(r, -EINVAL, what);
	free(path);
}

static void test_amounts(void)
{
	static const char *const bad[] = {
		"N1", "N1 ", "N1 x", "N1 -1", "N 1", "1 1", "N1  1", "N1 1 2", "N1 1\nN1 2",
		"N1 maximum", "N1 1\n\n", "N1 +1", "n1 1",
	};
	struct amounts amounts = {};
	char *text;

	is_int(amounts_parse("N1 4096\nN12 max\n", &amounts), 0, "two lines are read");
	is_int(amounts.bytes[1], 4096, "an amount");
	ok(amounts.bytes[12] == UINT64_MAX, "and no limit");
	text = amounts_format(&amounts);
	is_str(text, "N1 4096\nN12 max\n", "and written as they were");
	free(text);
	is_int(amounts_parse("", &amounts), 0, "an empty file is read");
	ok(nodelist_is_empty(&amounts.nodes), "and says nothing");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		is_int(amounts_parse(bad[i], &amounts), -EINVAL, "no amounts");
	is_int(amounts_parse("N1024 1", &amounts), -ERANGE, "a node number out of range");
	is_int(amounts_parse("N1 18446744073709551616", &amounts), -ERANGE, "more than 64 bits");
}

static void put(int dir, const char *path, const char *text)
{
	int fd = openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	(void)!write(fd, text, strlen(text));
	close(fd);
}

static void test_files(void)
{
	char name[] = "/tmp/test-cgroup.XXXXXX", text[64], command[64];
	int root = open(mkdtemp(name), O_RDONLY | O_DIRECTORY);
	struct nodelist nodes = {}, got;

	put(root, "cgroup.subtree_control", "cpu\n");
	is_int(cgroup_make(root, "/a.slice/a-b.slice"), -ENOENT,
	       "a cgroup without control files cannot be prepared");
	is_int(cgroup_read(root, "/", "cgroup.subtree_control", text, sizeof(text)), 0, "a file");
	is_str(text, "+memory", "the controller was asked for on the way");
	ok(cgroup_exists(root, "/a.slice") && !cgroup_exists(root, "/a.slice/a-b.slice"),
	   "as far as it went");
	put(root, "a.slice/cgroup.subtree_control", "memory\n");
	is_int(cgroup_make(root, "/a.slice/a-b.slice"), 0, "with them it can");
	ok(cgroup_exists(root, "/a.slice/a-b.slice"), "and is there");

	nodelist_set(&nodes, 3);
	put(root, "a.slice/memory.private_nodes.subtree", "1\n");
	put(root, "a.slice/a-b.slice/memory.private_nodes.subtree", "3,5\n");
	is_int(cgroup_hand_down(root, "/a.slice/a-b.slice/c.service", &nodes), 0,
	       "nodes are handed down");
	cgroup_read(root, "/a.slice", "memory.private_nodes.subtree", text, sizeof(text));
	is_str(text, "1,3", "beside those that others need");
	cgroup_read(root, "/a.slice/a-b.slice", "memory.private_nodes.subtree", text, sizeof(text));
	is_str(text, "3,5\n", "nothing is written where nothing is missing");
	is_int(cgroup_hand_down(root, "/b.slice/c.service", &nodes), -ENOENT,
	       "an ancestor without the file is an error");

	put(root, "a.slice/memory.private_nodes", "none\n");
	is_int(cgroup_read_nodes(root, "/a.slice", "memory.private_nodes", &got), 0, "none is read");
	ok(nodelist_is_empty(&got), "as no node");
	is_int(cgroup_read(root, "/a.slice", "memory.private_nodes", text, 5), -ENODATA,
	       "a file that does not fit is an error");
	ok(!cgroup_is_populated(root, "/a.slice"), "no cgroup.events: not populated");
	put(root, "a.slice/cgroup.events", "populated 1\nfrozen 0\n");
	ok(cgroup_is_populated(root, "/a.slice"), "populated 1: populated");
	close(root);
	snprintf(command, sizeof(command), "rm -r %s", name);
	(void)!system(command);
}

int main(void)
{
	expect_slice("accel.slice", "/accel.slice");
	expect_slice("a-b-c.slice", "/a.slice/a-b.slice/a-b-c.slice");
	expect_slice("-.slice", "");
	expect_slice("a\\x2db.slice", "/a\\x2db.slice");
	expect_slice("memory-hbm.slice", "/_memory.slice/memory-hbm.slice");
	expect_slice("memory-hbm-bpf-firewall.slice", "/_memory.slice/memory-hbm.slice/memory-hbm-bpf.slice"
		     "/memory-hbm-bpf-firewall.slice");
	expect_slice("_a.slice", "/__a.slice");
	expect_slice("memories.slice", "/memories.slice");
	expect_slice("a--b.slice", NULL);
	expect_slice("-a.slice", NULL);
	expect_slice("a-.slice", NULL);
	expect_slice("a.service", NULL);
	expect_slice(".slice", NULL);
	expect_slice("a/b.slice", NULL);
	test_amounts();
	test_files();
	return tap_done();
}
