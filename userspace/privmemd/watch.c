// SPDX-License-Identifier: LGPL-2.1-or-later
#include "watch.h"

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

struct watch {
	int inotify_fd;
	int root_fd;
	sd_event_source *source;
	void *by_wd;		/* tsearch() tree of struct watched_file */
	watch_changed_t changed;
	void *userdata;
};

struct watched_file {
	int wd;
	enum watched what;
	struct grant *grant;
};

static const char *const watched_files[] = {
	[WATCHED_EVENTS] = "cgroup.events",
	[WATCHED_EFFECTIVE] = FILE_EFFECTIVE,
};

static int file_compare(const void *a, const void *b)
{
	const struct watched_file *left = a, *right = b;

	return (left->wd > right->wd) - (left->wd < right->wd);
}

static struct watched_file *watch_find(const struct watch *watch, int wd)
{
	struct watched_file key = { .wd = wd };
	struct watched_file **found = tfind(&key, &watch->by_wd, file_compare);

	return found ? *found : NULL;
}

static int on_inotify(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	_Alignas(struct inotify_event) char buffer[4096];
	struct watch *watch = userdata;
	ssize_t length = read(fd, buffer, sizeof(buffer));

	(void)source;
	(void)events;
	for (ssize_t at = 0; at < length;) {
		const struct inotify_event *event = (void *)(buffer + at);
		const struct watched_file *file = watch_find(watch, event->wd);

		/* Whoever is told may remove watches, this one too. */
		if (file && event->mask & IN_MODIFY)
			watch->changed(file->grant, file->what, watch->userdata);
		at += sizeof(*event) + event->len;
	}
	return 0;
}

/**
 * watch_new() - start with nothing to watch
 * @ret: set only on success; see watch_free()
 *
 * Return: 0 or -Exxx
 */
int watch_new(sd_event *event, int root_fd, watch_changed_t changed, void *userdata,
	      struct watch **ret)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	int r;

	if (!watch)
		return -ENOMEM;
	*watch = (struct watch){ .root_fd = root_fd, .changed = changed, .userdata = userdata };
	watch->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch->inotify_fd < 0) {
		r = -errno;
		free(watch);
		return r;
	}
	r = sd_event_add_io(event, &watch->source, watch->inotify_fd, EPOLLIN, on_inotify, watch);
	if (r < 0) {
		close(watch->inotify_fd);
		free(watch);
		return r;
	}
	*ret = watch;
	return 0;
}

/**
 * watch_free() - stop watching anything
 * @watch: may be NULL
 *
 * Return: NULL
 */
struct watch *watch_free(struct watch *watch)
{
	if (!watch)
		return NULL;
	sd_event_source_disable_unref(watch->source);
	close(watch->inotify_fd);
	tdestroy(watch->by_wd, free);
	free(watch);
	return NULL;
}

static void watch_remove_file(struct watch *watch, int wd)
{
	struct watched_file *file = watch_find(watch, wd);

	if (!file)
		return;
	(void)inotify_rm_watch(watch->inotify_fd, wd);
	tdelete(file, &watch->by_wd, file_compare);
	free(file);
}

/**
 * watch_remove() - stop watching a grant's cgroup
 */
void watch_remove(struct watch *watch, struct grant *grant)
{
	for (size_t i = 0; i < 2; i++) {
		watch_remove_file(watch, grant->watches[i]);
		grant->watches[i] = -1;
	}
}

static int watch_add_file(struct watch *watch, struct grant *grant, enum watched what)
{
	struct watched_file *file;
	char *path;
	int wd;

	if (asprintf(&path, "/proc/self/fd/%d%s/%s", watch->root_fd, grant->cgroup,
		     watched_files[what]) < 0)
		return -ENOMEM;
	wd = inotify_add_watch(watch->inotify_fd, path, IN_MODIFY);
	free(path);
	if (wd < 0)
		return -errno;
	if (wd == grant->watches[what])
		return 0;
	/* The cgroup was made anew since: the old watch hears nothing any more. */
	watch_remove_file(watch, grant->watches[what]);
	grant->watches[what] = -1;
	file = malloc(sizeof(*file));
	if (file)
		*file = (struct watched_file){ wd, what, grant };
	if (!file || !tsearch(file, &watch->by_wd, file_compare)) {
		free(file);
		(void)inotify_rm_watch(watch->inotify_fd, wd);
		return -ENOMEM;
	}
	grant->watches[what] = wd;
	return 0;
}

/**
 * watch_add() - watch a grant's cgroup, or make sure that it is watched
 *
 * Return: 0, -ENOENT if the cgroup is not there, -ENOSPC if there are too many
 * watches already, or -Exxx
 */
int watch_add(struct watch *watch, struct grant *grant)
{
	int r = watch_add_file(watch, grant, WATCHED_EVENTS);

	return r < 0 ? r : watch_add_file(watch, grant, WATCHED_EFFECTIVE);
}
