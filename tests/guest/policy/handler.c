// SPDX-License-Identifier: LGPL-2.1-or-later
/* Pages that are not got by touching them: userfaultfd's, and what another process writes. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy.h"

/* Newer than the headers of Debian 12. */
#ifndef UFFDIO_MOVE
#define UFFDIO_MOVE _IOWR(UFFDIO, 0x05, struct uffdio_move)
#define UFFD_FEATURE_MOVE (1 << 16)

struct uffdio_move {
	__u64 dst;
	__u64 src;
	__u64 len;
	__u64 mode;
	__s64 move;
};
#endif

/* A userfaultfd that has the missing pages of @memory to fill. */
static int handler_of(char *memory, size_t bytes, unsigned long features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	struct uffdio_register range = {
		.range = { .start = (unsigned long)memory, .len = bytes },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd < 0)
		fail("userfaultfd");
	if (ioctl(fd, UFFDIO_API, &api))
		fail("UFFDIO_API");
	if (ioctl(fd, UFFDIO_REGISTER, &range))
		fail("UFFDIO_REGISTER");
	return fd;
}

/* How far it came, and why not further. */
static int print_done(long long done, int error, char *memory, size_t bytes)
{
	printf("%lld %s: ", done > 0 ? done : 0, error ? strerrorname_np(error) : "0");
	return print_places(memory, bytes);
}

int verb_uffdcopy(char **args)
{
	size_t bytes = strtoul(args[1], NULL, 10);
	char *memory = map_bound(args[0], bytes), *source = map_anon(bytes);
	struct uffdio_copy copy = {
		.dst = (unsigned long)memory, .src = (unsigned long)source, .len = bytes,
	};
	int handler = handler_of(memory, bytes, 0), error = 0;

	fill(source, bytes);
	if (ioctl(handler, UFFDIO_COPY, &copy)) {
		error = errno;
		/* The call says how many bytes it copied before, and its error only then. */
		if (copy.copy > 0) {
			copy.dst += copy.copy;
			copy.src += copy.copy;
			copy.len = PAGE;
			error = ioctl(handler, UFFDIO_COPY, &copy) ? errno : 0;
			copy.copy = copy.dst - (unsigned long)memory;
		}
	} else if (!is_filled(memory, bytes)) {
		printf("CORRUPT ");
	}
	return print_done(copy.copy, error, memory, bytes);
}

int verb_uffdmove(char **args)
{
	size_t bytes = strtoul(args[1], NULL, 10);
	char *source = map_bound(args[0], bytes), *memory = map_anon(bytes);
	struct uffdio_move move = {
		.dst = (unsigned long)memory, .src = (unsigned long)source, .len = bytes,
	};
	int handler = handler_of(memory, bytes, UFFD_FEATURE_MOVE), error = 0;

	fill(source, bytes);
	if (ioctl(handler, UFFDIO_MOVE, &move))
		error = errno;
	else if (!is_filled(memory, bytes))
		printf("CORRUPT ");
	return print_done(move.move, error, memory, bytes);
}

/* Waits until the other end of the pipe is closed or says something. */
static void await(int fd)
{
	char byte;

	if (read(fd, &byte, 1) < 0)
		fail("read");
}

/* The child has bound memory, half of it touched; we, of no policy, write to all of it. */
int verb_vmwrite(char **args)
{
	size_t bytes = strtoul(args[1], NULL, 10);
	char *memory = map_bound(args[0], bytes), *source = map_anon(bytes);
	struct iovec local = { source, bytes }, remote = { memory, bytes };
	int to_parent[2], to_child[2], status;
	ssize_t done;
	pid_t pid;

	if (pipe2(to_parent, O_CLOEXEC) || pipe2(to_child, O_CLOEXEC))
		fail("pipe2");
	fill(source, bytes);
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(to_child[1]);
		memset(memory, 1, bytes / 2);
		if (write(to_parent[1], "", 1) != 1)
			fail("write");
		await(to_child[0]);
		if (!is_filled(memory, bytes))
			printf("CORRUPT ");
		_exit(print_places(memory, bytes));
	}
	close(to_parent[1]);
	await(to_parent[0]);
	done = process_vm_writev(pid, &local, 1, &remote, 1, 0);
	printf("%zd %s: ", done > 0 ? done : 0, done < 0 ? strerrorname_np(errno) : "0");
	fflush(stdout);
	close(to_child[1]);
	if (waitpid(pid, &status, 0) < 0)
		fail("waitpid");
	return status ? 1 : 0;
}
