// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Requests and rounds against a system manager of our own, which answers on a
 * socket in the same event loop, over a directory that looks like a cgroup
 * hierarchy. Both are changed behind the back of what is tested.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cache.h"
#include "plain.h"
#include "request.h"
#include "tap.h"

#define MIB (UINT64_C(1) << 20)
#define UNITS_MAX 12

struct fake_unit {
	const char *name, *load, *active, *cgroup, *text;
	uint8_t invocation;
	uint32_t job;
};

static struct fake_unit fakes[UNITS_MAX];
static char tree[] = "/tmp/test-reconcile.XXXXXX";
static int root, cache_fd, listen_fd, drops;
static sd_event *event;
static sd_bus *peers[256];
static size_t n_peers;
static struct grants *grants;
static struct reconcile *reconcile;

static struct fake_unit *fake_find(const char *name)
{
	for (size_t i = 0; i < UNITS_MAX; i++)
		if (fakes[i].name && strcmp(fakes[i].name, name) == 0)
			return &fakes[i];
	return NULL;
}

static void put(const char *path, const char *text)
{
	int fd = openat(root, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	(void)!write(fd, text, strlen(text));
	close(fd);
}

/* PID 1 keeps no unit loaded that is down and has nothing to do. */
static bool fake_is_loaded(const struct fake_unit *fake)
{
	return fake && (strcmp(fake->active, "inactive") != 0 || fake->job);
}

/* The unit exists, with this text as its only file. */
static void fake_put(const char *name, const char *active, const char *cgroup, const char *text)
{
	struct fake_unit *fake = fake_find(name);
	char file[128];

	for (size_t i = 0; !fake; i++)
		if (!fakes[i].name)
			fake = &fakes[i];
	*fake = (struct fake_unit){ name, "loaded", active, cgroup, text, 1, 0 };
	snprintf(file, sizeof(file), "file-%s", name);
	put(file, text);
}

static int reply_list(sd_bus_message *call)
{
	sd_bus_message *reply = NULL;

	sd_bus_message_new_method_return(call, &reply);
	sd_bus_message_open_container(reply, 'a', "(ssssssouso)");
	for (size_t i = 0; i < UNITS_MAX; i++)
		if (fakes[i].name && fake_is_loaded(&fakes[i]))
			sd_bus_message_append(reply, "(ssssssouso)", fakes[i].name, "", "loaded",
					      fakes[i].active, "", "", "/", fakes[i].job, "", "/");
	sd_bus_message_close_container(reply);
	sd_bus_send(NULL, reply, NULL);
	sd_bus_message_unref(reply);
	return 1;
}

static int reply_property(sd_bus_message *call, const struct fake_unit *fake, const char *name,
			  const char *property)
{
	uint8_t id[16] = { fake ? fake->invocation : 0 };
	sd_bus_message *reply = NULL;
	char file[128];

	snprintf(file, sizeof(file), "%s/file-%s", tree, name);
	sd_bus_message_new_method_return(call, &reply);
	if (strcmp(property, "InvocationID") == 0) {
		sd_bus_message_open_container(reply, 'v', "ay");
		sd_bus_message_append_array(reply, 'y', id, sizeof(id));
		sd_bus_message_close_container(reply);
	} else if (strcmp(property, "DropInPaths") == 0) {
		sd_bus_message_append(reply, "v", "as", 0);
	} else if (strcmp(property, "Job") == 0) {
		sd_bus_message_append(reply, "v", "(uo)", fake ? fake->job : 0, "/");
	} else {
		sd_bus_message_append(reply, "v", "s",
				      strcmp(property, "Id") == 0 ? name :
				      strcmp(property, "LoadState") == 0 ? fake ? fake->load : "not-found" :
				      strcmp(property, "ActiveState") == 0 ? fake ? fake->active : "inactive" :
				      strcmp(property, "FragmentPath") == 0 ? fake ? file : "" :
				      strcmp(property, "ControlGroup") == 0 ? fake ? fake->cgroup : "" :
				      "");
	}
	sd_bus_send(NULL, reply, NULL);
	sd_bus_message_unref(reply);
	return 1;
}

static int reply_loaded(sd_bus_message *call)
{
	const struct fake_unit *fake;
	const char *name;

	sd_bus_message_read(call, "s", &name);
	fake = fake_find(name);
	if (!fake_is_loaded(fake))
		return sd_bus_reply_method_errorf(call, "org.freedesktop.systemd1.NoSuchUnit",
						  "Unit %s not loaded.", name);
	return sd_bus_reply_method_return(call, "o", "/");
}

static int on_call(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	const char *interface, *property;
	char *name = NULL;

	(void)userdata;
	(void)error;
	if (drops > 0) {
		drops--;
		sd_bus_close(sd_bus_message_get_bus(call));
		return 1;
	}
	if (sd_bus_message_is_method_call(call, NULL, "ListUnitsByPatterns"))
		return reply_list(call);
	if (sd_bus_message_is_method_call(call, NULL, "GetUnit"))
		return reply_loaded(call);
	if (!sd_bus_message_is_method_call(call, NULL, "Get"))
		return 0;
	sd_bus_message_read(call, "ss", &interface, &property);
	sd_bus_path_decode(sd_bus_message_get_path(call), "/org/freedesktop/systemd1/unit", &name);
	reply_property(call, fake_find(name), name, property);
	free(name);
	return 1;
}

static int on_connection(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	sd_bus *bus = NULL;
	sd_id128_t id;

	(void)source, (void)events, (void)userdata;
	sd_id128_randomize(&id);
	sd_bus_new(&bus);
	sd_bus_set_fd(bus, client, client);
	sd_bus_set_server(bus, true, id);
	sd_bus_start(bus);
	sd_bus_add_filter(bus, NULL, on_call, NULL);
	sd_bus_attach_event(bus, event, 0);
	peers[n_peers++] = bus;
	return 0;
}

static void put_cgroup(const char *path)
{
	static const char *const files[][2] = {
		{ "memory.private_nodes", "\n" }, { "memory.private_nodes.subtree", "\n" },
		{ "memory.private_nodes.effective", "1-2\n" }, { "memory.private_nodes.max", "" },
		{ "cgroup.events", "populated 1\n" }, { "cgroup.subtree_control", "memory\n" },
	};

	mkdirat(root, path, 0755);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char name[256];

		snprintf(name, sizeof(name), "%s/%s", path, files[i][0]);
		put(name, files[i][1]);
	}
}

