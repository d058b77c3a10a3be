// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Grants over a directory that looks like a cgroup hierarchy. What the kernel
 * would compute (effective) stands there from the start.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "grant.h"
#include "tap.h"

static char tree[] = "/tmp/test-grant.XXXXXX";
static int root;

static void put(const char *path, const char *text)
{
	int fd = openat(root, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	(void)!write(fd, text, strlen(text));
	close(fd);
}

static void put_cgroup(const char *path)
{
	static const char *const files[][2] = {
		{ "memory.private_nodes", "\n" }, { "memory.private_nodes.subtree", "\n" },
		{ "memory.private_nodes.effective", "1-2\n" }, { "memory.private_nodes.max", "" },
		{ "cgroup.events", "populated 0\n" }, { "cgroup.subtree_control", "memory\n" },
	};

	mkdirat(root, path, 0755);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char name[256];

		snprintf(name, sizeof(name), "%s/%s", path, files[i][0]);
		put(name, files[i][1]);
	}
}

static void expect_file(const char *cgroup, const char *file, const char *want, const char *what)
{
	char text[256] = "";

	cgroup_read(root, cgroup, file, text, sizeof(text));
	is_str(text, want, what);
}

static struct unit unit_named(const char *name, const char *cgroup)
{
	return (struct unit){ .name = (char *)name, .cgroup = (char *)cgroup, .is_live = true };
}

static struct verdict apply(struct grants *grants, const char *name, const char *cgroup,
			    const char *nodes, const char *max)
{
	struct unit unit = unit_named(name, cgroup);
	struct verdict verdict;
	struct wish wish = {};
	const char *reason;

	wish_parse_request(nodes, max, NULL, &wish, &reason);
	grant_apply(grants, &unit, &wish, false, &verdict);
	wish_done(&wish);
	return verdict;
}

#define A "a.service", "/system.slice/a.service"
#define B "b.service", "/system.slice/b.service"

static void test_apply(struct grants *grants)
{
	struct verdict verdict = apply(grants, A, "1", "256M");

	is_int(verdict.code, CODE_DONE, "a grant is applied");
	is_str(verdict.text, "node1: 256M granted", "and says so");
	ok(verdict.is_changed, "it is a change");
	expect_file("/system.slice/a.service", FILE_MAX, "N1 268435456\n", "the limit is written");
	expect_file("/system.slice/a.service", FILE_NODES, "1", "the nodes are written");
	expect_file("/system.slice", FILE_SUBTREE, "1", "the slice hands them down");
	verdict = apply(grants, A, "1", "256M");
	ok(verdict.code == CODE_DONE && !verdict.is_changed, "once more changes nothing");
	is_int(ledger_get_reserved(grants->ledger, 1), 256 << 20, "nor reserves it twice");
}

static void test_refuse(struct grants *grants)
{
	struct verdict verdict = apply(grants, B, "1-2", "257M");

	is_int(verdict.code, CODE_NO_ROOM, "more than is left is refused");
	is_str(verdict.text, "node1: 257M asked for, 256M of 512M left; 256M reserved by a.service",
	       "by the name of who holds it");
	expect_file("/system.slice/b.service", FILE_NODES, "\n", "no nodes are written");
	expect_file("/system.slice/b.service", FILE_MAX, "", "no limit is written");
	is_int(ledger_get_reserved(grants->ledger, 2), 0, "nor is the other node reserved");
	verdict = apply(grants, A, "1", "513M");
	is_int(verdict.code, CODE_NO_ROOM, "growing beyond the node is refused");
	expect_file("/system.slice/a.service", FILE_MAX, "N1 268435456\n", "and keeps the limit");
	is_int(ledger_get_reserved(grants->ledger, 1), 256 << 20, "and the reservation");
	verdict = apply(grants, B, "3", NULL);
	is_int(verdict.code, CODE_NO_NODE, "a node that is none is refused");
	is_str(verdict.text, "node3: no such private node; there is 1-2", "by its number");
	verdict = apply(grants, "c.service", "/elsewhere/c.service", "2", "1M");
	is_int(verdict.code, CODE_DONE, "a live unit without a cgroup holds its reservation");
	verdict = apply(grants, "c.service", "/elsewhere/c.service", "", NULL);
	is_int(ledger_get_reserved(grants->ledger, 2), 0, "until it asks for nothing");
	verdict = apply(grants, "-.slice", "/", "1", "1M");
	is_int(verdict.code, CODE_FAILED, "the root takes no grant");
	is_int(ledger_get_reserved(grants->ledger, 1), 256 << 20, "nothing of this was kept");
}

