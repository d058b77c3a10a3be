/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel moves a process at a time, by migrate_pages(2), and says how many pages stayed. A
 * child does that, since a large process takes a while; the parent tells how far it is, and in the
 * end, from the cgroup's own counters and the processes' numa_maps, what stayed and why. Memory
 * that no process of the cgroup maps cannot be moved from here.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "evict.h"
#include "size.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define NODE_ROOT "/sys/devices/system/node/"
#define PROGRESS_MSEC 500

struct process {
	pid_t pid;
	long result; /* of migrate_pages: pages that stayed, or -Exxx */
};

struct evict {
	const char *cgroup;
	const struct nodelist *nodes;
	struct process *processes;
	size_t n_processes;
	uint64_t first_bytes, told_bytes;
};

static void add_process(struct evict *evict, pid_t pid)
{
	struct process *grown = reallocarray(evict->processes, evict->n_processes + 1,
					     sizeof(*grown));

	if (!grown)
		return;
	grown[evict->n_processes++] = (struct process){ pid, -ESRCH };
	evict->processes = grown;
}

/* Of the cgroup and all below it. */
static void collect_processes(struct evict *evict, const char *directory)
{
	char path[strlen(directory) + 256 + sizeof("/cgroup.procs")];
	struct dirent *entry;
	FILE *file;
	DIR *dir;
	int pid;

	sprintf(path, "%s/cgroup.procs", directory);
	file = fopen(path, "re");
	while (file && fscanf(file, "%d", &pid) == 1)
		if (pid > 0)
			add_process(evict, pid);
	if (file)
		fclose(file);
	dir = opendir(directory);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		sprintf(path, "%s/%s", directory, entry->d_name);
		collect_processes(evict, path);
	}
	if (dir)
		closedir(dir);
}

/* A file of the cgroup or of one above it: its first word as an amount; "max" is UINT64_MAX. */
static uint64_t read_amount(const char *cgroup, const char *name, uint64_t otherwise)
{
	char path[sizeof(CGROUP_ROOT) + strlen(cgroup) + strlen(name) + 1], text[64] = "";
	FILE *file;

	sprintf(path, CGROUP_ROOT "%s/%s", cgroup, name);
	file = fopen(path, "re");
	if (!file)
		return otherwise;
	if (!fgets(text, sizeof(text), file))
		*text = '\0';
	fclose(file);
	return *text == 'm' ? UINT64_MAX : *text ? strtoull(text, NULL, 10) : otherwise;
}

/* What a cgroup is charged with on the nodes. */
static uint64_t read_used(const char *cgroup, const struct nodelist *nodes)
{
	char path[sizeof(CGROUP_ROOT "/memory.private_nodes.current") + strlen(cgroup)];
	unsigned long long bytes, sum = 0;
	unsigned int nid;
	FILE *file;

	sprintf(path, CGROUP_ROOT "%s/memory.private_nodes.current", cgroup);
	file = fopen(path, "re");
	while (file && fscanf(file, " N%u %llu", &nid, &bytes) == 2)
		if (nodelist_is_set(nodes, nid))
			sum += bytes;
	if (file)
		fclose(file);
	return sum;
}

static int read_ordinary_nodes(struct nodelist *ret)
{
	const char *reason;
	char text[4096] = "";
	FILE *file = fopen(NODE_ROOT "has_memory", "re");

	if (!file)
		return -errno;
	if (!fgets(text, sizeof(text), file))
		*text = '\0';
	fclose(file);
	return nodelist_parse(text, ret, &reason);
}

/* In the child. Writes a result for each process. */
static void move_all(const struct evict *evict, int out_fd)
{
	struct nodelist ordinary;
	int r = read_ordinary_nodes(&ordinary);

	for (size_t i = 0; i < evict->n_processes; i++) {
		long result = r;

		if (r >= 0)
			result = syscall(SYS_migrate_pages, evict->processes[i].pid,
					 NODELIST_MAX + 1UL, evict->nodes->bits, ordinary.bits);
		if (r >= 0 && result < 0)
			result = -errno;
		if (write(out_fd, &result, sizeof(result)) != sizeof(result))
			_exit(EXIT_FAILURE);
	}
	_exit(EXIT_SUCCESS);
}

