// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * privmemd: gives units the private memory nodes that their files ask for.
 *
 *	unit files -> wish -> ledger -> grant -> cgroup files
 *
 * It is started by its sockets, takes over what an earlier instance granted,
 * compares that with what PID 1 and the unit files say, and only then listens to
 * anybody, so that no newcomer takes room that is somebody's already.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "bringup.h"
#include "cache.h"
#include "hookserver.h"
#include "journal.h"
#include "manager.h"
#include "news.h"
#include "node.h"
#include "news.h"

struct daemon {
	sd_event *event;
	int root_fd, cache_fd;
	struct grants *grants;
	struct reconcile *reconcile;
	struct hookserver *hooks;
	struct manager *manager;
	struct node_monitor *nodes;
};

/* A configuration that cannot be read changes nothing. */
static void settings_read(struct daemon *daemon)
{
	struct settings *settings = &daemon->grants->settings;
	char *error = NULL;

	if (settings_load(settings, AT_FDCWD, &error) < 0) {
		journal(LOG_ERR, "configuration not taken over: %s", error ?: "out of memory");
		(void)sd_notifyf(0, "STATUS=Configuration not taken over: %s",
				 error ?: "out of memory");
		free(error);
	} else {
		(void)sd_notify(0, "STATUS=");
	}
	bringup_all(settings);
	settings_resolve(settings);
}

static void on_nodes_changed(bool has_new, void *userdata)
{
	struct daemon *daemon = userdata;
	struct settings *settings = &daemon->grants->settings;

	if (has_new)
		bringup_all(settings);
	settings_resolve(settings);
	grants_refresh_nodes(daemon->grants);
	news_of_nodes(daemon->grants);
	manager_tell_changes(daemon->manager);
	if (settings->names.count > 0)
		reconcile_all(daemon->reconcile);
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct daemon *daemon = userdata;
	uint64_t usec = 0;

	(void)source;
	(void)info;
	(void)sd_event_now(daemon->event, CLOCK_MONOTONIC, &usec);
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, usec);
	settings_read(daemon);
	grants_refresh_nodes(daemon->grants);
	news_of_nodes(daemon->grants);
	manager_tell_changes(daemon->manager);
	reconcile_all(daemon->reconcile);
	(void)sd_notify(0, "READY=1");
	return 0;
}

static void on_settled(void *userdata)
{
	struct daemon *daemon = userdata;
	int r;

	news_of_nodes(daemon->grants);
	r = hookserver_start(daemon->hooks);
	if (r >= 0)
		r = manager_start(daemon->manager);
	if (r < 0) {
		journal(LOG_ERR, "cannot serve: %s", strerror(-r));
		(void)sd_event_exit(daemon->event, EXIT_FAILURE);
		return;
	}
	(void)sd_notify(0, "READY=1");
}

/* Finds our sockets among those that the socket units handed over. */
static int sockets_find(int *ret_apply, int *ret_private)
{
	char **names = NULL;
	int count = sd_listen_fds_with_names(true, &names);

	*ret_apply = *ret_private = -1;
	for (int i = 0; i < count; i++) {
		if (strcmp(names[i], "apply") == 0)
			*ret_apply = SD_LISTEN_FDS_START + i;
		else if (strcmp(names[i], "private") == 0)
			*ret_private = SD_LISTEN_FDS_START + i;
		free(names[i]);
	}
	free(names);
	if (count < 0)
		return count;
	return *ret_apply < 0 ? -ENOTSOCK : 0;
}

static int signals_handle(struct daemon *daemon)
{
	sd_event *event = daemon->event;
	sd_event_source *source = NULL;
	sigset_t mask;
	int r;

	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
		return -errno;
	r = sd_event_add_signal(event, NULL, SIGTERM, NULL, NULL);
	if (r >= 0)
		r = sd_event_add_signal(event, NULL, SIGINT, NULL, NULL);
	if (r >= 0)
		r = sd_event_add_signal(event, &source, SIGHUP, on_reload, daemon);
	/* Who asks anything after a reload is answered by what was read then. */
	if (r >= 0)
		r = sd_event_source_set_priority(source, SD_EVENT_PRIORITY_IMPORTANT);
	return r < 0 ? r : sd_event_source_set_floating(source, true);
}

static int daemon_setup(struct daemon *daemon, int apply_fd, int private_fd)
{
	int r = sd_event_default(&daemon->event);

	if (r >= 0)
		r = signals_handle(daemon);
	if (r >= 0)
		r = sd_event_set_watchdog(daemon->event, true);
	if (r < 0)
		return r;
	/* Without a hierarchy we still answer, with a refusal: a unit must hear why it fails. */
	r = cgroup_open_root(&daemon->root_fd);
	if (r < 0)
		journal(LOG_ERR, "no cgroup v2 hierarchy with a memory controller: %s",
			strerror(-r));
	r = cache_open(CACHE_DIR, &daemon->cache_fd);
	if (r < 0)
		journal(LOG_WARNING, "cannot use %s: %s", CACHE_DIR, strerror(-r));
	r = grants_new(daemon->root_fd, daemon->cache_fd, sysconf(_SC_PAGESIZE),
		       &daemon->grants);
	if (r >= 0)
		r = reconcile_new(daemon->event, UNIT_PRIVATE_ADDRESS, daemon->grants,
				  &daemon->reconcile);
	if (r >= 0)
		r = hookserver_new(daemon->event, apply_fd, daemon->reconcile, &daemon->hooks);
	if (r >= 0)
		r = manager_new(daemon->event, private_fd, daemon->reconcile, &daemon->manager);
	if (r < 0)
		return r;
	/* Every decision reads the nodes anew; events only keep what is shown fresh. */
	r = node_monitor_new(daemon->event, on_nodes_changed, daemon, &daemon->nodes);
	if (r < 0)
		journal(LOG_WARNING, "cannot watch devices: %s", strerror(-r));
	return 0;
}

int main(int argc, char **argv)
{
	/* Not on the stack: what hangs on it lasts as long as the process. */
	static struct daemon daemon = { .root_fd = -1, .cache_fd = -1 };
	int apply_fd, private_fd, r;

	(void)argv;
	if (argc > 1) {
		fprintf(stderr, "privmemd: takes no arguments; it is started by privmemd.socket\n");
		return CODE_USAGE;
	}
	/* What a large message took is given back at once, and not kept for the next one. */
	(void)mallopt(M_MMAP_THRESHOLD, 128 << 10);
	r = sockets_find(&apply_fd, &private_fd);
	if (r < 0) {
		fprintf(stderr, "privmemd: no socket named \"apply\" was passed;"
			" start privmemd.socket instead\n");
		return EXIT_FAILURE;
	}
	r = daemon_setup(&daemon, apply_fd, private_fd);
	if (r >= 0) {
		settings_read(&daemon);
		reconcile_start(daemon.reconcile, on_settled, &daemon);
		r = sd_event_loop(daemon.event);
	}
	if (r < 0)
		journal(LOG_ERR, "cannot run: %s", strerror(-r));
	/* What is granted stays granted; the next instance finds it in the cgroup files. */
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