static void test_kernel_refuses(struct grants *grants)
{
	struct verdict verdict;

	put_cgroup("system.slice/d.service");
	unlinkat(root, "system.slice/d.service/memory.private_nodes.max", 0);
	verdict = apply(grants, "d.service", "/system.slice/d.service", "2", "1M");
	is_int(verdict.code, CODE_FAILED, "a file that cannot be written fails the grant");
	ok(strstr(verdict.text, "d.service/memory.private_nodes.max: No such file"), "by its name");
	expect_file("/system.slice/d.service", FILE_NODES, "\n", "without a limit there is no grant");
	is_int(ledger_get_reserved(grants->ledger, 2), 0, "and no reservation");
	put_cgroup("system.slice/d.service");
	put("system.slice/d.service/memory.private_nodes.effective", "1\n");
	verdict = apply(grants, "d.service", "/system.slice/d.service", "2", "1M");
	is_int(verdict.code, CODE_FAILED, "a grant that has no effect is none");
	expect_file("/system.slice/d.service", FILE_NODES, "\n", "and is taken back");
	expect_file("/system.slice/d.service", FILE_MAX, "N2 max\n", "with its limit");
}

static void test_drift(struct grants *grants)
{
	struct grant *grant = grants_find(grants, "a.service");
	bool is_changed;
	const char *file;

	put("system.slice/a.service/memory.private_nodes", "1-2\n");
	put("system.slice/a.service/memory.private_nodes.max", "N1 max\nN2 4096\n");
	is_int(grant_enforce(grants, grant, &is_changed, &file), 0, "drift is corrected");
	ok(is_changed, "and noticed");
	expect_file("/system.slice/a.service", FILE_NODES, "1", "the nodes are right again");
	expect_file("/system.slice/a.service", FILE_MAX, "N1 268435456\nN2 max\n",
		    "and the limits");
}

static void test_restart(struct grants **grants)
{
	struct verdict verdict = apply(*grants, B, "2", NULL);

	is_int(verdict.code, CODE_DONE, "a unit takes all that is left");
	*grants = grants_free(*grants);
	grants_new(root, -1, 4096, grants);
	put("memory.private_nodes.capacity", "N1 134217728\n");
	grants_adopt(*grants);
	is_int((*grants)->count, 2, "a new table finds both grants");
	is_int(ledger_get_reserved((*grants)->ledger, 1), 256 << 20,
	       "with what they hold of a node that became smaller");
	is_int(ledger_get_reserved((*grants)->ledger, 2), 512 << 20,
	       "and of one that went away");
	ok(grants_find(*grants, "b.service")->shares[0].limit.kind == LIMIT_INFINITY,
	   "and with what was asked for");
	verdict = apply(*grants, B, "2", NULL);
	ok(verdict.code == CODE_DONE && !verdict.is_changed, "asking for the same changes nothing");
	put("memory.private_nodes.capacity", "N1 536870912\nN2 536870912\n");
}

