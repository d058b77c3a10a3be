/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The cgroup files this project adds, memory.private_nodes*, and what little
 * else of a cgroup the daemon needs.
 *
 * libcgroup is asked once, where the hierarchy is. From then on everything goes
 * through openat() on a kept directory: libcgroup's own calls turn four
 * different errors into one, split a value of two lines and report success for
 * an empty one. Cgroup paths begin with a slash, as PID 1 gives them; "/" is
 * the root.
 */
#ifndef PRIVMEM_CGROUP_H
#define PRIVMEM_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nodelist.h"

/* A value a node, as in "N1 4096\nN2 max\n"; max is UINT64_MAX. */
struct amounts {
	struct nodelist nodes;
	uint64_t bytes[NODELIST_MAX];
};

/* Visited top down; the walk goes below @path only if this returns true. */
typedef bool (*cgroup_visit_t)(int dir_fd, const char *path, void *userdata);

int cgroup_open_root(int *ret);
bool cgroup_has_support(int root_fd);
bool cgroup_exists(int root_fd, const char *path);
bool cgroup_is_populated(int root_fd, const char *path);
int cgroup_make(int root_fd, const char *path);
void cgroup_walk(int root_fd, cgroup_visit_t visit, void *userdata);
int cgroup_path_of_slice(const char *slice, char **ret);

int cgroup_read(int root_fd, const char *path, const char *file, char *ret, size_t size);
int cgroup_read_nodes(int root_fd, const char *path, const char *file, struct nodelist *ret);
int cgroup_read_amounts(int root_fd, const char *path, const char *file, struct amounts *ret);
void cgroup_read_used(int root_fd, const char *file, struct amounts *ret);
int cgroup_write(int root_fd, const char *path, const char *file, const char *text);
int cgroup_write_nodes(int root_fd, const char *path, const char *file,
		       const struct nodelist *nodes);
int cgroup_write_amounts(int root_fd, const char *path, const char *file,
			 const struct amounts *amounts);
int cgroup_hand_down(int root_fd, const char *path, const struct nodelist *nodes);

int cgroup_get_mark(int root_fd, const char *path, char *ret, size_t size);
int cgroup_set_mark(int root_fd, const char *path, const char *text);
void cgroup_clear_mark(int root_fd, const char *path);

int amounts_parse(const char *text, struct amounts *ret);
char *amounts_format(const struct amounts *amounts);

#endif
