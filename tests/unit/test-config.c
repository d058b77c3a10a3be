/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration: what is read, what is refused and how, which file counts, whom a name fits. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "settings.h"
#include "tap.h"

static struct config config;
static struct directive_error error;

static int add(const char *text)
{
	return config_add_text(&config, "x.conf", text, strlen(text), &error);
}

static int read_one(const char *text)
{
	config_done(&config);
	return add(text);
}

static void test_text(void)
{
	is_int(read_one("# c\n[Manager]\nDefaultOvercommit=120%\n[Node hbm0]\nDevice=dax0.0\n"
			"Path=0000:3a:00.0\nOwner=hmem\nCapacity=8G\nOvercommit=150%\nPrivate=yes\n"
			"PrivateOps=mempolicy \\\n migration\nX-Own=x\n[X-Mine]\na=b\n"),
	       0, "a configuration with everything");
	is_int(config.overcommit_percent, 120, "a default for overcommit");
	is_int(config.n_nodes, 1, "one section");
	is_str(config.nodes[0].name, "hbm0", "its name");
	is_str(config.nodes[0].device, "dax0.0", "a device");
	is_str(config.nodes[0].path, "0000:3a:00.0", "a path");
	is_str(config.nodes[0].owner, "hmem", "an owner");
	is_int(config.nodes[0].capacity_bytes, UINT64_C(8) << 30, "a capacity");
	is_int(config.nodes[0].overcommit_percent, 150, "overcommit of its own");
	ok(config.nodes[0].is_private, "to be private");
	is_str(config.nodes[0].private_ops, "mempolicy   migration", "with opt-ins");
	is_int(add("[Node hbm0]\nDevice=dax1.*\nPath=\nCapacity=\nOvercommit=\nPrivate=no\n"
		   "PrivateOps=\n[Node b]\nOwner=x\n"), 0, "a second file");
	is_int(config.n_nodes, 2, "adds to a section, and a section");
	is_str(config.nodes[0].device, "dax1.*", "its word counts");
	ok(!config.nodes[0].path && !config.nodes[0].capacity_bytes && !config.nodes[0].is_private &&
	   !config.nodes[0].private_ops && !config.nodes[0].overcommit_percent,
	   "and what it empties is as if it had never been said");
	is_str(config.nodes[0].owner, "hmem", "what it does not speak of stays");
	is_int(config_check(&config, &error), 0, "the whole is sound");
}

static void refused(const char *text, unsigned int line, const char *reason)
{
	is_int(read_one(text), -EINVAL, reason);
	is_int(error.line, line, "... in its line");
	is_str(error.reason, reason, "... for its reason");
}

static void test_mistakes(void)
{
	refused("Device=dax0.0\n", 1,
		"Device=dax0.0: there are the sections [Manager] and [Node NAME]");
	refused("[Nodes]\nDevice=x\n", 2, "Device=x: there are the sections [Manager] and [Node NAME]");
	refused("[Manager]\n\nOvercommit=150%\n", 3,
		"Overcommit=150%: this key is not known in [Manager]");
	refused("[Node a]\nDevcie=dax0.0\n", 2, "Devcie=dax0.0: this key is not known in a [Node] section");
	refused("[Node a]\nDevice=x\nOvercommit=99%\n", 3,
		"Overcommit=99%: expected a whole percentage from 100% to 10000%");
	refused("[Node a]\nOvercommit=150\n", 2,
		"Overcommit=150: expected a whole percentage from 100% to 10000%");
	refused("[Node a]\nOvercommit=10001%\n", 2,
		"Overcommit=10001%: expected a whole percentage from 100% to 10000%");
	refused("[Node a]\nOvercommit=-1%\n", 2,
		"Overcommit=-1%: expected a whole percentage from 100% to 10000%");
	refused("[Node a]\nCapacity=10%\n", 2, "Capacity=10%: expected the size of a device, such as 512G");
	refused("[Node a]\nCapacity=0\n", 2, "Capacity=0: expected the size of a device, such as 512G");
	refused("[Node a]\nPrivate=perhaps\n", 2, "Private=perhaps: expected yes or no");
	refused("[Node a]\nPrivateOps=a;b\n", 2,
		"PrivateOps=a;b: expected names of opt-ins such as \"mempolicy migration\"");
	refused("[Node 1]\nDevice=x\n", 2, "Device=x: a node's name begins with a letter, which letters,"
		" digits and _ . - may follow; all, any and none are not free");
	refused("[Node none]\nDevice=x\n", 2, "Device=x: a node's name begins with a letter, which"
		" letters, digits and _ . - may follow; all, any and none are not free");
	is_int(read_one("[Node a\nDevice=x\n"), -EBADMSG, "a header that does not close");
	is_int(read_one("[Node a]\nOvercommit=100%\n"), 0, "a section without a match is read");
	is_int(config_check(&config, &error), -EINVAL, "... and refused");
	is_str(error.reason, "[Node a] needs one of Device=, Path=, Owner= and Capacity=", "... with this");
	is_int(error.line, 2, "... where it stands");
}

