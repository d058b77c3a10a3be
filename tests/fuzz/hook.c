/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What privmem-hook reads: privmemd's answer, which comes in pieces, with a form feed between two,
 * and the file that says which unit the process belongs to.
 */
#include <sys/mman.h>

#include "fuzz.h"

struct sockaddr;

static int fuzz_connect(int fd, const struct sockaddr *address, unsigned int size);
static ssize_t fuzz_send(int fd, const void *bytes, size_t size, int flags);
static ssize_t fuzz_recv(int fd, void *into, size_t size, int flags);

#define main hook_main
#define connect fuzz_connect
#define send fuzz_send
#define recv fuzz_recv
#include "../../userspace/hook/privmem-hook.c"
#undef main

static const uint8_t *pending;
static size_t n_pending;

static int fuzz_connect(int fd, const struct sockaddr *address, unsigned int size)
{
	(void)fd, (void)address, (void)size;
	return 0;
}

static ssize_t fuzz_send(int fd, const void *bytes, size_t size, int flags)
{
	(void)fd, (void)bytes, (void)flags;
	return (ssize_t)size;
}

static ssize_t fuzz_recv(int fd, void *into, size_t size, int flags)
{
	size_t length = 0;

	(void)fd, (void)flags;
	while (n_pending && *pending == '\f') {
		pending++;
		n_pending--;
	}
	while (length < size && length < n_pending && pending[length] != '\f')
		length++;
	memcpy(into, pending, length);
	pending += length;
	n_pending -= length;
	return (ssize_t)length;
}

/* Only a whole line counts, and a unit starts on 0 alone. */
static void check_answer(const uint8_t *data, size_t size)
{
	char answer[LINE_MAX_BYTES], copy[LINE_MAX_BYTES], *reason = NULL;
	int code;

	pending = data;
	n_pending = size;
	if (exchange("unit a.service\n", 15, answer) < 0)
		return;
	strcpy(copy, answer);
	code = parse_answer(answer, &reason);
	require(code <= 255 && (code >= 0 ? reason != NULL : !reason));
	if (code == 0)
		require(copy[strspn(copy, "0")] == '\0' || copy[strspn(copy, "0")] == ' ');
}

static void check_own_unit(const uint8_t *data, size_t size)
{
	char path[64], own[256] = "untouched";
	int fd = memfd_create("cgroup", MFD_CLOEXEC);

	require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (find_own_unit(path, own, sizeof(own)) < 0) {
		close(fd);
		return;
	}
	close(fd);
	require(strlen(own) >= 8 && !strcmp(own + strlen(own) - 8, ".service") && !strchr(own, '/'));
}

/* A slice's name makes directories below the root cgroup and nowhere else. */
static void check_slice(const uint8_t *data, size_t size)
{
	char *name = fuzz_string(data, size);

	if (is_slice_name(name))
		require(!strchr(name, '/') && *name != '.' && *name != '-' &&
			!strstr(name, "--") && strlen(name) < 256);
	free(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_answer(data, size);
	check_own_unit(data, size);
	check_slice(data, size);
	return 0;
}
