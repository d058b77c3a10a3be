/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tool against a privmemd that knows three nodes and answers from a table. */
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLIENT_PRIVATE_SOCKET "test.socket"
#include "../../userspace/privmemctl/client.c"
#define main privmemctl_main
#include "../../userspace/privmemctl/main.c"
#undef main

#include <json-c/json.h>
#include <stdlib.h>

#include "tap.h"

#define MIB (UINT64_C(1) << 20)

static int has_kernel_support = 1;
static pid_t server_pid;

static int append_node(sd_bus_message *reply, uint32_t nid, int is_online, const char *device)
{
	return sd_bus_message_append(reply, "a{sv}", 11, "Node", "u", nid, "Online", "b", is_online,
				     "Name", "s", "hbm0", "Owner", "s", "kmem", "Device", "s", device,
				     "Capacity", "t", 512 * MIB, "Room", "t", 512 * MIB, "Reserved", "t", 384 * MIB, "Used", "t", UINT64_C(4096),
				     "Free", "t", 128 * MIB, "FromTheFuture", "as", 1, "x");
}

static int list_nodes(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	sd_bus_message *reply = NULL;
	int r;

	(void)userdata;
	(void)error;
	sd_bus_message_new_method_return(message, &reply);
	sd_bus_message_open_container(reply, 'a', "a{sv}");
	append_node(reply, 1, 1, "dax0.0");
	append_node(reply, 2, 1, "dax1.0");
	append_node(reply, 3, 0, "");
	sd_bus_message_close_container(reply);
	r = sd_bus_send(NULL, reply, NULL);
	sd_bus_message_unref(reply);
	return r;
}

static int append_grant(sd_bus_message *reply, const char *unit, uint32_t nid, uint64_t requested,
			uint64_t reserved, const char *draws_from, const char *reason)
{
	return sd_bus_message_append(
		reply, "a{sv}", 11, "Unit", "s", unit, "ControlGroup", "s", "/x", "Node", "u", nid,
		"Requested", "t", requested, "Reserved", "t", reserved, "DrawsFrom", "s", draws_from,
		"Effective", "b", !*reason, "Limit", "t", requested, "Current", "t",
		UINT64_C(4096), "Peak", "t", UINT64_C(8192), "Reason", "s", reason);
}

static int list_grants(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	sd_bus_message *reply = NULL;
	int r;

	(void)userdata;
	(void)error;
	sd_bus_message_new_method_return(message, &reply);
	sd_bus_message_open_container(reply, 'a', "a{sv}");
	append_grant(reply, "a.service", 1, 128 * MIB, 128 * MIB, "", "");
	append_grant(reply, "s.slice", 1, 256 * MIB, 256 * MIB, "", "");
	append_grant(reply, "b.service", 1, 64 * MIB, 64 * MIB, "s.slice", "");
	append_grant(reply, "c.service", 2, UINT64_MAX, 384 * MIB, "", "node is absent");
	append_grant(reply, "d.service", UINT32_MAX, 0, 0, "", "unreadable");
	sd_bus_message_close_container(reply);
	r = sd_bus_send(NULL, reply, NULL);
	sd_bus_message_unref(reply);
	return r;
}

/* "noroom.service" gets the error NoRoom and so on; others get success. */
static int refuse(sd_bus_message *message, sd_bus_error *error)
{
	static const char *const names[] = { "NoRoom",	     "NoSuchUnit",	 "NoSuchNode",
					     "NoKernelSupport", "NotPermitted", "InvalidDirective",
					     "Failed" };
	const char *unit;
	char name[80];

	sd_bus_message_read(message, "s", &unit);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t length = strlen(names[i]);

		if (strncasecmp(unit, names[i], length) || unit[length] != '.')
			continue;
		snprintf(name, sizeof(name), "org.privmem1.Error.%s", names[i]);
		return sd_bus_error_setf(error, name, "because of %s", names[i]);
	}
	if (!strcmp(unit, "gone.service"))
		_exit(0);
	return 0;
}

static int get_grants(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	int r = refuse(message, error);

	return r < 0 ? r : list_grants(message, userdata, error);
}

