// SPDX-License-Identifier: LGPL-2.1-or-later
#include "wholefile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

/**
 * wholefile_read() - read all of a file
 * @path: relative to @dir_fd; its last part is no symbolic link
 * @ret: terminated; set only on success
 *
 * Return: 0, -ENODATA if it does not fit into @size, or -Exxx
 */
int wholefile_read(int dir_fd, const char *path, char *ret, size_t size)
{
	int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	size_t length = 0;
	ssize_t got;

	if (fd < 0)
		return -errno;
	do {
		got = read(fd, ret + length, size - 1 - length);
		if (got > 0)
			length += got;
	} while (got > 0 && length < size - 1);
	if (got < 0)
		got = -errno;
	else if (got > 0)
		got = -ENODATA;
	else
		ret[length] = '\0';
	close(fd);
	return got;
}
