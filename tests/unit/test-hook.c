/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hook against a privmemd of one answer, each in a process of its own. */
#include <sys/wait.h>
#include <time.h>

#define HOOK_SOCKET "test-hook.socket"
#define HOOK_CGROUP "test-hook.cgroup"
#define HOOK_CGROUP_ROOT "root"
#define HOOK_DEADLINE_SEC deadline_sec

/* Long where an answer comes, however busy the machine is. */
static unsigned int deadline_sec = 60;

#define main hook_main
#include "../../userspace/hook/privmem-hook.c"
#undef main

#include "tap.h"

static int listen_fd = -1;

static void start_listening(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = HOOK_SOCKET };

	listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	unlink(HOOK_SOCKET);
	ok(bind(listen_fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
		   listen(listen_fd, 1) == 0,
	   "a socket to answer on");
}

/* Answers one request, which is left in @request. */
static void serve(const char *answer, char request[1024])
{
	int fd = accept(listen_fd, NULL, NULL);
	ssize_t n = recv(fd, request, 1023, 0);

	request[n > 0 ? n : 0] = '\0';
	(void)!write(fd, answer, strlen(answer));
	close(fd);
}

static int n_dropped; /* requests before it that the next answer leaves without one */

/*
 * Runs the hook with @arguments, answers @answer (NULL: not at all; to every try, if it is not a
 * whole one) and returns the exit status; what was asked last is left in @request, what the hook
 * printed in @message.
 */
