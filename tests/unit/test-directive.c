/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "directive.h"
#include "tap.h"
#include "unitfile.h"

#define MANY 4

/* Merges texts that stand for /0, /1 ... and prints what came of it: "1,3 1=512M" or an error. */
static void expect(const char *unit, const char *const texts[MANY], const char *want)
{
	char *files[] = { "/0", "/1", "/2", "/3", NULL }, got[400], *part;
	struct directive directive = {};
	struct directive_error error = {};
	int r = 0;

	for (size_t i = 0; i < MANY && texts[i] && !r; i++)
		r = directive_add_text(&directive, unit, directive_section_of(unit), files[i],
				       texts[i], strlen(texts[i]), &error);
	if (!r)
		r = directive_check(&directive, files, &error);
	if (r < 0) {
		snprintf(got, sizeof(got), "%s:%u: %s", error.path, error.line, error.reason);
	} else {
		part = nodelist_format(&directive.nodes);
		snprintf(got, sizeof(got), "%s%s", directive.is_set ? "" : "unset", part);
		free(part);
		for (size_t i = 0; i < directive.n_max; i++) {
			size_t used = strlen(got);

			part = limit_format(directive_limit(&directive, directive.max[i].nid));
			snprintf(got + used, sizeof(got) - used, " %u=%s", directive.max[i].nid,
				 part);
			free(part);
		}
	}
	is_str(got, want, want);
	directive_done(&directive);
}

#define expect_service(want, ...) \
	expect("a-b@7.service", (const char *const[MANY]){ __VA_ARGS__ }, want)
#define expect_slice(want, ...) expect("a.slice", (const char *const[MANY]){ __VA_ARGS__ }, want)

static void test_values(void)
{
	expect_service("unset", "[Service]\nExecStart=/bin/true\n");
	expect_service("1", "[Service]\nPrivateMemoryNodes=1");
	expect_service("1,3-4", "[Service]\nX-PrivateMemoryNodes=1 3-4\n");
	expect_service("1-2", "[Service]\nPrivateMemoryNodes=1\nX-PrivateMemoryNodes=2\n");
	expect_service("1 1=8G", "[Service]\nPrivateMemoryNodes=1\nPrivateMemoryMax=1 8G\n");
	expect_service("1 1=8G", "[Service]\n PrivateMemoryNodes = 1 \n\tX-PrivateMemoryMax =1 \t8G\n");
	expect_service("1 1=50.00%", "[Service]\nPrivateMemoryNodes=1\nPrivateMemoryMax=1 50%\n");
	expect_service("1-2 1=4G 2=infinity",
		       "[Service]\nPrivateMemoryNodes=1-2\nPrivateMemoryMax=1 8G\n"
		       "PrivateMemoryMax=2 infinity\nPrivateMemoryMax=1 4G\n");
	expect_slice("1", "[Slice]\nPrivateMemoryNodes=1\n");
	expect_slice("unset", "[Service]\nPrivateMemoryNodes=1\n");
	expect_service("unset", "[Slice]\nPrivateMemoryNodes=1\n[X-Service]\nPrivateMemoryNodes=1");
}

static void test_merging(void)
{
	expect_service("1-2", "[Service]\nPrivateMemoryNodes=1", "[Service]\nPrivateMemoryNodes=2");
	expect_service("2", "[Service]\nPrivateMemoryNodes=1",
		       "[Service]\nPrivateMemoryNodes=\nPrivateMemoryNodes=2");
	expect_service("1 1=2G", "[Service]\nPrivateMemoryNodes=1\nPrivateMemoryMax=1 1G",
		       "[Service]\nPrivateMemoryMax=1 2G");
	expect_service("1", "[Service]\nPrivateMemoryNodes=1\nPrivateMemoryMax=1 1G",
		       "[Service]\nPrivateMemoryMax=");
	expect_service("", "[Service]\nPrivateMemoryNodes=1\nPrivateMemoryMax=1 1G",
		       "[Service]\nPrivateMemoryNodes=");
	expect_service("1 1=1G", "[Service]\nPrivateMemoryMax=1 1G",
		       "[Service]\nPrivateMemoryNodes=\nPrivateMemoryNodes=1");
	expect_service("/1:3: PrivateMemoryMax= for node 2, which PrivateMemoryNodes= does not name",
		       "[Service]\nPrivateMemoryNodes=1", "[Service]\n\nPrivateMemoryMax=2 1G");
	expect_service("/0:2: PrivateMemoryMax= for node 1, but there is no PrivateMemoryNodes=",
		       "[Service]\nPrivateMemoryMax=1 1G");
}

