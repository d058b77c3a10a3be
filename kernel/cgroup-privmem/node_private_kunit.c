// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of private nodes: which opt-ins go together and how they are
 * written, and which zonelists hold what.
 */
#include <kunit/test.h>
#include <linux/memory_hotplug.h>
#include <linux/mmzone.h>
#include <linux/node_private.h>

static void node_private_test_needs(struct kunit *test)
{
	static const struct {
		unsigned long flag, needs;
	} rows[] = {
		{ NP_OPS_MEMPOLICY, NP_OPS_MIGRATION },
		{ NP_OPS_COMPACTION, NP_OPS_MIGRATION },
		{ NP_OPS_DEMOTION, NP_OPS_MIGRATION | NP_OPS_RECLAIM },
		{ NP_OPS_NUMA_BALANCING, NP_OPS_MIGRATION },
		{ NP_OPS_OOM_ELIGIBLE, NP_OPS_RECLAIM | NP_OPS_DEMOTION },
	};

	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		unsigned long all = rows[i].flag | rows[i].needs | NP_OPS_MIGRATION;

		KUNIT_EXPECT_EQ(test, node_private_check_flags(rows[i].flag), -EINVAL);
		KUNIT_EXPECT_NE(test, node_private_check_flags(all), -EINVAL);
		for (int bit = 0; bit < BITS_PER_LONG; bit++)
			if (rows[i].needs & BIT(bit))
				KUNIT_EXPECT_EQ(test, node_private_check_flags(all & ~BIT(bit)),
						-EINVAL);
	}
}

static void node_private_test_excludes(struct kunit *test)
{
	unsigned long flags = NP_OPS_MEMPOLICY | NP_OPS_MIGRATION;

	KUNIT_EXPECT_EQ(test, node_private_check_flags(NP_OPS_PROTECT_WRITE), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, node_private_check_flags(flags), 0);
	KUNIT_EXPECT_EQ(test, node_private_check_flags(flags | NP_OPS_PROTECT_WRITE), -EINVAL);
}

static void node_private_test_support(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, node_private_check_flags(0), 0);
	KUNIT_EXPECT_EQ(test, node_private_check_flags(NP_OPS_MIGRATION), 0);
	KUNIT_EXPECT_EQ(test, node_private_check_flags(NP_OPS_RECLAIM), 0);
	KUNIT_EXPECT_EQ(test, node_private_check_flags(NP_OPS_LONGTERM_PIN), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, node_private_check_flags(NP_OPS_OOM_ELIGIBLE << 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, node_private_check_flags(ULONG_MAX), -EINVAL);
}

static void node_private_test_parse(struct kunit *test)
{
	unsigned long flags = 77;

	KUNIT_EXPECT_EQ(test, node_private_parse_ops("", &flags), 0);
	KUNIT_EXPECT_EQ(test, flags, 0);
	KUNIT_EXPECT_EQ(test, node_private_parse_ops("mempolicy+migration", &flags), 0);
	KUNIT_EXPECT_EQ(test, flags, NP_OPS_MEMPOLICY | NP_OPS_MIGRATION);
	KUNIT_EXPECT_EQ(test, node_private_parse_ops(" migration,\n", &flags), 0);
	KUNIT_EXPECT_EQ(test, flags, NP_OPS_MIGRATION);

	KUNIT_EXPECT_EQ(test, node_private_parse_ops("Migration", &flags), -EINVAL);
	KUNIT_EXPECT_EQ(test, node_private_parse_ops("migrat", &flags), -EINVAL);
	KUNIT_EXPECT_EQ(test, node_private_parse_ops("migration x", &flags), -EINVAL);
	KUNIT_EXPECT_EQ(test, node_private_parse_ops("mempolicy", &flags), -EINVAL);
	KUNIT_EXPECT_EQ(test, node_private_parse_ops("longterm_pin", &flags), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, flags, NP_OPS_MIGRATION);
}