static const struct device cxl = {
	.name = "dax1.0", .nid = 3, .bytes = UINT64_C(8) << 30, .owners = "kmem cxl_dax_region ",
	.path = "/devices/pci0000:3a/0000:3a:00.0/region0/dax_region0/dax1.0",
};

static const struct device hmem = {
	.name = "dax0.0", .nid = 1, .bytes = UINT64_C(4) << 30, .owners = "hmem ",
	.path = "/devices/platform/hmem.0/dax0.0",
};

static bool matches(const char *key, const struct device *device)
{
	char text[256];

	snprintf(text, sizeof(text), "[Node a]\n%s\n", key);
	return read_one(text) == 0 && config_node_matches(&config.nodes[0], device);
}

static void test_matches(void)
{
	ok(matches("Device=dax1.0", &cxl) && !matches("Device=dax1.0", &hmem), "by its name");
	ok(matches("Device=dax1.*", &cxl) && !matches("Device=dax1", &cxl), "which is a pattern");
	ok(matches("Path=0000:3a:00.0", &cxl), "by the PCI device above it");
	ok(matches("Path=region0", &cxl) && !matches("Path=region", &cxl), "by the CXL region");
	ok(matches("Path=0000:*/region0/*", &cxl) && !matches("Path=0000:*/dax1.0", &cxl),
	   "by several in a row");
	ok(matches("Path=dax1.0", &cxl) && matches("Path=devices/pci0000:3a", &cxl), "at both ends");
	ok(!matches("Path=hmem.*", &cxl) && matches("Path=hmem.*", &hmem), "and not another's");
	ok(matches("Owner=cxl_dax_region", &cxl) && matches("Owner=kmem", &cxl) &&
	   !matches("Owner=cxl_dax_region", &hmem) && !matches("Owner=cxl", &cxl), "by a driver");
	ok(matches("Capacity=8G", &cxl) && !matches("Capacity=8G", &hmem), "by its size");
	ok(matches("Capacity=8G\nDevice=dax1.*\nOwner=kmem\nPath=region0", &cxl) &&
	   !matches("Capacity=8G\nDevice=dax0.*", &cxl), "everything has to fit");
}

static int root_fd;

