// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The guest's half of tests/vm/run: fetch one command from the host, run it,
 * hand its output, the kernel log and its status back, power off.
 *
 * Each stream has a virtio-serial port of its own, so output stays
 * binary-clean and needs no framing. A write to such a port returns when QEMU
 * has taken the bytes; that is why nothing is lost by switching the machine
 * off right after the status was written.
 *
 * The kernel log is copied while the command runs rather than at its end: a
 * long test may push reports out of the ring buffer, or clear it.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* Numbers as in tests/vm/run. devtmpfs makes these names, no udev needed. */
#define PORT_OUT	"/dev/vport0p1"
#define PORT_ERR	"/dev/vport0p2"
#define PORT_STATUS	"/dev/vport0p3"
#define PORT_KMSG	"/dev/vport0p4"
#define PORT_COMMAND	"/dev/vport0p5"

#define PORT_WAIT_SEC	20

#define OPTIONS_SHARE	"share"

struct command {
	bool share;
	char **argv;
};

static int file_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

/* The host announces its ports one by one; early in a boot some are still to come. */
static int port_open(const char *path, int flags)
{
	int tries = PORT_WAIT_SEC * 10;

	while (access(path, F_OK) && tries--)
		usleep(100000);
	return file_open(path, flags);
}

static void write_all(int fd, const char *data, size_t bytes)
{
	while (bytes) {
		ssize_t n = write(fd, data, bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			err(1, "write to a port");
		data += n;
		bytes -= n;
	}
}

static void read_all(int fd, char *data, size_t bytes)
{
	while (bytes) {
		ssize_t n = read(fd, data, bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			err(1, "read the command");
		data += n;
		bytes -= n;
	}
}

/*
 * The host sends the size as ten digits and a newline, then that many bytes of
 * NUL-terminated strings: the options, then argv.
 */
static void command_read(struct command *ret)
{
	int fd = port_open(PORT_COMMAND, O_RDONLY);
	size_t bytes, argc = 0;
	char header[12] = "";
	char *data, *p;

	read_all(fd, header, 11);
	bytes = strtoul(header, NULL, 10);
	data = malloc(bytes + 1);
	ret->argv = calloc(bytes + 1, sizeof(*ret->argv));
	if (!data || !ret->argv)
		err(1, "allocate the command");
	read_all(fd, data, bytes);
	data[bytes] = '\0';
	close(fd);

	ret->share = strcmp(data, OPTIONS_SHARE) == 0;
	for (p = data + strlen(data) + 1; p < data + bytes; p += strlen(p) + 1)
		ret->argv[argc++] = p;
	if (!argc)
		errx(1, "the command is empty");
}

static void share_mount(void)
{
	if (mount("share", "/mnt/share", "9p", MS_RDONLY,
		  "trans=virtio,version=9p2000.L,cache=loose,msize=262144"))
		err(1, "mount /mnt/share");
}

static pid_t command_start(char **argv)
{
	int out = port_open(PORT_OUT, O_WRONLY);
	int errors = port_open(PORT_ERR, O_WRONLY);
	int null = file_open("/dev/null", O_RDONLY);
	sigset_t none;
	pid_t pid;

	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (pid == 0) {
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		dup2(null, STDIN_FILENO);
		dup2(out, STDOUT_FILENO);
		dup2(errors, STDERR_FILENO);
		setsid();
		execvp(argv[0], argv);
		warn("%s", argv[0]);
		_exit(errno == ENOENT ? 127 : 126);
	}
	close(null);
	close(out);
	close(errors);
	return pid;
}

/* Returns once the log has no further record for now. */
static void kmsg_copy(int kmsg, int port)
{
	char record[8192];

	for (;;) {
		ssize_t n = read(kmsg, record, sizeof(record));

		/* EPIPE: records were overwritten before we came; go on with the next */
		if (n < 0 && (errno == EINTR || errno == EPIPE))
			continue;
		if (n <= 0)
			return;
		write_all(port, record, n);
	}
}

static int status_code(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void oom_score_adjust(const char *value)
{
	int fd = file_open("/proc/self/oom_score_adj", O_WRONLY);

	write_all(fd, value, strlen(value));
	close(fd);
}

int main(void)
{
	int kmsg = file_open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	int kmsg_port = port_open(PORT_KMSG, O_WRONLY);
	int status_port = port_open(PORT_STATUS, O_WRONLY);
	struct command command;
	struct pollfd fds[2];
	sigset_t child;
	int length, status;
	char text[16];
	pid_t pid;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	fds[0] = (struct pollfd){ .fd = kmsg, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = signalfd(-1, &child, SFD_CLOEXEC), .events = POLLIN };

	command_read(&command);
	if (command.share)
		share_mount();
	pid = command_start(command.argv);
	/* A test that runs out of memory must not take the messenger with it. */
	oom_score_adjust("-1000");

	while (waitpid(pid, &status, WNOHANG) == 0) {
		poll(fds, 2, -1);
		kmsg_copy(kmsg, kmsg_port);
		if (fds[1].revents) {
			struct signalfd_siginfo info;

			if (read(fds[1].fd, &info, sizeof(info)) < 0)
				err(1, "signalfd");
		}
	}
	kmsg_copy(kmsg, kmsg_port);
	length = snprintf(text, sizeof(text), "%d\n", status_code(status));
	write_all(status_port, text, length);

	/* The disk is a throw-away snapshot: there is nothing to unmount or to save. */
	reboot(RB_POWER_OFF);
	err(1, "power off");
}
