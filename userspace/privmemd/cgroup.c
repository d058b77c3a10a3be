// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cgroup.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libcgroup.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cgroupname.h"
#include "wholefile.h"

#define PROBE "memory.private_nodes.effective"
/* Records on the cgroup itself why it was granted something, and by whom. */
#define MARK "user.privmem"
#define FILE_MAX_BYTES 65536

/* libcgroup's answer may be missing (no controller is enabled yet early in the boot). */
static char *hierarchy_find(void)
{
	char *mount_point = NULL;

	if (cgroup_init() == 0 && cgroup_get_subsys_mount_point("memory", &mount_point) == 0)
		return mount_point;
	return strdup("/sys/fs/cgroup");
}

/**
 * cgroup_open_root() - open the root of the unified hierarchy
 * @ret: set only on success; close() it
 *
 * Return: 0, -EOPNOTSUPP if the memory controller is not on cgroup v2, or -Exxx
 */
int cgroup_open_root(int *ret)
{
	char *mount_point = hierarchy_find();
	struct statfs fs;
	int fd, r = 0;

	if (!mount_point)
		return -ENOMEM;
	fd = open(mount_point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(mount_point);
	if (fd < 0)
		return -errno;
	if (fstatfs(fd, &fs) < 0)
		r = -errno;
	else if (fs.f_type != CGROUP2_SUPER_MAGIC)
		r = -EOPNOTSUPP;
	if (r < 0) {
		close(fd);
		return r;
	}
	*ret = fd;
	return 0;
}

/**
 * cgroup_has_support() - does this kernel know grants of private nodes?
 */
bool cgroup_has_support(int root_fd)
{
	return faccessat(root_fd, PROBE, F_OK, 0) == 0;
}

static int cgroup_open_dir(int root_fd, const char *path)
{
	const char *relative = path + strspn(path, "/");
	int fd = openat(root_fd, *relative ? relative : ".",
			O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -errno : fd;
}

/* The name of a cgroup's file below the root, in @buffer. */
static const char *cgroup_file_name(const char *path, const char *file, char *buffer, size_t size)
{
	snprintf(buffer, size, "%s/%s", path, file);
	return buffer + strspn(buffer, "/");
}

bool cgroup_exists(int root_fd, const char *path)
{
	const char *relative = path + strspn(path, "/");

	return !*relative || faccessat(root_fd, relative, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/**
 * cgroup_is_populated() - does a process live in the cgroup or below it?
 */
bool cgroup_is_populated(int root_fd, const char *path)
{
	char text[256];

	return cgroup_read(root_fd, path, "cgroup.events", text, sizeof(text)) >= 0 &&
	       strstr(text, "populated 1");
}

/**
 * cgroup_make() - make a slice's cgroup before PID 1 does, which then adopts it
 * @path: its missing parents are made as well
 *
 * The memory controller is enabled on the way where it is not yet: PID 1 does
 * the same for a slice that accounts memory, so the two agree.
 *
 * Return: 0 or -Exxx
 */
int cgroup_make(int root_fd, const char *path)
{
	char part[strlen(path) + 1];
	size_t length = 0;

	do {
		char above[length + 1];
		char text[1024];

		snprintf(above, sizeof(above), "%s", path);
		length += strspn(path + length, "/");
		length += strcspn(path + length, "/");
		snprintf(part, length + 1, "%s", path);
		if (cgroup_read(root_fd, above, "cgroup.subtree_control", text, sizeof(text)) < 0 ||
		    !strstr(text, "memory")) {
			int r = cgroup_write(root_fd, above, "cgroup.subtree_control", "+memory");

			if (r < 0)
				return r;
		}
		if (mkdirat(root_fd, part + strspn(part, "/"), 0755) < 0 && errno != EEXIST)
			return -errno;
	} while (path[length]);
	return 0;
}

static void cgroup_walk_dir(int dir_fd, const char *path, cgroup_visit_t visit, void *userdata)
{
	DIR *dir = fdopendir(dir_fd);
	struct dirent *entry;

	if (!dir) {
		close(dir_fd);
		return;
	}
	while ((entry = readdir(dir))) {
		char below[strlen(path) + strlen(entry->d_name) + 2];
		int fd;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		fd = openat(dirfd(dir), entry->d_name,
			    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0)
			continue;	/* removed meanwhile */
		snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
		if (visit(fd, below, userdata))
			cgroup_walk_dir(fd, below, visit, userdata);
		else
			close(fd);
	}
	closedir(dir);
}

/**
 * cgroup_walk() - visit every cgroup below the root, parents first
 */
void cgroup_walk(int root_fd, cgroup_visit_t visit, void *userdata)
{
	int fd = cgroup_open_dir(root_fd, "/");

	if (fd >= 0)
		cgroup_walk_dir(fd, "", visit, userdata);
}

/**
 * cgroup_path_of_slice() - where PID 1 puts a slice
 * @slice: "a-b.slice"
 * @ret: "/a.slice/a-b.slice", or "" for -.slice; free() it
 *
 * Return: 0, -EINVAL if @slice is no name of a slice, or -ENOMEM
 */
int cgroup_path_of_slice(const char *slice, char **ret)
{
	size_t length = strlen(slice), suffix = strlen(".slice");
	char *path = NULL, part[length + 1];
	FILE *out;

	if (length <= suffix || strcmp(slice + length - suffix, ".slice") != 0 ||
	    strchr(slice, '/'))
		return -EINVAL;
	length -= suffix;
	if (strcmp(slice, "-.slice") == 0) {
		*ret = strdup("");
		return *ret ? 0 : -ENOMEM;
	}
	out = open_memstream(&path, &(size_t){ 0 });
	if (!out)
		return -ENOMEM;
	for (size_t i = 1; i <= length; i++) {
		if (i < length && slice[i] != '-')
			continue;
		if (slice[0] == '-' || slice[i - 1] == '-') {
			fclose(out);
			free(path);
			return -EINVAL;
		}
		snprintf(part, sizeof(part), "%.*s.slice", (int)i, slice);
		fprintf(out, "/%s%s", cgroupname_escape(part), part);
	}
	if (fclose(out) != 0) {
		free(path);
		return -ENOMEM;
	}
	*ret = path;
	return 0;
}

/**
 * cgroup_read() - read a whole file of a cgroup
 * @ret: terminated; set only on success
 *
 * Return: 0, -ENODATA if it does not fit into @size, or -Exxx
 */
int cgroup_read(int root_fd, const char *path, const char *file, char *ret, size_t size)
{
	char name[strlen(path) + strlen(file) + 2];

	return wholefile_read(root_fd, cgroup_file_name(path, file, name, sizeof(name)),
			      ret, size);
}

/**
 * cgroup_read_nodes() - read a node list; "none" and an empty file are the empty one
 */
int cgroup_read_nodes(int root_fd, const char *path, const char *file, struct nodelist *ret)
{
	char text[8192];
	const char *reason;
	int r = cgroup_read(root_fd, path, file, text, sizeof(text));

	if (r < 0)
		return r;
	if (strcmp(text, "none\n") == 0 || strcmp(text, "none") == 0)
		text[0] = '\0';
	return nodelist_parse(text, ret, &reason);
}

/**
 * cgroup_read_amounts() - read "N1 4096" lines
 */
int cgroup_read_amounts(int root_fd, const char *path, const char *file, struct amounts *ret)
{
	char text[FILE_MAX_BYTES];
	int r = cgroup_read(root_fd, path, file, text, sizeof(text));

	return r < 0 ? r : amounts_parse(text, ret);
}

/**
 * cgroup_read_used() - what all cgroups together are charged with
 * @file: one of the files with a value a node
 * @ret: always set; all zero where nothing is charged
 *
 * Charges are hierarchical: the cgroups below the root hold all there is.
 */
void cgroup_read_used(int root_fd, const char *file, struct amounts *ret)
{
	int fd = openat(root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct amounts one;
	unsigned int nid;

	*ret = (struct amounts){};
	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.' ||
		    cgroup_read_amounts(root_fd, entry->d_name, file, &one) < 0)
			continue;
		nodelist_for_each(nid, &one.nodes)
			ret->bytes[nid] += one.bytes[nid];
	}
	closedir(dir);
}

/**
 * cgroup_write() - write a value in one write(2)
 *
 * Return: 0 or the kernel's own -Exxx
 */
int cgroup_write(int root_fd, const char *path, const char *file, const char *text)
{
	char name[strlen(path) + strlen(file) + 2];
	int fd = openat(root_fd, cgroup_file_name(path, file, name, sizeof(name)),
			O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW);
	ssize_t written;

	if (fd < 0)
		return -errno;
	written = write(fd, text, strlen(text));
	if (written < 0)
		written = -errno;
	close(fd);
	return written < 0 ? written : 0;
}

/**
 * cgroup_write_nodes() - write a node list; the empty one as a newline, which is "inherit"
 */
int cgroup_write_nodes(int root_fd, const char *path, const char *file,
		       const struct nodelist *nodes)
{
	char *list = nodelist_format(nodes);
	int r;

	if (!list)
		return -ENOMEM;
	r = cgroup_write(root_fd, path, file, *list ? list : "\n");
	free(list);
	return r;
}

/**
 * cgroup_write_amounts() - write limits of several nodes, all or nothing
 */
int cgroup_write_amounts(int root_fd, const char *path, const char *file,
			 const struct amounts *amounts)
{
	char *text = amounts_format(amounts);
	int r;

	if (!text)
		return -ENOMEM;
	r = *text ? cgroup_write(root_fd, path, file, text) : 0;
	free(text);
	return r;
}

/**
 * cgroup_hand_down() - let every ancestor of @path hand @nodes down
 *
 * Nodes are added to what stands there, never taken: somebody else below may
 * need them.
 *
 * Return: 0 or -Exxx
 */
int cgroup_hand_down(int root_fd, const char *path, const struct nodelist *nodes)
{
	static const char file[] = "memory.private_nodes.subtree";
	char above[strlen(path) + 1];

	for (size_t i = 1; path[i]; i++) {
		struct nodelist list;
		int r;

		if (path[i] != '/')
			continue;
		snprintf(above, i + 1, "%s", path);
		r = cgroup_read_nodes(root_fd, above, file, &list);
		if (r < 0)
			return r;
		if (nodelist_is_subset(nodes, &list))
			continue;
		nodelist_or(&list, nodes);
		r = cgroup_write_nodes(root_fd, above, file, &list);
		if (r < 0)
			return r;
	}
	return 0;
}

/**
 * cgroup_get_mark() - read what cgroup_set_mark() recorded
 *
 * Whoever owns a cgroup can mark it. We cannot mark what is not ours, so a mark
 * there is somebody else's.
 *
 * Return: 0, -ENODATA if there is no mark of ours, or -Exxx
 */
int cgroup_get_mark(int root_fd, const char *path, char *ret, size_t size)
{
	int fd = cgroup_open_dir(root_fd, path);
	ssize_t length;
	struct stat st;

	if (fd < 0)
		return fd;
	length = fstat(fd, &st) < 0 ? -1 : fgetxattr(fd, MARK, ret, size - 1);
	if (length < 0)
		length = -errno;
	else if (st.st_uid != geteuid())
		length = -ENODATA;
	else
		ret[length] = '\0';
	close(fd);
	return length < 0 ? length : 0;
}

/**
 * cgroup_set_mark() - record on a cgroup what its grant rests on
 *
 * The mark goes when the cgroup goes, which no file elsewhere would.
 */
int cgroup_set_mark(int root_fd, const char *path, const char *text)
{
	int fd = cgroup_open_dir(root_fd, path);
	int r;

	if (fd < 0)
		return fd;
	r = fsetxattr(fd, MARK, text, strlen(text), 0) < 0 ? -errno : 0;
	close(fd);
	return r;
}

void cgroup_clear_mark(int root_fd, const char *path)
{
	int fd = cgroup_open_dir(root_fd, path);

	if (fd < 0)
		return;
	(void)fremovexattr(fd, MARK);
	close(fd);
}

/**
 * amounts_parse() - read "N1 4096\nN2 max\n"
 * @ret: set only on success
 *
 * Return: 0, or -EINVAL or -ERANGE for anything else
 */
int amounts_parse(const char *text, struct amounts *ret)
{
	struct amounts amounts = {};

	while (*text) {
		unsigned long long bytes = UINT64_MAX;
		unsigned long nid;
		char *end;

		if (text[0] != 'N' || !isdigit((unsigned char)text[1]))
			return -EINVAL;
		errno = 0;
		nid = strtoul(text + 1, &end, 10);
		if (nid >= NODELIST_MAX)
			return -ERANGE;
		if (*end != ' ' || nodelist_is_set(&amounts.nodes, nid))
			return -EINVAL;
		text = end + 1;
		if (strncmp(text, "max", 3) == 0) {
			end = (char *)text + 3;
		} else {
			if (!isdigit((unsigned char)*text))
				return -EINVAL;
			bytes = strtoull(text, &end, 10);
			if (errno == ERANGE)
				return -ERANGE;
		}
		if (*end != '\n' && *end != '\0')
			return -EINVAL;
		nodelist_set(&amounts.nodes, nid);
		amounts.bytes[nid] = bytes;
		text = *end ? end + 1 : end;
	}
	*ret = amounts;
	return 0;
}

/**
 * amounts_format() - the inverse of amounts_parse()
 *
 * Return: text to free(), or NULL when memory ran out
 */
char *amounts_format(const struct amounts *amounts)
{
	char *text = NULL;
	unsigned int nid;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		return NULL;
	nodelist_for_each(nid, &amounts->nodes) {
		if (amounts->bytes[nid] == UINT64_MAX)
			fprintf(out, "N%u max\n", nid);
		else
			fprintf(out, "N%u %ju\n", nid, (uintmax_t)amounts->bytes[nid]);
	}
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
