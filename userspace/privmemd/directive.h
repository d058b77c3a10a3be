/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PRIVMEM_DIRECTIVE_H
#define PRIVMEM_DIRECTIVE_H

/*
 * What a unit asks for: PrivateMemoryNodes= and PrivateMemoryMax= (and their X- twins) of its
 * [Service] or [Slice] section, over all the files PID 1 merged it from.
 */

#include <stdbool.h>
#include <stddef.h>

#include "nodelist.h"
#include "size.h"

struct directive_max {
	unsigned int nid;
	unsigned int line; /* where it was asked for, see directive_error */
	struct limit limit;
};

struct directive {
	bool is_set; /* any of the keys was seen, even if what is left in the end is nothing */
	bool is_reset; /* the node list was last emptied on purpose */
	struct nodelist nodes; /* empty: the unit asks for nothing */
	struct directive_max *max; /* at most one a node, in the order they were first named */
	size_t n_max;
};

/* Which line is at fault; path is one of those handed in and lives as long as they do. */
struct directive_error {
	const char *path;
	unsigned int line; /* 0 when the file as a whole is at fault */
	char reason[200];
};

void directive_done(struct directive *directive);
const struct limit *directive_limit(const struct directive *directive, unsigned int nid);

bool directive_is_key(const char *key);
bool directive_mentions_key(const char *text, size_t length, const char *section);
const char *directive_section_of(const char *unit);

int directive_add_text(struct directive *directive, const char *unit, const char *section,
		       const char *path, const char *text, size_t length,
		       struct directive_error *ret_error);
int directive_check(const struct directive *directive, const char *path,
		    struct directive_error *ret_error);
int directive_assign(struct directive *directive, const char *unit, const char *key,
		     const char *value, const char **ret_reason);

/* The one function here that does I/O; it lives in directive-load.c. */
int directive_load(int root_fd, const char *unit, char *const *files, const char *section,
		   struct directive *ret, struct directive_error *ret_error);

#endif
