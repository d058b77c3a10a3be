/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * privmem-hook - ask privmemd to apply a unit's grant before the unit's first instruction
 *
 * Runs as ExecCondition=, ExecStartPre= or ExecStart= of units that the generator found. It says
 * one line ("unit NAME" or "slice NAME"), gets one line back ("CODE REASON") and exits with the
 * code. It is linked statically and for a service opens nothing but the socket, since it has to
 * work inside RootDirectory= as well. For a slice it makes the cgroup first, which privmemd cannot:
 * the root cgroup's directory is writable only with a capability. What nodes and sizes mean is
 * privmemd's to judge, which knows the names that nodes have. A privmemd that hangs must not
 * hang the boot: after the deadline the hook gives up by itself.
 */

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cgroupname.h"

#ifndef HOOK_SOCKET
#define HOOK_SOCKET "/run/privmem/apply"
#define HOOK_CGROUP "/proc/self/cgroup"
#define HOOK_CGROUP_ROOT "/sys/fs/cgroup"
#define HOOK_DEADLINE_SEC 30
#endif

#define LINE_MAX_BYTES 1024
/* A privmemd that is killed meanwhile is started again; to ask it again changes nothing more. */
#define TRIES_MAX 5

enum {
	EXIT_USAGE = 2,
	EXIT_NO_ANSWER = 7,
};

struct request {
	bool is_slice;
	const char *unit;
	const char *nodes;
	const char *max;
};

static const char usage[] =
	"usage: privmem-hook UNIT, --slice SLICE, or --nodes=LIST [--max=SIZE] [UNIT]";

static void deadline_handler(int signal)
{
	static const char message[] = "privmem-hook: privmemd did not answer in time\n";

	(void)signal;
	(void)!write(STDERR_FILENO, message, sizeof(message) - 1);
	_exit(EXIT_NO_ANSWER);
}

static void deadline_start(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	signal(SIGALRM, deadline_handler);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	alarm(HOOK_DEADLINE_SEC);
}

/* A name goes into a line of words, so it must be one word. */
static bool is_unit_name(const char *name)
{
	return *name && strlen(name) < 256 && !strpbrk(name, " \t\r\n/") && strchr(name, '.');
}

/* Its parts become directories before privmemd gets to see the name. */
static bool is_slice_name(const char *name)
{
	size_t length = strlen(name);

	return is_unit_name(name) && length > 6 && !strcmp(name + length - 6, ".slice") &&
	       *name != '-' && *name != '.' && name[length - 7] != '-' && !strstr(name, "--");
}

static int check_request(const struct request *request)
{
	if (request->is_slice ? !is_slice_name(request->unit) : !is_unit_name(request->unit)) {
		fprintf(stderr, "privmem-hook: \"%s\" is not the name of a %s\n", request->unit,
			request->is_slice ? "slice below -.slice" : "unit");
		return -EINVAL;
	}
	return 0;
}

/*
 * The service this process was started in: the last "*.service" in its cgroup's path, since a
 * control process may sit in a sub-cgroup. systemd puts "_" in front of some names.
 */
static int find_own_unit(const char *cgroup_file, char *ret, size_t size)
{
	char line[LINE_MAX_BYTES], *part, *rest, *found = NULL;
	FILE *file = fopen(cgroup_file, "re");

	if (!file)
		return -errno;
	while (!found && fgets(line, sizeof(line), file)) {
		if (strncmp(line, "0::/", 4))
			continue;
		line[strcspn(line, "\n")] = '\0';
		for (part = strtok_r(line + 4, "/", &rest); part; part = strtok_r(NULL, "/", &rest))
			if (strlen(part) > 8 && !strcmp(part + strlen(part) - 8, ".service"))
				found = part;
	}
	fclose(file);
	if (!found)
		return -ENOENT;
	return snprintf(ret, size, "%s", found + (*found == '_')) < (int)size ? 0 : -ENAMETOOLONG;
}

static int complain(const char *what)
{
	fprintf(stderr, "privmem-hook: %s; %s\n", what, usage);
	return -EINVAL;
}

static int parse_arguments(int argc, char **argv, struct request *ret)
{
	static const struct option options[] = {
		{ "slice", no_argument, NULL, 's' },
		{ "nodes", required_argument, NULL, 'n' },
		{ "max", required_argument, NULL, 'm' },
		{},
	};
	struct request request = {};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (c == 's')
			request.is_slice = true;
		else if (c == 'n')
			request.nodes = optarg;
		else if (c == 'm')
			request.max = optarg;
		else
			return -EINVAL; /* getopt has said why */
	}
	request.unit = argv[optind];
	if (argc - optind > 1)
		return complain("more than one unit given");
	if (request.is_slice && request.nodes)
		return complain("--slice takes its nodes from the slice's files");
	if (request.max && !request.nodes)
		return complain("--max needs --nodes");
	if (!request.unit && (request.is_slice || !request.nodes))
		return complain("no unit given");
	*ret = request;
	return 0;
}

/* The cgroup of a slice; n_made counts the last parts of the path that were not there before. */
struct slice_cgroup {
	char path[8192];
	unsigned int n_made;
};

/*
 * Makes "a.slice/a-b.slice" for a-b.slice, or as much of it as is missing; PID 1 takes over what it
 * finds when it starts the slice.
 */
