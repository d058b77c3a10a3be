/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The drop-in says all that the unit is to have, since a list can only be shortened by emptying
 * it first. Its name sorts behind those of others, so it has the last word. It lies in /run: the
 * unit files stay the truth, and privmemd reads it as one of them.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directive.h"
#include "override.h"

/**
 * override_path() - where the drop-in of a unit is
 *
 * Return: the path, to free(); NULL when memory ran out
 */
char *override_path(const char *unit)
{
	char *path;

	return asprintf(&path, "%s/%s.d/%s", OVERRIDE_DIRECTORY, unit, PLAN_OVERRIDE) < 0 ? NULL :
											    path;
}

/**
 * override_format() - a drop-in that has a unit ask for exactly this
 * @section: "Service" or "Slice"
 *
 * The keys are those that stock systemd passes over in silence.
 *
 * Return: its text, to free(); NULL when memory ran out
 */
char *override_format(const char *section, const struct plan *plan)
{
	char *list = nodelist_format(&plan->nodes), *text = NULL;
	bool is_complete = list;
	unsigned int nid;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (!out) {
		free(list);
		return NULL;
	}
	fprintf(out,
		"# Made by privmemctl. Goes with the next boot, or with \"privmemctl revert\".\n"
		"[%s]\nX-PrivateMemoryMax=\nX-PrivateMemoryNodes=\n", section);
	if (list && *list)
		fprintf(out, "X-PrivateMemoryNodes=%s\n", list);
	nodelist_for_each(nid, &plan->nodes) {
		char *size = limit_format(&plan->limits[nid]);

		fprintf(out, "X-PrivateMemoryMax=%u %s\n", nid, size ?: "");
		is_complete = is_complete && size;
		free(size);
	}
	free(list);
	if (fclose(out) || !is_complete) {
		free(text);
		return NULL;
	}
	return text;
}

/**
 * override_read() - what is there now
 * @ret: set only on success; NULL if there is none; free() it
 *
 * Return: 0 or -Exxx
 */
int override_read(const char *path, char **ret)
{
	char *text = NULL, *copy;
	size_t length;
	int r = directive_read_file(AT_FDCWD, path, &text, &length);

	if (r == -ENOENT) {
		*ret = NULL;
		return 0;
	}
	if (r < 0)
		return r;
	copy = strndup(text, length);
	free(text);
	if (!copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644), r = 0;
	ssize_t length = strlen(text);

	if (fd < 0)
		return -errno;
	if (fchmod(fd, 0644) < 0 || write(fd, text, length) != length)
		r = errno ? -errno : -EIO;
	if (close(fd) < 0 && r >= 0)
		r = -errno;
	return r;
}

/**
 * override_write() - replace the drop-in
 * @text: NULL for none
 *
 * Whoever reads it finds the old one or the new one.
 *
 * Return: 0 or -Exxx
 */
int override_write(const char *path, const char *text)
{
	char directory[strlen(path) + 1], fresh[strlen(path) + sizeof(".new")];
	int r;

	strcpy(directory, path);
	*strrchr(directory, '/') = '\0';
	if (!text) {
		if (unlink(path) < 0 && errno != ENOENT)
			return -errno;
		(void)rmdir(directory);
		return 0;
	}
	if ((mkdir(OVERRIDE_DIRECTORY, 0755) < 0 && errno != EEXIST) ||
	    (mkdir(directory, 0755) < 0 && errno != EEXIST))
		return -errno;
	/* Systemd reads what ends in ".conf" and nothing else. */
	sprintf(fresh, "%s.new", path);
	errno = 0;
	r = write_file(fresh, text);
	if (r >= 0 && rename(fresh, path) < 0)
		r = -errno;
	if (r < 0)
		(void)unlink(fresh);
	return r;
}

static char **without_file(char *const *files, const char *without)
{
	size_t count = 0, n = 0;
	char **kept;

	while (files[count])
		count++;
	kept = calloc(count + 1, sizeof(*kept));
	for (size_t i = 0; kept && i < count; i++)
		if (!without || strcmp(files[i], without))
			kept[n++] = files[i];
	return kept;
}

/**
 * override_load() - what the files of a unit ask for
 * @files: as PID 1 names them
 * @without: of these, is passed over; NULL for none
 * @names: that nodes may be called by; outlives @ret
 * @ret: set only on success
 * @ret_error: set only on failure
 *
 * Return: 0 or -Exxx
 */
int override_load(const char *unit, char *const *files, const char *without,
		  const struct nodenames *names, struct plan *ret, struct client_error *ret_error)
{
	struct directive_error error = {};
	struct directive directive;
	char **kept = without_file(files, without);
	unsigned int nid;
	int r = -ENOMEM;

	if (kept)
		r = directive_load(AT_FDCWD, unit, kept, directive_section_of(unit), names,
				   &directive, &error);
	free(kept);
	if (r < 0) {
		ret_error->code = EXIT_FAILED;
		snprintf(ret_error->text, sizeof(ret_error->text), "%s:%u: %s",
			 error.path ?: "", error.line, *error.reason ? error.reason : strerror(-r));
		return r;
	}
	*ret = (struct plan){ .names = names, .nodes = directive.nodes };
	nodelist_for_each(nid, &directive.nodes)
		ret->limits[nid] = *directive_limit(&directive, nid);
	directive_done(&directive);
	return 0;
}
