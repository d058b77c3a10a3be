// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Random numbers, time and files.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "soak.h"

static uint64_t rng;

uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

/* What is random then follows from @value. */
void random_seed(uint64_t value)
{
	rng = mix(value);
}

/* After a fork: go on with other numbers than the parent. */
void random_fork(void)
{
	random_seed(rng + 1);
}

unsigned int random_below(unsigned int n)
{
	rng = mix(rng);
	return (rng >> 16) % n;
}

bool one_in(unsigned int n)
{
	return !random_below(n);
}

void sleep_usec(long usec)
{
	struct timespec time = { .tv_sec = usec / 1000000, .tv_nsec = usec % 1000000 * 1000 };

	nanosleep(&time, NULL);
}

double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

/* Return: 0 or -errno */
int write_file(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		err = -errno;
	close(fd);
	return err;
}

int read_file(const char *path, char *buffer, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while (len < size - 1 && (n = read(fd, buffer + len, size - 1 - len)) > 0)
		len += n;
	buffer[len] = '\0';
	close(fd);
	return 0;
}