static void tell_progress(struct evict *evict)
{
	uint64_t bytes = read_used(evict->cgroup, evict->nodes);
	char *left, *all;

	if (bytes == evict->told_bytes)
		return;
	evict->told_bytes = bytes;
	left = size_format(bytes);
	all = size_format(evict->first_bytes);
	fprintf(stderr, "privmemctl: evict: %s: %s of %s left\n", evict->cgroup, left ?: "?",
		all ?: "?");
	free(left);
	free(all);
}

static int move(struct evict *evict)
{
	int pipe_fds[2], r;
	size_t n_done = 0;
	pid_t child;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return -errno;
	child = fork();
	if (!child)
		move_all(evict, pipe_fds[1]);
	r = child < 0 ? -errno : 0;
	close(pipe_fds[1]);
	while (r >= 0 && n_done < evict->n_processes) {
		struct pollfd fd = { pipe_fds[0], POLLIN, 0 };

		if (poll(&fd, 1, PROGRESS_MSEC) > 0) {
			if (read(fd.fd, &evict->processes[n_done].result, sizeof(long)) !=
			    sizeof(long))
				break;
			n_done++;
		} else {
			tell_progress(evict);
		}
	}
	close(pipe_fds[0]);
	if (child > 0)
		(void)waitpid(child, NULL, 0);
	return r;
}

/* Bytes that a process still maps on the nodes. */
static uint64_t read_mapped(const struct evict *evict, pid_t pid)
{
	char path[64], *line = NULL, *word, *rest;
	size_t size = 0;
	uint64_t sum = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/numa_maps", pid);
	file = fopen(path, "re");
	while (file && getline(&line, &size, file) > 0) {
		unsigned long long pages, kbytes = 4, count = 0;
		unsigned int nid;

		for (word = strtok_r(line, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest))
			if (sscanf(word, "N%u=%llu", &nid, &pages) == 2)
				count += nodelist_is_set(evict->nodes, nid) ? pages : 0;
			else
				(void)sscanf(word, "kernelpagesize_kB=%llu", &kbytes);
		sum += count * kbytes * 1024;
	}
	if (file)
		fclose(file);
	free(line);
	return sum;
}

static bool is_narrow(const char *cgroup, uint64_t bytes)
{
	uint64_t max = read_amount(cgroup, "memory.max", UINT64_MAX);
	uint64_t current = read_amount(cgroup, "memory.current", 0);

	return max != UINT64_MAX && (current >= max || max - current < bytes);
}

/*
 * The cgroup whose memory.max is in the way, of this one and those below, each of which gets what
 * it has on the nodes itself; NULL if none is. free() it.
 */
