// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the opt-ins of private nodes: which go together, and how
 * they are written.
 */
#include <kunit/test.h>
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
	KUNIT_EXPECT_EQ(test, node_private_check_flags(NP_OPS_RECLAIM), -EOPNOTSUPP);
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
	KUNIT_EXPECT_EQ(test, node_private_parse_ops("reclaim", &flags), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, flags, NP_OPS_MIGRATION);
}

static struct kunit_case node_private_cases[] = {
	KUNIT_CASE(node_private_test_needs),
	KUNIT_CASE(node_private_test_excludes),
	KUNIT_CASE(node_private_test_support),
	KUNIT_CASE(node_private_test_parse),
	{}
};

static struct kunit_suite node_private_suite = {
	.name = "node_private",
	.test_cases = node_private_cases,
};

kunit_test_suite(node_private_suite);

MODULE_DESCRIPTION("KUnit tests of the opt-ins of private nodes");
MODULE_LICENSE("GPL");
