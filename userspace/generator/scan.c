/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Looks through unit directories for files that name our keys. Nothing is merged and no mask,
 * alias or order is looked at: a name too many costs a unit one question that privmemd answers
 * with success, so every file simply counts for the name it is stored under.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directive.h"
#include "scan.h"
#include "unitfile.h"

#define QUADLET_DEPTH 8

/* Maps a file or directory name to the unit it belongs to; false: to none. */
typedef bool (*scan_map_t)(const char *file, size_t length, char ret[256]);

static bool has_suffix(const char *text, size_t length, const char *suffix)
{
	size_t n = strlen(suffix);

	return length > n && !memcmp(text + length - n, suffix, n);
}

/**
 * scan_section_of() - the section the keys stand in for a name
 * @name: see struct scan_name
 *
 * Return: "Service" or "Slice"; NULL for other types of units.
 */
const char *scan_section_of(const char *name)
{
	if (!strcmp(name, "service"))
		return "Service";
	if (!strcmp(name, "slice"))
		return "Slice";
	return directive_section_of(name);
}

/**
 * scan_covers() - whether the drop-ins of one name reach the units of another
 * @broad: see struct scan_name
 * @narrow: likewise
 *
 * Return: true for equal names, and where @broad is @narrow's template, prefix or type.
 */
bool scan_covers(const char *broad, const char *narrow)
{
	const char *section = scan_section_of(broad), *other = scan_section_of(narrow);
	const char *type = strrchr(broad, '.');
	size_t length = type ? (size_t)(type - broad) : 0;

	if (!section || !other || strcmp(section, other))
		return false;
	if (!strcmp(broad, narrow) || !length)
		return true;
	return strchr("-@", broad[length - 1]) && !strncmp(broad, narrow, length);
}

struct file_facts {
	const char *section;
	bool is_asking, has_root;
	char other[256]; /* what Quadlet's key ServiceName= makes the unit's name, or "" */
};

static bool changes_root(const char *key)
{
	return !strcmp(key, "RootDirectory") || !strcmp(key, "RootImage") ||
	       !strcmp(key, "TemporaryFileSystem");
}

static int facts_visit(const struct unitfile_assignment *assignment, void *userdata)
{
	struct file_facts *facts = userdata;

	if (!strcmp(assignment->key, "ServiceName") && !strchr(assignment->value, '/'))
		snprintf(facts->other, sizeof(facts->other), *assignment->value ? "%s.service" : "%s",
			 assignment->value);
	if (strcmp(assignment->section, facts->section))
		return 0;
	facts->is_asking |= directive_is_key(assignment->key);
	facts->has_root |= changes_root(assignment->key) && *assignment->value;
	return 0;
}

/*
 * privmemd refuses to read so large a file, and with it the unit's start. A unit that asks for
 * nothing must not suffer that, and one that does must not start without its grant.
 */
static void guess_facts(int dir_fd, const char *file, struct file_facts *facts)
{
	int fd = openat(dir_fd, file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	void *text = MAP_FAILED;
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) >= 0)
		text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (fd >= 0)
		close(fd);
	facts->is_asking = facts->has_root =
		text == MAP_FAILED || memmem(text, (size_t)st.st_size, "PrivateMemory", 13);
	if (text != MAP_FAILED)
		munmap(text, (size_t)st.st_size);
}

static int read_facts(int dir_fd, const char *file, struct file_facts *facts)
{
	unsigned int line;
	size_t length;
	char *text;
	int r;

	r = directive_read_file(dir_fd, file, &text, &length);
	if (r == -EFBIG) {
		guess_facts(dir_fd, file, facts);
		return 0;
	}
	if (r < 0)
		return r;
	/* Most files hold none of the words: don't take them apart. */
	if (memmem(text, length, "PrivateMemory", 13) || memmem(text, length, "Root", 4) ||
	    memmem(text, length, "TemporaryFileSystem", 19) || memmem(text, length, "ServiceName", 11))
		r = unitfile_walk(text, length, facts_visit, facts, &line);
	free(text);
	return r == -ENOMEM ? r : 0;
}