static void remove_cgroup(const char *path)
{
	char command[256];

	snprintf(command, sizeof(command), "rm -r %s/%s", tree, path);
	(void)!system(command);
}

static void run_until(const bool *done)
{
	for (int i = 0; i < 200 && !*done; i++)
		sd_event_run(event, 50000);
	ok(*done, "an answer came in time");
}

static void set_done(void *userdata)
{
	*(bool *)userdata = true;
}

static void daemon_start(void)
{
	char address[128];
	bool done = false;

	snprintf(address, sizeof(address), "unix:path=%s/private", tree);
	grants_new(root, cache_fd, 4096, &grants);
	reconcile_new(event, address, grants, &reconcile);
	reconcile_start(reconcile, set_done, &done);
	run_until(&done);
}

static void daemon_kill(void)
{
	/* Frees memory, touches nothing else: as SIGKILL does. */
	struct grants *dead = grants;

	grants->forgetting = NULL;
	reconcile = reconcile_free(reconcile);
	grants = grants_free(dead);
}

struct outcome {
	struct verdict verdict;
	bool is_done;
};

static void on_verdict(const struct verdict *verdict, void *userdata)
{
	struct outcome *outcome = userdata;

	outcome->verdict = *verdict;
	outcome->is_done = true;
}

static struct verdict ask(const char *unit, bool is_early, const struct wish *wish)
{
	struct outcome outcome = {};
	struct request *request;
	int r = request_new(reconcile, unit, is_early, wish, on_verdict, &outcome, &request);

