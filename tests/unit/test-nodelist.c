/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>

#include "nodelist.h"
#include "tap.h"

static void expect_parse(const char *text, const char *want)
{
	struct nodelist list;
	const char *reason = NULL;
	char what[80], *got;

	snprintf(what, sizeof(what), "\"%.*s\" is the list \"%.20s\"", (int)strcspn(text, "\n"),
		 text, want);
	if (nodelist_parse(text, &list, &reason) < 0) {
		ok(false, what);
		return;
	}
	got = nodelist_format(&list);
	is_str(got, want, what);
	free(got);
}

static void expect_refusal(const char *text, const char *want_reason)
{
	struct nodelist list = { .bits[0] = 42 };
	const char *reason = NULL;
	char what[80];

	snprintf(what, sizeof(what), "\"%.40s\" is refused", text);
	is_int(nodelist_parse(text, &list, &reason), -EINVAL, what);
	is_str(reason, want_reason, "... with the reason");
	ok(list.bits[0] == 42 && !list.bits[1], "... and the result is not touched");
}

static void test_parse(void)
{
	expect_parse("", "");
	expect_parse(" \t\n", "");
	expect_parse("0", "0");
	expect_parse("1 3-4", "1,3-4");
	expect_parse("1,3-4\n", "1,3-4");
	expect_parse("4,3 , 1", "1,3-4");
	expect_parse("1-1", "1");
	expect_parse("1 1 1-2", "1-2");
	expect_parse("63 64", "63-64");
	expect_parse("1023", "1023");
	expect_parse("0-1023", "0-1023");
}

static void test_refusals(void)
{
	expect_refusal("!1", "expected a node number");
	expect_refusal("all", "expected a node number");
	expect_refusal("none", "expected a node number");
	expect_refusal("-1", "expected a node number");
	expect_refusal("+1", "expected a node number");
	expect_refusal("2-1", "range runs backwards");
	expect_refusal("1-", "expected a node number");
	expect_refusal("1 - 2", "expected a node number");
	expect_refusal("1,,2", "expected a node number");
	expect_refusal(",1", "expected a node number");
	expect_refusal(",", "expected a node number");
	expect_refusal("1,", "list ends with a comma");
	expect_refusal("1, ", "list ends with a comma");
	expect_refusal("1;2", "expected a comma or a space after a node number");
	expect_refusal("0x1", "expected a comma or a space after a node number");
	expect_refusal("1-2-3", "expected a comma or a space after a node number");
	expect_refusal("1024", "node number is above 1023");
	expect_refusal("0-1024", "node number is above 1023");
	expect_refusal("99999999999999999999", "node number is above 1023");
}

static void test_node(void)
{
	const char *reason = NULL;
	unsigned int nid = 7;

	is_int(nodelist_parse_node("12", NULL, &nid, &reason), 0, "a single node is read");
	is_int(nid, 12, "... as its number");
	is_int(nodelist_parse_node("1-2", NULL, &nid, &reason), -EINVAL, "a range is no single node");
	is_int(nodelist_parse_node("", NULL, &nid, &reason), -EINVAL, "nothing is no single node");
	is_int(nid, 12, "... and the result is not touched");
}

static void test_sets(void)
{
	struct nodelist a = {}, b = {};
	unsigned int nid, visited = 0;

	nodelist_set(&a, 1);
	nodelist_set(&a, 1023);
	nodelist_set(&a, NODELIST_MAX);
	is_int(nodelist_count(&a), 2, "a node beyond the end is not set");
	ok(!nodelist_is_set(&a, NODELIST_MAX), "... nor seen");
	nodelist_set(&b, 1);
	ok(nodelist_is_subset(&b, &a) && !nodelist_is_subset(&a, &b), "subset is one-sided");
	nodelist_for_each(nid, &a)
		visited += nid;
	is_int(visited, 1024, "every node is visited once");
	nodelist_and(&a, &b);
	ok(nodelist_is_equal(&a, &b), "and keeps what is common");
	nodelist_set(&b, 900);
	nodelist_or(&a, &b);
	is_int(nodelist_count(&a), 2, "or adds");
	nodelist_clear(&b, 900);
	nodelist_andnot(&a, &b);
	is_int(nodelist_next(&a, 0), 900, "andnot takes away");
	nodelist_clear(&a, 900);
	ok(nodelist_is_empty(&a), "empty in the end");
}

static void test_format_widest(void)
{
	struct nodelist list = {}, again = {};
	const char *reason;
	char *text;

	for (unsigned int nid = 1; nid < NODELIST_MAX; nid += 2)
		nodelist_set(&list, nid);
	text = nodelist_format(&list);
	is_int(nodelist_parse(text, &again, &reason), 0, "the longest list parses back");
	ok(nodelist_is_equal(&list, &again), "... to itself");
	free(text);
}

int main(void)
{
	test_parse();
	test_refusals();
	test_node();
	test_sets();
	test_format_widest();
	return tap_done();
}
