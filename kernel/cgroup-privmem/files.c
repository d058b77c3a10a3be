// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files memory.private_nodes*: parse and print only.
 *
 * All input is parsed in full before anything changes.  None of the files is
 * namespace-delegatable: a container may hand down what it was given and
 * never raise it.
 */
#include <linux/cgroup.h>
#include <linux/ctype.h>
#include <linux/mmzone.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/swap.h>

#include "internal.h"

#define FILES_MAX_UNNAMED	(-1L)

static struct mem_cgroup *files_memcg(struct kernfs_open_file *of)
{
	return mem_cgroup_from_css(of_css(of));
}

/*
 * kernfs cuts a write at PAGE_SIZE, so a full page may lack its end, and
 * string functions would overlook what stands behind a NUL.
 */
static bool files_is_whole(const char *buf, size_t nbytes)
{
	return nbytes < PAGE_SIZE && strlen(buf) == nbytes;
}

/* "1,3-4" of possible nodes, or "none". */
static int files_parse_nodes(const char *buf, nodemask_t *ret_nodes)
{
	nodemask_t nodes;

	if (!strcmp(buf, "none")) {
		nodes_clear(*ret_nodes);
		return 0;
	}
	if (buf[strspn(buf, "0123456789,- \t")] || nodelist_parse(buf, nodes) ||
	    nodes_empty(nodes) || !nodes_subset(nodes, node_possible_map))
		return -EINVAL;

	*ret_nodes = nodes;
	return 0;
}

/* "4096", "4K", "max"; to pages, rounded down. */
static int files_parse_size(char *buf, long *ret_pages)
{
	static const char suffixes[] = "KMGT";
	size_t len = strlen(buf);
	const char *suffix;
	u64 bytes, unit = 1;

	if (!strcmp(buf, "max")) {
		*ret_pages = PRIVMEM_COUNTER_MAX;
		return 0;
	}
	if (!isdigit(buf[0]))
		return -EINVAL;

	suffix = strchr(suffixes, toupper(buf[len - 1]));
	if (suffix) {
		unit = 1024ULL << (10 * (suffix - suffixes));
		buf[len - 1] = '\0';
	}
	if (kstrtou64(buf, 10, &bytes) || bytes > U64_MAX / unit)
		return -EINVAL;

	*ret_pages = min_t(u64, bytes * unit / PAGE_SIZE, PRIVMEM_COUNTER_MAX);
	return 0;
}

/* "N1 4096" into @max[1]. */
static int files_parse_limit(char *line, long *max)
{
	char *key = strsep(&line, " \t");
	unsigned int nid;

	if (key[0] != 'N' || !isdigit(key[1]) || kstrtouint(key + 1, 10, &nid) || !line ||
	    nid >= nr_node_ids || !node_possible(nid))
		return -EINVAL;
	return files_parse_size(skip_spaces(line), &max[nid]);
}

/* Any number of lines, but at least one, into @max by nid. */
static int files_parse_limits(char *buf, long *max)
{
	bool is_empty = true;
	char *line;
	int err, nid;

	for (nid = 0; nid < nr_node_ids; nid++)
		max[nid] = FILES_MAX_UNNAMED;

	while ((line = strsep(&buf, "\n"))) {
		line = strim(line);
		if (!*line)
			continue;
		err = files_parse_limit(line, max);
		if (err)
			return err;
		is_empty = false;
	}
	return is_empty ? -EINVAL : 0;
}

/* All counters are made before the first limit is set: all limits or none. */
static int files_apply_limits(struct mem_cgroup *memcg, const long *max)
{
	int nid;

	for (nid = 0; nid < nr_node_ids; nid++)
		if (max[nid] != FILES_MAX_UNNAMED && !privmem_counter_get(memcg, nid))
			return -ENOMEM;

	for (nid = 0; nid < nr_node_ids; nid++)
		if (max[nid] != FILES_MAX_UNNAMED)
			privmem_counter_set_max(privmem_counter_find(memcg, nid), max[nid]);
	return 0;
}

static void files_reclaim_excess(struct mem_cgroup *memcg, const long *max)
{
	int nid;

	for (nid = 0; nid < nr_node_ids; nid++)
		if (max[nid] != FILES_MAX_UNNAMED)
			privmem_reclaim_excess(memcg, nid);
}

static int files_nodes_show(struct seq_file *m, void *v)
{
	nodemask_t nodes;

	if (privmem_grant_request(mem_cgroup_from_seq(m), &nodes) && nodes_empty(nodes))
		seq_puts(m, "none\n");
	else
		seq_printf(m, "%*pbl\n", nodemask_pr_args(&nodes));
	return 0;
}

