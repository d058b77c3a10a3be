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
	struct limit limit;
	unsigned int file, line; /* where it was asked for: index of the text, number of the line */
};

struct directive_nodes {
	struct nodelist nodes;
	unsigned int file, line;
};

struct directive {
	const struct nodenames *names; /* given by the caller, or NULL; see directive_add_text() */
	bool is_set; /* one of the keys was seen, even if nothing is left in the end */
	bool is_reset; /* the node list was emptied by an empty assignment */
	struct nodelist nodes; /* empty: the unit asks for nothing */
	struct directive_nodes *asked; /* each assignment that made up the list */
	size_t n_asked;
	struct directive_max *max; /* at most one a node, see directive_limit() */
	size_t n_max;
	unsigned int n_files; /* texts added so far */
};

/* Which line is at fault; path is one of those handed in and lives as long as they do. */
struct directive_error {
	const char *path; /* NULL when no file is at fault */
	unsigned int line; /* 0 when the file as a whole is at fault */
	char reason[200];
};

void directive_done(struct directive *directive);
const struct limit *directive_limit(const struct directive *directive, unsigned int nid);

void directive_place(const struct directive *directive, unsigned int nid, unsigned int *ret_file,
		     unsigned int *ret_line);

bool directive_is_key(const char *key);
const char *directive_section_of(const char *unit);
bool directive_unit_of_quadlet(const char *file, size_t length, char ret[256]);
bool directive_is_mentioned(const char *text, size_t length, const char *section);

int directive_add_text(struct directive *directive, const char *unit, const char *section,
		       const char *path, const char *text, size_t length,
		       struct directive_error *ret_error);
int directive_walked(int r, struct directive_error *error, struct directive_error *ret_error);
int directive_check(struct directive *directive, char *const *files,
		    struct directive_error *ret_error);

/* The functions that do I/O live in directive-load.c. */
int directive_read_file(int root_fd, const char *path, char **ret, size_t *ret_length);
int directive_load(int root_fd, const char *unit, char *const *files, const char *section,
		   const struct nodenames *names, struct directive *ret,
		   struct directive_error *ret_error);

#endif
