// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Forks: both sides see what was there, and copy what they write.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "soak.h"

/* What was lent to a child: it wrote the new stamp, or did not get to it. */
static void take_back(struct area *area, const uint64_t *lent, bool is_torn)
{
	size_t i;

	for (i = 0; i < area->pages; i++) {
		if (!lent[i])
			continue;
		if (is_torn)
			write_page(area, i);
		else if (page_holds(area, i, lent[i]))
			area->stamp[i] = lent[i];
		else
			verify_page(area, i);
	}
}

static void store_lent(const struct area *area, size_t page, uint64_t stamp)
{
	int n = store_page(area, page, stamp);

	if (n && n < STAMP_WORDS)
		complain("a child lost a page of shared memory that it had");
}

/*
 * The child sees what the parent has, copies by writing, in another cgroup perhaps;
 * the parent writes too. In shared memory the child writes what it was lent.
 */
static __attribute__((noreturn)) void child(struct area *mine, const uint64_t *lent)
{
	size_t first, pages, i;
	struct area *area;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (one_in(4))
		write_cgroup(cgroups[FIRST_LEAF + random_below(NR_LEAVES)], "cgroup.procs", "0");
	for (area = areas; area < areas + AREAS; area++) {
		if (!area->memory)
			continue;
		for (i = 0; i < area->pages; i++) {
			if (area->stamp[i] && area->kind <= KIND_HUGE)
				verify_page(area, i);
			if (area == mine && lent[i])
				store_lent(area, i, lent[i]);
		}
		if (area->kind > KIND_HUGE)
			continue;
		any_range(area, &first, &pages);
		for (i = first; i < first + pages && i < area->pages; i++)
			count(OP_COPY_ON_WRITE, write_page(area, i));
		for (i = 0; i < area->pages; i++)
			if (area->stamp[i])
				verify_page(area, i);
	}
	if (one_in(2))
		raise(SIGKILL);
	_exit(0);
}

void do_fork(struct area *mine)
{
	static uint64_t lent[AREA_PAGES];
	struct area *area;
	size_t first, pages, i;
	int status;
	pid_t pid;

	memset(lent, 0, sizeof(lent));
	if (mine->kind > KIND_HUGE) {
		any_range(mine, &first, &pages);
		for (i = first; i < first + pages; i++)
			lent[i] = ++last_stamp;
	}
	last_stamp += AREA_PAGES * AREAS;	/* the child's own */
	for (area = areas; area < areas + AREAS; area++)
		area->is_copied = true;
	pid = fork();
	if (!pid) {
		last_stamp -= AREA_PAGES * AREAS;
		random_fork();
		child(mine, lent);
	}
	count(OP_FORK, pid > 0);
	if (pid < 0) {
		if (errno != ENOMEM && errno != EAGAIN)
			complain("fork: %s", strerrorname_np(errno));
		return;
	}
	if (mine->kind <= KIND_HUGE)
		do_write(mine);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		complain("a child died of signal %d", WTERMSIG(status));
	/* Its own SIGKILL comes last; a foreign one may come between two words. */
	if (mine->kind > KIND_HUGE)
		take_back(mine, lent, WIFSIGNALED(status));
}
