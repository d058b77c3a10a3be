/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Puts units together from the files given, and reads them as privmemd will. Beyond mistakes it
 * warns where a directive is read by nobody, or comes too late to be in force at the start.
 */

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mangle.h"
#include "unitfile.h"
#include "verify.h"

#ifndef VERIFY_GENERATOR_DIR
#define VERIFY_GENERATOR_DIR "/run/systemd/generator"
#endif

/* What systemd, and for it podman, reads. */
static const char *const unit_directories[] = {
	"/etc/containers/systemd/",
	"/run/containers/systemd/",
	"/usr/share/containers/systemd/",
	"/etc/systemd/system/",
	"/run/systemd/system/",
	"/usr/local/lib/systemd/system/",
	"/usr/lib/systemd/system/",
	"/lib/systemd/system/",
};

static void *must(void *memory)
{
	if (!memory) {
		fputs("privmemctl: out of memory\n", stderr);
		exit(EXIT_FAILED);
	}
	return memory;
}

static int rank(enum exit_code code)
{
	return code == EXIT_FAILED ? 3 : code == EXIT_NOT_FOUND ? 2 : code == EXIT_NO_ROOM ? 1 : 0;
}

/**
 * verify_add_problem() - note a mistake or a warning
 * @verify: where
 * @code: EXIT_DONE for a warning
 * @path: file at fault, or name of a unit; must outlive @verify
 * @line: 0 for none
 * @format: what is wrong
 */
void verify_add_problem(struct verify *verify, enum exit_code code, const char *path,
			unsigned int line, const char *format, ...)
{
	struct verify_problem *problem;
	va_list arguments;

	verify->problems = must(reallocarray(verify->problems, verify->n_problems + 1,
					     sizeof(*verify->problems)));
	problem = &verify->problems[verify->n_problems++];
	*problem = (struct verify_problem){ code != EXIT_DONE, path, line, "" };
	va_start(arguments, format);
	vsnprintf(problem->text, sizeof(problem->text), format, arguments);
	va_end(arguments);
	unitfile_make_printable(problem->text);
	if (rank(code) > rank(verify->code))
		verify->code = code;
}

/**
 * verify_add_node_problem() - the same, at the line that asks for a node
 * @nid: one of the nodes of @unit
 * @text: what is wrong
 */
void verify_add_node_problem(struct verify *verify, enum exit_code code,
			     const struct verify_unit *unit, unsigned int nid, const char *text)
{
	unsigned int file, line;

	directive_place(&unit->directive, nid, &file, &line);
	verify_add_problem(verify, code, unit->files[file], line, "node%u: %s", nid, text);
}

/* A unit's own name, or what Quadlet makes of a container's; owned by the caller; NULL for others. */
static char *unit_of(const char *name)
{
	char made[256];

	if (directive_section_of(name))
		return must(strdup(name));
	return directive_unit_of_quadlet(name, strlen(name), made) ? must(strdup(made)) : NULL;
}

/* The unit a file is for, owned by the caller; NULL for a file of another kind. */
static char *name_unit(const char *file, bool *ret_is_fragment)
{
	char *copy = must(strdup(file)), *parent_copy = must(strdup(file));
	char *base = basename(copy), *parent = basename(dirname(parent_copy)), *name = NULL;
	size_t length = strlen(parent), base_length = strlen(base);

	name = unit_of(base);
	*ret_is_fragment = name != NULL;
	if (!name && length > 2 && !strcmp(parent + length - 2, ".d") && base_length > 5 &&
	    !strcmp(base + base_length - 5, ".conf")) {
		parent[length - 2] = '\0';
		if (!strcmp(parent, "service") || !strcmp(parent, "slice"))
			name = asprintf(&name, "any.%s", parent) < 0 ? must(NULL) : name;
		else
			name = unit_of(parent);
	}
	free(copy);
	free(parent_copy);
	return name;
}