	if (r < 0)
		outcome.verdict.code = -r;
	else
		run_until(&outcome.is_done);
	return outcome.verdict;
}

/* One round, up to its end: a request is answered after what was queued before it. */
static void round_run(void)
{
	reconcile_all(reconcile);
	for (int i = 0; i < 60; i++)
		sd_event_run(event, 2000);
}

static void expect_file(const char *path, const char *want, const char *what)
{
	char text[256] = "";
	int fd = openat(root, path, O_RDONLY);

	(void)!read(fd, text, sizeof(text) - 1);
	close(fd);
	is_str(text, want, what);
}

static uint64_t reserved(unsigned int nid)
{
	return ledger_get_reserved(grants->ledger, nid);
}

#define A_CGROUP "/system.slice/a.service"
#define B_CGROUP "/system.slice/b.service"
#define ASK(max) "[Service]\nPrivateMemoryNodes=1\nPrivateMemoryMax=1 " max "\n"

static void test_requests(void)
{
	struct verdict verdict;

	fake_put("a.service", "activating", A_CGROUP, ASK("256M"));
	fake_put("b.service", "activating", B_CGROUP, ASK("300M"));
	fake_put("off.service", "inactive", "", ASK("1M"));
	fake_put("bad.service", "activating", "/system.slice/bad.service", ASK("-1"));
	verdict = ask("a.service", false, NULL);
	is_int(verdict.code, CODE_DONE, "a starting unit gets what its file asks for");
	expect_file("system.slice/a.service/memory.private_nodes.max", "N1 268435456\n", "limit");
	verdict = ask("b.service", false, NULL);
	is_int(verdict.code, CODE_NO_ROOM, "who asks for more than is left is refused");
	is_str(verdict.text, "node1: 300M asked for, 256M of 512M left; 256M reserved by a.service",
	       "and told why");
	is_str(grants_find(grants, "b.service")->refusal, verdict.text, "which is remembered");
	is_int(ask("off.service", false, NULL).code, CODE_FAILED, "an inactive unit gets nothing");
	is_int(ask("none.service", false, NULL).code, CODE_NO_UNIT, "nor does one that is none");
	is_int(ask("a.mount", false, NULL).code, EINVAL, "nor a unit of another type");
	verdict = ask("bad.service", false, NULL);
	is_int(verdict.code, CODE_BAD_DIRECTIVE, "a bad directive is refused");
	ok(strstr(verdict.text, "file-bad.service:3: "), "with file and line");
	is_int(reserved(1), 256 * MIB, "all this reserved no more");
	drops = 1;
	is_int(ask("a.service", false, NULL).code, CODE_DONE, "a lost connection is made again");
	drops = 100;
	is_int(ask("a.service", false, NULL).code, CODE_FAILED, "but not for ever");
	drops = 0;
	is_int(reserved(1), 256 * MIB, "which takes nothing away");
	fake_find("a.service")->active = "inactive";
	fake_find("a.service")->job = 7;
	fake_find("bad.service")->active = "inactive";
	is_int(ask("b.service", false, NULL).code, CODE_NO_ROOM,
	       "a unit that is down amid a restart keeps its room");
	reconcile_unit(reconcile, "a.service");
	round_run();
	is_int(reserved(1), 256 * MIB, "also when its end was heard of");
	fake_find("a.service")->active = "failed";
	is_int(ask("b.service", false, NULL).code, CODE_NO_ROOM, "and when that end was a failure");
	fake_find("a.service")->job = 0;
	is_int(ask("b.service", false, NULL).code, CODE_DONE,
	       "room of a unit that went down unheard is found when it is needed");
	is_int(reserved(1), 300 * MIB, "and reserved for the new one");
}