static char *find_narrow(const char *cgroup, const struct nodelist *nodes)
{
	char path[sizeof(CGROUP_ROOT) + strlen(cgroup) + 257], *narrow = NULL;
	uint64_t bytes = read_used(cgroup, nodes);
	struct dirent *entry;
	DIR *dir;

	if (!bytes)
		return NULL;
	if (is_narrow(cgroup, bytes))
		return strdup(cgroup);
	sprintf(path, CGROUP_ROOT "%s", cgroup);
	dir = opendir(path);
	while (!narrow && dir && (entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		sprintf(path, "%s/%s", cgroup, entry->d_name);
		narrow = find_narrow(path, nodes);
	}
	if (dir)
		closedir(dir);
	return narrow;
}

/* Or of those above, which get all of it. */
static char *find_narrow_above(const char *cgroup, uint64_t bytes)
{
	char *path = strdup(cgroup);

	while (path && *path) {
		*strrchr(path, '/') = '\0';
		if (*path && is_narrow(path, bytes))
			return path;
	}
	free(path);
	return NULL;
}

static void explain_process(const struct evict *evict, const struct process *process,
			    uint64_t bytes)
{
	char path[64], name[64] = "?", *size = size_format(bytes);
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", process->pid);
	file = fopen(path, "re");
	if (file && fgets(name, sizeof(name), file))
		name[strcspn(name, "\n")] = '\0';
	if (file)
		fclose(file);
	fprintf(stderr, "privmemctl: evict: %s: %s of process %d (%s) stay: ", evict->cgroup,
		size ?: "?", process->pid, name);
	free(size);
	if (process->result < 0)
		fprintf(stderr, "%s\n", strerror(-process->result));
	else
		fputs("pinned or busy, or ordinary memory is full\n", stderr);
}

static void explain(const struct evict *evict, uint64_t left_bytes)
{
	uint64_t mapped_bytes = 0, bytes;
	char *size;

	for (size_t i = 0; i < evict->n_processes; i++) {
		bytes = read_mapped(evict, evict->processes[i].pid);
		if (bytes)
			explain_process(evict, &evict->processes[i], bytes);
		mapped_bytes += bytes;
	}
	if (mapped_bytes < left_bytes) {
		size = size_format(left_bytes - mapped_bytes);
		fprintf(stderr, "privmemctl: evict: %s: %s stay that no process there maps:"
			" shared memory (see ipcs, /dev/shm), or on its way to be freed\n",
			evict->cgroup, size ?: "?");
		free(size);
	}
}

/*
 * Filled up to its memory.max a cgroup has its processes killed at the next page they need, so
 * nothing is moved unless all of it fits.
 */
static bool is_room_left(const struct evict *evict)
{
	char *narrow = find_narrow(evict->cgroup, evict->nodes), *size;

	if (!narrow)
		narrow = find_narrow_above(evict->cgroup, evict->first_bytes);
	if (!narrow)
		return true;
	size = size_format(evict->first_bytes);
	fprintf(stderr, "privmemctl: evict: %s: %s stay: memory.max of %s leaves no room for them\n",
		evict->cgroup, size ?: "?", narrow);
	free(size);
	free(narrow);
	return false;
}

/**
 * evict() - move a cgroup's pages off some nodes
 * @cgroup: its path below the hierarchy
 * @nodes: private nodes that it may not use any more, or what it frees is used again
 *
 * Return: EXIT_DONE if nothing is left there; EXIT_NO_ROOM if a memory.max is in the way;
 * EXIT_FAILED for any other reason. What stayed and why was printed.
 */
enum exit_code evict(const char *cgroup, const struct nodelist *nodes)
{
	char directory[sizeof(CGROUP_ROOT) + strlen(cgroup)];
	struct evict evict = { .cgroup = cgroup, .nodes = nodes };
	uint64_t left_bytes;
	char *size;
	int r;

	sprintf(directory, CGROUP_ROOT "%s", cgroup);
	if (access(directory, F_OK) < 0) {
		fprintf(stderr, "privmemctl: %s: no such cgroup\n", cgroup);
		return EXIT_NOT_FOUND;
	}
	evict.first_bytes = evict.told_bytes = read_used(cgroup, nodes);
	if (!evict.first_bytes)
		return EXIT_DONE;
	if (!is_room_left(&evict))
		return EXIT_NO_ROOM;
	collect_processes(&evict, directory);
	r = move(&evict);
	if (r < 0)
		fprintf(stderr, "privmemctl: evict: %s\n", strerror(-r));
	left_bytes = read_used(cgroup, nodes);
	size = size_format(evict.first_bytes > left_bytes ? evict.first_bytes - left_bytes : 0);
	fprintf(stderr, "privmemctl: evict: %s: %s moved or freed\n", cgroup, size ?: "?");
	free(size);
	if (left_bytes)
		explain(&evict, left_bytes);
	free(evict.processes);
	return left_bytes ? EXIT_FAILED : EXIT_DONE;
}