static void test_syntax(void)
{
	expect_service("1", "\xef\xbb\xbf[Service]\r\nPrivateMemoryNodes=1\r\n");
	expect_service("1-2", "[Service]\nPrivateMemoryNodes=1\\\n# comment\n  2\n");
	expect_service("1-2", "[Service]\nPrivateMemoryNodes=\\\n1 \\\n;PrivateMemoryNodes=9\n2");
	expect_service("1", "[Service]\nPrivateMemoryNodes=1\\\n");
	expect_service("unset", "[Service]\n#PrivateMemoryNodes=1\n ; PrivateMemoryNodes=1");
	expect_service("unset", "[Service]\nEnvironment=A \\\nPrivateMemoryNodes=1");
	expect_service("1", "[Service]\nEnvironment=A\\\\\nPrivateMemoryNodes=1");
	expect_service("1", "[Service]\nnonsense\n=x\nPrivateMemoryNodes=1");
	expect_service("1", "[Unit]\nPrivateMemoryNodes=2\n[Service]\n\n[Unit]\n[Service]\nPrivateMemoryNodes=1");
	expect_service("/0:2: section header does not end with ]",
		       "[Service]\n[Service\nPrivateMemoryNodes=1");
	expect_service("/0:1: section header does not end with ]", "[");
}

static void test_specifiers(void)
{
	expect_service("7 7=1G", "[Service]\nPrivateMemoryNodes=%i\nPrivateMemoryMax=%i 1G\n");
	expect_service("/0:2: PrivateMemoryNodes=%u: only the specifiers %% %H %i %I %j %J %l %n %N %p %P %v work here",
		       "[Service]\nPrivateMemoryNodes=%u");
	expect_service("/0:2: PrivateMemoryNodes=1%: only the specifiers %% %H %i %I %j %J %l %n %N %p %P %v work here",
		       "[Service]\nPrivateMemoryNodes=1%");
	expect_service("1-3 1=8G 2=1G", "[Service]\nPrivateMemoryNodes=\"1\" '2',\"3\"\n"
		       "PrivateMemoryMax=\"1\" '8G'\nPrivateMemoryMax='2 1G'\n");
	expect_service("/0:2: PrivateMemoryNodes=\"1: a quote does not end",
		       "[Service]\nPrivateMemoryNodes=\"1\n");
	expect_service("/0:3: PrivateMemoryMax=1 '8G: a quote does not end",
		       "[Service]\nPrivateMemoryNodes=1\nPrivateMemoryMax=1 '8G\n");
	expect_slice("/0:2: PrivateMemoryNodes=%i: %i needs the name of an instance",
		     "[Slice]\nPrivateMemoryNodes=%i");
}

static void expect_expanded(const char *unit, const char *value, const char *want)
{
	const char *reason = "";
	char *got = NULL;

	is_int(unitfile_expand(value, unit, &got, &reason), 0, value);
	is_str(got, want, want);
	free(got);
}

static void test_refusals(void)
{
	expect_service("/0:4: PrivateMemoryNodes=!1: expected a node number",
		       "[Service]\n# one\n\nPrivateMemoryNodes=!1\n");
	expect_service("/0:2: PrivateMemoryNodes=1 ????: expected a node number",
		       "[Service]\nPrivateMemoryNodes=1 \xff\x1b\xc3\xa9\n");
	expect_service("/0:3: PrivateMemoryNodes=1,  2-1: range runs backwards",
		       "[Service]\n# one\nPrivateMemoryNodes=1, \\\n2-1\n");
	expect_service("/0:2: X-PrivateMemoryMax=1: expected a node and a size, as in \"1 8G\"",
		       "[Service]\nX-PrivateMemoryMax=1\n");
	expect_service("/0:2: PrivateMemoryMax=1 8G 2: expected a node and a size, as in \"1 8G\"",
		       "[Service]\nPrivateMemoryMax=1 8G 2\n");
	expect_service("/0:2: PrivateMemoryMax=1-2 8G: expected a single node number",
		       "[Service]\nPrivateMemoryMax=1-2 8G\n");
	expect_service("/0:2: PrivateMemoryMax=1 -8G: size is negative",
		       "[Service]\nPrivateMemoryMax=1 -8G\n");
	expect_service("/1:2: PrivateMemoryMax=1 99999999T: size is too large",
		       "[Service]\nPrivateMemoryNodes=1", "[Service]\nPrivateMemoryMax=1 99999999T\n");
}

