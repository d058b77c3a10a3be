/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PRIVMEMCTL_TABLE_H
#define PRIVMEMCTL_TABLE_H

/* Tables for people: columns as wide as their widest cell, the last one ragged. */

#include <stdio.h>

#define TABLE_MAX_COLUMNS 12

struct table {
	const char *const *titles; /* ends with NULL; a leading ">" aligns the column right */
	char **cells; /* row by row; owned */
	size_t n_cells;
};

void table_add(struct table *table, const char *cell);
void table_add_size(struct table *table, unsigned long long bytes);
void table_print(const struct table *table, FILE *file);
void table_done(struct table *table);

#endif
