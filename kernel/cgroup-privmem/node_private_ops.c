// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opt-ins of private nodes: their names, what each needs, and the kernel
 * parameter private_nodes=, for memory whose driver binds before anyone can
 * write an attribute.
 */
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/node_private.h>
#include <linux/nodemask.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

/* What this kernel does so far; the rest has a name and is refused. */
#define NP_OPS_SUPPORTED	(NP_OPS_MIGRATION | NP_OPS_MEMPOLICY | NP_OPS_RECLAIM | \
				 NP_OPS_DEMOTION)

static const struct {
	const char *name;
	unsigned long flag;
	unsigned long needs;
	unsigned long excludes;
} node_private_optins[] = {
	{ "migration", NP_OPS_MIGRATION },
	{ "mempolicy", NP_OPS_MEMPOLICY, NP_OPS_MIGRATION },
	{ "reclaim", NP_OPS_RECLAIM },
	{ "compaction", NP_OPS_COMPACTION, NP_OPS_MIGRATION },
	{ "demotion", NP_OPS_DEMOTION, NP_OPS_MIGRATION | NP_OPS_RECLAIM },
	{ "numa_balancing", NP_OPS_NUMA_BALANCING, NP_OPS_MIGRATION },
	{ "protect_write", NP_OPS_PROTECT_WRITE, 0, NP_OPS_MEMPOLICY },
	{ "longterm_pin", NP_OPS_LONGTERM_PIN },
	{ "oom_eligible", NP_OPS_OOM_ELIGIBLE, NP_OPS_RECLAIM | NP_OPS_DEMOTION },
};

/* private_nodes=: the nodes it names, and their flags (ULONG_MAX: unreadable) */
static nodemask_t node_private_wanted __ro_after_init;
static unsigned long node_private_wanted_flags[MAX_NUMNODES] __ro_after_init;

/**
 * node_private_check_flags() - do these opt-ins go together?
 * @flags: NP_OPS_*
 *
 * Return: 0, or
 * * -EINVAL - an unknown flag, or one without what it needs, or with what it
 *   excludes
 * * -EOPNOTSUPP - a sound combination that this kernel does not have yet
 */
int node_private_check_flags(unsigned long flags)
{
	unsigned long known = 0;

	for (int i = 0; i < ARRAY_SIZE(node_private_optins); i++) {
		known |= node_private_optins[i].flag;
		if (!(flags & node_private_optins[i].flag))
			continue;
		if (node_private_optins[i].needs & ~flags)
			return -EINVAL;
		if (node_private_optins[i].excludes & flags)
			return -EINVAL;
	}
	if (flags & ~known)
		return -EINVAL;
	return flags & ~NP_OPS_SUPPORTED ? -EOPNOTSUPP : 0;
}

static int node_private_parse_name(const char *name, unsigned long *flags)
{
	for (int i = 0; i < ARRAY_SIZE(node_private_optins); i++) {
		if (!strcmp(name, node_private_optins[i].name)) {
			*flags |= node_private_optins[i].flag;
			return 0;
		}
	}
	return -EINVAL;
}

/* As node_private_parse_ops(); writes to @names, and needs no allocator. */
static int node_private_parse(char *names, unsigned long *ret_flags)
{
	unsigned long flags = 0;
	char *name;
	int rc;

	while ((name = strsep(&names, " \t\n,+"))) {
		rc = *name ? node_private_parse_name(name, &flags) : 0;
		if (rc)
			return rc;
	}
	rc = node_private_check_flags(flags);
	if (rc)
		return rc;
	*ret_flags = flags;
	return 0;
}

/**
 * node_private_parse_ops() - read a list of opt-ins
 * @names: names between blanks, commas or plus signs; may be empty
 * @ret_flags: NP_OPS_*, a combination that node_private_check_flags() passed
 *
 * Return: 0, -ENOMEM, -EINVAL for an unknown name, or the error of
 * node_private_check_flags()
 */
int node_private_parse_ops(const char *names, unsigned long *ret_flags)
{
	char *copy __free(kfree) = kstrdup(names, GFP_KERNEL);

	return copy ? node_private_parse(copy, ret_flags) : -ENOMEM;
}
EXPORT_SYMBOL_GPL(node_private_parse_ops);

/* One line for sysfs: the names in @flags between blanks. */
ssize_t node_private_print_ops(char *buf, unsigned long flags)
{
	ssize_t len = 0;

	for (int i = 0; i < ARRAY_SIZE(node_private_optins); i++)
		if (flags & node_private_optins[i].flag)
			len += sysfs_emit_at(buf, len, "%s%s", len ? " " : "",
					     node_private_optins[i].name);
	return len + sysfs_emit_at(buf, len, "\n");
}
EXPORT_SYMBOL_GPL(node_private_print_ops);

/**
 * node_private_param() - what private_nodes= says of a node
 * @nid: any number
 * @ret_flags: set if the node is named.  Flags that could not be read fail
 *	in node_private_check_flags(), so that the memory stays out of use
 *	instead of becoming ordinary
 *
 * Return: true if the kernel command line wants @nid private.
 */
bool node_private_param(int nid, unsigned long *ret_flags)
{
	if (nid < 0 || nid >= MAX_NUMNODES || !node_isset(nid, node_private_wanted))
		return false;
	*ret_flags = node_private_wanted_flags[nid];
	return true;
}
EXPORT_SYMBOL_GPL(node_private_param);

/*
 * private_nodes=<node list>[:<name>[+<name>]...], may be given several times.
 * Read before there is a slab allocator.
 */
static int __init node_private_setup(char *arg)
{
	char *list = strsep(&arg, ":");
	unsigned long flags = 0;
	nodemask_t nodes;
	int nid;

	if (nodelist_parse(list, nodes)) {
		pr_err("private_nodes: cannot read the node list \"%s\"\n", list);
		return 1;
	}
	if (arg && node_private_parse(arg, &flags)) {
		pr_err("private_nodes: cannot have all of these opt-ins; node %s stays out of use\n",
		       list);
		flags = ULONG_MAX;
	}
	for_each_node_mask(nid, nodes)
		node_private_wanted_flags[nid] = flags;
	nodes_or(node_private_wanted, node_private_wanted, nodes);
	return 1;
}
__setup("private_nodes=", node_private_setup);
