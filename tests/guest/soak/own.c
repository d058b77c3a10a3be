// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a worker itself writes to besides its areas: no policy of its own may take that
 * from it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "soak.h"

/* Data, heap, stack and thread-local storage. */
static struct range {
	char *start, *end;
} own[8];
static unsigned int nr_own;

void find_own(void)
{
	static char text[4096];
	char *line, *rest, access[5];
	struct range range;

	if (read_file("/proc/self/maps", text, sizeof(text)))
		complain("/proc/self/maps: %s", strerrorname_np(errno));
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (sscanf(line, "%p-%p %4s", (void **)&range.start, (void **)&range.end, access) != 3 ||
		    strcmp(access, "rw-p"))
			continue;
		if (nr_own == ARRAY_SIZE(own))
			complain("a worker has more mappings than were thought of");
		else
			own[nr_own++] = range;
	}
}

/*
 * After a fork what the parent writes to may have to be copied, and a strict policy of
 * the task may have no page for that: not for the stack that SIGBUS is handled on, nor
 * for the restartable sequence's area in thread-local storage, which the kernel writes
 * to. Both end in SIGSEGV, as ever where user memory cannot be written on behalf of
 * a task. So own all of it first; swap does not take that away again.
 */
void keep_own(void)
{
	unsigned int i;

	for (i = 0; i < nr_own; i++)
		if (madvise(own[i].start, own[i].end - own[i].start, MADV_POPULATE_WRITE))
			complain("populating %p: %s", own[i].start, strerrorname_np(errno));
}
