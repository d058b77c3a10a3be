// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wholefile.h"

#define TEXT_MAX_BYTES 65536

/**
 * cache_open() - open the directory, or make it
 * @path: its parent exists
 * @ret: set only on success; close() it
 *
 * Return: 0 or -Exxx
 */
int cache_open(const char *path, int *ret)
{
	int fd;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	*ret = fd;
	return 0;
}

/**
 * cache_put() - replace what is kept of a unit; a reader finds the old text or the new one
 *
 * Return: 0 or -Exxx
 */
int cache_put(int dir_fd, const char *unit, const char *text)
{
	/* No unit has a name that begins with a dot. */
	static const char fresh[] = ".new";
	size_t length = strlen(text);
	int fd = openat(dir_fd, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	ssize_t written;

	if (fd < 0)
		return -errno;
	written = write(fd, text, length);
	if (written != (ssize_t)length)
		written = written < 0 ? -errno : -EIO;
	close(fd);
	if (written < 0)
		return written;
	return renameat(dir_fd, fresh, dir_fd, unit) < 0 ? -errno : 0;
}

/**
 * cache_drop() - forget a unit
 */
void cache_drop(int dir_fd, const char *unit)
{
	(void)unlinkat(dir_fd, unit, 0);
}

/**
 * cache_walk() - visit every unit of which something is kept
 * @visit: may drop the unit it visits
 */
void cache_walk(int dir_fd, cache_visit_t visit, void *userdata)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	char text[TEXT_MAX_BYTES];
	struct dirent *entry;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' &&
		    wholefile_read(dir_fd, entry->d_name, text, sizeof(text)) >= 0)
			visit(entry->d_name, text, userdata);
	closedir(dir);
}
