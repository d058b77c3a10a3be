// SPDX-License-Identifier: LGPL-2.1-or-later
#include "manager.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-id128.h>

#include "budget.h"
#include "changes.h"
#include "errors.h"
#include "journal.h"
#include "plain.h"
#include "rows.h"
#include "signals.h"

#define NAME "org.privmem1"
#define PATH "/org/privmem1"
#define INTERFACE NAME ".Manager"
#define SYSTEM_ADDRESS "unix:path=/run/dbus/system_bus_socket"
#define REJOIN_USEC (2 * UINT64_C(1000000))
/* A peer on the private socket that nobody hears of again must not keep its place. */
#define PEERS_MAX 64
#define PEER_USEC (60 * UINT64_C(1000000))
/* At most PEERS_MAX are met in this time. */
#define ACCEPT_USEC UINT64_C(100000)
/* So many answers may wait for one that does not read them, and so many requests for PID 1. */
#define UNREAD_MAX 32
#define REQUESTS_MAX 64
/* What changes within this is told in one signal. */
#define CHANGES_USEC UINT64_C(100000)

/* A connection that our object stands on. */
struct peer {
	struct manager *manager;
	struct peer *next, **link;
	sd_bus *bus;
	sd_event_source *deadline;	/* NULL on the system bus */
	uid_t uid;			/* of a private peer */
};

struct manager {
	sd_event *event;
	sd_event_source *listener, *rejoin, *changes;
	struct reconcile *reconcile;
	struct peer *peers;
	unsigned int n_peers, n_requests;
	struct budget budget;
	int private_fd;
};

/* An ApplyUnit() that is not answered yet. */
struct pending {
	struct manager *manager;
	sd_bus_message *call;
};

static int reply_rows(sd_bus_message *call, sd_bus_message **ret)
{
	int r = sd_bus_message_new_method_return(call, ret);

	if (r >= 0)
		r = sd_bus_message_open_container(*ret, 'a', "a{sv}");
	return r;
}

static int send_rows(sd_bus_message *reply, int r)
{
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	if (r >= 0)
		r = sd_bus_send(NULL, reply, NULL);
	sd_bus_message_unref(reply);
	return r;
}

static struct grants *peer_grants(const struct peer *peer)
{
	return reconcile_grants(peer->manager->reconcile);
}

static int on_list_nodes(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	sd_bus_message *reply = NULL;
	int r = reply_rows(call, &reply);

	(void)error;
	if (r >= 0)
		r = rows_append_nodes(reply, peer_grants(userdata));
	return send_rows(reply, r);
}

static int on_list_grants(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	struct grants *grants = peer_grants(userdata);
	sd_bus_message *reply = NULL;
	struct grant **all;
	size_t count;
	int r = reply_rows(call, &reply);

	(void)error;
	grants_refresh_nodes(grants);
	count = grants_list(grants, &all);
	for (size_t i = 0; r >= 0 && i < count; i++)
		r = rows_append_grant(reply, grants, all[i]);
	free(all);
	return send_rows(reply, r);
}

static int on_get_unit(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	struct grants *grants = peer_grants(userdata);
	sd_bus_message *reply = NULL;
	const struct grant *grant;
	const char *unit;
	int r = sd_bus_message_read(call, "s", &unit);

	if (r < 0)
		return r;
	grant = grants_find(grants, unit);
	if (!grant)
		return error_set(error, ERROR("NoSuchUnit"),
				 "%.255s has no grant of private memory", unit);
	grants_refresh_nodes(grants);
	r = reply_rows(call, &reply);
	if (r >= 0)
		r = rows_append_grant(reply, grants, grant);
	return send_rows(reply, r);
}