static void test_restart(void)
{
	daemon_kill();
	daemon_start();
	is_int(reserved(1), 300 * MIB, "killed and started again, the ledger is the same");
	expect_file("system.slice/b.service/memory.private_nodes.max", "N1 314572800\n",
		    "and the limit");
	daemon_kill();
	put("system.slice/b.service/memory.private_nodes.max", "N1 4096\n");
	daemon_start();
	is_int(reserved(1), 300 * MIB, "a limit lowered by somebody else meanwhile is put right");
	expect_file("system.slice/b.service/memory.private_nodes.max", "N1 314572800\n",
		    "in the file, too");
	daemon_kill();
	put("system.slice/b.service/memory.private_nodes.max", "N1 524288000\n");
	daemon_start();
	is_int(reserved(1), 300 * MIB, "and so is one that was raised");
	expect_file("system.slice/b.service/memory.private_nodes.max", "N1 314572800\n",
		    "in the file, too");
	daemon_kill();
	fake_find("b.service")->active = "inactive";
	daemon_start();
	is_int(reserved(1), 0, "what went down meanwhile is released");
	expect_file("system.slice/b.service/memory.private_nodes", "\n", "its cgroup is revoked");
}

/* A cgroup below a service, named after a unit that is live, and marked as ours are. */
static void test_strangers(void)
{
	static const char mark[] = "request\n2 64M\n";
	char path[128];

	snprintf(path, sizeof(path), "%s" A_CGROUP "/b.service", tree);
	put_cgroup("system.slice/a.service/b.service");
	put("system.slice/a.service/b.service/memory.private_nodes", "2\n");
	put("system.slice/a.service/b.service/memory.private_nodes.max", "N2 67108864\n");
	put("system.slice/a.service/b.service/memory.private_nodes.effective", "\n");
	is_int(setxattr(path, "user.privmem", mark, strlen(mark), 0), 0, "a mark by somebody else");
	fake_put("b.service", "active", B_CGROUP, "[Service]\nExecStart=/bin/true\n");
	daemon_kill();
	daemon_start();
	is_int(reserved(2), 0, "is not taken for a grant");
	ok(!grants_find(grants, "b.service"), "of the unit it names");
	fake_find("b.service")->active = "inactive";
}

/* A cgroup that is no unit's: there is nobody to ask, and nothing but its files. */
static void test_plain(void)
{
	static const char inner[] = A_CGROUP "/inner";
	struct verdict verdict = {};

	put_cgroup("made");
	plain_grant(grants, "/made", "2", (struct plan_limit[]){ { "2", "64M" } }, 1, &verdict);
	is_int(verdict.code, CODE_DONE, "a cgroup that somebody made is granted a node");
	expect_file("made/memory.private_nodes", "2", "in its file");
	expect_file("made/memory.private_nodes.max", "N2 67108864\n", "with its limit");
	put_cgroup(inner + 1);
	verdict = (struct verdict){};
	plain_grant(grants, inner, "2", (struct plan_limit[]){ { "2", "32M" } }, 1, &verdict);
	is_int(verdict.code, CODE_DONE, "one inside a unit as well");
	is_int(reserved(2), 96 * MIB, "both are reserved");
	fake_put("a.service", "active", A_CGROUP, "[Service]\nPrivateMemoryNodes=2\n"
		 "PrivateMemoryMax=2 48M\n");
	is_int(ask("a.service", false, NULL).code, CODE_DONE, "the unit around it is granted");
	is_int(reserved(2), 112 * MIB, "and what is inside draws from that");
	plain_grant(grants, "/made", "2", (struct plan_limit[]){ { "2", "500M" } }, 1, &verdict);
	is_int(verdict.code, CODE_NO_ROOM, "what does not fit is refused");
	is_int(reserved(2), 112 * MIB, "and changes nothing");
	round_run();
	is_int(reserved(2), 112 * MIB, "a round leaves it alone");
	daemon_kill();
	daemon_start();
	is_int(reserved(2), 112 * MIB, "and so does a restart");
	verdict = (struct verdict){};
	plain_set_limit(grants, "/made", "2", "16M", &verdict);
	is_int(reserved(2), 64 * MIB, "a limit is a reservation");
	plain_set_limit(grants, "/made", "1", "16M", &verdict);
	is_int(verdict.code, CODE_NO_NODE, "for a node that is granted");
	plain_revoke(grants, A_CGROUP, "", &verdict);
	is_int(verdict.code, CODE_USAGE, "the cgroup of a service is changed by its unit");
	plain_revoke(grants, "/made/../made", "", &verdict);
	is_int(verdict.code, CODE_USAGE, "a path is a path");
	plain_revoke(grants, "/gone", "", &verdict);
	is_int(verdict.code, CODE_NO_UNIT, "of a cgroup that is there");
	verdict = (struct verdict){};
	plain_revoke(grants, inner, "2", &verdict);
	is_int(verdict.code, CODE_DONE, "revoked");
	expect_file("system.slice/a.service/inner/memory.private_nodes", "\n", "in its file");
	fake_find("a.service")->active = "inactive";
	round_run();
	is_int(reserved(2), 16 * MIB, "the unit went, the cgroup stayed");
	remove_cgroup("made");
	round_run();
	is_int(reserved(2), 0, "until it is removed");
}

