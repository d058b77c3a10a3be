/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A table is filled cell by cell. Where memory runs out the program ends: nothing is changed yet. */

#include <stdlib.h>
#include <string.h>

#include "size.h"
#include "table.h"

static size_t count_columns(const struct table *table)
{
	size_t n = 0;

	while (table->titles[n])
		n++;
	return n;
}

static void put_cell(struct table *table, char *cell)
{
	char **grown = reallocarray(table->cells, table->n_cells + 1, sizeof(*grown));

	if (!grown || !cell) {
		fputs("privmemctl: out of memory\n", stderr);
		exit(EXIT_FAILURE);
	}
	grown[table->n_cells++] = cell;
	table->cells = grown;
}

/**
 * table_add() - fill the next cell
 * @table: gets a copy
 * @cell: text; nothing prints as "-"
 */
void table_add(struct table *table, const char *cell)
{
	put_cell(table, strdup(cell && *cell ? cell : "-"));
}

/**
 * table_add_size() - fill the next cell with an amount
 * @table: gets the text
 * @bytes: UINT64_MAX prints as "infinity"
 */
void table_add_size(struct table *table, unsigned long long bytes)
{
	put_cell(table, size_format(bytes));
}

static void print_row(const struct table *table, FILE *file, const char *const *cells,
		      const size_t *widths, size_t n_columns)
{
	for (size_t i = 0; i < n_columns; i++) {
		const char *cell = cells[i] + (cells == table->titles && *cells[i] == '>');
		const char *end = i + 1 == n_columns ? "\n" : "  ";

		if (*table->titles[i] == '>')
			fprintf(file, "%*s%s", (int)widths[i], cell, end);
		else
			fprintf(file, "%-*s%s", i + 1 == n_columns ? 0 : (int)widths[i], cell, end);
	}
}

/**
 * table_print() - print titles and rows
 * @table: whole rows
 * @file: where to
 */
void table_print(const struct table *table, FILE *file)
{
	size_t n_columns = count_columns(table), widths[TABLE_MAX_COLUMNS] = {};

	for (size_t i = 0; i < n_columns; i++)
		widths[i] = strlen(table->titles[i]) - (*table->titles[i] == '>');
	for (size_t i = 0; i < table->n_cells; i++) {
		size_t length = strlen(table->cells[i]);

		if (length > widths[i % n_columns])
			widths[i % n_columns] = length;
	}
	print_row(table, file, table->titles, widths, n_columns);
	for (size_t i = 0; i < table->n_cells; i += n_columns)
		print_row(table, file, (const char *const *)&table->cells[i], widths, n_columns);
}

/**
 * table_done() - free the cells
 * @table: empty afterwards
 */
void table_done(struct table *table)
{
	for (size_t i = 0; i < table->n_cells; i++)
		free(table->cells[i]);
	free(table->cells);
	table->cells = NULL;
	table->n_cells = 0;
}
