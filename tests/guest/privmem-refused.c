// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * privmem-refused - is each of many values refused by a cgroup file?
 *
 * Usage: privmem-refused FILE VALUE...
 *
 * Writes each VALUE in one write(2) and expects EINVAL, and FILE to read as it
 * did before.  \n and \0 in VALUE are a newline and a NUL.
 *
 * Exit status: 0 if so, 1 for the first value that was not (on stderr), 2 usage.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static size_t unescape(const char *value, char *buffer)
{
	size_t len = 0;

	for (; *value; value++) {
		if (*value == '\\' && (value[1] == 'n' || value[1] == '0'))
			buffer[len++] = *++value == 'n' ? '\n' : '\0';
		else
			buffer[len++] = *value;
	}
	return len;
}

static void read_file(const char *path, char *buffer, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t len;

	if (fd < 0)
		err(2, "%s", path);
	len = read(fd, buffer, size - 1);
	if (len < 0)
		err(2, "%s", path);
	buffer[len] = '\0';
	close(fd);
}

int main(int argc, char **argv)
{
	static char before[8192], after[8192], value[64 << 10];
	int i, fd;

	if (argc < 3)
		errx(2, "usage: privmem-refused FILE VALUE...");
	read_file(argv[1], before, sizeof(before));
	fd = open(argv[1], O_WRONLY);
	if (fd < 0)
		err(2, "%s", argv[1]);
	for (i = 2; i < argc; i++) {
		if (write(fd, value, unescape(argv[i], value)) >= 0)
			errx(1, "accepted: '%s'", argv[i]);
		if (errno != EINVAL)
			err(1, "'%s'", argv[i]);
		read_file(argv[1], after, sizeof(after));
		if (strcmp(before, after))
			errx(1, "'%s' changed '%s' to '%s'", argv[i], before, after);
	}
	return 0;
}