static int slice_cgroup_make(const char *slice, struct slice_cgroup *cgroup)
{
	size_t length = strlen(HOOK_CGROUP_ROOT);
	char part[256];

	*cgroup = (struct slice_cgroup){ .path = HOOK_CGROUP_ROOT };
	for (const char *end = slice + 1; *end; end++) {
		if (*end != '-' && strcmp(end, ".slice"))
			continue;
		snprintf(part, sizeof(part), "%.*s.slice", (int)(end - slice), slice);
		length += (size_t)snprintf(cgroup->path + length, sizeof(cgroup->path) - length,
					   "/%s%s", cgroupname_escape(part), part);
		if (length >= sizeof(cgroup->path))
			return -ENAMETOOLONG;
		if (!mkdir(cgroup->path, 0755))
			cgroup->n_made++;
		else if (errno != EEXIST)
			return -errno;
	}
	return 0;
}

/* A refusal leaves nothing behind. What is in use by now stays. */
static void slice_cgroup_undo(struct slice_cgroup *cgroup)
{
	for (; cgroup->n_made && !rmdir(cgroup->path); cgroup->n_made--)
		*strrchr(cgroup->path, '/') = '\0';
}

/* Returns the length, or -EINVAL for a request too long for the protocol. */
static int format_request(const struct request *request, char line[LINE_MAX_BYTES])
{
	int length = snprintf(line, LINE_MAX_BYTES, "%s %s%s%s%s%s\n",
			      request->is_slice ? "slice" : "unit", request->unit,
			      request->nodes ? " nodes=" : "", request->nodes ?: "",
			      request->max ? " max=" : "", request->max ?: "");

	return length < LINE_MAX_BYTES ? length : -EINVAL;
}

/* Sends @line and reads the answer, without its newline, until privmemd closes. */
static int exchange(const char *line, size_t length, char answer[LINE_MAX_BYTES])
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = HOOK_SOCKET };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t got = 0;
	ssize_t n = -1;

	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    send(fd, line, length, MSG_NOSIGNAL) != (ssize_t)length) {
		n = -errno;
		close(fd);
		return (int)n;
	}
	while (got < LINE_MAX_BYTES - 1 &&
	       (n = recv(fd, answer + got, LINE_MAX_BYTES - 1 - got, 0)) > 0)
		got += (size_t)n;
	if (n < 0)
		n = -errno;
	close(fd);
	answer[got] = '\0';
	if (n < 0)
		return (int)n;
	if (!got || answer[got - 1] != '\n')
		return -EBADMSG;
	answer[got - 1] = '\0';
	return 0;
}

/* Takes "CODE REASON" apart. */
static int parse_answer(char *answer, char **ret_reason)
{
	char *end;
	long code;

	errno = 0;
	code = strtol(answer, &end, 10);
	if (*answer < '0' || *answer > '9' || errno || code > 255 || (*end && *end != ' '))
		return -EBADMSG;
	*ret_reason = *end ? end + 1 : end;
	return (int)code;
}

static int ask(const struct request *request)
{
	char line[LINE_MAX_BYTES], answer[LINE_MAX_BYTES], *reason = NULL;
	int length = format_request(request, line), r = -EBADMSG;

	if (length < 0) {
		fprintf(stderr, "privmem-hook: the request is longer than a line may be\n");
		return EXIT_USAGE;
	}
	for (int i = 0; i < TRIES_MAX && (r == -EBADMSG || r == -ECONNRESET || r == -EPIPE); i++)
		r = exchange(line, (size_t)length, answer);
	if (r == -EBADMSG) {
		fprintf(stderr, "privmem-hook: %s: privmemd gave no whole answer\n", request->unit);
		return EXIT_NO_ANSWER;
	}
	if (r < 0) {
		fprintf(stderr, "privmem-hook: %s: privmemd does not answer at %s: %s; see systemctl "
			"status privmemd.socket\n", request->unit, HOOK_SOCKET, strerror(-r));
		return EXIT_NO_ANSWER;
	}
	r = parse_answer(answer, &reason);
	if (r < 0) {
		fprintf(stderr, "privmem-hook: %s: cannot read privmemd's answer \"%s\"\n",
			request->unit, answer);
		return EXIT_FAILURE;
	}
	if (r > 0)
		fprintf(stderr, "privmem-hook: %s: %s\n", request->unit, reason);
	return r;
}

static int ask_for_slice(const struct request *request)
{
	struct slice_cgroup cgroup;
	int r = slice_cgroup_make(request->unit, &cgroup);

	if (r < 0) {
		fprintf(stderr, "privmem-hook: %s: cannot make its cgroup: %s\n", request->unit,
			strerror(-r));
		return EXIT_FAILURE;
	}
	r = ask(request);
	if (r)
		slice_cgroup_undo(&cgroup);
	return r;
}

int main(int argc, char **argv)
{
	struct request request;
	char own[256];
	int r;

	if (parse_arguments(argc, argv, &request) < 0)
		return EXIT_USAGE;
	if (!request.unit) {
		r = find_own_unit(HOOK_CGROUP, own, sizeof(own));
		if (r < 0) {
			fprintf(stderr, "privmem-hook: %s: not started by a service: %s\n",
				HOOK_CGROUP, strerror(-r));
			return EXIT_FAILURE;
		}
		request.unit = own;
	}
	if (check_request(&request) < 0)
		return EXIT_USAGE;
	deadline_start();
	return request.is_slice ? ask_for_slice(&request) : ask(&request);
}