static int on_get_control_group(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	struct grants *grants = peer_grants(userdata);
	sd_bus_message *reply = NULL;
	const struct grant *grant;
	const char *path;
	int r = sd_bus_message_read(call, "s", &path);

	if (r < 0)
		return r;
	if (!plain_path_is_valid(path))
		return error_set(error, SD_BUS_ERROR_INVALID_ARGS,
				 "not the path of a cgroup below the root: %.200s", path);
	if (!cgroup_has_support(grants->root_fd))
		return sd_bus_error_set(error, ERROR("NoKernelSupport"),
					"this kernel has no private memory nodes");
	grant = grants_find(grants, grants_unit_of_cgroup(path) ?: path);
	r = reply_rows(call, &reply);
	if (r >= 0 && grant && strcmp(grant->cgroup, path) == 0)
		r = rows_append_grant(reply, grants, grant);
	else if (r >= 0)
		r = rows_append_cgroup(reply, grants, path);
	if (r == -ENOENT || r == -ENOTDIR) {
		sd_bus_message_unref(reply);
		return error_set(error, ERROR("NoSuchUnit"),
				 "%s: no such cgroup with private memory files", path);
	}
	return send_rows(reply, r);
}

static uint64_t clock_usec(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * UINT64_C(1000000) + now.tv_nsec / 1000;
}

static int refuse_more(sd_bus_error *error, const char *what)
{
	return error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED, "%s, try again later", what);
}

/*
 * Methods that only read. Whoever asks over the system bus, where anyone may, gets a share of our
 * time; root has the private socket, which waits for nobody.
 */
static int on_read(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	static const struct {
		const char *member;
		sd_bus_message_handler_t handler;
	} methods[] = {
		{ "ListNodes", on_list_nodes },
		{ "ListGrants", on_list_grants },
		{ "GetUnit", on_get_unit },
		{ "GetControlGroup", on_get_control_group },
	};
	const char *member = sd_bus_message_get_member(call);
	struct peer *peer = userdata;
	struct budget *budget = &peer->manager->budget;
	uint64_t start, unread;
	size_t i = 0;
	int r;

	if (sd_bus_get_n_queued_write(peer->bus, &unread) >= 0 && unread > UNREAD_MAX)
		return refuse_more(error, "too many answers are unread");
	if (!peer->deadline && !budget_is_left(budget, clock_usec(CLOCK_MONOTONIC)))
		return refuse_more(error, "too many questions");
	while (strcmp(methods[i].member, member) != 0)
		i++;
	start = clock_usec(CLOCK_THREAD_CPUTIME_ID);
	r = methods[i].handler(call, userdata, error);
	if (!peer->deadline)
		budget_spend(budget, clock_usec(CLOCK_THREAD_CPUTIME_ID) - start);
	return r;
}

static bool peer_is_root(const struct peer *peer, sd_bus_message *call)
{
	sd_bus_creds *creds = NULL;
	uid_t uid = peer->uid;
	bool is_root;

	/* On a socket of our own the kernel told who connected. */
	if (peer->deadline)
		return uid == 0;
	is_root = sd_bus_query_sender_creds(call, SD_BUS_CREDS_EUID, &creds) >= 0 &&
		  sd_bus_creds_get_euid(creds, &uid) >= 0 && uid == 0;
	sd_bus_creds_unref(creds);
	return is_root;
}

static int refuse_stranger(sd_bus_error *error)
{
	return sd_bus_error_set(error, ERROR("NotPermitted"), "only root may change grants");
}

static int on_grant_control_group(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	struct peer *peer = userdata;

	return peer_is_root(peer, call) ? changes_grant(peer->manager->reconcile, call, error) :
					  refuse_stranger(error);
}

static int on_set_control_group_limit(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	struct peer *peer = userdata;

	return peer_is_root(peer, call) ? changes_set_limit(peer->manager->reconcile, call, error) :
					  refuse_stranger(error);
}

static int on_revoke_control_group(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	struct peer *peer = userdata;

	return peer_is_root(peer, call) ? changes_revoke(peer->manager->reconcile, call, error) :
					  refuse_stranger(error);
}

static void pending_free(struct pending *pending)
{
	pending->manager->n_requests--;
	sd_bus_message_unref(pending->call);
	free(pending);
}

static void on_applied(const struct verdict *verdict, void *userdata)
{
	struct pending *pending = userdata;

	if (verdict->code == CODE_DONE)
		(void)sd_bus_reply_method_return(pending->call, NULL);
	else
		(void)sd_bus_reply_method_errorf(pending->call, error_name(verdict->code), "%s",
						 verdict->text);
	pending_free(pending);
}