static struct verify_unit *find_or_add_unit(struct verify *verify, char *name)
{
	struct verify_unit *unit;

	for (size_t i = 0; i < verify->n_units; i++)
		if (!strcmp(verify->units[i].name, name)) {
			free(name);
			return &verify->units[i];
		}
	verify->units = must(reallocarray(verify->units, verify->n_units + 1,
					  sizeof(*verify->units)));
	unit = &verify->units[verify->n_units++];
	*unit = (struct verify_unit){ .name = name, .section = directive_section_of(name) };
	unit->directive.names = &verify->settings.names;
	return unit;
}

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void add_file(struct verify_unit *unit, char *file, bool is_fragment)
{
	size_t at = is_fragment ? 0 : unit->n_files;

	unit->files = must(reallocarray(unit->files, unit->n_files + 2, sizeof(*unit->files)));
	while (!is_fragment && at > unit->has_fragment &&
	       strcmp(file_name(unit->files[at - 1]), file_name(file)) > 0)
		at--;
	memmove(&unit->files[at + 1], &unit->files[at],
		(unit->n_files - at) * sizeof(*unit->files));
	unit->files[at] = file;
	unit->files[++unit->n_files] = NULL;
	unit->has_fragment |= is_fragment;
}

/**
 * verify_collect() - sort files by the unit they are for
 * @verify: empty
 * @files: unit files and drop-ins, then NULL; must outlive @verify
 */
void verify_collect(struct verify *verify, char *const *files)
{
	for (; *files; files++) {
		bool is_fragment;
		char *name = name_unit(*files, &is_fragment);
		struct verify_unit *unit;

		if (!name) {
			verify_add_problem(verify, EXIT_FAILED, *files, 0, "%s",
					   strstr(*files, ".scope") ?
						   "a scope cannot be granted in time; ask in its "
						   "slice instead" :
						   "is neither NAME.service nor NAME.slice, nor a "
						   "*.conf in the .d directory of one");
			continue;
		}
		unit = find_or_add_unit(verify, name);
		unit->is_asked_for = true;
		if (is_fragment && unit->has_fragment)
			verify_add_problem(verify, EXIT_FAILED, *files, 0,
					   "is the second file for %s; give one at a time", unit->name);
		else
			add_file(unit, *files, is_fragment);
	}
}

struct read_context {
	struct verify *verify;
	struct verify_unit *unit;
	const char *path;
};

/* Keys that look like ours but that nobody will read: the unit would start without its grant. */
static void warn_unread(const struct read_context *context,
			const struct unitfile_assignment *assignment)
{
	const char *key = assignment->key + (strncmp(assignment->key, "X-", 2) ? 0 : 2);

	if (strncasecmp(key, "PrivateMem", 10) || !strncmp(assignment->section, "X-", 2))
		return;
	if (!directive_is_key(assignment->key))
		verify_add_problem(context->verify, EXIT_FAILED, context->path, assignment->line,
				   "%s= is not known; there are PrivateMemoryNodes= and "
				   "PrivateMemoryMax=", assignment->key);
	else if (strcmp(assignment->section, context->unit->section))
		verify_add_problem(context->verify, EXIT_FAILED, context->path, assignment->line,
				   "%s= is not read in [%s], only in [%s]", assignment->key,
				   assignment->section, context->unit->section);
}

static void replace(char **text, const char *value)
{
	free(*text);
	*text = *value ? must(strdup(value)) : NULL;
}

static int note_visit(const struct unitfile_assignment *assignment, void *userdata)
{
	const struct read_context *context = userdata;

	warn_unread(context, assignment);
	if (strcmp(assignment->section, context->unit->section))
		return 0;
	if (!strcmp(assignment->key, "Slice"))
		replace(&context->unit->slice, assignment->value);
	else if (!strcmp(assignment->key, "NUMAMask"))
		replace(&context->unit->numa_mask, assignment->value);
	return 0;
}

