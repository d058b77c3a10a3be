/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finds the files of the configuration with the precedence that systemd gives its own: the first
 * privmemd.conf there is, then the drop-ins of all directories in the order of their names, of
 * which one in /etc hides that of the same name in /run, and so on. A link to /dev/null hides
 * and says nothing.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"

static const char *const directories[] = {
	"/etc/privmem", "/run/privmem", "/usr/local/lib/privmem", "/usr/lib/privmem",
};

#define N_DIRECTORIES (sizeof(directories) / sizeof(*directories))
#define CONF "privmemd.conf"

struct loading {
	int root_fd;
	struct config config;
	char *error;
};

static int fail(struct loading *loading, const struct directive_error *error, int r)
{
	int length = error->line > 0 ?
		asprintf(&loading->error, "%s:%u: %s", error->path, error->line, error->reason) :
		asprintf(&loading->error, "%s: %s", error->path, error->reason);

	if (length < 0)
		loading->error = NULL;
	return r;
}

/* Returns -ENOENT, without an error's text, if there is no such file. */
static int load_file(struct loading *loading, const char *path)
{
	struct directive_error error = { .path = path };
	size_t length;
	char *text;
	int r = directive_read_file(loading->root_fd, path, &text, &length);

	if (r == -ENOENT)
		return r;
	if (r < 0) {
		snprintf(error.reason, sizeof(error.reason), "cannot read: %s", strerror(-r));
		return fail(loading, &error, r);
	}
	r = config_add_text(&loading->config, path, text, length, &error);
	free(text);
	return r < 0 ? fail(loading, &error, r) : 0;
}

static int load_main(struct loading *loading)
{
	for (size_t i = 0; i < N_DIRECTORIES; i++) {
		char path[128];
		int r;

		snprintf(path, sizeof(path), "%s/" CONF, directories[i]);
		r = load_file(loading, path);
		if (r != -ENOENT)
			return r;
	}
	return 0;
}

/* Paths of drop-ins, sorted by the name of the file. */
struct dropins {
	char **paths;
	size_t count;
};

static const char *file_name(const char *path)
{
	return strrchr(path, '/') + 1;
}

static int name_compare(const void *a, const void *b)
{
	return strcmp(file_name(*(char *const *)a), file_name(*(char *const *)b));
}

static int dropins_add(struct dropins *dropins, const char *directory, const char *name)
{
	char **grown, *path;

	if (asprintf(&path, "%s/" CONF ".d/%s", directory, name) < 0)
		return -ENOMEM;
	if (lfind(&path, dropins->paths, &dropins->count, sizeof(path), name_compare)) {
		free(path);
		return 0;
	}
	grown = reallocarray(dropins->paths, dropins->count + 1, sizeof(*grown));
	if (!grown) {
		free(path);
		return -ENOMEM;
	}
	dropins->paths = grown;
	grown[dropins->count++] = path;
	return 0;
}

static int dropins_list(struct dropins *dropins, int root_fd, const char *directory)
{
	struct dirent *entry;
	char path[128];
	int fd, r = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/" CONF ".d", directory);
	fd = openat(root_fd, path + (root_fd == AT_FDCWD ? 0 : strspn(path, "/")),
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while (!r && (entry = readdir(dir))) {
		size_t length = strlen(entry->d_name);

		if (entry->d_name[0] != '.' && length > 5 &&
		    !strcmp(entry->d_name + length - 5, ".conf"))
			r = dropins_add(dropins, directory, entry->d_name);
	}
	closedir(dir);
	return r;
}

static int load_dropins(struct loading *loading)
{
	struct dropins dropins = {};
	int r = 0;

	for (size_t i = 0; !r && i < N_DIRECTORIES; i++)
		r = dropins_list(&dropins, loading->root_fd, directories[i]);
	if (dropins.count)
		qsort(dropins.paths, dropins.count, sizeof(*dropins.paths), name_compare);
	for (size_t i = 0; i < dropins.count; i++) {
		if (!r)
			r = load_file(loading, dropins.paths[i]);
		if (r == -ENOENT) /* gone since */
			r = 0;
		free(dropins.paths[i]);
	}
	free(dropins.paths);
	return r;
}

/**
 * config_load() - read the configuration
 * @root_fd: directory that all paths are taken below, or AT_FDCWD for the paths as they are
 * @ret: set only on success; see config_done()
 * @ret_error: set only on failure: file, line and reason, or NULL when memory ran out; free() it
 *
 * Return: 0, also if there is none, or -Exxx
 */
int config_load(int root_fd, struct config *ret, char **ret_error)
{
	struct loading loading = { .root_fd = root_fd };
	struct directive_error error;
	int r = load_main(&loading);

	if (!r)
		r = load_dropins(&loading);
	if (!r && config_check(&loading.config, &error) < 0)
		r = fail(&loading, &error, -EINVAL);
	if (r < 0) {
		config_done(&loading.config);
		*ret_error = loading.error;
		return r;
	}
	*ret = loading.config;
	return 0;
}