static void put(const char *path, const char *text)
{
	char copy[256];
	int fd;

	strcpy(copy, path);
	for (char *slash = strchr(copy, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdirat(root_fd, copy, 0755);
		*slash = '/';
	}
	fd = openat(root_fd, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	ok(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), path);
	close(fd);
}

static unsigned int overcommit(void)
{
	struct config loaded;
	unsigned int percent;
	char *text = NULL;

	if (config_load(root_fd, &loaded, &text) < 0) {
		printf("# %s\n", text ?: "?");
		free(text);
		return 0;
	}
	percent = loaded.overcommit_percent;
	config_done(&loaded);
	return percent;
}

static void test_files(void)
{
	struct settings settings = {};
	char *text = NULL;

	is_int(overcommit(), 0, "no file at all is a configuration that says nothing");
	put("usr/lib/privmem/privmemd.conf", "[Manager]\nDefaultOvercommit=101%\n");
	is_int(overcommit(), 101, "/usr/lib is read");
	put("run/privmem/privmemd.conf", "[Manager]\nDefaultOvercommit=102%\n");
	is_int(overcommit(), 102, "/run comes before it");
	put("etc/privmem/privmemd.conf", "[Manager]\nDefaultOvercommit=103%\n");
	is_int(overcommit(), 103, "and /etc before that");
	put("usr/lib/privmem/privmemd.conf.d/50.conf", "[Manager]\nDefaultOvercommit=104%\n");
	is_int(overcommit(), 104, "a drop-in of /usr/lib comes after the file of /etc");
	put("etc/privmem/privmemd.conf.d/40.conf", "[Manager]\nDefaultOvercommit=105%\n");
	is_int(overcommit(), 104, "drop-ins come in the order of their names, whatever directory");
	put("run/privmem/privmemd.conf.d/50.conf", "[Manager]\nDefaultOvercommit=106%\n");
	is_int(overcommit(), 106, "of two with one name that of /run hides that of /usr/lib");
	(void)symlinkat("/dev/null", root_fd, "etc/privmem/privmemd.conf.d/50.conf");
	is_int(overcommit(), 105, "and a link to /dev/null in /etc hides both");
	put("etc/privmem/privmemd.conf.d/60.conf.bak", "[Manager]\nDefaultOvercommit=107%\n");
	is_int(overcommit(), 105, "what does not end with .conf is none of them");
	put("etc/privmem/privmemd.conf.d/70.conf", "[Node a]\nDevice=dax0.0\n");
	is_int(settings_load(&settings, root_fd, &text), 0, "all of it is taken over");
	put("etc/privmem/privmemd.conf.d/80.conf", "\n[Manager]\nOvercommit=1\n");
	is_int(settings_load(&settings, root_fd, &text), -EINVAL, "one with a mistake is not");
	is_str(text, "/etc/privmem/privmemd.conf.d/80.conf:3: Overcommit=1: this key is not known in"
	       " [Manager]", "and says file, line and reason");
	free(text);
	is_int(settings.config.overcommit_percent, 105, "the former stays");
	is_int(settings.names.count, 1, "with its names");
	settings_done(&settings);
}

static void test_names(void)
{
	struct device devices[] = { hmem, cxl, cxl };
	struct nodelist nodes;
	struct settings settings = {};
	const char *reason;
	unsigned int nid;
	char *text = NULL;

	put("etc/privmem/privmemd.conf.d/80.conf",
	    "[Node hbm0]\nOwner=hmem\nOvercommit=150%\n[Node far-1]\nPath=region*\n[Node gone]\n"
	    "Device=dax9.0\n[Node many]\nDevice=*\n");
	is_int(settings_load(&settings, root_fd, &text), 0, "names for nodes");
	settings_resolve_against(&settings, devices, 3);
	is_int(nodelist_parse_named("hbm0 far-1,7", &settings.names, &nodes, &reason), 0,
	       "names and numbers mix");
	ok(nodelist_is_set(&nodes, 1) && nodelist_is_set(&nodes, 3) && nodelist_is_set(&nodes, 7) &&
	   nodelist_count(&nodes) == 3, "each stands for its node");
	is_int(nodelist_parse_node("far-1", &settings.names, &nid, &reason), 0, "a name alone");
	is_int(nid, 3, "two devices of one node are no conflict");
	is_int(nodelist_parse_named("gone", &settings.names, &nodes, &reason), -ENODEV, "no device");
	is_str(reason, "no device is there that its [Node] fits", "... says so");
	is_int(nodelist_parse_named("many", &settings.names, &nodes, &reason), -ENODEV, "two nodes");
	is_str(reason, "its [Node] fits devices of more than one node", "... says so");
	is_int(nodelist_parse_named("hbm", &settings.names, &nodes, &reason), -ENODEV,
	       "the begin of a name is no name");
	is_int(nodelist_parse_named("hbm0-3", &settings.names, &nodes, &reason), -ENODEV,
	       "a range does not begin with a name");
	is_int(nodelist_parse_named("hbm0;1", &settings.names, &nodes, &reason), -EINVAL,
	       "nor is a list parted by anything else");
	is_int(nodelist_parse("hbm0", &nodes, &reason), -EINVAL, "the kernel knows no names");
	is_int(settings_overcommit(&settings, 1), 150, "overcommit of a node");
	is_int(settings_overcommit(&settings, 3), 105, "... of the others");
	is_str(settings_name(&settings, 3), "far-1", "a node tells its name");
	is_str(settings_name(&settings, 7), "", "or that it has none");
	devices[0].nid = 5;
	settings_resolve_against(&settings, devices, 3);
	is_int(nodelist_parse_node("hbm0", &settings.names, &nid, &reason), 0, "a renumbered node");
	is_int(nid, 5, "... is found again");
	settings_done(&settings);
}

int main(void)
{
	char dir[] = "/tmp/test-config-XXXXXX", command[80];

	test_text();
	test_mistakes();
	test_matches();
	config_done(&config);
	ok(mkdtemp(dir) != NULL, "a root of our own");
	root_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	test_files();
	test_names();
	snprintf(command, sizeof(command), "rm -r %s", dir);
	ok(system(command) == 0, "cleaned up");
	return tap_done();
}