static ssize_t files_nodes_write(struct kernfs_open_file *of, char *buf, size_t nbytes,
				 loff_t off)
{
	nodemask_t nodes;
	int err;

	if (!files_is_whole(buf, nbytes))
		return -EINVAL;
	buf = strstrip(buf);
	if (!*buf)
		return privmem_grant_set(files_memcg(of), NULL) ?: nbytes;

	err = files_parse_nodes(buf, &nodes);
	if (!err)
		err = privmem_grant_set(files_memcg(of), &nodes);
	return err ?: nbytes;
}

static int files_subtree_show(struct seq_file *m, void *v)
{
	nodemask_t nodes;

	privmem_grant_subtree(mem_cgroup_from_seq(m), &nodes);
	seq_printf(m, "%*pbl\n", nodemask_pr_args(&nodes));
	return 0;
}

static ssize_t files_subtree_write(struct kernfs_open_file *of, char *buf, size_t nbytes,
				   loff_t off)
{
	nodemask_t nodes = NODE_MASK_NONE;
	int err = 0;

	if (!files_is_whole(buf, nbytes))
		return -EINVAL;
	buf = strstrip(buf);
	if (*buf)
		err = files_parse_nodes(buf, &nodes);
	if (!err)
		err = privmem_grant_set_subtree(files_memcg(of), &nodes);
	return err ?: nbytes;
}

static int files_effective_show(struct seq_file *m, void *v)
{
	nodemask_t nodes;

	privmem_grant_effective(mem_cgroup_from_seq(m), &nodes);
	seq_printf(m, "%*pbl\n", nodemask_pr_args(&nodes));
	return 0;
}

/* Nodes that are away are shown where a limit awaits them. */
static int files_max_show(struct seq_file *m, void *v)
{
	int nid;

	for_each_node(nid) {
		struct privmem_counter *counter;
		long max;

		counter = privmem_counter_find(mem_cgroup_from_seq(m), nid);
		max = counter ? READ_ONCE(counter->max) : PRIVMEM_COUNTER_MAX;
		if (max != PRIVMEM_COUNTER_MAX)
			seq_printf(m, "N%d %llu\n", nid, (u64)max * PAGE_SIZE);
		else if (node_is_private(nid))
			seq_printf(m, "N%d max\n", nid);
	}
	return 0;
}

/* What a write says of each node, by nid; kfree() it.  ERR_PTR if it cannot be read. */
static long *files_read_limits(char *buf, size_t nbytes)
{
	long *max;
	int err;

	if (!files_is_whole(buf, nbytes))
		return ERR_PTR(-EINVAL);
	max = kmalloc_array(nr_node_ids, sizeof(*max), GFP_KERNEL);
	if (!max)
		return ERR_PTR(-ENOMEM);

	err = files_parse_limits(buf, max);
	if (err) {
		kfree(max);
		return ERR_PTR(err);
	}
	return max;
}

static ssize_t files_max_write(struct kernfs_open_file *of, char *buf, size_t nbytes, loff_t off)
{
	long *max = files_read_limits(buf, nbytes);
	int err;

	if (IS_ERR(max))
		return PTR_ERR(max);
	err = files_apply_limits(files_memcg(of), max);
	if (!err && !(of->file->f_flags & O_NONBLOCK))
		files_reclaim_excess(files_memcg(of), max);
	kfree(max);
	return err ?: nbytes;
}

/* All amounts are looked at before the first is reclaimed. */
static int files_check_amounts(const long *amounts)
{
	int nid;

	for (nid = 0; nid < nr_node_ids; nid++) {
		if (amounts[nid] == PRIVMEM_COUNTER_MAX)
			return -EINVAL;
		if (amounts[nid] != FILES_MAX_UNNAMED && !node_private_has(nid, NP_OPS_RECLAIM))
			return -EOPNOTSUPP;
	}
	return 0;
}

static ssize_t files_reclaim_write(struct kernfs_open_file *of, char *buf, size_t nbytes,
				   loff_t off)
{
	long *amounts = files_read_limits(buf, nbytes);
	int nid, err;

	if (IS_ERR(amounts))
		return PTR_ERR(amounts);
	err = files_check_amounts(amounts);
	for (nid = 0; !err && nid < nr_node_ids; nid++)
		if (amounts[nid] != FILES_MAX_UNNAMED)
			err = privmem_reclaim_proactive(files_memcg(of), nid, amounts[nid]);
	kfree(amounts);
	return err ?: nbytes;
}

static bool files_has_usage(struct mem_cgroup *memcg)
{
	int nid;

	for_each_node_state(nid, N_MEMORY_PRIVATE) {
		struct privmem_counter *counter = privmem_counter_find(memcg, nid);

		if (counter && atomic_long_read(&counter->usage))
			return true;
	}
	return false;
}

/*
 * A CPU may keep pages on their way to an LRU list although their last user
 * is gone, for as long as it has nothing else to do.  They are charged until
 * it lets go, so have that done before saying what is in use.
 */
