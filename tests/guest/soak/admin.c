// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The admin: grants, revokes and limits, moves and kills workers, makes cgroups and
 * removes them with their pages alive.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "soak.h"

/* The limit, and the use that was seen last, per node. */
static struct bound {
	long max, use;
} bounds[NR_CGROUPS][3];

/* No charge takes use above the limit; where it was lowered, use only shrinks. */
static void check_bounds(unsigned int cg)
{
	int nid;

	for (nid = 1; nid <= 2; nid++) {
		struct bound *bound = &bounds[cg][nid];
		long use = read_bytes(cgroups[cg], "memory.private_nodes.current", nid);

		if (use < 0)		/* the node is away */
			continue;
		if (bound->max >= 0 && use > bound->max && use > bound->use)
			complain("%s uses %ld of node %d, its limit is %ld, it used %ld",
				 cgroups[cg], use, nid, bound->max, bound->use);
		bound->use = use;
	}
}

static void do_limit(void)
{
	unsigned int cg = random_below(NR_CGROUPS);
	int nid = 1 + random_below(2), err;
	long bytes = one_in(3) ? -1 : (long)random_below(one_in(2) ? 256 : 4096) * (long)PAGE;
	char value[64];

	if (bytes < 0)
		snprintf(value, sizeof(value), "N%d max", nid);
	else
		snprintf(value, sizeof(value), "N%d %ld", nid, bytes);
	err = write_cgroup(cgroups[cg], "memory.private_nodes.max", value);
	if (err)
		complain("limit '%s': %s", value, strerrorname_np(-err));
	bounds[cg][nid].max = bytes;
	bounds[cg][nid].use = read_bytes(cgroups[cg], "memory.private_nodes.current", nid);
	if (bounds[cg][nid].use < 0)
		bounds[cg][nid].use = LONG_MAX;
	count(OP_LIMIT, true);
}

static void do_grant(void)
{
	static const char *const grants[] = { "1-2", "1-2", "1", "2", "none", "\n" };
	unsigned int cg = random_below(NR_CGROUPS);
	const char *grant = grants[random_below(ARRAY_SIZE(grants))];
	bool is_subtree = one_in(3);
	int err = write_cgroup(cgroups[cg], is_subtree ? "memory.private_nodes.subtree" :
			       "memory.private_nodes", grant);

	if (err)
		complain("grant '%s': %s", grant, strerrorname_np(-err));
	count(is_subtree ? OP_SUBTREE : OP_GRANT, true);
	/* Most of the time there shall be something to be had. */
	if (!cg || one_in(2)) {
		write_cgroup("", "memory.private_nodes", "1-2");
		write_cgroup("/a", "memory.private_nodes", "\n");
	}
}

/* Once the revoke is written no new page comes, anywhere below. */
static void do_revoke(void)
{
	long before[3], after = 0;
	int nid, tries;

	write_cgroup("", "memory.private_nodes.subtree", "none");
	write_cgroup("", "memory.private_nodes", "none");
	for (nid = 1; nid <= 2; nid++)
		before[nid] = read_bytes("", "memory.private_nodes.current", nid);
	sleep_usec(3000);
	for (nid = 1; nid <= 2; nid++) {
		if (before[nid] < 0)
			continue;
		/* A charge that was under way may show for the moment it takes to undo it. */
		for (tries = 0; tries < 100; tries++) {
			after = read_bytes("", "memory.private_nodes.current", nid);
			if (after <= before[nid])
				break;
			sleep_usec(1000);
		}
		if (after > before[nid])
			complain("use of node %d grew from %ld to %ld after the grant was revoked",
				 nid, before[nid], after);
	}
	write_cgroup("", "memory.private_nodes", "1-2");
	write_cgroup("", "memory.private_nodes.subtree", "1-2");
	count(OP_REVOKE, true);
}

static bool is_dynamic[NR_DYNAMIC];