/* Returns false when the unit's directive is of no use any more. */
static bool read_file(struct verify *verify, struct verify_unit *unit, const char *path)
{
	struct read_context context = { verify, unit, path };
	struct directive_error error;
	unsigned int line;
	size_t length;
	char *text;
	int r;

	r = directive_read_file(AT_FDCWD, path, &text, &length);
	if (r < 0) {
		verify_add_problem(verify, EXIT_FAILED, path, 0, "cannot read: %s", strerror(-r));
		return false;
	}
	unitfile_walk(text, length, note_visit, &context, &line);
	r = directive_add_text(&unit->directive, unit->name, unit->section, path, text, length,
			       &error);
	if (r == -ENXIO && strstr(unit->name, "@."))
		verify_add_problem(verify, EXIT_DONE, path, error.line,
				   "%s, so this template cannot be checked", error.reason);
	else if (r < 0)
		verify_add_problem(verify, r == -ENODEV ? EXIT_NOT_FOUND : EXIT_FAILED, path,
				   error.line, "%s", error.reason);
	free(text);
	return r == 0;
}

static bool is_in_unit_directory(const char *path)
{
	for (size_t i = 0; i < sizeof(unit_directories) / sizeof(*unit_directories); i++)
		if (!strncmp(path, unit_directories[i], strlen(unit_directories[i])))
			return true;
	return false;
}

/* An amount that is no page is in force, and refuses everything. */
static void warn_nothing(struct verify *verify, const struct verify_unit *unit)
{
	for (size_t i = 0; i < unit->directive.n_max; i++) {
		const struct directive_max *max = &unit->directive.max[i];

		if (max->limit.kind != LIMIT_INFINITY &&
		    max->limit.value < (max->limit.kind == LIMIT_BYTES ? (uint64_t)sysconf(_SC_PAGESIZE) :
								      1))
			verify_add_node_problem(verify, EXIT_DONE, unit, max->nid,
						"less than a page, so nothing of it can be used");
	}
}

/* Ways in which a directive that reads well is not in force when the unit starts. */
static void warn_late(struct verify *verify, const struct verify_unit *unit)
{
	char *resolved = realpath(unit->files[0], NULL), path[600];

	snprintf(path, sizeof(path), VERIFY_GENERATOR_DIR "/%s.d/zzz-privmem.conf", unit->name);
	if (!strcmp(unit->name, "-.slice") || !strcmp(unit->name, "system.slice"))
		verify_add_problem(verify, EXIT_DONE, unit->files[0], 0,
				   "%s is active before privmemd is, so it is granted late",
				   unit->name);
	else if (resolved && strstr(resolved, "/systemd/user/"))
		verify_add_problem(verify, EXIT_DONE, unit->files[0], 0,
				   "units of systemd --user are not read");
	else if (resolved && !strncmp(resolved, "/run/systemd/generator", 22) &&
		 access(path, F_OK) < 0)
		verify_add_problem(verify, EXIT_DONE, unit->files[0], 0,
				   "made by another generator, so %s is granted late", unit->name);
	else if (resolved && is_in_unit_directory(resolved) && strncmp(unit->name, "any.", 4) &&
		 access(path, F_OK) < 0)
		verify_add_problem(verify, EXIT_DONE, unit->files[0], 0,
				   "not seen by systemd yet; without systemctl daemon-reload %s is "
				   "granted late", unit->name);
	free(resolved);
}

static void warn_numa_mask(struct verify *verify, const struct verify_unit *unit)
{
	struct nodelist mask;
	const char *reason;

	if (!unit->numa_mask || strcmp(unit->section, "Service") ||
	    nodelist_parse(unit->numa_mask, &mask, &reason) < 0)
		return;
	nodelist_and(&mask, &unit->directive.nodes);
	if (!nodelist_is_empty(&mask))
		verify_add_problem(verify, EXIT_DONE, unit->files[0], 0,
				   "NUMAMask= of a private node needs the grant on the slice; use "
				   "numactl in the service's command instead");
}

