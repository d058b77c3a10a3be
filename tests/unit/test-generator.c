/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The generator over a root directory made for the test. */
#include <ftw.h>

#define main generator_main
#include "../../userspace/generator/privmem-generator.c"
#undef main
#include "../../userspace/generator/scan.c"

#include "tap.h"

#define ASKING "[Service]\nPrivateMemoryNodes=1\n"

static int root_fd, out_fd;

static void put(const char *path, const char *text)
{
	char part[512];
	int fd;

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		mkdirat(root_fd, part, 0755);
	}
	fd = openat(root_fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || write_all(fd, text) < 0)
		ok(false, path);
	close(fd);
}

static void expect(const char *name, const char *want, const char *what)
{
	char path[512], text[2048] = "(absent)";
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s.d/" DROPIN, name);
	fd = openat(out_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		text[n < 0 ? 0 : n] = '\0';
		close(fd);
	}
	is_str(text, want, what);
}

/* Larger than privmemd reads. */
static void put_large(const char *path, const char *text)
{
	size_t length = 1 << 20;
	char *large = malloc(length + 1);

	memset(large, '#', length);
	large[length] = '\0';
	memcpy(large, text, strlen(text));
	large[strlen(text)] = '\n';
	put(path, large);
	free(large);
}

static void put_units(void)
{
	put_large("usr/lib/systemd/system/large.service", ASKING);
	put_large("usr/lib/systemd/system/large-idle.service", "[Service]\nExecStart=/bin/true\n");
	put("usr/lib/systemd/system/plain.service", "[Service]\nExecStart=/bin/true\n");
	put("usr/lib/systemd/system/bad.service", "[Service]\nPrivateMemoryMax=nonsense\n");
	put("usr/lib/systemd/system/comment.service", "[Service]\n#PrivateMemoryNodes=1\n");
	put("usr/lib/systemd/system/section.service", "[Slice]\nPrivateMemoryNodes=1\n");
	put("usr/lib/systemd/system/asking.socket", "[Service]\nPrivateMemoryNodes=1\n");
	put("etc/systemd/system/x.slice", "[Slice]\nX-PrivateMemoryNodes=1\n");
	put("etc/systemd/system/dropin.service.d/10-a.conf", ASKING);
	put("etc/systemd/system/other.service.d/10-a.conf.bak", ASKING);
	put("run/systemd/system/foo@.service", ASKING);
	put("run/systemd/system/foo@1.service.d/root.conf", "[Service]\nRootDirectory=/srv\n");
	put("run/systemd/system/bar@.service", "[Service]\nRootImage=/srv.raw\n");
	put("run/systemd/system/bar@1.service.d/a.conf", ASKING);
	put("run/systemd/system/pre-.service.d/a.conf", ASKING);
	put("usr/lib/systemd/system/rooted.service", "[Service]\nTemporaryFileSystem=/run\n");
	put("etc/systemd/system/rooted.service.d/a.conf", ASKING);
	put("etc/systemd/system/unrooted.service", ASKING "RootDirectory=\n");
	put("etc/systemd/system/system.slice.d/a.conf", "[Slice]\nPrivateMemoryNodes=1\n");
	put("etc/systemd/system/privmemd.service.d/a.conf", ASKING);
	put("etc/containers/systemd/web.container", "[Container]\nImage=x\n" ASKING);
	put("etc/containers/systemd/db.pod.d/a.conf", ASKING);
	put("etc/containers/systemd/idle.container", "[Container]\nImage=x\n");
	put("etc/containers/systemd/a/b/nested.container", ASKING);
	symlinkat("..", root_fd, "etc/containers/systemd/a/circle");
	put("etc/containers/systemd/called.container", "[Container]\nServiceName=renamed\n");
	put("etc/containers/systemd/called.container.d/a.conf", ASKING);
	put("etc/containers/systemd/mute.container", "[Container]\nServiceName=silent\n");
	put("etc/containers/systemd/out.container", "[Container]\nServiceName=../out\n" ASKING);
}