/* The table of the documentation, in words of its own. */
static bool node_private_test_is_sound(unsigned long flags)
{
	bool migration = flags & NP_OPS_MIGRATION;
	bool reclaim = flags & NP_OPS_RECLAIM;
	bool demotion = flags & NP_OPS_DEMOTION;

	if ((flags & NP_OPS_MEMPOLICY) && !migration)
		return false;
	if ((flags & NP_OPS_COMPACTION) && !migration)
		return false;
	if (demotion && !(migration && reclaim))
		return false;
	if ((flags & NP_OPS_NUMA_BALANCING) && !migration)
		return false;
	if ((flags & NP_OPS_PROTECT_WRITE) && (flags & NP_OPS_MEMPOLICY))
		return false;
	if ((flags & NP_OPS_OOM_ELIGIBLE) && !(reclaim && demotion))
		return false;
	return true;
}

static void node_private_test_subsets(struct kunit *test)
{
	unsigned long flags, end = NP_OPS_OOM_ELIGIBLE << 1;

	for (flags = 0; flags < end; flags++) {
		int err = node_private_check_flags(flags);

		KUNIT_EXPECT_EQ_MSG(test, err != -EINVAL, node_private_test_is_sound(flags),
				    "flags %#lx", flags);
		KUNIT_EXPECT_EQ_MSG(test, node_private_check_flags(flags | end), -EINVAL,
				    "flags %#lx", flags | end);
	}
}

/* What sysfs prints is what sysfs takes. */
static void node_private_test_print(struct kunit *test)
{
	char *page = (char *)get_zeroed_page(GFP_KERNEL);
	unsigned long flags, again;

	KUNIT_ASSERT_NOT_NULL(test, page);
	for (flags = 0; flags < NP_OPS_OOM_ELIGIBLE << 1; flags++) {
		int want = node_private_check_flags(flags);

		again = ~flags;
		node_private_print_ops(page, flags);
		KUNIT_EXPECT_EQ(test, node_private_parse_ops(page, &again), want);
		KUNIT_EXPECT_EQ(test, again, want ? ~flags : flags);
	}
	free_page((unsigned long)page);
}

/* Zones of registered nodes in @zonerefs; *@ret_own counts those of @nid. */
static int node_private_test_count(const struct zoneref *zonerefs, int nid, int *ret_own)
{
	int registered = 0;

	*ret_own = 0;
	for (; zonerefs->zone; zonerefs++) {
		registered += node_private_is_registered(zone_to_nid(zonerefs->zone));
		*ret_own += zone_to_nid(zonerefs->zone) == nid;
	}
	return registered;
}

static void node_private_test_lists(struct kunit *test)
{
	int nid, list, own, private_nodes = 0;

	get_online_mems();
	for_each_online_node(nid) {
		for (list = 0; list < MAX_ZONELISTS; list++) {
			const struct zoneref *zonerefs =
				NODE_DATA(nid)->node_zonelists[list]._zonerefs;

			KUNIT_EXPECT_EQ_MSG(test, node_private_test_count(zonerefs, nid, &own), 0,
					    "list %d of node %d holds a private zone", list, nid);
			if (list == ZONELIST_FALLBACK)
				KUNIT_EXPECT_NOT_NULL_MSG(test, zonerefs->zone,
							  "node %d has no fallback", nid);
			else if (node_state(nid, N_MEMORY))
				KUNIT_EXPECT_NE_MSG(test, own, 0, "node %d lacks itself", nid);
		}
		private_nodes += node_is_private(nid);
	}
	put_online_mems();
	if (!private_nodes)
		kunit_skip(test, "there is no private node");
}

