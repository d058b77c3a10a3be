/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What commands make of a plan, the drop-in that is written of it, and names as people type them. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../userspace/privmemctl/mangle.h"
#include "../../userspace/privmemctl/override.h"
#include "tap.h"

#define MIB (UINT64_C(1) << 20)

static struct plan_error error;

static uint64_t bytes_of(const struct plan *plan, unsigned int nid)
{
	return plan->limits[nid].kind == LIMIT_BYTES ? plan->limits[nid].value : 0;
}

static void test_grant(void)
{
	struct plan_limit limits[] = { { "1-2", "64M" }, { "2", "32M" } };
	struct plan plan = {};

	is_int(plan_grant(&plan, "1", NULL, 0, &error), 0, "a node without an amount");
	is_int(plan.limits[1].kind, LIMIT_INFINITY, "... is all that is left of it");
	is_int(plan_grant(&plan, "2", limits, 2, &error), 0, "a second node, with amounts");
	is_int(bytes_of(&plan, 1), 64 * MIB, "... of which one is for the first");
	is_int(bytes_of(&plan, 2), 32 * MIB, "... and the last for a node counts");
	is_int(plan_grant(&plan, "1", NULL, 0, &error), 0, "granted once more");
	is_int(bytes_of(&plan, 1), 64 * MIB, "... it keeps its amount");
	is_int(plan_grant(&plan, "", NULL, 0, &error), -EINVAL, "no node at all");
	is_str(error.text, "names no node", "... is told");
	is_int(plan_grant(&plan, "1", (struct plan_limit[]){ { "3", "1M" } }, 1, &error), -ENXIO,
	       "an amount for a node that is not granted");
	is_str(error.text, "node3 is not granted", "... is told");
	is_int(plan_grant(&plan, "2-1", NULL, 0, &error), -EINVAL, "a list that cannot be read");
}

static void test_limit_and_revoke(void)
{
	struct plan plan = {}, other;

	is_int(plan_revoke(&plan, "", &error), -ENXIO, "of nothing nothing is revoked");
	(void)plan_grant(&plan, "1-3", NULL, 0, &error);
	is_int(plan_set_limit(&plan, "2", "16M", &error), 0, "a limit");
	is_int(bytes_of(&plan, 2), 16 * MIB, "... is set");
	other = plan;
	is_int(plan_set_limit(&plan, "4", "16M", &error), -ENXIO, "of a node it does not have");
	is_int(plan_set_limit(&plan, "2", "16X", &error), -EINVAL, "an amount that is none");
	is_int(plan_set_limit(&plan, "", "16M", &error), -EINVAL, "of no node");
	is_int(plan_revoke(&plan, "3-4", &error), -ENXIO, "a node too many to revoke");
	ok(plan_is_equal(&plan, &other), "... and all these changed nothing");
	is_int(plan_revoke(&plan, "1,3", &error), 0, "two of three revoked");
	ok(!plan_is_equal(&plan, &other), "... is a change");
	is_int(nodelist_next(&plan.nodes, 0), 2, "... that leaves the third");
	is_int(plan_revoke(&plan, "", &error), 0, "all revoked");
	ok(nodelist_is_empty(&plan.nodes), "... leaves none");
}

static void test_node_names(void)
{
	struct nodename list[] = { { "hbm0", 1, NULL }, { "far", 2, NULL }, { "gone", 0, "is away" } };
	struct nodenames names = { list, 3 };
	struct plan plan = { .names = &names }, before;

	is_int(plan_grant(&plan, "hbm0, 3", (struct plan_limit[]){ { "hbm0", "64M" } }, 1, &error), 0,
	       "a node by its name");
	is_int(bytes_of(&plan, 1), 64 * MIB, "... with an amount for it");
	is_int(plan_set_limit(&plan, "hbm0", "16M", &error), 0, "another amount by name");
	is_int(bytes_of(&plan, 1), 16 * MIB, "... is set");
	before = plan;
	is_int(plan_set_limit(&plan, "far", "16M", &error), -ENXIO, "of a node it does not have");
	is_str(error.text, "node2 is not granted", "... which is told by its number");
	is_int(plan_revoke(&plan, "gone", &error), -ENODEV, "a name that stands for no node");
	is_str(error.text, "nodes \"gone\": is away", "... and why");
	is_int(plan_revoke(&plan, "hbm7", &error), -ENODEV, "a name that there is not");
	is_str(error.text, "nodes \"hbm7\": no node has this name in privmemd.conf", "... is told");
	is_int(plan_revoke(&plan, "N1", &error), -ENODEV, "a number as the kernel's files have it");
	is_str(error.text, "nodes \"N1\": no node has this name in privmemd.conf; a number stands "
	       "alone, as in \"1\"", "... is told how to write it");
	ok(plan_is_equal(&plan, &before), "... and all these changed nothing");
	is_int(plan_revoke(&plan, "hbm0", &error), 0, "revoked by its name");
	is_int(nodelist_next(&plan.nodes, 0), 3, "... which leaves the other");
}

/* The drop-in read over a unit file that asks for something else. */
static void test_drop_in(void)
{
	char unit[] = "/tmp/test-change.XXXXXX", drop_in[] = "/tmp/test-change.XXXXXX";
	static const char asks[] = "[Service]\nPrivateMemoryNodes=1 5\nPrivateMemoryMax=5 1M\n";
	char *files[] = { unit, drop_in, NULL }, *text;
	struct plan plan = {}, is, none = {};
	struct client_error why;
	int fds[] = { mkstemp(unit), mkstemp(drop_in) };

	(void)!write(fds[0], asks, strlen(asks));
	(void)plan_grant(&plan, "1 3", (struct plan_limit[]){ { "3", "12.5%" } }, 1, &error);
	text = override_format("Service", &plan);
	(void)!write(fds[1], text, strlen(text));
	is_int(override_load("a.service", files, NULL, NULL, &is, &why), 0, "a drop-in is read");
	ok(plan_is_equal(&is, &plan), "... and says all there is");
	is_int(override_load("a.service", files, drop_in, NULL, &is, &why), 0, "without it");
	is_int(bytes_of(&is, 5), MIB, "... the unit file counts again");
	free(text);
	text = override_format("Service", &none);
	(void)!ftruncate(fds[1], 0);
	(void)!pwrite(fds[1], text, strlen(text), 0);
	is_int(override_load("a.service", files, NULL, NULL, &is, &why), 0, "a drop-in for nothing");
	ok(plan_is_equal(&is, &none), "... leaves nothing, whatever the file asks for");
	free(text);
	text = override_path("a.service");
	is_str(text, "/run/systemd/system/a.service.d/zzz-privmemctl.conf", "where it is");
	free(text);
	for (size_t i = 0; i < 2; i++) {
		close(fds[i]);
		unlink(files[i]);
	}
}

static void is_mangled(const char *name, const char *want)
{
	char *got = mangle_unit(name);

	is_str(got, want, name);
	free(got);
}

static void test_names(void)
{
	is_mangled("foo", "foo.service");
	is_mangled("foo.service", "foo.service");
	is_mangled("a.slice", "a.slice");
	is_mangled("a.b", "a.b.service");
	is_mangled("foo@1", "foo@1.service");
	is_mangled("a/b", "a-b.service");
	is_mangled("a b", "a\\x20b.service");
	is_mangled(".service", ".service.service");
}

int main(void)
{
	test_grant();
	test_limit_and_revoke();
	test_node_names();
	test_drop_in();
	test_names();
	return tap_done();
}
