/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PRIVMEM_UNITFILE_H
#define PRIVMEM_UNITFILE_H

/* The syntax of unit files, as far as it takes to find an assignment the way PID 1 finds it. */

#include <stddef.h>

/* One "key=value" with the white space around both taken off. */
struct unitfile_assignment {
	const char *section; /* "" before the first header */
	const char *key;
	const char *value;
	unsigned int line; /* where it begins; continuation lines count on */
};

/* Returns 0 to go on; anything else ends the walk and becomes its result. */
typedef int (*unitfile_visit_t)(const struct unitfile_assignment *assignment, void *userdata);

int unitfile_walk(const char *text, size_t length, unitfile_visit_t visit, void *userdata,
		  unsigned int *ret_line);
void unitfile_make_printable(char *text);
int unitfile_unquote(char *text, const char **ret_reason);
int unitfile_expand(const char *value, const char *unit, char **ret, const char **ret_reason);

#endif
