// SPDX-License-Identifier: LGPL-2.1-or-later
/* Control files, and cgroups that come with them. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "failnth.h"

static void prepare_nodes(void)
{
	open_for_write(TOP "/f/g/memory.private_nodes");
}

static bool check_nodes(int err)
{
	return file_is(TOP "/f/g/memory.private_nodes", err ? "\n" : "1-2\n");
}

static void prepare_subtree(void)
{
	open_for_write(TOP "/f/g/memory.private_nodes.subtree");
}

static bool check_subtree(int err)
{
	return file_is(TOP "/f/g/memory.private_nodes.subtree", err ? "\n" : "1-2\n");
}

static int run_nodes(void)
{
	return write_value("1-2");
}

static void prepare_max(void)
{
	open_for_write(TOP "/f/g/memory.private_nodes.max");
}

static int run_max(void)
{
	return write_value("N1 4096\nN2 8192");
}

static bool check_max(int err)
{
	return file_is(TOP "/f/g/memory.private_nodes.max",
		       err ? "N1 max\nN2 max\n" : "N1 4096\nN2 8192\n");
}

static void prepare_mkdir(void)
{
	must_write(TOP "/f/g/cgroup.subtree_control", "+memory");
}

static void prepare_mkdir_granted(void)
{
	must_write(TOP "/f/memory.private_nodes", "1-2");
	must_write(TOP "/f/g/memory.private_nodes.max", "N1 4096");
	prepare_mkdir();
}

static int run_mkdir(void)
{
	return result(mkdir(TOP "/f/g/h", 0755));
}

/* A cgroup with all its files and @effective nodes, or none at all. */
static bool is_made(int err, const char *effective)
{
	bool is_right;

	if (err)
		return access(TOP "/f/g/h", F_OK);
	is_right = !access(TOP "/f/g/h/memory.private_nodes.events.local", F_OK) &&
		   file_is(TOP "/f/g/h/memory.private_nodes.effective", effective);
	return !rmdir(TOP "/f/g/h") && is_right;
}

static bool check_mkdir(int err)
{
	return is_made(err, "\n");
}

static bool check_mkdir_granted(int err)
{
	return is_made(err, "1-2\n");
}

static int run_read_files(void)
{
	static const char *const names[] = {
		"", ".subtree", ".effective", ".max", ".current", ".peak", ".events", ".events.local",
	};
	char path[256], text[4096];
	int err = 0, fd;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]) && !err; i++) {
		snprintf(path, sizeof(path), TOP "/f/g/memory.private_nodes%s", names[i]);
		fd = open(path, O_RDONLY);
		if (fd < 0)
			return errno;
		err = result(read(fd, text, sizeof(text)));
		close(fd);
	}
	return err;
}

const struct operation control_operations[] = {
	{ "nodes", prepare_nodes, run_nodes, check_nodes, false },
	{ "subtree", prepare_subtree, run_nodes, check_subtree, false },
	{ "max", prepare_max, run_max, check_max, false },
	{ "mkdir", prepare_mkdir, run_mkdir, check_mkdir, false },
	{ "mkdir-granted", prepare_mkdir_granted, run_mkdir, check_mkdir_granted, false },
	{ "read-files", prepare_granted, run_read_files, check_any, false },
	{ }
};
