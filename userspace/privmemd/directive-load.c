/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the files of a unit for directive.c, which itself does no I/O. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directive.h"

#define FILE_MAX_BYTES (1 << 20)

static int read_all(int fd, char **ret, size_t *ret_length)
{
	size_t length = 0;
	ssize_t n;
	char *text = malloc(FILE_MAX_BYTES);

	if (!text)
		return -ENOMEM;
	while ((n = read(fd, text + length, FILE_MAX_BYTES - length)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		length += n < 0 ? 0 : (size_t)n;
		if (n < 0 || length == FILE_MAX_BYTES) {
			free(text);
			return n < 0 ? -errno : -EFBIG;
		}
	}
	*ret = text;
	*ret_length = length;
	return 0;
}

/**
 * directive_read_file() - read a unit file whole
 * @root_fd: directory that @path is taken below, or AT_FDCWD for the path as it is
 * @path: a device such as /dev/null, which masks, reads as empty
 * @ret: set only on success; owned by the caller, not terminated
 * @ret_length: set only on success
 *
 * Return: 0, or
 * * -EFBIG - larger than a mebibyte
 * * -EISDIR - a directory
 * * -EINVAL - neither a file nor a device
 * * -Exxx - from open() or read()
 */
int directive_read_file(int root_fd, const char *path, char **ret, size_t *ret_length)
{
	struct stat st;
	int fd, r;

	if (root_fd != AT_FDCWD)
		path += strspn(path, "/");
	fd = openat(root_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0) {
		r = -errno;
	} else if (S_ISCHR(st.st_mode)) {
		*ret = calloc(1, 1);
		*ret_length = 0;
		r = *ret ? 0 : -ENOMEM;
	} else {
		r = S_ISREG(st.st_mode) ? read_all(fd, ret, ret_length) :
		    S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	}
	close(fd);
	return r;
}

/**
 * directive_load() - what a unit asks for, over all of its files
 * @root_fd: directory that the paths are taken below, or AT_FDCWD for the paths as they are
 * @unit: name of the unit, for specifiers
 * @files: FragmentPath, then DropInPaths in order, then NULL; empty paths are skipped, and so
 *	are files that are gone
 * @section: "Service" or "Slice", see directive_section_of()
 * @names: that nodes may be called by; outlives @ret
 * @ret: set only on success; see directive_done()
 * @ret_error: set only on failure: the place and the reason
 *
 * Return: 0, or
 * * -EINVAL, -ERANGE - a directive cannot be read
 * * -ENODEV - a directive holds a name that stands for no node
 * * -EBADMSG - a file is no unit file
 * * -ENOMEM, other - a file cannot be read
 */
int directive_load(int root_fd, const char *unit, char *const *files, const char *section,
		   const struct nodenames *names, struct directive *ret,
		   struct directive_error *ret_error)
{
	struct directive directive = { .names = names };
	int r = 0;

	for (size_t i = 0; files[i] && !r; i++) {
		size_t length = 0;
		char *text = NULL;

		r = *files[i] ? directive_read_file(root_fd, files[i], &text, &length) : 0;
		/* Removed since PID 1 read it: a unit that starts now asks for nothing by it. */
		if (r == -ENOENT)
			r = 0;
		if (r < 0) {
			*ret_error = (struct directive_error){ .path = files[i] };
			snprintf(ret_error->reason, sizeof(ret_error->reason), "cannot read: %s",
				 strerror(-r));
			break;
		}
		r = directive_add_text(&directive, unit, section, files[i], text ?: "", length,
				       ret_error);
		free(text);
	}
	if (!r)
		r = directive_check(&directive, files, ret_error);
	if (r < 0)
		directive_done(&directive);
	else
		*ret = directive;
	return r;
}