static int scan_add(struct scan *scan, const char *name, const struct file_facts *facts)
{
	struct scan_name *grown, added = { .is_asking = facts->is_asking, .has_root = facts->has_root };

	grown = reallocarray(scan->names, scan->n_names + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	scan->names = grown;
	added.name = strdup(name);
	added.other = *facts->other ? strdup(facts->other) : NULL;
	if (!added.name || (*facts->other && !added.other)) {
		free(added.name);
		free(added.other);
		return -ENOMEM;
	}
	grown[scan->n_names++] = added;
	return 0;
}

/* One file that counts for @name. What cannot be read is somebody else's to complain about. */
static int scan_file(struct scan *scan, int dir_fd, const char *file, const char *name)
{
	struct file_facts facts = { .section = scan_section_of(name) };
	int r;

	if (!facts.section)
		return 0;
	r = read_facts(dir_fd, file, &facts);
	if (r == -ENOMEM)
		return r;
	if (r < 0 || (!facts.is_asking && !facts.has_root && !*facts.other))
		return 0;
	return scan_add(scan, name, &facts);
}

static int open_directory(int dir_fd, const char *path, DIR **ret)
{
	int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir && fd >= 0)
		close(fd);
	*ret = dir;
	return dir ? 0 : -errno;
}

static int scan_dropins(struct scan *scan, int dir_fd, const char *path, const char *name)
{
	struct dirent *entry;
	DIR *dir;
	int r = 0;

	if (!scan_section_of(name) || open_directory(dir_fd, path, &dir) < 0)
		return 0;
	while (!r && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' &&
		    has_suffix(entry->d_name, strlen(entry->d_name), ".conf"))
			r = scan_file(scan, dirfd(dir), entry->d_name, name);
	closedir(dir);
	return r;
}

/* @depth: how far to follow directories below this one; symbolic links may make it a circle. */
static int scan_directory(struct scan *scan, int root_fd, const char *path, scan_map_t map,
			  unsigned int depth)
{
	struct dirent *entry;
	DIR *dir;
	int r;

	r = open_directory(root_fd, path + strspn(path, "/"), &dir);
	if (r < 0)
		return r == -ENOENT || r == -ENOTDIR ? 0 : r;
	r = 0;
	while (!r && (entry = readdir(dir))) {
		const char *file = entry->d_name;
		size_t length = strlen(file);
		char name[256];

		if (*file == '.')
			continue;
		if (has_suffix(file, length, ".d") && map(file, length - 2, name))
			r = scan_dropins(scan, dirfd(dir), file, name);
		else if (map(file, length, name))
			r = scan_file(scan, dirfd(dir), file, name);
		else if (depth && scan_directory(scan, dirfd(dir), file, map, depth - 1) == -ENOMEM)
			r = -ENOMEM;
	}
	closedir(dir);
	return r;
}

static bool map_unit(const char *file, size_t length, char ret[256])
{
	snprintf(ret, 256, "%.*s", (int)length, file);
	return scan_section_of(ret) != NULL;
}

/**
 * scan_unit_directory() - look through the unit files and drop-ins of one directory
 * @scan: names are added
 * @root_fd: directory that @path is taken below
 * @path: need not exist
 *
 * Return: 0, or
 * * -ENOMEM - no memory
 * * -Exxx - the directory cannot be read
 */
int scan_unit_directory(struct scan *scan, int root_fd, const char *path)
{
	return scan_directory(scan, root_fd, path, map_unit, 0);
}

/**
 * scan_quadlet_directory() - the same for what podman makes units of
 * @scan: names are added, as the names of the units to be made
 * @root_fd: directory that @path is taken below
 * @path: need not exist; directories below it are looked at, too
 *
 * Return: see scan_unit_directory().
 */
int scan_quadlet_directory(struct scan *scan, int root_fd, const char *path)
{
	return scan_directory(scan, root_fd, path, directive_unit_of_quadlet, QUADLET_DEPTH);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct scan_name *)a)->name, ((const struct scan_name *)b)->name);
}

/**
 * scan_finish() - sort the names and join those found more than once
 * @scan: complete
 */
void scan_finish(struct scan *scan)
{
	size_t kept = 0;

	if (!scan->n_names)
		return;
	qsort(scan->names, scan->n_names, sizeof(*scan->names), compare_names);
	for (size_t i = 1; i < scan->n_names; i++) {
		struct scan_name *last = &scan->names[kept], *next = &scan->names[i];

		if (strcmp(last->name, next->name)) {
			scan->names[++kept] = *next;
			continue;
		}
		last->is_asking |= next->is_asking;
		last->has_root |= next->has_root;
		if (!last->other) {
			last->other = next->other;
			next->other = NULL;
		}
		free(next->name);
		free(next->other);
	}
	scan->n_names = kept + 1;
}

/**
 * scan_done() - free what a scan holds
 * @scan: empty afterwards
 */
void scan_done(struct scan *scan)
{
	for (size_t i = 0; i < scan->n_names; i++) {
		free(scan->names[i].name);
		free(scan->names[i].other);
	}
	free(scan->names);
	*scan = (struct scan){};
}
