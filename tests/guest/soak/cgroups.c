// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The soak's cgroups: two halves of two leaves each, which the workers live in, and a
 * few more that come and go.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "soak.h"

const char *const cgroups[NR_CGROUPS] = { "", "/a", "/b", "/a/x", "/a/y", "/b/x", "/b/y" };

int write_cgroup(const char *path, const char *file, const char *value)
{
	char name[256];

	snprintf(name, sizeof(name), TOP "%s/%s", path, file);
	return write_file(name, value);
}

/* The number behind "N1 " in a cgroup's file; -1 if there is none or it is max. */
long read_bytes(const char *path, const char *file, int nid)
{
	char name[256], text[1024], key[16], *line;

	snprintf(name, sizeof(name), TOP "%s/%s", path, file);
	if (read_file(name, text, sizeof(text)))
		return -1;
	snprintf(key, sizeof(key), "N%d ", nid);
	for (line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, key, strlen(key)))
			return line[strlen(key)] == 'm' ? -1 : atol(line + strlen(key));
	}
	return -1;
}

void dynamic_path(unsigned int i, char *path, size_t size)
{
	snprintf(path, size, "/%c/d%u", i & 1 ? 'a' : 'b', i);
}

bool is_our_cgroup(uint64_t inode)
{
	char path[32], name[128];
	struct stat st;
	unsigned int i;

	for (i = 0; i < NR_CGROUPS + NR_DYNAMIC; i++) {
		if (i < NR_CGROUPS)
			snprintf(path, sizeof(path), "%s", cgroups[i]);
		else
			dynamic_path(i - NR_CGROUPS, path, sizeof(path));
		snprintf(name, sizeof(name), TOP "%s", path);
		if (!stat(name, &st) && st.st_ino == inode)
			return true;
	}
	return false;
}

void make_cgroups(void)
{
	char name[128];
	unsigned int i;
	int err;

	for (i = 0; i < NR_CGROUPS; i++) {
		snprintf(name, sizeof(name), TOP "%s", cgroups[i]);
		if (mkdir(name, 0755) && errno != EEXIST)
			goto fail;
		if (i < FIRST_LEAF) {
			err = write_cgroup(cgroups[i], "cgroup.subtree_control", "+memory");
			if (err) {
				errno = -err;
				goto fail;
			}
		}
	}
	write_cgroup("", "memory.private_nodes", "1-2");
	write_cgroup("", "memory.private_nodes.subtree", "1-2");
	/* One half has little ordinary memory, so what moves there may not fit. */
	write_cgroup("/b", "memory.max", "24M");
	return;
fail:
	perror(name);
	exit(2);
}

bool remove_cgroups(void)
{
	double deadline = now() + 30;
	char path[32], name[128];
	unsigned int i;
	int n;

	write_cgroup("", "cgroup.kill", "1");
	while (wait(NULL) > 0)
		;
	for (i = 0; i < NR_DYNAMIC; i++) {
		dynamic_path(i, path, sizeof(path));
		snprintf(name, sizeof(name), TOP "%s", path);
		while (rmdir(name) && errno == EBUSY && now() < deadline)
			sleep_usec(10000);
	}
	for (n = NR_CGROUPS - 1; n > 0; n--) {
		snprintf(name, sizeof(name), TOP "%s", cgroups[n]);
		while (rmdir(name) && errno == EBUSY && now() < deadline)
			sleep_usec(10000);
		if (!access(name, F_OK))
			return false;
	}
	return true;
}

bool all_released(void)
{
	double deadline = now() + 20;
	long left;
	int nid;

	for (nid = 1; nid <= 2; nid++) {
		while ((left = read_bytes("", "memory.private_nodes.current", nid)) > 0 &&
		       now() < deadline)
			sleep_usec(20000);
		if (left) {
			printf("# node %d: %ld bytes are still charged\n", nid, left);
			return false;
		}
	}
	return true;
}