static int apply(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	int r = refuse(message, error);

	(void)userdata;
	return r < 0 ? r : sd_bus_reply_method_return(message, NULL);
}

static int get_version(sd_bus *bus, const char *path, const char *interface, const char *property,
		       sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	(void)bus, (void)path, (void)interface, (void)property, (void)userdata, (void)error;
	return sd_bus_message_append(reply, "s", "7");
}

static int get_support(sd_bus *bus, const char *path, const char *interface, const char *property,
		       sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	(void)bus, (void)path, (void)interface, (void)property, (void)userdata, (void)error;
	return sd_bus_message_append(reply, "b", has_kernel_support);
}

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Version", "s", get_version, 0, 0),
	SD_BUS_PROPERTY("KernelSupport", "b", get_support, 0, 0),
	SD_BUS_METHOD("ListNodes", "", "aa{sv}", list_nodes, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("ListGrants", "", "aa{sv}", list_grants, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("GetUnit", "s", "aa{sv}", get_grants, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("GetControlGroup", "s", "aa{sv}", get_grants, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("ApplyUnit", "s", "", apply, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END
};

static void serve(int listen_fd)
{
	for (;;) {
		int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		sd_bus *bus = NULL;
		int r;

		sd_bus_new(&bus);
		sd_bus_set_fd(bus, fd, fd);
		sd_bus_set_server(bus, 1, (sd_id128_t){ .bytes = { 1 } });
		sd_bus_add_object_vtable(bus, NULL, CLIENT_OBJECT, CLIENT_INTERFACE, vtable, NULL);
		sd_bus_start(bus);
		while ((r = sd_bus_process(bus, NULL)) >= 0 && sd_bus_is_open(bus) > 0)
			if (!r)
				sd_bus_wait(bus, UINT64_MAX);
		sd_bus_close_unref(bus);
	}
}

static void start_server(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = CLIENT_PRIVATE_SOCKET };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	unlink(CLIENT_PRIVATE_SOCKET);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 5) < 0)
		ok(false, "a socket to answer on");
	fflush(stdout);
	server_pid = fork();
	if (!server_pid)
		serve(fd);
	close(fd);
}

static void stop_server(void)
{
	kill(server_pid, SIGKILL);
	waitpid(server_pid, NULL, 0);
}

/* Runs the tool with what it prints in @output; its two streams one after the other. */
static int run_tool(char *const *arguments, char output[8192])
{
	int argc = 0, status = -1, fd;
	ssize_t n;
	pid_t pid;

	while (arguments[argc])
		argc++;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (!freopen("out", "w", stdout) || !freopen("err", "w", stderr))
			_exit(99);
		status = privmemctl_main(argc, (char **)arguments);
		exit(status);
	}
	waitpid(pid, &status, 0);
	output[0] = '\0';
	for (const char *const *file = (const char *const[]){ "out", "err", NULL }; *file; file++) {
		fd = open(*file, O_RDONLY | O_CLOEXEC);
		n = read(fd, output, 4095);
		output += n > 0 ? n : 0;
		*output = '\0';
		close(fd);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define expect(want_status, want_output, ...)                                                      \
	do {                                                                                       \
		char *arguments[] = { "privmemctl", __VA_ARGS__, NULL }, output[8192];             \
		is_int(run_tool(arguments, output), want_status, #__VA_ARGS__);                    \
		is_str(output, want_output, "... prints this");                                    \
	} while (0)

#define NODES_TABLE                                                                                \
	"NODE  NAME  STATE   DEVICE  OWNER  CAPACITY  RESERVED  USED  FREE\n"                      \
	"   1  hbm0  online  dax0.0  kmem       512M      384M    4K  128M\n"                      \
	"   2  hbm0  online  dax1.0  kmem       512M      384M    4K  128M\n"                      \
	"   3  hbm0  absent  -       kmem       512M      384M    4K  128M\n"

#define GRANTS_TABLE                                                                               \
	"UNIT       NODE  DEVICE  REQUESTED  EFFECTIVE     LIMIT  CURRENT  PEAK  REMARK\n"         \
	"a.service     1  dax0.0       128M  yes            128M       4K    8K  -\n"              \
	"s.slice       1  dax0.0       256M  yes            256M       4K    8K  -\n"              \
	"b.service     1  dax0.0        64M  yes             64M       4K    8K  from s.slice\n"   \
	"c.service     2  dax1.0   infinity  no         infinity       4K    8K  node is absent\n"   \
	"d.service     -  -               -  no               0B       4K    8K  unreadable\n"

static void test_tables(void)
{
	expect(0, NODES_TABLE, "nodes");
	expect(0, GRANTS_TABLE, "list");
	expect(0, GRANTS_TABLE, "show", "a.service");
	expect(0, GRANTS_TABLE, "show", "/s.slice");
	expect(0, GRANTS_TABLE, "show", "a");
	expect(0, "privmemd 7, kernel support: yes\n\n" NODES_TABLE "\n" GRANTS_TABLE, "status");
	expect(0, "", "apply", "a.service");
}

static void test_json(void)
{
	struct json_object *object, *rows, *value = NULL;
	char *arguments[] = { "privmemctl", "--json=short", "status", NULL }, output[8192];

	is_int(run_tool(arguments, output), 0, "JSON of everything");
	object = json_tokener_parse(output);
	ok(object != NULL && strchr(output, '\n') == output + strlen(output) - 1, "... is one line");
	ok(json_object_object_get_ex(object, "version", &value) && json_object_get_int(value) == 1,
	   "... has a version");
	ok(json_object_object_get_ex(object, "grants", &rows), "... and grants");
	is_int(json_object_array_length(rows), 5, "... all of them");
	ok(json_object_object_get_ex(json_object_array_get_idx(rows, 3), "requested_bytes", &value) &&
		   !value, "... no amount is null");
	json_object_object_get_ex(json_object_array_get_idx(rows, 0), "requested_bytes", &value);
	is_int(json_object_get_int64(value), 128 * MIB, "... an amount is in bytes");
	json_object_object_get_ex(json_object_array_get_idx(rows, 0), "device", &value);
	is_str(json_object_get_string(value), "dax0.0", "... with the node's device");
	ok(json_object_object_get_ex(json_object_array_get_idx(rows, 4), "node", &value) && !value,
	   "... no node is null");
	json_object_put(object);
	arguments[1] = "--json=pretty";
	arguments[2] = "nodes";
	is_int(run_tool(arguments, output), 0, "JSON for reading");
	object = json_tokener_parse(output);
	ok(object && !strncmp(output, "{\n  \"version\": 1,\n", 18), "... is indented");
	json_object_put(object);
}

static void test_errors(void)
{
	expect(8, "privmemctl: noroom.service: because of NoRoom\n", "apply", "noroom.service");
	expect(9, "privmemctl: nosuchunit.service: because of NoSuchUnit\n", "show",
	       "nosuchunit.service");
	expect(9, "privmemctl: nosuchnode.service: because of NoSuchNode\n", "apply",
	       "nosuchnode.service");
	expect(3, "privmemctl: nokernelsupport.service: because of NoKernelSupport\n", "apply",
	       "nokernelsupport.service");
	expect(4, "privmemctl: notpermitted.service: because of NotPermitted\n", "apply",
	       "notpermitted.service");
	expect(1, "privmemctl: invaliddirective.service: because of InvalidDirective\n", "apply",
	       "invaliddirective.service");
	expect(1, "privmemctl: failed.service: because of Failed\n", "apply", "failed.service");
}

static void test_usage(void)
{
	expect(2, "privmemctl: no verb given; try privmemctl --help\n", "--");
	expect(2, "privmemctl: unknown verb \"bogus\"; try privmemctl --help\n", "bogus");
	expect(2, "privmemctl: usage: privmemctl nodes\n", "nodes", "1");
	expect(2, "privmemctl: usage: privmemctl show UNIT|CGROUP\n", "show");
	expect(2, "privmemctl: usage: privmemctl apply UNIT\n", "apply", "a.service", "b.service");
	expect(2, "privmemctl: usage: privmemctl verify FILE...\n", "verify");
	expect(2, "privmemctl: usage: privmemctl nodes\n", "--evict", "nodes");
	expect(2, "privmemctl: usage: privmemctl set-limit UNIT|CGROUP NODE SIZE\n", "set-limit",
	       "--max=1M", "a", "1", "1M");
	expect(2, "privmemctl: show: empty argument\n", "show", "");
	expect(2, "privmemctl: -n 0: expected a number from 1 on\n", "top", "-n", "0");
	expect(2, "privmemctl: usage: privmemctl top [--batch] [-n TIMES]\n", "--evict", "top");
	expect(2, "privmemctl: node: \"away\" is neither online nor offline\n", "node", "away", "x");
	expect(2, "privmemctl: \"../x\" is no name of a dax device\n", "node", "online", "../x");
	expect(2, "privmemctl: --json=xml: expected short or pretty\n", "--json=xml", "nodes");
	expect(2, "privmemctl: unrecognized option '--bogus'\n", "--bogus");
	expect(0, "privmemctl " PRIVMEM_VERSION "\n", "--version");
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	if (!file || fputs(text, file) < 0)
		ok(false, path);
	fclose(file);
}

static void test_verify(void)
{
	mkdir("x.service.d", 0700);
	put("x.service", "[Service]\nPrivateMemoryNodes=1 2\nPrivateMemoryMax=1 64M\n");
	put("x.service.d/9.conf", "[Service]\nPrivateMemoryMax=1 129M\n");
	put("x.service.d/1.conf", "[Service]\nPrivateMemoryMax=1 128M\n");
	expect(0, "UNIT       NODE       MAX\nx.service     1       64M\nx.service     2  infinity\n",
	       "verify", "x.service");
	expect(0, "UNIT       NODE       MAX\nx.service     1      128M\nx.service     2  infinity\n",
	       "verify", "x.service.d/1.conf", "x.service");
	expect(8, "UNIT       NODE       MAX\nx.service     1      129M\nx.service     2  infinity\n"
		  "x.service.d/9.conf:2: error: node1: 129M asked for in all, 128M left of the 512M of the node\n",
	       "verify", "x.service.d/9.conf", "x.service.d/1.conf", "x.service");
	put("b.service", "[Service]\nSlice=s.slice\nPrivateMemoryNodes=1\nPrivateMemoryMax=1 256M\n");
	expect(0, "UNIT       NODE   MAX\nb.service     1  256M\n", "verify", "b.service");
	put("d.service", "[Service]\nSlice=s-t.slice\nPrivateMemoryNodes=1\nPrivateMemoryMax=1 193M\n");
	expect(8, "UNIT       NODE   MAX\nd.service     1  193M\n"
		  "d.service:4: error: node1: 193M asked for in all, 192M left of the 256M of s.slice\n",
	       "verify", "d.service");
	put("s.slice", "[Slice]\nPrivateMemoryNodes=1\nPrivateMemoryMax=1 384M\n");
	expect(0, "UNIT       NODE   MAX\nd.service     1  193M\ns.slice       1  384M\n", "verify",
	       "d.service", "s.slice");
	put("n.slice", "[Slice]\nPrivateMemoryNodes=4\n");
	expect(9, "UNIT     NODE       MAX\nn.slice     4  infinity\n"
		  "n.slice:2: error: node4: not a private node of this machine; there is 1-3\n",
	       "verify", "n.slice");
}

static void test_verify_mistakes(void)
{
	mkdir("service.d", 0700);
	put("bad.service", "[Service]\nPrivateMemoryNodes=2-1\n");
	expect(1, "bad.service:2: error: PrivateMemoryNodes=2-1: range runs backwards\n", "verify",
	       "bad.service");
	put("max.service", "[Service]\nPrivateMemoryMax=1 1G\n");
	expect(1, "max.service:2: error: PrivateMemoryMax= for node 1, but there is no "
		  "PrivateMemoryNodes=\n", "verify", "max.service");
	put("service.d/a.conf", "[Service]\nPrivateMemoryMax=1 1M\n");
	expect(0, "UNIT         NODE  MAX\nany.service  none    -\n", "verify", "service.d/a.conf");
	expect(1, "x.socket: error: is neither NAME.service nor NAME.slice, nor a *.conf in the .d "
		  "directory of one\n", "verify", "x.socket");
	expect(1, "gone.service: error: cannot read: No such file or directory\n", "verify",
	       "gone.service");
	put("warn.service", "[Unit]\nPrivateMemoryNodes=1\n[Service]\nX-PrivateMemoryNode=1\n"
			    "NUMAMask=1\nPrivateMemoryNodes=2\nNUMAMask=2\n");
	expect(1, "UNIT          NODE       MAX\nwarn.service     2  infinity\n"
		  "warn.service:2: error: PrivateMemoryNodes= is not read in [Unit], only in [Service]\n"
		  "warn.service:4: error: X-PrivateMemoryNode= is not known; there are "
		  "PrivateMemoryNodes= and PrivateMemoryMax=\n"
		  "warn.service: warning: NUMAMask= of a private node needs the grant on the slice; use "
		  "numactl in the service's command instead\n",
	       "verify", "warn.service");
	put("c.container", "[Container]\nImage=x\n[X-Mine]\nPrivateMemoryNodes=9\n[Service]\n"
			   "PrivateMemoryNodes=1 # mine\n");
	expect(1, "c.container:6: error: PrivateMemoryNodes=1 # mine: expected a node number; a comment "
		  "needs a line of its own\n", "verify", "c.container");
	put("p.pod", "[Service]\nPrivateMemoryNodes=1\nPrivateMemoryMax=1 4095\n");
	expect(0, "UNIT           NODE   MAX\np-pod.service     1  4095\n"
		  "p.pod:3: warning: node1: less than a page, so nothing of it can be used\n",
	       "verify", "p.pod");
	expect(1, "x.scope.d/a.conf: error: a scope cannot be granted in time; ask in its slice "
		  "instead\n", "verify", "x.scope.d/a.conf");
	put("t@.service", "[Service]\nPrivateMemoryNodes=%i\n");
	expect(0, "t@.service:2: warning: PrivateMemoryNodes=%i: %i needs the name of an instance, so "
		  "this template cannot be checked\n", "verify", "t@.service");
	put("system.slice", "[Slice]\nPrivateMemoryNodes=2\n");
	expect(0, "UNIT          NODE       MAX\nsystem.slice     2  infinity\n"
		  "system.slice: warning: system.slice is active before privmemd is, so it is granted "
		  "late\n", "verify", "system.slice");
}

static void test_no_answer(void)
{
	expect(7, "privmemctl: gone.service: privmemd does not answer: "
		  "Connection reset by peer\n", "apply", "gone.service");
	stop_server();
	setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere", 1);
	expect(7, "privmemctl: privmemd does not answer: test.socket: Connection refused; "
		  "system bus: No such file or directory\n", "nodes");
	expect(0, "UNIT       NODE   MAX\nd.service     1  193M\n"
		  "privmemctl: verify: sums are not checked: privmemd does not answer: test.socket: "
		  "Connection refused; system bus: No such file or directory\n", "verify", "d.service");
	has_kernel_support = 0;
	start_server();
	expect(3, "privmemctl: this kernel has no private memory nodes; boot one with the privmem "
		  "patches\n", "nodes");
	expect(0, "UNIT     NODE       MAX\nn.slice     4  infinity\n"
		  "privmemctl: verify: sums are not checked: this kernel has no private memory nodes\n",
	       "verify", "n.slice");
	stop_server();
}

int main(void)
{
	char dir[] = "/tmp/test-privmemctl-XXXXXX", command[80];

	ok(mkdtemp(dir) && chdir(dir) == 0, "temporary directory");
	start_server();
	test_tables();
	test_json();
	test_errors();
	test_usage();
	test_verify();
	test_verify_mistakes();
	test_no_answer();
	snprintf(command, sizeof(command), "rm -r %s", dir);
	ok(system(command) == 0, "clean up");
	return tap_done();
}