static int pending_start(struct manager *manager, sd_bus_message *call, const char *unit)
{
	struct pending *pending = malloc(sizeof(*pending));
	struct request *request;
	int r;

	if (!pending)
		return -ENOMEM;
	*pending = (struct pending){ manager, sd_bus_message_ref(call) };
	manager->n_requests++;
	r = request_new(manager->reconcile, unit, false, NULL, on_applied, pending, &request);
	if (r < 0)
		pending_free(pending);
	return r;
}

static int on_apply_unit(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	struct peer *peer = userdata;
	const char *unit;
	int r = sd_bus_message_read(call, "s", &unit);

	if (r < 0)
		return r;
	if (!peer_is_root(peer, call))
		return refuse_stranger(error);
	if (peer->manager->n_requests >= REQUESTS_MAX)
		return refuse_more(error, "too many requests wait for the system manager");
	r = pending_start(peer->manager, call, unit);
	if (r >= 0)
		return 1;
	if (r == -EINVAL)
		return error_set(error, ERROR("NoSuchUnit"),
				 "\"%.200s\" is no name of a service, slice or scope",
					 unit);
	return error_set(error, ERROR("Failed"), "cannot ask the system manager: %s",
			 strerror(-r));
}

static int get_property(sd_bus *bus, const char *path, const char *interface, const char *property,
			sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	(void)bus, (void)path, (void)interface, (void)error;
	return properties_append(reply, peer_grants(userdata), property);
}

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Version", "s", get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("KernelSupport", "b", get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("Nodes", "au", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Capacity", "a(ut)", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Reserved", "a(ut)", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("NGrants", "u", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("NRefusals", "u", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_METHOD_WITH_ARGS("ListNodes", SD_BUS_NO_ARGS, SD_BUS_RESULT("aa{sv}", nodes),
				on_read, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("ListGrants", SD_BUS_NO_ARGS, SD_BUS_RESULT("aa{sv}", grants),
				on_read, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("GetUnit", SD_BUS_ARGS("s", name), SD_BUS_RESULT("aa{sv}", grants),
				on_read, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("GetControlGroup", SD_BUS_ARGS("s", path),
				SD_BUS_RESULT("aa{sv}", grants), on_read,
				SD_BUS_VTABLE_UNPRIVILEGED),
	/* These check for themselves, since capabilities of a peer are not to be had everywhere. */
	SD_BUS_METHOD_WITH_ARGS("ApplyUnit", SD_BUS_ARGS("s", name), SD_BUS_NO_RESULT,
				on_apply_unit, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("GrantControlGroup",
				SD_BUS_ARGS("s", path, "s", nodes, "a(ss)", limits),
				SD_BUS_NO_RESULT, on_grant_control_group,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("SetControlGroupLimit",
				SD_BUS_ARGS("s", path, "s", node, "s", size), SD_BUS_NO_RESULT,
				on_set_control_group_limit, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("RevokeControlGroup", SD_BUS_ARGS("s", path, "s", nodes),
				SD_BUS_NO_RESULT, on_revoke_control_group,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_SIGNAL_WITH_ARGS("GrantApplied",
				SD_BUS_ARGS("s", unit, "s", control_group, "a(ut)", nodes,
					    "b", late), 0),
	SD_BUS_SIGNAL_WITH_ARGS("GrantReleased", SD_BUS_ARGS("s", unit, "s", control_group), 0),
	SD_BUS_SIGNAL_WITH_ARGS("GrantRefused",
				SD_BUS_ARGS("s", unit, "s", control_group, "s", error,
					    "s", reason), 0),
	SD_BUS_VTABLE_END
};

/* The system bus, if it is joined: signals go nowhere else. */
static sd_bus *manager_bus(const struct manager *manager)
{
	for (const struct peer *peer = manager->peers; peer; peer = peer->next)
		if (!peer->deadline && sd_bus_is_ready(peer->bus) > 0)
			return peer->bus;
	return NULL;
}

static int on_changes(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct manager *manager = userdata;
	sd_bus *bus = manager_bus(manager);

	(void)source;
	(void)usec;
	if (bus)
		(void)sd_bus_emit_properties_changed(bus, PATH, INTERFACE, PROPERTIES_THAT_CHANGE,
						     NULL);
	return 0;
}

/**
 * manager_tell_changes() - properties may have changed; those who listen will hear soon
 * @manager: may be NULL
 */
void manager_tell_changes(struct manager *manager)
{
	int is_on;

	if (!manager || !manager->changes ||
	    sd_event_source_get_enabled(manager->changes, &is_on) != 0)
		return;
	(void)sd_event_source_set_time_relative(manager->changes, CHANGES_USEC);
	(void)sd_event_source_set_enabled(manager->changes, SD_EVENT_ONESHOT);
}

static void on_news(const struct news *news, void *userdata)
{
	struct manager *manager = userdata;
	sd_bus *bus = manager_bus(manager);

	if (bus)
		(void)signals_send(bus, PATH, INTERFACE, news);
	manager_tell_changes(manager);
}

static void peer_free(struct peer *peer)
{
	struct manager *manager = peer->manager;

	*peer->link = peer->next;
	if (peer->next)
		peer->next->link = peer->link;
	sd_event_source_disable_unref(peer->deadline);
	sd_bus_close_unref(peer->bus);
	free(peer);
	if (manager->n_peers-- == PEERS_MAX)
		(void)sd_event_source_set_enabled(manager->listener, SD_EVENT_ON);
}

static int on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct peer *peer = userdata;

	(void)m;
	(void)error;
	if (!peer->deadline) {
		reconcile_set_told(peer->manager->reconcile, false);
		(void)sd_event_source_set_time_relative(peer->manager->rejoin, REJOIN_USEC);
		(void)sd_event_source_set_enabled(peer->manager->rejoin, SD_EVENT_ONESHOT);
	}
	peer_free(peer);
	return 0;
}

static int peer_new(struct manager *manager, struct peer **ret)
{
	struct peer *peer = calloc(1, sizeof(*peer));
	int r;

	if (!peer)
		return -ENOMEM;
	peer->manager = manager;
	r = sd_bus_new(&peer->bus);
	if (r < 0) {
		free(peer);
		return r;
	}
	peer->next = manager->peers;
	peer->link = &manager->peers;
	if (peer->next)
		peer->next->link = &peer->next;
	manager->peers = peer;
	if (++manager->n_peers == PEERS_MAX)
		(void)sd_event_source_set_enabled(manager->listener, SD_EVENT_OFF);
	*ret = peer;
	return 0;
}

static int peer_export(struct peer *peer)
{
	int r = sd_bus_add_object_vtable(peer->bus, NULL, PATH, INTERFACE, vtable, peer);

	if (r >= 0)
		r = sd_bus_match_signal_async(peer->bus, NULL, "org.freedesktop.DBus.Local",
					      "/org/freedesktop/DBus/Local",
					      "org.freedesktop.DBus.Local", "Disconnected",
					      on_disconnected, NULL, peer);
	if (r >= 0)
		r = sd_bus_attach_event(peer->bus, peer->manager->event, SD_EVENT_PRIORITY_NORMAL);
	return r;
}

static int on_peer_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	peer_free(userdata);
	return 0;
}

/* Takes over @fd. A client that has gone already makes sd_bus_start() fail. */
static int peer_serve(struct peer *peer, int fd)
{
	struct ucred ucred;
	socklen_t size = sizeof(ucred);
	sd_id128_t id;
	int r = sd_bus_set_fd(peer->bus, fd, fd);

	if (r < 0) {
		close(fd);
		return r;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &ucred, &size) < 0)
		return -errno;
	peer->uid = ucred.uid;
	r = sd_event_add_time_relative(peer->manager->event, &peer->deadline, CLOCK_MONOTONIC,
				       PEER_USEC, 0, on_peer_deadline, peer);
	if (r >= 0)
		r = sd_id128_randomize(&id);
	if (r >= 0)
		r = sd_bus_set_server(peer->bus, true, id);
	if (r >= 0)
		r = sd_bus_start(peer->bus);
	return r < 0 ? r : peer_export(peer);
}

static int on_private(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct manager *manager = userdata;
	struct peer *peer;
	int client_fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)source;
	(void)events;
	if (client_fd < 0)
		return 0;
	if (peer_new(manager, &peer) < 0)
		close(client_fd);
	else if (peer_serve(peer, client_fd) < 0)
		peer_free(peer);
	return 0;
}

static void on_job_removed(const char *unit, void *userdata)
{
	struct manager *manager = userdata;

	reconcile_unit(manager->reconcile, unit);
}

static void on_reloaded(void *userdata)
{
	struct manager *manager = userdata;

	reconcile_all(manager->reconcile);
}

static int on_name(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct peer *peer = userdata;

	(void)error;
	if (sd_bus_message_is_method_error(m, NULL))
		journal(LOG_ERR, "cannot own %s on the system bus: %s", NAME,
			sd_bus_message_get_error(m)->message);
	/* What happened before we could hear of it is looked up. */
	reconcile_set_told(peer->manager->reconcile, true);
	reconcile_all(peer->manager->reconcile);
	return 0;
}

/* The socket is waited for: early in the boot there is no bus. */
static int manager_join(struct manager *manager)
{
	static const struct unit_signals signals = { on_job_removed, on_reloaded };
	struct peer *peer;
	int r = peer_new(manager, &peer);

	if (r < 0)
		return r;
	r = sd_bus_set_address(peer->bus, SYSTEM_ADDRESS);
	if (r >= 0)
		r = sd_bus_set_bus_client(peer->bus, true);
	if (r >= 0)
		r = sd_bus_set_watch_bind(peer->bus, true);
	if (r >= 0)
		r = sd_bus_start(peer->bus);
	if (r >= 0)
		r = peer_export(peer);
	if (r >= 0)
		r = unit_subscribe(peer->bus, &signals, manager);
	if (r >= 0)
		r = sd_bus_request_name_async(peer->bus, NULL, NAME, 0, on_name, peer);
	if (r < 0)
		peer_free(peer);
	return r < 0 ? r : 0;
}

static int on_rejoin(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct manager *manager = userdata;
	int r = manager_join(manager);

	(void)usec;
	if (r >= 0)
		return 0;
	journal(LOG_WARNING, "cannot join the system bus: %s", strerror(-r));
	(void)sd_event_source_set_time_relative(source, REJOIN_USEC);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/**
 * manager_new() - prepare; nothing is served before manager_start()
 * @private_fd: a listening socket, or -1; stays the caller's
 * @ret: set only on success; see manager_free()
 *
 * Return: 0 or -Exxx
 */
int manager_new(sd_event *event, int private_fd, struct reconcile *reconcile,
		struct manager **ret)
{
	struct manager *manager = calloc(1, sizeof(*manager));

	if (!manager)
		return -ENOMEM;
	manager->event = sd_event_ref(event);
	manager->private_fd = private_fd;
	manager->reconcile = reconcile;
	*ret = manager;
	return 0;
}

/**
 * manager_start() - serve the private socket, and the system bus when it appears
 *
 * Return: 0 or -Exxx
 */
int manager_start(struct manager *manager)
{
	int r = 0;

	if (manager->private_fd >= 0)
		r = sd_event_add_io(manager->event, &manager->listener, manager->private_fd,
				    EPOLLIN, on_private, manager);
	/* One that cannot be accepted, for want of descriptors, is there again at once. */
	if (r >= 0 && manager->listener)
		r = sd_event_source_set_ratelimit(manager->listener, ACCEPT_USEC, PEERS_MAX);
	if (r >= 0)
		r = sd_event_add_time_relative(manager->event, &manager->rejoin, CLOCK_MONOTONIC,
					       0, 0, on_rejoin, manager);
	if (r >= 0)
		r = sd_event_add_time_relative(manager->event, &manager->changes, CLOCK_MONOTONIC,
					       0, 0, on_changes, manager);
	if (r < 0)
		return r;
	reconcile_grants(manager->reconcile)->telling = on_news;
	reconcile_grants(manager->reconcile)->telling_userdata = manager;
	return 0;
}

/**
 * manager_free() - leave all buses
 * @manager: may be NULL
 *
 * Return: NULL
 */
struct manager *manager_free(struct manager *manager)
{
	if (!manager)
		return NULL;
	while (manager->peers)
		peer_free(manager->peers);
	sd_event_source_disable_unref(manager->listener);
	sd_event_source_disable_unref(manager->rejoin);
	sd_event_source_disable_unref(manager->changes);
	reconcile_grants(manager->reconcile)->telling = NULL;
	sd_event_unref(manager->event);
	free(manager);
	return NULL;
}