static void move_worker(const char *path)
{
	pid_t pid = atomic_load(&shared->workers[random_below(nr_workers)].pid);
	char text[16];
	int err;

	if (pid <= 0)
		return;
	snprintf(text, sizeof(text), "%d", pid);
	err = write_cgroup(path, "cgroup.procs", text);
	if (err && err != -ESRCH)
		complain("moving %d to %s: %s", pid, path, strerrorname_np(-err));
	count(OP_MOVE_TASK, !err);
}

static void do_cgroup(void)
{
	unsigned int i = random_below(NR_DYNAMIC);
	char path[32], name[128], text[4096], *line;
	int err;

	dynamic_path(i, path, sizeof(path));
	snprintf(name, sizeof(name), TOP "%s", path);
	if (!is_dynamic[i]) {
		err = mkdir(name, 0755) ? errno : 0;
		/* What the kernel needs for it is charged to /b, which may be full. */
		if (err && err != ENOMEM)
			complain("mkdir: %s", strerrorname_np(err));
		count(OP_CGROUP_NEW, !err);
		if (err)
			return;
		is_dynamic[i] = true;
		write_cgroup(path, "memory.private_nodes.max", one_in(2) ? "N1 256K" : "N2 1M");
		move_worker(path);
		move_worker(path);
		return;
	}
	snprintf(name, sizeof(name), TOP "%s/cgroup.procs", path);
	read_file(name, text, sizeof(text));
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		write_cgroup("/a/x", "cgroup.procs", line);
	snprintf(name, sizeof(name), TOP "%s", path);
	err = rmdir(name) ? errno : 0;
	if (!err)
		is_dynamic[i] = false;
	else if (err != EBUSY)
		complain("rmdir: %s", strerrorname_np(err));
	count(OP_CGROUP_REMOVE, !err);
}

static void do_kill(void)
{
	pid_t pid = atomic_load(&shared->workers[random_below(nr_workers)].pid);

	if (pid > 0)
		kill(pid, SIGKILL);
	count(OP_KILL, pid > 0);
}

static void do_reclaim(void)
{
	int err = write_cgroup(cgroups[random_below(NR_CGROUPS)], "memory.reclaim", "256K");

	if (err && err != -EAGAIN && err != -EINTR)
		complain("memory.reclaim: %s", strerrorname_np(-err));
	count(OP_RECLAIM, !err);
}

/* EOPNOTSUPP: the node is away. */
static void do_private_reclaim(void)
{
	const char *ask = one_in(2) ? "N1 256K" : "N2 256K";
	int err = write_cgroup(cgroups[random_below(NR_CGROUPS)], "memory.private_nodes.reclaim", ask);

	if (err && err != -EAGAIN && err != -EINTR && err != -EOPNOTSUPP)
		complain("memory.private_nodes.reclaim: %s", strerrorname_np(-err));
	count(OP_PRIVATE_RECLAIM, !err);
}

void admin(void)
{
	unsigned int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	random_seed(seed ^ 0xad317);
	for (i = 0; i < NR_CGROUPS; i++)
		bounds[i][1].max = bounds[i][2].max = -1;
	while (!atomic_load(&shared->stop)) {
		pthread_mutex_lock(&shared->quiet);
		switch (random_below(16)) {
		case 0 ... 2: do_grant(); break;
		case 3 ... 6: do_limit(); break;
		case 7: do_revoke(); break;
		case 8 ... 9: move_worker(cgroups[FIRST_LEAF + random_below(NR_LEAVES)]); break;
		case 10 ... 11: do_cgroup(); break;
		case 12: one_in(2) ? do_reclaim() : do_private_reclaim(); break;
		case 13:
			if (one_in(4))
				do_kill();
			break;
		default: check_bounds(random_below(NR_CGROUPS)); break;
		}
		pthread_mutex_unlock(&shared->quiet);
		sleep_usec(1000 + random_below(10000));
	}
	_exit(0);
}
