/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PRIVMEMCTL_VERIFY_H
#define PRIVMEMCTL_VERIFY_H

/* What verify finds: units, put together from the files it was given, and problems. */

#include <stdbool.h>

#include "client.h"
#include "directive.h"
#include "pid1.h"
#include "settings.h"

/* A unit as the given files have it. */
struct verify_unit {
	char *name;
	const char *section;
	char **files; /* the unit file, then drop-ins by name; then NULL; not owned one by one */
	size_t n_files;
	bool has_fragment;
	bool is_valid; /* directive can be used */
	bool is_asked_for; /* on the command line; the others are slices around those */
	bool is_active; /* a slice that runs */
	struct directive directive;
	char *slice; /* Slice= as written last, NULL for the default */
	char *numa_mask; /* likewise NUMAMask= */
};

struct verify_problem {
	bool is_error;
	const char *path;
	unsigned int line; /* 0: none */
	char text[400];
};

struct verify {
	struct settings settings; /* for the names of nodes */
	struct verify_unit *units;
	size_t n_units;
	struct verify_problem *problems;
	size_t n_problems;
	struct pid1_unit *slices; /* hold the files of units that were not asked for */
	size_t n_slices;
	enum exit_code code; /* the first in the order failed, no such node, no room */
};

void verify_add_problem(struct verify *verify, enum exit_code code, const char *path,
			unsigned int line, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

void verify_collect(struct verify *verify, char *const *files);
void verify_read(struct verify *verify);
void verify_add_slices(struct verify *verify);
const char *verify_slice_of(const struct verify_unit *unit);
void verify_add_node_problem(struct verify *verify, enum exit_code code,
			     const struct verify_unit *unit, unsigned int nid, const char *text);
void verify_check_room(struct verify *verify, const struct node_rows *nodes,
		       const struct grant_rows *grants);
void verify_done(struct verify *verify);

#endif
