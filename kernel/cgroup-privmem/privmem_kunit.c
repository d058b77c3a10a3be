// SPDX-License-Identifier: GPL-2.0-only
/*
 * The grant formula and the edges of the counters, from both sides.
 */
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/slab.h>

#include "internal.h"

/* One bit is enough: the formula treats each node alone. */
#define NODE	BIT(0)

struct grant_case {
	const char *name;
	bool has_request;
	unsigned long request, subtree, parent_effective, parent_avail;
	unsigned long effective, avail;
};

static const struct grant_case grant_cases[] = {
	{ .name = "default of a top-level cgroup is none",
	  .parent_avail = NODE },
	{ .name = "unset inherits what the parent uses",
	  .parent_effective = NODE, .parent_avail = NODE,
	  .effective = NODE, .avail = NODE },
	{ .name = "unset does not inherit what the parent only hands down",
	  .parent_avail = NODE },
	{ .name = "a request is granted from what the parent has to give",
	  .has_request = true, .request = NODE, .parent_avail = NODE,
	  .effective = NODE, .avail = NODE },
	{ .name = "a request beyond what the parent has gets nothing",
	  .has_request = true, .request = NODE },
	{ .name = "none keeps the parent's grant out",
	  .has_request = true, .parent_effective = NODE, .parent_avail = NODE },
	{ .name = "subtree lets children be given what the cgroup does not use",
	  .subtree = NODE, .parent_avail = NODE,
	  .avail = NODE },
	{ .name = "subtree gives nothing the parent does not have",
	  .subtree = NODE },
	{ .name = "none with subtree hands down without use",
	  .has_request = true, .subtree = NODE, .parent_effective = NODE, .parent_avail = NODE,
	  .avail = NODE },
	{ .name = "request and subtree together",
	  .has_request = true, .request = NODE, .subtree = NODE, .parent_avail = NODE,
	  .effective = NODE, .avail = NODE },
};

static void grant_case_desc(const struct grant_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(grant, grant_cases, grant_case_desc);

static void grant_test_formula(struct kunit *test)
{
	const struct grant_case *c = test->param_value;
	nodemask_t parent_effective = {}, parent_avail = {}, effective, avail;
	struct privmem *pm = privmem_alloc();

	KUNIT_ASSERT_NOT_NULL(test, pm);
	nodes_setall(effective);
	nodes_setall(avail);
	pm->has_request = c->has_request;
	pm->request[0] = c->request;
	pm->subtree[0] = c->subtree;
	parent_effective.bits[0] = c->parent_effective;
	parent_avail.bits[0] = c->parent_avail;

	privmem_grant_compute(pm, parent_effective.bits, parent_avail.bits, effective.bits,
			      avail.bits);
	kfree(pm);

	KUNIT_EXPECT_EQ(test, effective.bits[0] & NODE, c->effective);
	KUNIT_EXPECT_EQ(test, avail.bits[0] & NODE, c->avail);
}

/*
 * All masks of two nodes, and what has to hold of any: a cgroup gets no more than
 * its parent has, and what one node gets does not depend on another.
 */
static void grant_test_all(struct kunit *test)
{
	struct privmem *pm = privmem_alloc();
	unsigned long i;

	KUNIT_ASSERT_NOT_NULL(test, pm);
	if (nr_node_ids < 2) {
		kfree(pm);
		kunit_skip(test, "there is one node");
	}
	for (i = 0; i < BIT(9); i++) {
		nodemask_t effective = {}, avail = {}, parent_effective = {}, parent_avail = {};
		unsigned long want;

		pm->has_request = i & 1;
		pm->request[0] = i >> 1 & 3;
		pm->subtree[0] = i >> 3 & 3;
		parent_avail.bits[0] = i >> 5 & 3;
		/* What the parent uses is part of what it may give. */
		parent_effective.bits[0] = (i >> 7 & 3) & parent_avail.bits[0];
		privmem_grant_compute(pm, parent_effective.bits, parent_avail.bits,
				      effective.bits, avail.bits);

		want = pm->has_request ? pm->request[0] & parent_avail.bits[0]
				       : parent_effective.bits[0];
		KUNIT_EXPECT_EQ(test, effective.bits[0], want);
		KUNIT_EXPECT_EQ(test, avail.bits[0],
				want | (pm->subtree[0] & parent_avail.bits[0]));
		KUNIT_EXPECT_TRUE(test, nodes_subset(effective, avail));
		KUNIT_EXPECT_TRUE(test, nodes_subset(avail, parent_avail));
	}
	kfree(pm);
}

/* grandparent <- parent <- child */
struct counter_chain {
	struct privmem_counter grandparent, parent, child;
};

static int counter_test_init(struct kunit *test)
{
	struct counter_chain *chain = kunit_kzalloc(test, sizeof(*chain), GFP_KERNEL);

	if (!chain)
		return -ENOMEM;
	privmem_counter_init(&chain->grandparent, NULL, NULL);
	privmem_counter_init(&chain->parent, &chain->grandparent, NULL);
	privmem_counter_init(&chain->child, &chain->parent, NULL);
	test->priv = chain;
	return 0;
}

static void counter_expect(struct kunit *test, long grandparent, long parent, long child)
{
	struct counter_chain *chain = test->priv;

	KUNIT_EXPECT_EQ(test, atomic_long_read(&chain->grandparent.usage), grandparent);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&chain->parent.usage), parent);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&chain->child.usage), child);
}