static void test_names(void)
{
	char rooted[2048];

	snprintf(rooted, sizeof(rooted), "%s%s", service_dropin, root_addition);
	expect("large.service", rooted, "a file too large to read counts if it holds the word");
	expect("large-idle.service", "(absent)", "... and not otherwise");
	expect("plain.service", "(absent)", "a unit that does not ask is left alone");
	expect("bad.service", service_dropin, "a directive that cannot be read still counts");
	expect("comment.service", "(absent)", "a comment is not a directive");
	expect("section.service", "(absent)", "a key in another section is not a directive");
	expect("asking.socket", "(absent)", "only services and slices ask");
	expect("x.slice", slice_dropin, "the X- twin counts, in a slice");
	expect("dropin.service", service_dropin, "a drop-in counts for the unit");
	expect("other.service", "(absent)", "a file that is no *.conf is no drop-in");
	expect("foo@.service", service_dropin, "a template asks");
	expect("foo@1.service", rooted, "... and its instance with a root is given the hook");
	expect("bar@1.service", rooted, "an instance is given the hook where its template has a root");
	expect("bar@.service", "(absent)", "... and the template does not ask");
	expect("pre-.service", service_dropin, "a prefix counts as the prefix");
	expect("rooted.service", rooted, "the root may be changed in another file than asks");
	expect("unrooted.service", service_dropin, "an emptied RootDirectory= changes nothing");
	expect("system.slice", "(absent)", "system.slice must not wait");
	expect("privmemd.service", "(absent)", "privmemd must not wait for itself");
	expect("web.service", service_dropin, "a container counts for its service");
	expect("db-pod.service", service_dropin, "a pod's drop-in counts for its service");
	expect("idle.service", "(absent)", "a container that does not ask is left alone");
	expect("nested.service", service_dropin, "a container's file may lie in a directory below");
	expect("renamed.service", service_dropin, "a container's service may be called otherwise");
	expect("silent.service", "(absent)", "... and does not ask by that");
	expect("../out.service", "(absent)", "... nor is a path a name");
}

/* systemd takes such a name, though no directory can be called NAME.d. */
static void test_long_name(void)
{
	char path[300], name[256] = "";

	memset(name, 'a', 246);
	strcat(name, ".service");
	snprintf(path, sizeof(path), "etc/systemd/system/%s", name);
	put(path, ASKING);
	is_int(generate(root_fd, out_fd), -ENAMETOOLONG, "a name that is too long is an error");
	ok(symlinkat("transient", root_fd, "run/systemd/transient") == 0,
	   "so is a directory that cannot be read");
	put("etc/systemd/system/z.service", ASKING);
	is_int(generate(root_fd, out_fd), -ELOOP, "... the first is what is returned");
	expect("z.service", service_dropin, "... but the other units wait all the same");
	unlinkat(root_fd, path, 0);
	unlinkat(root_fd, "run/systemd/transient", 0);
}

static void test_types(void)
{
	put("etc/systemd/system/service.d/a.conf", ASKING);
	put("etc/systemd/system/slice.d/a.conf", "[Slice]\nPrivateMemoryNodes=1\n");
	is_int(generate(root_fd, out_fd), 0, "drop-ins for all units of a type");
	expect("service", service_dropin, "... go to the type");
	expect("slice", slice_dropin, "... and the other one");
	expect("privmemd.service", neutral_dropin, "... but privmemd does not wait");
	expect("privmem-slice@.service", neutral_dropin, "... nor does what slices wait for");
	expect("-.slice", neutral_dropin, "... nor does the root slice");
	expect("system.slice", neutral_dropin, "... nor the one privmemd is in");
}

static void test_covers(void)
{
	ok(scan_covers("a.service", "a.service"), "a name and itself");
	ok(!scan_covers("a.service", "a.slice"), "types differ");
	ok(!scan_covers("a.service", "ab.service"), "no prefix without a dash");
	ok(scan_covers("a-.service", "a-b.service"), "a prefix");
	ok(scan_covers("a-.service", "a-b@1.service"), "a prefix of an instance");
	ok(!scan_covers("a-b.service", "a-.service"), "... but not the other way round");
	ok(!scan_covers("a-.service", "a.service"), "a prefix is longer than its stem");
	ok(scan_covers("a@.service", "a@1.service"), "a template");
	ok(!scan_covers("a@1.service", "a@2.service"), "two instances");
	ok(!scan_covers("a@.service", "a.service"), "a template and a plain unit");
	ok(scan_covers("service", "a@1.service"), "a type covers all");
	ok(!scan_covers("a.service", "service"), "... and is covered by none");
	ok(!scan_covers("slice", "a.service"), "... nor covers another type");
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

int main(void)
{
	char dir[] = "/tmp/test-generator-XXXXXX";

	ok(mkdtemp(dir) != NULL, "temporary directory");
	root_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	put("run/systemd/generator/x", "");
	out_fd = openat(root_fd, "run/systemd/generator", O_PATH | O_DIRECTORY | O_CLOEXEC);
	put_units();
	is_int(generate(root_fd, out_fd), 0, "generate");
	test_names();
	test_long_name();
	test_types();
	test_covers();
	close(out_fd);
	out_fd = openat(root_fd, "run/systemd/generator/x", O_PATH | O_CLOEXEC);
	is_int(generate(root_fd, out_fd), -ENOTDIR, "nowhere to write is an error");
	close(root_fd);
	close(out_fd);
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return tap_done();
}