static void read_unit(struct verify *verify, struct verify_unit *unit)
{
	struct directive_error error;

	unit->is_valid = unit->n_files > 0;
	for (size_t file = 0; file < unit->n_files; file++)
		unit->is_valid &= read_file(verify, unit, unit->files[file]);
	/* The node list may stand in the file that was not given. */
	if (unit->is_valid && unit->has_fragment &&
	    directive_check(&unit->directive, unit->files, &error) < 0) {
		verify_add_problem(verify, EXIT_FAILED, error.path, error.line, "%s", error.reason);
		unit->is_valid = false;
	}
}

/**
 * verify_read() - read every unit collected and look for mistakes
 * @verify: from verify_collect()
 */
void verify_read(struct verify *verify)
{
	for (size_t i = 0; i < verify->n_units; i++) {
		struct verify_unit *unit = &verify->units[i];

		read_unit(verify, unit);
		if (!unit->is_valid || nodelist_is_empty(&unit->directive.nodes))
			continue;
		warn_late(verify, unit);
		warn_numa_mask(verify, unit);
		warn_nothing(verify, unit);
	}
}

/**
 * verify_slice_of() - the slice a unit is in, or for a slice that itself
 */
const char *verify_slice_of(const struct verify_unit *unit)
{
	return !strcmp(unit->section, "Slice") ? unit->name : unit->slice ?: "system.slice";
}

static struct verify_unit *find_unit(struct verify *verify, const char *name)
{
	for (size_t i = 0; i < verify->n_units; i++)
		if (!strcmp(verify->units[i].name, name))
			return &verify->units[i];
	return NULL;
}

/* A slice that runs has what privmemd says; of one that does not the files count, as at its start. */
static void add_slice(struct verify *verify, struct pid1 *pid1, const char *name)
{
	struct verify_unit *unit = find_unit(verify, name);
	struct client_error error;
	struct pid1_unit slice;

	if ((unit && !unit->is_asked_for) || pid1_get_unit(pid1, name, &slice, &error) < 0)
		return;
	if (unit || pid1_unit_is_active(&slice)) {
		if (unit)
			unit->is_active = pid1_unit_is_active(&slice);
		pid1_unit_done(&slice);
		return;
	}
	verify->slices = must(reallocarray(verify->slices, verify->n_slices + 1, sizeof(slice)));
	verify->slices[verify->n_slices++] = slice;
	unit = find_or_add_unit(verify, must(strdup(name)));
	for (size_t i = 0; slice.files[i]; i++)
		add_file(unit, slice.files[i], !i && !strstr(slice.files[i], ".d/"));
	read_unit(verify, unit);
}

/**
 * verify_add_slices() - ask the system manager for the slices around the units
 * @verify: gets those that do not run; without an answer there are none
 */
void verify_add_slices(struct verify *verify)
{
	size_t n_asked_for = verify->n_units;
	struct pid1 *pid1 = NULL;
	struct client_error error;

	if (pid1_open(&pid1, &error) < 0)
		return;
	for (size_t i = 0; i < n_asked_for; i++) {
		char *slice = must(strdup(verify_slice_of(&verify->units[i])));

		do
			add_slice(verify, pid1, slice);
		while (mangle_cut_slice(slice));
		free(slice);
	}
	pid1_close(pid1);
}

/**
 * verify_done() - free everything
 * @verify: empty afterwards
 */
void verify_done(struct verify *verify)
{
	for (size_t i = 0; i < verify->n_units; i++) {
		directive_done(&verify->units[i].directive);
		free(verify->units[i].name);
		free(verify->units[i].files);
		free(verify->units[i].slice);
		free(verify->units[i].numa_mask);
	}
	free(verify->units);
	free(verify->problems);
	for (size_t i = 0; i < verify->n_slices; i++)
		pid1_unit_done(&verify->slices[i]);
	free(verify->slices);
	settings_done(&verify->settings);
	*verify = (struct verify){};
}
