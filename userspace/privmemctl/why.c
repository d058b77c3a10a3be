/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Why a unit has nothing: a slice around it was refused, so that it was never tried; or its files
 * ask, and a daemon-reload was forgotten.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directive.h"
#include "mangle.h"
#include "pid1.h"
#include "why.h"

#define GENERATED "/zzz-privmem.conf"

static bool is_mentioned_in(const char *path, const char *section)
{
	size_t length;
	char *text;
	bool is_mentioned;

	if (directive_read_file(AT_FDCWD, path, &text, &length) < 0)
		return false;
	is_mentioned = directive_is_mentioned(text, length, section);
	free(text);
	return is_mentioned;
}

static const char *explain(const struct pid1_unit *unit)
{
	const char *section = directive_section_of(unit->name);
	bool is_mentioned = false, is_seen = false;

	for (size_t i = 0; section && unit->files[i]; i++) {
		const char *slash = strrchr(unit->files[i], '/');

		is_mentioned |= is_mentioned_in(unit->files[i], section);
		is_seen |= slash && !strcmp(slash, GENERATED);
	}
	if (!section || (is_mentioned && is_seen && pid1_unit_is_active(unit)))
		return NULL;
	if (!is_mentioned)
		return "no file of it asks for any; if one should, see privmemctl verify";
	return is_seen ? "its files ask for some when it starts" :
			 "its files ask for some, which systemd has not been told of; run systemctl "
			 "daemon-reload and start it again";
}

/* Adds to the error if the slice, or one around it, was refused. */
static bool add_refused_slice(struct client *client, char *slice, struct client_error *error)
{
	size_t length = strlen(error->text);
	struct client_error ignored;
	bool is_refused = false;

	do {
		struct grant_rows rows = {};

		if (client_get_grants(client, slice, &rows, &ignored) < 0)
			continue;
		for (size_t i = 0; i < rows.n_rows && !is_refused; i++) {
			const struct grant_row *row = &rows.rows[i];

			is_refused = !row->reserved_bytes && row->reason && *row->reason;
			if (is_refused)
				snprintf(error->text + length, sizeof(error->text) - length,
					 "; %s was refused: %s", slice, row->reason);
		}
		grant_rows_done(&rows);
	} while (!is_refused && mangle_cut_slice(slice));
	return is_refused;
}

/**
 * why_nothing() - add to an error what the files of the unit have to do with it
 * @client: knows what was refused
 * @name: of a unit that has no grant
 * @error: left as it is if the system manager does not know such a unit or does not answer
 */
void why_nothing(struct client *client, const char *name, struct client_error *error)
{
	size_t length = strlen(error->text);
	struct pid1 *pid1 = NULL;
	struct client_error ignored;
	struct pid1_unit unit;
	const char *reason;

	if (pid1_open(&pid1, &ignored) >= 0 && pid1_get_unit(pid1, name, &unit, &ignored) >= 0) {
		reason = add_refused_slice(client, unit.slice, error) ? NULL : explain(&unit);
		if (reason)
			snprintf(error->text + length, sizeof(error->text) - length, "; %s", reason);
		pid1_unit_done(&unit);
	}
	pid1_close(pid1);
}