static int files_current_show(struct seq_file *m, void *v)
{
	int nid;

	if (files_has_usage(mem_cgroup_from_seq(m)))
		lru_add_drain_all();

	for_each_node_state(nid, N_MEMORY_PRIVATE) {
		struct privmem_counter *counter;
		u64 pages;

		counter = privmem_counter_find(mem_cgroup_from_seq(m), nid);
		pages = counter ? atomic_long_read(&counter->usage) : 0;
		seq_printf(m, "N%d %llu\n", nid, pages * PAGE_SIZE);
	}
	return 0;
}

static int files_peak_show(struct seq_file *m, void *v)
{
	int nid;

	for_each_node_state(nid, N_MEMORY_PRIVATE) {
		struct privmem_counter *counter;
		u64 pages;

		counter = privmem_counter_find(mem_cgroup_from_seq(m), nid);
		pages = counter ? privmem_counter_peak(counter) : 0;
		seq_printf(m, "N%d %llu\n", nid, pages * PAGE_SIZE);
	}
	return 0;
}

static void files_print_events(struct seq_file *m, bool is_local)
{
	static const char * const names[NR_PRIVMEM_EVENTS] = {
		[PRIVMEM_EVENT_MAX] = "max",
		[PRIVMEM_EVENT_FAIL] = "fail",
		[PRIVMEM_EVENT_DENIED] = "denied",
	};
	int nid, i;

	for_each_node_state(nid, N_MEMORY_PRIVATE) {
		struct privmem_counter *counter;
		atomic_long_t *events = NULL;

		counter = privmem_counter_find(mem_cgroup_from_seq(m), nid);
		if (counter)
			events = is_local ? counter->events_local : counter->events;
		for (i = 0; i < NR_PRIVMEM_EVENTS; i++)
			seq_printf(m, "N%d.%s %lu\n", nid, names[i],
				   events ? atomic_long_read(&events[i]) : 0);
	}
}

static int files_events_show(struct seq_file *m, void *v)
{
	files_print_events(m, false);
	return 0;
}

static int files_events_local_show(struct seq_file *m, void *v)
{
	files_print_events(m, true);
	return 0;
}

/* What can be in use of a node with kswapd at rest: all it manages up to the high watermark. */
static int files_capacity_show(struct seq_file *m, void *v)
{
	int nid, i;

	for_each_node_state(nid, N_MEMORY_PRIVATE) {
		u64 pages = 0;

		for (i = 0; i < MAX_NR_ZONES; i++) {
			struct zone *zone = &NODE_DATA(nid)->node_zones[i];
			unsigned long managed = zone_managed_pages(zone);

			pages += managed - min(managed, high_wmark_pages(zone));
		}
		seq_printf(m, "N%d %llu\n", nid, pages * PAGE_SIZE);
	}
	return 0;
}

static struct cftype privmem_files[] = {
	{
		.name = "private_nodes",
		.flags = CFTYPE_NOT_ON_ROOT,
		.seq_show = files_nodes_show,
		.write = files_nodes_write,
	},
	{
		.name = "private_nodes.subtree",
		.flags = CFTYPE_NOT_ON_ROOT,
		.seq_show = files_subtree_show,
		.write = files_subtree_write,
	},
	{
		.name = "private_nodes.effective",
		.file_offset = offsetof(struct mem_cgroup, privmem_effective_file),
		.seq_show = files_effective_show,
	},
	{
		.name = "private_nodes.max",
		.flags = CFTYPE_NOT_ON_ROOT,
		.seq_show = files_max_show,
		.write = files_max_write,
	},
	{
		.name = "private_nodes.current",
		.flags = CFTYPE_NOT_ON_ROOT,
		.seq_show = files_current_show,
	},
	{
		.name = "private_nodes.peak",
		.flags = CFTYPE_NOT_ON_ROOT,
		.seq_show = files_peak_show,
	},
	{
		.name = "private_nodes.events",
		.flags = CFTYPE_NOT_ON_ROOT,
		.file_offset = offsetof(struct mem_cgroup, privmem_events_file),
		.seq_show = files_events_show,
	},
	{
		.name = "private_nodes.events.local",
		.flags = CFTYPE_NOT_ON_ROOT,
		.file_offset = offsetof(struct mem_cgroup, privmem_events_local_file),
		.seq_show = files_events_local_show,
	},
	{
		.name = "private_nodes.reclaim",
		.write = files_reclaim_write,
	},
	{
		.name = "private_nodes.capacity",
		.flags = CFTYPE_ONLY_ON_ROOT,
		.seq_show = files_capacity_show,
	},
	{ }	/* terminate */
};

static int __init privmem_files_init(void)
{
	if (mem_cgroup_disabled())
		return 0;
	return cgroup_add_dfl_cftypes(&memory_cgrp_subsys, privmem_files);
}
subsys_initcall(privmem_files_init);