static void test_rounds(void)
{
	fake_put("a.service", "active", A_CGROUP, ASK("64M"));
	round_run();
	is_int(reserved(1), 64 * MIB, "a unit that is up already is granted late");
	expect_file("system.slice/a.service/memory.private_nodes", "1", "in its cgroup");
	fake_put("a.service", "active", A_CGROUP, ASK("128M"));
	round_run();
	is_int(reserved(1), 128 * MIB, "a changed directive takes effect");
	fake_put("a.service", "active", A_CGROUP, ASK("513M"));
	round_run();
	is_int(reserved(1), 128 * MIB, "one that does not fit does not");
	ok(grants_find(grants, "a.service")->refusal, "and is remembered");
	fake_put("a.service", "active", A_CGROUP, ASK("junk"));
	round_run();
	is_int(reserved(1), 128 * MIB, "nor does one that cannot be read");
	put("system.slice/a.service/memory.private_nodes.max", "N1 max\n");
	fake_put("a.service", "active", A_CGROUP, ASK("128M"));
	round_run();
	expect_file("system.slice/a.service/memory.private_nodes.max", "N1 134217728\n",
		    "a limit that somebody removed is restored");
	ok(!grants_find(grants, "a.service")->refusal, "and the refusal is past");
	unlinkat(root, "file-a.service", 0);
	round_run();
	is_int(reserved(1), 128 * MIB, "a file that is gone, unknown to the system manager, is none");
	fake_put("a.service", "active", A_CGROUP, "[Service]\nExecStart=/bin/true\n");
	round_run();
	is_int(reserved(1), 0, "a directive that is gone is a grant that is gone");
	expect_file("system.slice/a.service/memory.private_nodes", "\n", "in the cgroup, too");
}

static void test_commands(void)
{
	struct wish wish = {};
	const char *reason;

	wish_parse_request("2", "32M", NULL, &wish, &reason);
	is_int(ask("a.service", false, &wish).code, CODE_DONE, "a command asks for another node");
	wish_done(&wish);
	round_run();
	is_int(reserved(2), 32 * MIB, "which outlives a round, though no file says so");
	daemon_kill();
	daemon_start();
	is_int(reserved(2), 32 * MIB, "and a restart");
	fake_find("a.service")->active = "inactive";
	round_run();
	is_int(reserved(2), 0, "but not the unit");
}