static void counter_test_last_page(struct kunit *test)
{
	struct counter_chain *chain = test->priv;

	privmem_counter_set_max(&chain->child, 3);
	KUNIT_EXPECT_NULL(test, privmem_counter_charge(&chain->child, 1));
	KUNIT_EXPECT_NULL(test, privmem_counter_charge(&chain->child, 2));
	KUNIT_EXPECT_PTR_EQ(test, privmem_counter_charge(&chain->child, 1), &chain->child);
	counter_expect(test, 3, 3, 3);

	privmem_counter_uncharge(&chain->child, 1);
	KUNIT_EXPECT_PTR_EQ(test, privmem_counter_charge(&chain->child, 2), &chain->child);
	KUNIT_EXPECT_NULL(test, privmem_counter_charge(&chain->child, 1));
	counter_expect(test, 3, 3, 3);

	privmem_counter_uncharge(&chain->child, 3);
	counter_expect(test, 0, 0, 0);
}

static void counter_test_zero(struct kunit *test)
{
	struct counter_chain *chain = test->priv;

	privmem_counter_set_max(&chain->child, 0);
	KUNIT_EXPECT_PTR_EQ(test, privmem_counter_charge(&chain->child, 1), &chain->child);
	KUNIT_EXPECT_NULL(test, privmem_counter_charge(&chain->parent, 1));
	counter_expect(test, 1, 1, 0);
}

static void counter_test_ancestor_refuses(struct kunit *test)
{
	struct counter_chain *chain = test->priv;

	privmem_counter_set_max(&chain->grandparent, 512);
	KUNIT_EXPECT_NULL(test, privmem_counter_charge(&chain->parent, 1));
	KUNIT_EXPECT_PTR_EQ(test, privmem_counter_charge(&chain->child, 512),
			    &chain->grandparent);
	counter_expect(test, 1, 1, 0);
	KUNIT_EXPECT_NULL(test, privmem_counter_charge(&chain->child, 511));
	KUNIT_EXPECT_PTR_EQ(test, privmem_counter_charge(&chain->child, 1),
			    &chain->grandparent);
	counter_expect(test, 512, 512, 511);
}

static void counter_test_lowered(struct kunit *test)
{
	struct counter_chain *chain = test->priv;

	KUNIT_EXPECT_NULL(test, privmem_counter_charge(&chain->child, 10));
	privmem_counter_set_max(&chain->parent, 4);
	counter_expect(test, 10, 10, 10);
	KUNIT_EXPECT_PTR_EQ(test, privmem_counter_charge(&chain->child, 1), &chain->parent);

	privmem_counter_uncharge(&chain->child, 6);
	KUNIT_EXPECT_PTR_EQ(test, privmem_counter_charge(&chain->child, 1), &chain->parent);
	privmem_counter_uncharge(&chain->child, 1);
	KUNIT_EXPECT_NULL(test, privmem_counter_charge(&chain->child, 1));
	counter_expect(test, 4, 4, 4);
}

static void counter_test_peak(struct kunit *test)
{
	struct counter_chain *chain = test->priv;

	privmem_counter_set_max(&chain->parent, 5);
	KUNIT_EXPECT_EQ(test, privmem_counter_peak(&chain->child), 0L);
	KUNIT_EXPECT_NULL(test, privmem_counter_charge(&chain->child, 5));
	KUNIT_EXPECT_NOT_NULL(test, privmem_counter_charge(&chain->child, 1));
	privmem_counter_uncharge(&chain->child, 5);

	/* What was refused above was never use. */
	KUNIT_EXPECT_EQ(test, privmem_counter_peak(&chain->child), 5L);
	KUNIT_EXPECT_EQ(test, privmem_counter_peak(&chain->grandparent), 5L);

	KUNIT_EXPECT_NULL(test, privmem_counter_charge(&chain->child, 2));
	KUNIT_EXPECT_EQ(test, privmem_counter_peak(&chain->child), 5L);
}

static struct kunit_case grant_test_cases[] = {
	KUNIT_CASE_PARAM(grant_test_formula, grant_gen_params),
	KUNIT_CASE(grant_test_all),
	{ }
};

static struct kunit_suite grant_test_suite = {
	.name = "privmem-grant",
	.test_cases = grant_test_cases,
};

static struct kunit_case counter_test_cases[] = {
	KUNIT_CASE(counter_test_last_page),
	KUNIT_CASE(counter_test_zero),
	KUNIT_CASE(counter_test_ancestor_refuses),
	KUNIT_CASE(counter_test_lowered),
	KUNIT_CASE(counter_test_peak),
	{ }
};

static struct kunit_suite counter_test_suite = {
	.name = "privmem-counter",
	.init = counter_test_init,
	.test_cases = counter_test_cases,
};

kunit_test_suites(&grant_test_suite, &counter_test_suite);

MODULE_DESCRIPTION("KUnit tests of grants and limits of private memory nodes");
MODULE_LICENSE("GPL");