static void test_release(struct grants *grants)
{
	char text[64];

	grant_release(grants, grants_find(grants, "a.service"));
	grant_release(grants, grants_find(grants, "b.service"));
	is_int(ledger_get_reserved(grants->ledger, 1), 0, "what is released is free");
	expect_file("/system.slice/a.service", FILE_NODES, "\n", "its cgroup is back to inheriting");
	expect_file("/system.slice/a.service", FILE_MAX, "N1 max\n", "and unlimited");
	is_int(cgroup_get_mark(root, "/system.slice/a.service", text, sizeof(text)), -ENODATA,
	       "and bears no mark");
}

static void test_left_behind(struct grants *grants)
{
	struct verdict verdict;

	put("memory.private_nodes.capacity", "N1 536870912\nN2 536870912\n");
	put("system.slice/memory.private_nodes.current", "N1 1048576\n");
	verdict = apply(grants, A, "1", "512M");
	is_int(verdict.code, CODE_NO_ROOM, "what a unit that is gone left behind cannot be promised");
	is_str(verdict.text, "node1: 512M asked for, 511M of 512M left; 1M still in use by units that"
	       " were granted it before", "and that is said");
	verdict = apply(grants, A, "1", NULL);
	is_str(verdict.text, "node1: 511M granted", "all that is left leaves it out");
	put("system.slice/a.service/memory.private_nodes.current", "N1 1048576\n");
	verdict = apply(grants, B, "1", "1M");
	is_int(verdict.code, CODE_DONE, "what the holder of a reservation uses is in nobody's way");
	put("system.slice/memory.private_nodes.current", "N1 3145728\n");
	put("system.slice/a.service/memory.private_nodes.current", "N1 3145728\n");
	verdict = apply(grants, A, "1", "1M");
	is_int(verdict.code, CODE_DONE, "a unit is made smaller than what it uses");
	verdict = apply(grants, B, "1", "510M");
	is_int(verdict.code, CODE_NO_ROOM, "which is not to be had before it gave that back");
	verdict = apply(grants, B, "1", "509M");
	is_int(verdict.code, CODE_DONE, "to the page");
	verdict = apply(grants, A, "1", "3M");
	is_int(verdict.code, CODE_DONE, "but it may have again what it uses");
	apply(grants, A, "", NULL);
	apply(grants, B, "", NULL);
	put("system.slice/memory.private_nodes.current", "");
}

/* A grant of two nodes that is refused for the second has changed nothing of the first. */
static void test_undo(struct grants *grants)
{
	put("memory.private_nodes.capacity", "N1 536870912\nN2 536870912\n");
	is_int(apply(grants, A, "1-2", "256M").code, CODE_DONE, "a grant of two nodes");
	put("memory.private_nodes.capacity", "N1 134217728\nN2 134217728\n");
	is_int(apply(grants, A, "1-3", "64M").code, CODE_NO_NODE, "less of them, and one that is none");
	is_int(ledger_get_reserved(grants->ledger, 1), 256 << 20, "leaves the first as it was");
	is_int(ledger_get_reserved(grants->ledger, 2), 256 << 20, "and the second");
	apply(grants, A, "", NULL);
}

int main(void)
{
	struct grants *grants = NULL;
	struct verdict verdict;
	char command[64];

	root = open(mkdtemp(tree), O_RDONLY | O_DIRECTORY);
	put_cgroup("system.slice");
	put_cgroup("system.slice/a.service");
	put_cgroup("system.slice/b.service");
	grants_new(root, -1, 4096, &grants);
	verdict = apply(grants, A, "1", "256M");
	is_int(verdict.code, CODE_NO_SUPPORT, "a kernel without the files is told apart");
	put("memory.private_nodes.effective", "1-2\n");
	put("memory.private_nodes.capacity", "N1 536870912\nN2 536870912\n");
	test_apply(grants);
	test_refuse(grants);
	test_kernel_refuses(grants);
	test_drift(grants);
	test_restart(&grants);
	test_release(grants);
	test_left_behind(grants);
	test_undo(grants);
	grants_free(grants);
	close(root);
	snprintf(command, sizeof(command), "rm -r %s", tree);
	(void)!system(command);
	return tap_done();
}
