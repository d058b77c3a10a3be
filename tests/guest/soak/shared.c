// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What all processes of the soak see: which kinds of operation there are, how often
 * each was done and refused, and what went wrong.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "soak.h"

/* Where the limit makes room by swapping, what is rare is not always refused in a short run. */
const struct op_kind ops[NR_OPS] = {
	[OP_MAP] = { "map", false },
	[OP_UNMAP] = { "unmap", false },
	[OP_WRITE] = { "write", true },
	[OP_VERIFY] = { "verify", false },
	[OP_MBIND] = { "mbind", true },
	[OP_MBIND_MOVE] = { "mbind-move", true },
	[OP_TASK_POLICY] = { "set_mempolicy", true },
	[OP_MOVE_PAGES] = { "move_pages", true },
	[OP_MIGRATE_PAGES] = { "migrate_pages", true },
	[OP_FORK] = { "fork", false },
	[OP_COPY_ON_WRITE] = { "copy-on-write", true },
	[OP_MLOCK] = { "mlock", false },
	[OP_POPULATE] = { "populate", false },
	[OP_FALLOCATE] = { "fallocate", false },
	[OP_READ_INTO] = { "read-into", false },
	[OP_DONTNEED] = { "madvise-dontneed", false },
	[OP_FREE] = { "madvise-free", false },
	[OP_COLD] = { "madvise-cold", false },
	[OP_PAGEOUT] = { "madvise-pageout", false },
	[OP_COLLAPSE] = { "madvise-collapse", true },
	[OP_PROTECT] = { "mprotect", false },
	[OP_REMAP] = { "mremap", false },
	[OP_PIN] = { "pin", false },
	[OP_GRANT] = { "grant", false },
	[OP_SUBTREE] = { "subtree", false },
	[OP_LIMIT] = { "limit", false },
	[OP_REVOKE] = { "revoke-all", false },
	[OP_MOVE_TASK] = { "move-task", false },
	[OP_KILL] = { "kill", false },
	[OP_CGROUP_NEW] = { "mkdir", false },
	[OP_CGROUP_REMOVE] = { "rmdir", false },
	[OP_RECLAIM] = { "memory.reclaim", false },
	[OP_PRIVATE_RECLAIM] = { "private-reclaim", false },
	[OP_OFFLINE] = { "offline", false },
	[OP_ONLINE] = { "online", false },
	[OP_UNBIND] = { "unbind", false },
	[OP_BIND] = { "bind", false },
	[OP_SWAPOFF] = { "swapoff", false },
	[OP_CENSUS] = { "census", false },
};

struct shared *shared;

/* Something happened that must not. The first few are kept, and end the run. */
void complain(const char *format, ...)
{
	int n = atomic_fetch_add(&shared->complaints, 1);
	va_list args;

	if (n < MAX_COMPLAINTS) {
		va_start(args, format);
		vsnprintf(shared->complaint[n], sizeof(shared->complaint[n]), format, args);
		va_end(args);
	}
	atomic_store(&shared->stop, true);
}

void count(enum op op, bool is_done)
{
	atomic_fetch_add(is_done ? &shared->done[op] : &shared->refused[op], 1);
}

void setup_shared(void)
{
	pthread_mutexattr_t attributes;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&shared->quiet, &attributes);
	/* Nobody's policy shall decide where this is. */
	memset(shared->complaint, 1, sizeof(shared->complaint));
	if (mlock(shared, sizeof(*shared))) {
		perror("mlock");
		exit(2);
	}
}
