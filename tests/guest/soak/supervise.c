// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Starts workers, sees that they get on and how they end, and starts others in their
 * place.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "soak.h"

/* Fork a worker in the place of one that ended. */
static void start_worker(unsigned int index, unsigned int life)
{
	pid_t pid = fork();

	if (!pid)
		worker(index, life);
	if (pid < 0) {
		perror("fork");
		exit(2);
	}
	atomic_store(&shared->workers[index].pid, pid);
}

/* How may a worker end?  By itself when all stops, or killed. */
static void check_end(unsigned int index, int status)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	complain("worker %u ended with status %x in %s", index, status,
		 ops[shared->workers[index].op].name);
}

static unsigned int lives[MAX_WORKERS];
static double alive_since[MAX_WORKERS];

/* Which worker was it? Restarted while there is time. */
static void replace_worker(pid_t pid, int status)
{
	unsigned int i;

	for (i = 0; i < nr_workers; i++) {
		if (shared->workers[i].pid != pid)
			continue;
		check_end(i, status);
		alive_since[i] = now();
		if (!atomic_load(&shared->stop))
			start_worker(i, ++lives[i]);
		return;
	}
	if (!atomic_load(&shared->stop))
		complain("the admin or the operator ended with status %x", status);
}

static void check_beats(unsigned int *beats)
{
	bool was_frozen = atomic_exchange(&shared->frozen, false);
	unsigned int i;

	for (i = 0; i < nr_workers; i++) {
		struct worker *w = &shared->workers[i];

		if (w->beats != beats[i] || was_frozen)
			alive_since[i] = now();
		beats[i] = w->beats;
		if (now() - alive_since[i] > HANG_SEC)
			complain("worker %u hangs in %s", i, ops[w->op].name);
	}
}

/* Reap, restart, and see that nobody stands still. */
void supervise(double end)
{
	unsigned int beats[MAX_WORKERS] = { }, i;
	int status;
	pid_t pid;

	for (i = 0; i < nr_workers; i++) {
		alive_since[i] = now();
		start_worker(i, 0);
	}
	while (!atomic_load(&shared->stop)) {
		if (now() > end)
			atomic_store(&shared->stop, true);
		pid = waitpid(-1, &status, WNOHANG);
		if (pid > 0)
			replace_worker(pid, status);
		check_beats(beats);
		if (pid <= 0)
			sleep_usec(20000);
	}
}

/* All but the killed end by themselves, having looked at their memory again. */
bool wait_for_all(void)
{
	double deadline = now() + HANG_SEC;
	unsigned int i;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) >= 0) {
		for (i = 0; pid && i < nr_workers; i++)
			if (shared->workers[i].pid == pid)
				check_end(i, status);
		if (!pid && now() > deadline)
			return false;
		if (!pid)
			sleep_usec(20000);
	}
	return true;
}
