// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * privmem-watch - does a command make a cgroup file notify its readers?
 *
 * Usage: privmem-watch FILE COMMAND [ARG]...
 *
 * Reads FILE, runs COMMAND, then polls.  Notifications may come 10 ms late, as the
 * kernel limits their rate; half a second without one is silence.
 *
 * Exit status: 0 notified, 1 silence, 2 anything else, COMMAND's failure included.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#define SILENCE_MSEC 500

int main(int argc, char **argv)
{
	struct pollfd file = { .events = POLLPRI };
	char buffer[4096];
	int status;
	pid_t pid;

	if (argc < 3)
		errx(2, "usage: privmem-watch FILE COMMAND [ARG]...");
	file.fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (file.fd < 0 || read(file.fd, buffer, sizeof(buffer)) < 0)
		err(2, "%s", argv[1]);

	pid = fork();
	if (pid < 0)
		err(2, "fork");
	if (!pid) {
		execvp(argv[2], argv + 2);
		err(2, "%s", argv[2]);
	}
	if (waitpid(pid, &status, 0) < 0 || status)
		errx(2, "%s failed", argv[2]);

	status = poll(&file, 1, SILENCE_MSEC);
	if (status < 0)
		err(2, "poll");
	return status ? 0 : 1;
}
