/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PRIVMEM_SCAN_H
#define PRIVMEM_SCAN_H

/* Which names in the unit directories have something to do with private memory. */

#include <stdbool.h>
#include <stddef.h>

/*
 * A name is what a drop-in directory may be called: "foo.service", "foo@.service", the prefix
 * "foo-.service", or "service" and "slice" for all units of the type.
 */
struct scan_name {
	char *name;
	bool is_asking; /* a file of this name holds one of our keys */
	bool has_root; /* ... or changes what the unit's processes see as / or /run */
	char *other; /* what Quadlet calls the unit instead, or NULL */
};

struct scan {
	struct scan_name *names; /* sorted and unique after scan_finish() */
	size_t n_names;
};

int scan_unit_directory(struct scan *scan, int root_fd, const char *path);
int scan_quadlet_directory(struct scan *scan, int root_fd, const char *path);
void scan_finish(struct scan *scan);
void scan_done(struct scan *scan);

const char *scan_section_of(const char *name);
bool scan_covers(const char *broad, const char *narrow);

#endif