/* Units that are active without a process have no cgroup to remember for them. */
static void test_without_cgroup(void)
{
	static const char all[] = "[Service]\nPrivateMemoryNodes=2\n";
	static const char some[] = "[Service]\nPrivateMemoryNodes=2\nPrivateMemoryMax=2 16M\n";

	fake_put("some.service", "active", "/gone/some.service", some);
	is_int(ask("some.service", false, NULL).code, CODE_DONE, "a unit takes some");
	fake_put("all.service", "active", "/gone/all.service", all);
	is_int(ask("all.service", false, NULL).code, CODE_DONE, "another all that is left");
	fake_find("some.service")->active = "inactive";
	round_run();
	is_int(reserved(2), 496 * MIB, "what the first gives back the other does not get");
	daemon_kill();
	daemon_start();
	is_int(reserved(2), 496 * MIB, "nor after a restart");
	fake_find("all.service")->active = "inactive";
	round_run();
	daemon_kill();
	fake_find("all.service")->active = "active";
	daemon_start();
	is_int(reserved(2), 512 * MIB, "what was released is not remembered");
	fake_find("all.service")->active = "inactive";
	round_run();
	is_int(reserved(2), 0, "and all is given back");
}

static void test_slices(void)
{
	static const char in_slice[] = "[Service]\nPrivateMemoryNodes=1\nSlice=t.slice\n";

	fake_put("t.slice", "inactive", "", "[Slice]\nPrivateMemoryNodes=1\nPrivateMemoryMax=1 512M\n");
	fake_put("privmem-slice@t.slice.service", "activating", "/x", "");
	is_int(ask("t.slice", true, NULL).code, CODE_DONE, "a slice is granted before it starts");
	round_run();
	is_int(reserved(1), 512 * MIB, "and keeps it until it does, for its stand-in lives");
	fake_put("in.service", "activating", "/t.slice/in.service", in_slice);
	is_int(ask("in.service", false, NULL).code, CODE_DONE, "a service in it");
	is_int(reserved(1), 512 * MIB, "draws from the slice");
	is_str(reservation_get_source(grants_find(grants, "in.service")->shares[0].reservation),
	       "t.slice", "by name");
	daemon_kill();
	daemon_start();
	is_int(reserved(1), 512 * MIB, "after a restart as well");
	is_str(reservation_get_source(grants_find(grants, "in.service")->shares[0].reservation),
	       "t.slice", "by name");
	fake_find("in.service")->active = "inactive";
	fake_find("privmem-slice@t.slice.service")->active = "inactive";
	round_run();
	is_int(reserved(1), 0, "all is released when neither slice nor stand-in lives");
}

int main(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char command[64], cache[64];

	root = open(mkdtemp(tree), O_RDONLY | O_DIRECTORY);
	snprintf(cache, sizeof(cache), "%s/cache", tree);
	is_int(cache_open(cache, &cache_fd), 0, "the cache is made");
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/private", tree);
	listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bind(listen_fd, (struct sockaddr *)&address, sizeof(address));
	listen(listen_fd, 64);
	sd_event_default(&event);
	sd_event_add_io(event, NULL, listen_fd, 1 /* EPOLLIN */, on_connection, NULL);
	put("memory.private_nodes.effective", "1-2\n");
	put("memory.private_nodes.capacity", "N1 536870912\nN2 536870912\n");
	put("cgroup.subtree_control", "memory\n");
	put_cgroup("system.slice");
	put_cgroup("system.slice/a.service");
	put_cgroup("system.slice/b.service");
	put_cgroup("t.slice");
	put_cgroup("t.slice/in.service");
	daemon_start();
	test_requests();
	test_restart();
	test_strangers();
	test_plain();
	test_rounds();
	test_commands();
	test_without_cgroup();
	test_slices();
	daemon_kill();
	for (size_t i = 0; i < n_peers; i++)
		sd_bus_close_unref(peers[i]);
	sd_event_unref(event);
	close(listen_fd);
	close(cache_fd);
	close(root);
	snprintf(command, sizeof(command), "rm -r %s", tree);
	(void)!system(command);
	return tap_done();
}
