// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>

#include "hookserver.h"
#include "tap.h"
#include "wish.h"

static void expect_bad(const char *text)
{
	struct hook_line parsed = { .unit = "untouched" };
	const char *reason = NULL;
	char line[256];

	snprintf(line, sizeof(line), "%s", text);
	is_int(hook_line_parse(line, &parsed, &reason), -EINVAL, text);
	ok(reason && *reason && strcmp(parsed.unit, "untouched") == 0,
	   "with a reason and without an effect");
}

static void test_mark(const char *nodes, const char *max, const char *want)
{
	struct wish wish = {}, back = {};
	const char *reason;
	char *text;

	is_int(wish_parse_request(nodes, max, NULL, &wish, &reason), 0, "a request is read");
	text = wish_format_mark(&wish);
	is_str(text, want, "and written as a mark");
	is_int(wish_parse_mark(text, &back), 0, "which is read back");
	ok(back.is_request && back.n_items == wish.n_items, "as a request as long");
	for (size_t i = 0; i < wish.n_items; i++)
		ok(back.items[i].nid == wish.items[i].nid &&
		   back.items[i].limit.kind == wish.items[i].limit.kind &&
		   back.items[i].limit.value == wish.items[i].limit.value, "item by item");
	free(text);
	wish_done(&wish);
	wish_done(&back);
}

int main(void)
{
	char unit[] = "unit a.service", slice[] = "slice a-b.slice";
	char full[] = "unit a.service nodes=1 3-4 max=8G";
	struct hook_line parsed;
	struct wish wish = {};
	const char *reason;

	is_int(hook_line_parse(unit, &parsed, &reason), 0, "a unit");
	ok(!parsed.is_slice && !parsed.nodes && !parsed.max, "and no more");
	is_str(parsed.unit, "a.service", "by its name");
	is_int(hook_line_parse(slice, &parsed, &reason), 0, "a slice");
	ok(parsed.is_slice, "is one");
	is_int(hook_line_parse(full, &parsed, &reason), 0, "nodes and a limit");
	is_str(parsed.nodes, "1 3-4", "the nodes");
	is_str(parsed.max, "8G", "the limit");
	expect_bad("");
	expect_bad("unit");
	expect_bad("units a.service");
	expect_bad("slice a.service");
	expect_bad("slice a.slice nodes=1");
	expect_bad("unit a.service max=1G");
	expect_bad("unit a.service node=1");
	is_int(wish_parse_request("2-1", NULL, NULL, &wish, &reason), -EINVAL, "a list that is none");
	is_int(wish_parse_request("1", "-1", NULL, &wish, &reason), -EINVAL, "a limit that is none");
	is_int(wish_parse_request("", NULL, NULL, &wish, &reason), -EINVAL, "a list of no node");
	ok(!wish.items, "leave nothing behind");
	test_mark("1 3-4", "1536M", "request\n1 1536M\n3 1536M\n4 1536M\n");
	test_mark("7", NULL, "request\n7 infinity\n");
	test_mark("7", "12.34%", "request\n7 12.34%\n");
	is_int(wish_parse_mark("", &wish), -EINVAL, "no mark");
	is_int(wish_parse_mark("other\n1 1G\n", &wish), -EINVAL, "a mark of somebody else");
	is_int(wish_parse_mark("request\n1\n", &wish), -EINVAL, "a mark without its limit");
	return tap_done();
}
