// SPDX-License-Identifier: LGPL-2.1-or-later
#include "manager.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-id128.h>

#include "journal.h"
#include "rows.h"

#define NAME "org.privmem1"
#define PATH "/org/privmem1"
#define INTERFACE NAME ".Manager"
#define ERROR(name) NAME ".Error." name
#define SYSTEM_ADDRESS "unix:path=/run/dbus/system_bus_socket"
#define REJOIN_USEC (2 * UINT64_C(1000000))
/* Anyone may connect to the private socket, so nobody may stay. */
#define PEERS_MAX 64
/* Of these, so many are root's alone: whoever holds all others keeps no admin out. */
#define PEERS_ROOT 16
#define PEER_USEC (60 * UINT64_C(1000000))

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
	sd_event_source *listener, *rejoin;
	struct reconcile *reconcile;
	struct peer *peers;
	unsigned int n_peers;
	int private_fd;
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
		return sd_bus_error_setf(error, ERROR("NoSuchUnit"),
					 "%s has no grant of private memory", unit);
	grants_refresh_nodes(grants);
	r = reply_rows(call, &reply);
	if (r >= 0)
		r = rows_append_grant(reply, grants, grant);
	return send_rows(reply, r);
}

static bool path_is_plain(const char *path)
{
	return path[0] == '/' && !strstr(path, "/../") && !strstr(path, "/./") &&
	       strlen(path) < 4096 &&
	       (strlen(path) < 3 || strcmp(path + strlen(path) - 3, "/..") != 0);
}

static int on_get_control_group(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	struct grants *grants = peer_grants(userdata);
	sd_bus_message *reply = NULL;
	const struct grant *grant;
	const char *path, *name;
	int r = sd_bus_message_read(call, "s", &path);

	if (r < 0)
		return r;
	if (!path_is_plain(path))
		return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
					 "not the path of a cgroup below the root: %.200s", path);
	if (!cgroup_has_support(grants->root_fd))
		return sd_bus_error_set(error, ERROR("NoKernelSupport"),
					"this kernel has no private memory nodes");
	name = strrchr(path, '/') + 1;
	grant = grants_find(grants, name[0] == '_' ? name + 1 : name);
	r = reply_rows(call, &reply);
	if (r >= 0 && grant && strcmp(grant->cgroup, path) == 0)
		r = rows_append_grant(reply, grants, grant);
	else if (r >= 0)
		r = rows_append_cgroup(reply, grants, path);
	if (r == -ENOENT || r == -ENOTDIR) {
		sd_bus_message_unref(reply);
		return sd_bus_error_setf(error, ERROR("NoSuchUnit"),
					 "%s: no such cgroup with private memory files", path);
	}
	return send_rows(reply, r);
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

static const char *error_of(enum code code)
{
	switch (code) {
	case CODE_NO_SUPPORT:
		return ERROR("NoKernelSupport");
	case CODE_NOT_PERMITTED:
		return ERROR("NotPermitted");
	case CODE_NO_ROOM:
		return ERROR("NoRoom");
	case CODE_NO_UNIT:
		return ERROR("NoSuchUnit");
	case CODE_NO_NODE:
		return ERROR("NoSuchNode");
	case CODE_BAD_DIRECTIVE:
		return ERROR("InvalidDirective");
	default:
		return ERROR("Failed");
	}
}

static void on_applied(const struct verdict *verdict, void *userdata)
{
	sd_bus_message *call = userdata;

	if (verdict->code == CODE_DONE)
		(void)sd_bus_reply_method_return(call, NULL);
	else
		(void)sd_bus_reply_method_errorf(call, error_of(verdict->code), "%s",
						 verdict->text);
	sd_bus_message_unref(call);
}

static int on_apply_unit(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	struct peer *peer = userdata;
	struct request *request;
	const char *unit;
	int r = sd_bus_message_read(call, "s", &unit);

	if (r < 0)
		return r;
	if (!peer_is_root(peer, call))
		return sd_bus_error_set(error, ERROR("NotPermitted"),
					"only root may apply grants");
	r = request_new(peer->manager->reconcile, unit, false, NULL, on_applied,
			sd_bus_message_ref(call), &request);
	if (r >= 0)
		return 1;
	sd_bus_message_unref(call);
	if (r == -EINVAL)
		return sd_bus_error_setf(error, ERROR("NoSuchUnit"),
					 "\"%.200s\" is no name of a service, slice or scope",
					 unit);
	return sd_bus_error_setf(error, ERROR("Failed"), "cannot ask the system manager: %s",
				 strerror(-r));
}

static int get_version(sd_bus *bus, const char *path, const char *interface, const char *property,
		       sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	(void)bus, (void)path, (void)interface, (void)property, (void)userdata, (void)error;
	return sd_bus_message_append(reply, "s", PRIVMEM_VERSION);
}

static int get_kernel_support(sd_bus *bus, const char *path, const char *interface,
			      const char *property, sd_bus_message *reply, void *userdata,
			      sd_bus_error *error)
{
	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	return sd_bus_message_append(reply, "b",
				     cgroup_has_support(peer_grants(userdata)->root_fd));
}

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("ListNodes", "", "aa{sv}", on_list_nodes, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("ListGrants", "", "aa{sv}", on_list_grants, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("GetUnit", "s", "aa{sv}", on_get_unit, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("GetControlGroup", "s", "aa{sv}", on_get_control_group,
		      SD_BUS_VTABLE_UNPRIVILEGED),
	/* Checks for itself, since capabilities of a peer are not to be had everywhere. */
	SD_BUS_METHOD("ApplyUnit", "s", "", on_apply_unit, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("KernelSupport", "b", get_kernel_support, 0, 0),
	SD_BUS_VTABLE_END
};

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
	if (peer->uid != 0 && peer->manager->n_peers > PEERS_MAX - PEERS_ROOT)
		return -EUSERS;
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
	if (r >= 0)
		r = sd_event_add_time_relative(manager->event, &manager->rejoin, CLOCK_MONOTONIC,
					       0, 0, on_rejoin, manager);
	return r < 0 ? r : 0;
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
	sd_event_unref(manager->event);
	free(manager);
	return NULL;
}
