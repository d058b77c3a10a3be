// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The census: stops all workers and compares what is charged with what is used, page
 * by page where they differ.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "soak.h"

/* Pages on the free lists of a node: exact, unlike the counters, which hear of them later. */
static long node_buddy_pages(int nid)
{
	static char text[16 << 10];
	char *line, *rest;
	long sum = 0;
	int found, used, order;

	if (read_file("/proc/buddyinfo", text, sizeof(text)))
		return -1;
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		unsigned long blocks;

		used = 0;
		if (sscanf(line, "Node %d, zone %*s%n", &found, &used) != 1 || found != nid)
			continue;
		for (order = 0, line += used; sscanf(line, "%lu%n", &blocks, &used) == 1; line += used)
			sum += blocks << order++;
	}
	return sum;
}

/* The sum of a node's lines of zoneinfo that @format reads a number from. */
static long node_zoneinfo(int nid, const char *format)
{
	static char text[128 << 10];
	char *line, *rest;
	bool is_ours = false;
	long sum = 0, value;
	int found;

	if (read_file("/proc/zoneinfo", text, sizeof(text)))
		return -1;
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (sscanf(line, "Node %d,", &found) == 1)
			is_ours = found == nid;
		if (is_ours && sscanf(line, format, &value) == 1)
			sum += value;
	}
	return sum;
}

/* Pages of a node that are not free, per-CPU lists counted as free. */
static long node_used(int nid)
{
	long pcp, before, buddy;
	char path[96];

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/compact", nid);
	write_file(path, "1");
	pcp = node_zoneinfo(nid, " count: %ld");
	do {
		before = pcp;
		buddy = node_buddy_pages(nid);
		pcp = node_zoneinfo(nid, " count: %ld");
	} while (pcp != before);
	return node_zoneinfo(nid, " managed %ld") - buddy - pcp;
}

#define KPF_BUDDY	(1ULL << 10)
#define KPF_NOPAGE	(1ULL << 20)

/* For whoever has to find out: pages of a node in use that are charged to no cgroup of ours. */
static void tell_strays(int nid)
{
	int flags_fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	int cgroup_fd = open("/proc/kpagecgroup", O_RDONLY | O_CLOEXEC);
	long pfn = node_zoneinfo(nid, " start_pfn: %ld"), told = 0;
	long end = pfn + node_zoneinfo(nid, " spanned %ld");
	static uint64_t flags[512], inode[512];
	int i;

	for (; pfn < end && told < 4; pfn += 512) {
		if (pread(flags_fd, flags, sizeof(flags), pfn * 8) != sizeof(flags) ||
		    pread(cgroup_fd, inode, sizeof(inode), pfn * 8) != sizeof(inode))
			break;
		for (i = 0; i < 512 && told < 4; i++) {
			/* A page without flags is on a per-CPU list, as far as can be told. */
			if (!flags[i] || flags[i] & (KPF_BUDDY | KPF_NOPAGE) || is_our_cgroup(inode[i]))
				continue;
			complain("pfn %lx of node %d: flags %llx, cgroup %llu", pfn + i, nid,
				 (unsigned long long)flags[i], (unsigned long long)inode[i]);
			told++;
		}
	}
	close(flags_fd);
	close(cgroup_fd);
}

static bool is_frozen(const char *want)
{
	char text[256];

	return !read_file(TOP "/cgroup.events", text, sizeof(text)) && strstr(text, want);
}

static bool wait_frozen(const char *want)
{
	double deadline = now() + 60;

	while (!is_frozen(want)) {
		if (now() > deadline)
			return false;
		sleep_usec(2000);
	}
	return true;
}

/*
 * Stop the world and count: what is charged is what is used, to the page, on each
 * node. Memory that is on its way to be freed gets five seconds.
 */
void do_census(void)
{
	double deadline;
	long charged = 0, used = 0;
	int nid;

	pthread_mutex_lock(&shared->quiet);
	write_cgroup("", "cgroup.freeze", "1");
	if (!wait_frozen("frozen 1"))
		complain("the workers cannot be frozen");
	for (nid = 1; nid <= 2; nid++) {
		for (deadline = now() + 5; now() < deadline; sleep_usec(5000)) {
			charged = read_bytes("", "memory.private_nodes.current", nid);
			used = node_used(nid) * (long)PAGE;
			if (charged == used)
				break;
		}
		if (charged != used) {
			complain("node %d: %ld bytes are charged and %ld used", nid, charged, used);
			tell_strays(nid);
		}
	}
	write_cgroup("", "cgroup.freeze", "0");
	atomic_store(&shared->frozen, true);
	pthread_mutex_unlock(&shared->quiet);
	count(OP_CENSUS, true);
}
