/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * privmem-generator - make units that ask for private memory wait for it
 *
 * For each name that unit files or drop-ins ask under, a drop-in of the same name is written that
 * has the unit ask privmemd before its first instruction (services), or wait for a oneshot that
 * asks (slices). What the unit asks for is not looked at here: that is merged when it starts.
 *
 * Left out are the units everything else waits for. privmemd's own units would wait for
 * themselves, and -.slice and system.slice for the socket that is inside them.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scan.h"

#define DROPIN "zzz-privmem.conf"

#ifndef HOOK
#define HOOK "/usr/libexec/privmem-hook"
#endif

/* systemd.unit(5) in the order of the man page; generators of this run are not seen. */
static const char *const unit_directories[] = {
	"/etc/systemd/system.control", "/run/systemd/system.control",
	"/run/systemd/transient",      "/etc/systemd/system",
	"/etc/systemd/system.attached", "/run/systemd/system",
	"/run/systemd/system.attached", "/usr/local/lib/systemd/system",
	"/usr/lib/systemd/system",	"/lib/systemd/system",
};

static const char *const quadlet_directories[] = {
	"/run/containers/systemd",
	"/etc/containers/systemd",
	"/usr/share/containers/systemd",
};

/* A drop-in for the whole type is undone for these by one that is closer to their name. */
static const struct {
	const char *name, *type;
} left_out[] = {
	{ "privmemd.service", "service" },
	{ "privmem-slice@.service", "service" },
	{ "-.slice", "slice" },
	{ "system.slice", "slice" },
};

#define N_ELEMENTS(array) (sizeof(array) / sizeof(*(array)))

/* Not Requires=: stopping the socket would stop the unit. Without it the hook fails the start. */
static const char service_dropin[] =
	"# Made by privmem-generator.\n"
	"[Unit]\n"
	"Wants=privmemd.socket\n"
	"After=privmemd.socket\n"
	"[Service]\n"
	"MemoryAccounting=yes\n"
	"ExecCondition=-+" HOOK " %n\n"
	"ExecStartPre=+" HOOK " %n\n";

/* The processes of such a unit see another tree, in which the hook has to be found. */
static const char root_addition[] =
	"BindReadOnlyPaths=" HOOK " /run/privmem\n";

static const char slice_dropin[] =
	"# Made by privmem-generator.\n"
	"[Unit]\n"
	"Requires=privmem-slice@%n.service\n"
	"After=privmem-slice@%n.service\n"
	"[Slice]\n"
	"MemoryAccounting=yes\n";

static const char neutral_dropin[] =
	"# Made by privmem-generator: this unit must not wait for privmemd.\n";

static int write_all(int fd, const char *text)
{
	size_t length = strlen(text);

	while (length) {
		ssize_t n = write(fd, text, length);

		if (n < 0 && errno != EINTR)
			return -errno;
		text += n < 0 ? 0 : n;
		length -= n < 0 ? 0 : (size_t)n;
	}
	return 0;
}

static int write_dropin(int out_fd, const char *name, const char *text, const char *addition)
{
	char path[512];
	int fd, r;

	snprintf(path, sizeof(path), "%s.d", name);
	if (mkdirat(out_fd, path, 0755) < 0 && errno != EEXIST)
		return -errno;
	snprintf(path, sizeof(path), "%s.d/" DROPIN, name);
	fd = openat(out_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	r = write_all(fd, text);
	if (!r)
		r = write_all(fd, addition);
	close(fd);
	return r;
}

static bool is_left_out(const char *name)
{
	for (size_t i = 0; i < N_ELEMENTS(left_out); i++)
		if (!strcmp(name, left_out[i].name))
			return true;
	return !strncmp(name, "privmem-slice@", 14);
}

static bool is_asking(const struct scan *scan, const char *name)
{
	for (size_t i = 0; i < scan->n_names; i++)
		if (scan->names[i].is_asking && scan_covers(scan->names[i].name, name))
			return true;
	return false;
}

static bool has_root(const struct scan *scan, const char *name)
{
	for (size_t i = 0; i < scan->n_names; i++)
		if (scan->names[i].has_root && scan_covers(scan->names[i].name, name))
			return true;
	return false;
}

/* One name, and for a whole type the exceptions from it. */
static int emit_name(const struct scan *scan, int out_fd, const char *name)
{
	bool is_service = !strcmp(scan_section_of(name), "Service");
	int r;

	if (is_left_out(name))
		return 0;
	r = write_dropin(out_fd, name, is_service ? service_dropin : slice_dropin,
			 is_service && has_root(scan, name) ? root_addition : "");
	for (size_t i = 0; i < N_ELEMENTS(left_out) && !r; i++)
		if (!strcmp(name, left_out[i].type))
			r = write_dropin(out_fd, left_out[i].name, neutral_dropin, "");
	return r;
}

/* Tells of a failure, and returns the first one. */
static int note(int first, int r, const char *about)
{
	if (r < 0)
		fprintf(stderr, "privmem-generator: %s: %s\n", about, strerror(-r));
	return first ?: r;
}

/*
 * A name in the scan that does not ask itself has a root or another name. If it is asked for under a
 * broader name it gets a drop-in too: systemd takes the one that is closest to the unit's name.
 *
 * What fails for one directory or name does not keep the others from their drop-ins: a unit
 * without one would run without its grant.
 */
static int generate(int root_fd, int out_fd)
{
	struct scan scan = {};
	int r = 0;

	for (size_t i = 0; i < N_ELEMENTS(unit_directories); i++)
		r = note(r, scan_unit_directory(&scan, root_fd, unit_directories[i]),
			 unit_directories[i]);
	for (size_t i = 0; i < N_ELEMENTS(quadlet_directories); i++)
		r = note(r, scan_quadlet_directory(&scan, root_fd, quadlet_directories[i]),
			 quadlet_directories[i]);
	scan_finish(&scan);
	for (size_t i = 0; i < scan.n_names; i++) {
		const struct scan_name *name = &scan.names[i];

		if (!name->is_asking && !is_asking(&scan, name->name))
			continue;
		r = note(r, emit_name(&scan, out_fd, name->name), name->name);
		if (name->other)
			r = note(r, emit_name(&scan, out_fd, name->other), name->other);
	}
	scan_done(&scan);
	return r;
}

int main(int argc, char **argv)
{
	int root_fd, out_fd;

	if (argc != 4) {
		fprintf(stderr, "privmem-generator: is run by systemd, with three directories to "
				"write to\n");
		return 2;
	}
	root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	out_fd = open(argv[1], O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0 || out_fd < 0) {
		fprintf(stderr, "privmem-generator: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	return generate(root_fd, out_fd) < 0 ? 1 : 0;
}