static void test_mentions(void)
{
	const char text[] = "[Service]\nPrivateMemoryNodes=bad";

	ok(directive_is_mentioned(text, strlen(text), "Service"), "a bad value is a mention");
	ok(!directive_is_mentioned(text, strlen(text), "Slice"), "another section is not");
	ok(!directive_is_mentioned("", 0, "Service"), "an empty file is not");
	ok(!directive_section_of("a.socket") && !directive_section_of("a"), "sockets have no section");
}

static void write_file(int root_fd, const char *path, const char *text)
{
	int fd = openat(root_fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ok(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), path);
	close(fd);
}

static void test_load(void)
{
	char dir[] = "/tmp/test-directive-XXXXXX";
	char *files[] = { "/a.service", "", "/b.conf", NULL };
	struct directive directive = {};
	struct directive_error error = {};
	int root_fd;

	ok(mkdtemp(dir) != NULL, "temporary directory");
	root_fd = open(dir, O_DIRECTORY | O_CLOEXEC);
	write_file(root_fd, "a.service", "[Service]\nPrivateMemoryNodes=1\n");
	is_int(directive_load(root_fd, "a.service", files, "Service", NULL, &directive, &error), 0,
	       "a file that went away reads as empty");
	ok(nodelist_is_set(&directive.nodes, 1), "... and the rest counts");
	directive_done(&directive);
	directive = (struct directive){};
	is_int(mkdirat(root_fd, "b.conf", 0700), 0, "a directory");
	is_int(directive_load(root_fd, "a.service", files, "Service", NULL, &directive, &error), -EISDIR,
	       "... is told from a file");
	is_str(error.path, "/b.conf", "... by its path");
	ok(!directive.is_set, "... and the result is not touched");
	is_str(error.reason, "cannot read: Is a directory", "... in words");
	unlinkat(root_fd, "b.conf", AT_REMOVEDIR);
	ok(symlinkat("/dev/null", root_fd, "b.conf") == 0, "a masked drop-in");
	is_int(directive_load(root_fd, "a.service", files, "Service", NULL, &directive, &error), 0,
	       "... reads as empty");
	ok(nodelist_is_set(&directive.nodes, 1), "... and the rest counts");
	directive_done(&directive);
	directive = (struct directive){};
	unlinkat(root_fd, "b.conf", 0);
	write_file(root_fd, "b.conf", "[Service]\nPrivateMemoryMax=1 5X\n");
	is_int(directive_load(root_fd, "a.service", files, "Service", NULL, &directive, &error), -EINVAL,
	       "a bad drop-in is an error");
	is_int(error.line, 2, "... with the line");
	ok(!directive.is_set, "... and the result is not touched");
	unlinkat(root_fd, "a.service", 0);
	unlinkat(root_fd, "b.conf", 0);
	close(root_fd);
	rmdir(dir);
}

static void test_host(void)
{
	struct utsname host;
	char want[300];

	ok(uname(&host) == 0, "the machine has a name");
	snprintf(want, sizeof(want), "%s %s %s", host.nodename, host.release, host.nodename);
	expect_expanded("a.slice", "%H %v %H", want);
	host.nodename[strcspn(host.nodename, ".")] = '\0';
	expect_expanded("a.slice", "%l", host.nodename);
}

int main(void)
{
	test_values();
	test_merging();
	test_syntax();
	test_specifiers();
	test_refusals();
	test_mentions();
	test_load();
	expect_expanded("a-b@c.service", "%%%n", "%a-b@c.service");
	expect_expanded("a-b@c.service", "%N %p %j %i", "a-b@c a-b b c");
	expect_expanded("a.slice", "%N%p%j", "aaa");
	expect_expanded("a-b@c-d\\x2de\\x4.service", "%P %J %I", "a/b b c/d-e\\x4");
	test_host();
	return tap_done();
}