static int run_hook(const char *answer, char *const *arguments, char request[1024],
		    char message[1024])
{
	int argc = 0, pipe_fd[2], status = -1;
	ssize_t n;
	pid_t pid;

	while (arguments[argc])
		argc++;
	if (pipe(pipe_fd) < 0)
		return -1;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		dup2(pipe_fd[1], STDERR_FILENO);
		exit(hook_main(argc, (char **)arguments));
	}
	close(pipe_fd[1]);
	request[0] = message[0] = '\0';
	for (; n_dropped; n_dropped--)
		serve("", request);
	for (int i = 0; answer && i < (strchr(answer, '\n') ? 1 : TRIES_MAX); i++)
		serve(answer, request);
	n = read(pipe_fd[0], message, 1023);
	message[n > 0 ? n : 0] = '\0';
	close(pipe_fd[0]);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define expect(answer, want_status, want_request, want_message, ...)                               \
	do {                                                                                       \
		char *arguments[] = { "privmem-hook", ##__VA_ARGS__, NULL };                       \
		char request[1024], message[1024];                                                 \
		is_int(run_hook(answer, arguments, request, message), want_status, #__VA_ARGS__);  \
		is_str(request, want_request, "... asks this");                                    \
		is_str(message, want_message, "... and says this");                                \
	} while (0)

#define expect_usage(what, ...)                                                                    \
	do {                                                                                       \
		char want[256];                                                                    \
		snprintf(want, sizeof(want), "privmem-hook: %s; %s\n", what, usage);               \
		expect(NULL, 2, "", want, ##__VA_ARGS__);                                          \
	} while (0)

static void test_answers(void)
{
	expect("0 done\n", 0, "unit a.service\n", "", "a.service");
	expect("8 node1: no room\n", 8, "unit a.service\n",
	       "privmem-hook: a.service: node1: no room\n", "a.service");
	expect("", 7, "unit a.service\n",
	       "privmem-hook: a.service: privmemd gave no whole answer\n", "a.service");
	expect("0 do", 7, "unit a.service\n",
	       "privmem-hook: a.service: privmemd gave no whole answer\n", "a.service");
	n_dropped = TRIES_MAX - 1;
	expect("0 done\n", 0, "unit a.service\n", "", "a.service");
	expect("256 x\n", 1, "unit a.service\n",
	       "privmem-hook: a.service: cannot read privmemd's answer \"256 x\"\n", "a.service");
	expect("x\n", 1, "unit a.service\n",
	       "privmem-hook: a.service: cannot read privmemd's answer \"x\"\n", "a.service");
	expect("0 done\n", 0, "unit a.service nodes=1,3-4 max=8G\n", "", "--nodes=1,3-4",
	       "--max=8G", "a.service");
}

static void write_cgroup(const char *text)
{
	FILE *file = fopen(HOOK_CGROUP, "we");

	ok(file && fputs(text, file) >= 0, "a cgroup to be in");
	fclose(file);
}

static void test_own_unit(void)
{
	write_cgroup("1:name=x:/y.service\n0::/system.slice/run-r1.service/.control\n");
	expect("0 done\n", 0, "unit run-r1.service nodes=1\n", "", "--nodes=1");
	write_cgroup("0::/system.slice/_memory.service\n");
	expect("0 done\n", 0, "unit memory.service nodes=1 max=50%\n", "", "--nodes=1", "--max=50%");
	write_cgroup("0::/user.slice/session-1.scope\n");
	expect(NULL, 1, "", "privmem-hook: " HOOK_CGROUP ": not started by a service: "
	       "No such file or directory\n", "--nodes=1");
	unlink(HOOK_CGROUP);
}

static void test_slice(void)
{
	struct stat st;

	expect(NULL, 1, "",
	       "privmem-hook: a-b.slice: cannot make its cgroup: No such file or directory\n",
	       "--slice", "a-b.slice");
	ok(mkdir("root", 0700) == 0, "a root cgroup");
	expect(NULL, 2, "", "privmem-hook: \"a-b.service\" is not the name of a slice below -.slice\n",
	       "--slice", "a-b.service");
	expect(NULL, 2, "", "privmem-hook: \"-.slice\" is not the name of a slice below -.slice\n",
	       "--slice", "--", "-.slice");
	expect(NULL, 2, "", "privmem-hook: \"a--b.slice\" is not the name of a slice below -.slice\n",
	       "--slice", "a--b.slice");
	expect(NULL, 2, "", "privmem-hook: \"..slice\" is not the name of a slice below -.slice\n",
	       "--slice", "..slice");
	expect("8 no room\n", 8, "slice a-b.slice\n", "privmem-hook: a-b.slice: no room\n", "--slice",
	       "a-b.slice");
	ok(stat("root/a.slice", &st) < 0, "... and nothing is left behind");
	expect("0\n", 0, "slice a-b.slice\n", "", "--slice", "a-b.slice");
	ok(stat("root/a.slice/a-b.slice", &st) == 0 && S_ISDIR(st.st_mode),
	   "... and its cgroup is there, in that of the slice above");
	expect("8 no room\n", 8, "slice a.slice\n", "privmem-hook: a.slice: no room\n", "--slice",
	       "a.slice");
	ok(stat("root/a.slice", &st) == 0, "... but what was there before stays");
	expect("0\n", 0, "slice a.slice\n", "", "--slice", "a.slice");
	rmdir("root/a.slice/a-b.slice");
	rmdir("root/a.slice");
	ok(rmdir("root") == 0, "... and no other");
}

static void test_usage(void)
{
	expect_usage("no unit given");
	expect_usage("no unit given", "--slice");
	expect_usage("more than one unit given", "a.service", "b.service");
	expect_usage("--slice takes its nodes from the slice's files", "--slice", "--nodes=1", "a.slice");
	expect_usage("--max needs --nodes", "--max=1G", "a.service");
	expect(NULL, 2, "", "privmem-hook: unrecognized option '--bogus'\n", "--bogus", "a.service");
	expect(NULL, 2, "", "privmem-hook: option '--nodes' requires an argument\n", "--nodes");
	expect(NULL, 2, "", "privmem-hook: \"a b.service\" is not the name of a unit\n", "a b.service");
	expect(NULL, 2, "", "privmem-hook: \"\" is not the name of a unit\n", "");
	expect(NULL, 2, "", "privmem-hook: \"a\" is not the name of a unit\n", "a");
	expect("2 --nodes=2-1: range runs backwards\n", 2, "unit a.service nodes=2-1\n",
	       "privmem-hook: a.service: --nodes=2-1: range runs backwards\n", "--nodes=2-1",
	       "a.service");
	expect("0 done\n", 0, "unit a.service nodes=hbm0 max=1G\n", "", "--nodes=hbm0", "--max=1G",
	       "a.service");
}

static void test_silence(void)
{
	time_t start = time(NULL);

	deadline_sec = 1;
	/* Nobody accepts, but the kernel lets the hook connect and send: the deadline ends it. */
	expect(NULL, 7, "", "privmem-hook: privmemd did not answer in time\n", "a.service");
	ok(time(NULL) - start <= 15, "... at its deadline of one second, not much later");
	close(listen_fd);
	expect(NULL, 7, "",
	       "privmem-hook: a.service: privmemd does not answer at " HOOK_SOCKET
	       ": Connection refused; see systemctl status privmemd.socket\n", "a.service");
	unlink(HOOK_SOCKET);
	expect(NULL, 7, "",
	       "privmem-hook: a.service: privmemd does not answer at " HOOK_SOCKET
	       ": No such file or directory; see systemctl status privmemd.socket\n", "a.service");
}

int main(void)
{
	char dir[] = "/tmp/test-hook-XXXXXX";

	ok(mkdtemp(dir) && chdir(dir) == 0, "temporary directory");
	start_listening();
	test_answers();
	test_own_unit();
	test_slice();
	test_usage();
	test_silence();
	rmdir(dir);
	return tap_done();
}
