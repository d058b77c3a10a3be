// SPDX-License-Identifier: LGPL-2.1-or-later
/* Policies, and pages that come by them: faults of all kinds, and copies. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "failnth.h"

static int memfd = -1;
static sigjmp_buf bus_return;

static int run_mbind(void)
{
	unsigned long nodes = 6;

	return result(syscall(SYS_mbind, memory, PAGES * PAGE / 2, MPOL_BIND, &nodes, 65, 0));
}

static int run_set_mempolicy(void)
{
	unsigned long nodes = 6;
	int err = result(syscall(SYS_set_mempolicy, MPOL_BIND, &nodes, 65));

	syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0);
	return err;
}

static void on_bus(int sig)
{
	(void)sig;
	siglongjmp(bus_return, 1);
}

/* SIGBUS is an answer, too. */
static __attribute__((noinline)) int run_touch(void)
{
	if (sigsetjmp(bus_return, 1))
		return EFAULT;
	signal(SIGBUS, on_bus);
	fill();
	return 0;
}

static void prepare_huge(void)
{
	prepare_granted();
	memory = map_anon(HUGE_BYTES);
	madvise(memory, HUGE_BYTES, MADV_HUGEPAGE);
	bind_to(memory, HUGE_BYTES, 2);
}

static void prepare_memfd(void)
{
	prepare_granted();
	memfd = memfd_create("privmem-failnth", MFD_CLOEXEC);
	if (memfd < 0 || ftruncate(memfd, PAGES * PAGE))
		fail("memfd");
	memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	if (memory == MAP_FAILED)
		fail("mmap");
	bind_to(memory, PAGES * PAGE, 2);
}

static int run_fallocate(void)
{
	return result(fallocate(memfd, 0, 0, PAGES * PAGE));
}

static int run_populate(void)
{
	return result(madvise(memory, PAGES * PAGE, MADV_POPULATE_WRITE));
}

static int run_mlock(void)
{
	return result(mlock(memory, PAGES * PAGE));
}

static void prepare_source(void)
{
	prepare_bound();
	file_fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	if (file_fd < 0)
		fail("/dev/urandom");
}

static int run_read(void)
{
	return result(read(file_fd, memory, PAGE));
}

static int run_fork(void)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return errno;
	if (!pid) {
		fill();
		_exit(0);
	}
	/* Where the parent's own copy is refused: it is what it was. */
	waitpid(pid, &status, 0);
	return status ? EFAULT : 0;
}

/* fail-nth is not inherited: the child asks for itself. */
static int run_copy(void)
{
	char text[16];
	int status;
	pid_t pid;

	pread(fail_fd, text, sizeof(text), 0);
	text[strcspn(text, "\n")] = '\0';
	pwrite(fail_fd, "0", 1, 0);
	pid = fork();
	if (!pid) {
		int fd = open("/proc/thread-self/fail-nth", O_RDWR);

		signal(SIGBUS, SIG_DFL);
		write(fd, text, strlen(text));
		fill();
		memset(text, 0, sizeof(text));
		pread(fd, text, sizeof(text) - 1, 0);
		write(fd, "0", 1);
		_exit(atoi(text) ? 0 : 7);
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		pwrite(fail_fd, "99999", 5, 0);	/* it came to its end with none failed */
	else
		pwrite(fail_fd, "0", 1, 0);
	return WIFSIGNALED(status) ? EFAULT : 0;
}

const struct operation page_operations[] = {
	{ "mbind", prepare_mapped, run_mbind, check_any, false },
	{ "set_mempolicy", prepare_granted, run_set_mempolicy, check_any, false },
	{ "touch", prepare_bound, run_touch, check_filled, false },
	{ "huge", prepare_huge, run_touch, check_filled, false },
	{ "memfd", prepare_memfd, run_touch, check_filled, false },
	{ "fallocate", prepare_memfd, run_fallocate, check_any, false },
	{ "populate", prepare_bound, run_populate, check_any, false },
	{ "mlock", prepare_bound, run_mlock, check_any, false },
	{ "read", prepare_source, run_read, check_any, false },
	{ "fork", prepare_filled, run_fork, check_kept, false },
	{ "copy", prepare_filled, run_copy, check_kept, false },
	{ }
};