static void node_private_test_own_list(struct kunit *test)
{
	int nid, own, private_nodes = 0;

	get_online_mems();
	for_each_node(nid) {
		const struct zoneref *zonerefs = node_private_zonerefs(nid);

		KUNIT_EXPECT_EQ(test, !!zonerefs, node_private_is_registered(nid));
		if (!zonerefs)
			continue;
		/* Its own zones, all of them, and no other. */
		KUNIT_EXPECT_EQ(test, node_private_test_count(zonerefs, nid, &own), own);
		KUNIT_EXPECT_EQ(test, own > 0, node_is_private(nid));
		for (; zonerefs->zone; zonerefs++)
			KUNIT_EXPECT_EQ(test, zone_to_nid(zonerefs->zone), nid);
		private_nodes += own > 0;
	}
	put_online_mems();
	KUNIT_EXPECT_NULL(test, node_private_zonerefs(NUMA_NO_NODE));
	KUNIT_EXPECT_NULL(test, node_private_zonerefs(MAX_NUMNODES));
	KUNIT_EXPECT_NULL(test, node_private_zonerefs(first_memory_node));
	if (!private_nodes)
		kunit_skip(test, "there is no private node");
}

/* A gfp mask alone leads nowhere: see __folio_alloc(). */
static void node_private_test_gate(struct kunit *test)
{
	struct folio *folio;
	struct page *page;
	int nid;

	for_each_node_state(nid, N_MEMORY_PRIVATE) {
		page = alloc_pages_node(nid, GFP_HIGHUSER_MOVABLE | __GFP_THISNODE | __GFP_NOWARN, 0);
		KUNIT_EXPECT_NULL(test, page);
		page = alloc_pages_node(nid, GFP_HIGHUSER_MOVABLE | GFP_PRIVATE | __GFP_NOWARN, 0);
		KUNIT_EXPECT_NULL(test, page);
		page = alloc_pages_node(nid, GFP_HIGHUSER_MOVABLE, 0);
		KUNIT_ASSERT_NOT_NULL(test, page);
		KUNIT_EXPECT_FALSE(test, node_is_private(page_to_nid(page)));
		__free_page(page);

		folio = folio_alloc_node_private(nid, GFP_KERNEL | __GFP_NOWARN, 0);
		KUNIT_EXPECT_NULL(test, folio);		/* not for ZONE_MOVABLE */
		folio = folio_alloc_node_private(nid, GFP_HIGHUSER_MOVABLE, 0);
		KUNIT_ASSERT_NOT_NULL(test, folio);
		KUNIT_EXPECT_EQ(test, folio_nid(folio), nid);
		folio_put(folio);
		folio = __folio_alloc(GFP_HIGHUSER_MOVABLE | GFP_PRIVATE, 2, nid, NULL);
		KUNIT_ASSERT_NOT_NULL(test, folio);
		KUNIT_EXPECT_EQ(test, folio_nid(folio), nid);
		KUNIT_EXPECT_EQ(test, folio_order(folio), 2);
		folio_put(folio);
	}
	KUNIT_EXPECT_NULL(test, folio_alloc_node_private(first_memory_node,
							 GFP_HIGHUSER_MOVABLE, 0));
	KUNIT_EXPECT_NULL(test, folio_alloc_node_private(NUMA_NO_NODE, GFP_HIGHUSER_MOVABLE, 0));
	if (nodes_empty(node_states[N_MEMORY_PRIVATE]))
		kunit_skip(test, "there is no private node");
}

static struct kunit_case node_private_cases[] = {
	KUNIT_CASE(node_private_test_needs),
	KUNIT_CASE(node_private_test_excludes),
	KUNIT_CASE(node_private_test_support),
	KUNIT_CASE(node_private_test_parse),
	KUNIT_CASE(node_private_test_subsets),
	KUNIT_CASE(node_private_test_print),
	KUNIT_CASE(node_private_test_lists),
	KUNIT_CASE(node_private_test_own_list),
	KUNIT_CASE(node_private_test_gate),
	{}
};

static struct kunit_suite node_private_suite = {
	.name = "node_private",
	.test_cases = node_private_cases,
};

kunit_test_suite(node_private_suite);

MODULE_DESCRIPTION("KUnit tests of private nodes");
MODULE_LICENSE("GPL");
