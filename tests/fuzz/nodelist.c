/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Node lists, with names and without. */
#include "fuzz.h"
#include "nodelist.h"

static struct nodename known[] = {
	{ "hbm0", 1, NULL }, { "hbm0.far", 1023, NULL }, { "gone", 0, "no device is there" },
};

static void check_list(const char *text, const struct nodenames *names)
{
	struct nodelist list, before, again;
	const char *reason = NULL;
	unsigned int nid, count = 0;
	char *printed, *reprinted;

	memset(&list, 0xa5, sizeof(list));
	before = list;
	if (nodelist_parse_named(text, names, &list, &reason) < 0) {
		require(fuzz_is_reason(reason));
		require(nodelist_is_equal(&list, &before));
		return;
	}
	require(!reason);
	printed = nodelist_format(&list);
	require(nodelist_parse(printed, &again, &reason) == 0);
	require(nodelist_is_equal(&list, &again));
	reprinted = nodelist_format(&again);
	require(!strcmp(printed, reprinted));
	nodelist_for_each(nid, &list)
		count += nodelist_is_set(&again, nid);
	require(count == nodelist_count(&list));
	free(printed);
	free(reprinted);
}

/* A number or name of one node is a list of one node, too. */
static void check_node(const char *text, const struct nodenames *names)
{
	unsigned int nid = 77777;
	const char *reason = NULL;
	struct nodelist list;

	if (nodelist_parse_node(text, names, &nid, &reason) < 0) {
		require(fuzz_is_reason(reason) && nid == 77777);
		return;
	}
	require(nid < NODELIST_MAX && !reason);
	require(nodelist_parse_named(text, names, &list, &reason) == 0);
	require(nodelist_count(&list) == 1 && nodelist_is_set(&list, nid));
}

/* What may be a name can be used as one. */
static void check_name(const char *text)
{
	struct nodename own = { text, 7, NULL };
	const struct nodenames names = { &own, 1 };
	const char *reason;
	unsigned int nid;

	if (!nodename_is_valid(text))
		return;
	require(nodelist_parse_node(text, &names, &nid, &reason) == 0 && nid == 7);
	require(nodelist_parse_node(text, NULL, &nid, &reason) < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct nodenames names = { known, sizeof(known) / sizeof(*known) };
	char *text = fuzz_string(data, size);

	check_list(text, NULL);
	check_list(text, &names);
	check_node(text, NULL);
	check_node(text, &names);
	check_name(text);
	free(text);
	return 0;
}
