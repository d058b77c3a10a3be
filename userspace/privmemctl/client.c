/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls of org.privmem1.Manager. The private socket is tried first, since it is there before the
 * system bus is; who may not open it, or finds nobody behind it, is served over the bus. Rows are
 * dictionaries, so fields that a newer privmemd adds are passed over.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "client.h"
#include "peer.h"

#ifndef CLIENT_PRIVATE_SOCKET
#define CLIENT_PRIVATE_SOCKET "/run/privmem/private"
#endif

#define CLIENT_OBJECT "/org/privmem1"
#define CLIENT_INTERFACE "org.privmem1.Manager"

struct client {
	sd_bus *bus;
	const char *destination; /* NULL on the private socket, where there is no bus to route */
};

/* How one field of a row is found and where it goes. */
struct field {
	const char *key;
	char type;
	size_t offset;
};

#define NODE_FIELD(key, type, member) { key, type, offsetof(struct node_row, member) }
#define GRANT_FIELD(key, type, member) { key, type, offsetof(struct grant_row, member) }

static const struct field node_fields[] = {
	NODE_FIELD("Node", 'u', nid),
	NODE_FIELD("Online", 'b', is_online),
	NODE_FIELD("Name", 's', name),
	NODE_FIELD("Owner", 's', owner),
	NODE_FIELD("Device", 's', device),
	NODE_FIELD("Capacity", 't', capacity_bytes),
	NODE_FIELD("Room", 't', room_bytes),
	NODE_FIELD("Reserved", 't', reserved_bytes),
	NODE_FIELD("Used", 't', used_bytes),
	NODE_FIELD("Free", 't', free_bytes),
	{},
};

static const struct field grant_fields[] = {
	GRANT_FIELD("Unit", 's', unit),
	GRANT_FIELD("ControlGroup", 's', control_group),
	GRANT_FIELD("Node", 'u', nid),
	GRANT_FIELD("Requested", 't', requested_bytes),
	GRANT_FIELD("Reserved", 't', reserved_bytes),
	GRANT_FIELD("DrawsFrom", 's', draws_from),
	GRANT_FIELD("Effective", 'b', is_effective),
	GRANT_FIELD("Limit", 't', limit_bytes),
	GRANT_FIELD("Current", 't', current_bytes),
	GRANT_FIELD("Peak", 't', peak_bytes),
	GRANT_FIELD("Reason", 's', reason),
	{},
};

static const struct {
	const char *name;
	enum exit_code code;
} error_codes[] = {
	{ "org.privmem1.Error.NoRoom", EXIT_NO_ROOM },
	{ "org.privmem1.Error.NoSuchUnit", EXIT_NOT_FOUND },
	{ "org.privmem1.Error.NoSuchNode", EXIT_NOT_FOUND },
	{ "org.privmem1.Error.NoKernelSupport", EXIT_NO_KERNEL_SUPPORT },
	{ "org.privmem1.Error.NotPermitted", EXIT_NOT_PERMITTED },
	{ SD_BUS_ERROR_INVALID_ARGS, EXIT_USAGE },
	{ SD_BUS_ERROR_ACCESS_DENIED, EXIT_NOT_PERMITTED },
	{ SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, EXIT_NOT_PERMITTED },
	{ SD_BUS_ERROR_SERVICE_UNKNOWN, EXIT_NO_ANSWER },
	{ SD_BUS_ERROR_NAME_HAS_NO_OWNER, EXIT_NO_ANSWER },
	{ SD_BUS_ERROR_NO_REPLY, EXIT_NO_ANSWER },
	{ SD_BUS_ERROR_TIMEOUT, EXIT_NO_ANSWER },
	{ "org.freedesktop.DBus.Error.TimedOut", EXIT_NO_ANSWER },
	{ SD_BUS_ERROR_DISCONNECTED, EXIT_NO_ANSWER },
	{ "org.freedesktop.systemd1.NoSuchUnit", EXIT_NO_ANSWER },
	{ "org.freedesktop.systemd1.UnitMasked", EXIT_NO_ANSWER },
};

static bool is_connection_lost(int r)
{
	return r == -ENOTCONN || r == -ECONNRESET || r == -ETIMEDOUT || r == -EPIPE;
}

/* Puts a failed call into @ret_error and hands @r on. */
static int fail(int r, const sd_bus_error *error, struct client_error *ret_error)
{
	const char *name = error && error->name ? error->name : "";
	const char *message = error && error->message ? error->message : strerror(-r);
	const char *what = "";

	ret_error->code = is_connection_lost(r) ? EXIT_NO_ANSWER : EXIT_FAILED;
	for (size_t i = 0; i < sizeof(error_codes) / sizeof(*error_codes); i++)
		if (!strcmp(name, error_codes[i].name))
			ret_error->code = error_codes[i].code;
	if (ret_error->code == EXIT_NO_ANSWER)
		what = "privmemd does not answer: ";
	snprintf(ret_error->text, sizeof(ret_error->text), "%s%s", what, message);
	return r;
}

/**
 * client_open() - connect to privmemd
 * @ret: set only on success; see client_close()
 * @ret_error: set only on failure
 *
 * Return: 0, or -Exxx when neither way leads anywhere.
 */
int client_open(struct client **ret, struct client_error *ret_error)
{
	struct client *client = calloc(1, sizeof(*client));
	int r, private_r;

	if (!client)
		return fail(-ENOMEM, NULL, ret_error);
	private_r = peer_open("unix:path=" CLIENT_PRIVATE_SOCKET, &client->bus);
	if (private_r < 0) {
		client->destination = "org.privmem1";
		r = sd_bus_open_system(&client->bus);
		if (r < 0) {
			free(client);
			ret_error->code = EXIT_NO_ANSWER;
			snprintf(ret_error->text, sizeof(ret_error->text),
				 "privmemd does not answer: %s: %s; system bus: %s",
				 CLIENT_PRIVATE_SOCKET, strerror(-private_r), strerror(-r));
			return r;
		}
	}
	*ret = client;
	return 0;
}

/**
 * client_close() - hang up
 * @client: may be NULL
 */
void client_close(struct client *client)
{
	if (!client)
		return;
	sd_bus_flush_close_unref(client->bus);
	free(client);
}

static int read_field(sd_bus_message *message, const struct field *field, void *row)
{
	const char type[2] = { field->type, '\0' }, *text;
	char **into = (char **)((char *)row + field->offset);
	int r;

	r = sd_bus_message_enter_container(message, SD_BUS_TYPE_VARIANT, type);
	if (r < 0)
		return r;
	if (field->type == 's') {
		r = sd_bus_message_read_basic(message, 's', &text);
		if (r >= 0) {
			free(*into);
			*into = strdup(text);
			r = *into ? 0 : -ENOMEM;
		}
	} else {
		r = sd_bus_message_read_basic(message, field->type, into);
	}
	return r < 0 ? r : sd_bus_message_exit_container(message);
}

/* Reads one a{sv}; returns 1 for a row, 0 at the end of the array. */
static int read_row(sd_bus_message *message, const struct field *fields, void *row)
{
	const char *key;
	int r;

	r = sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, "{sv}");
	if (r <= 0)
		return r;
	while ((r = sd_bus_message_enter_container(message, SD_BUS_TYPE_DICT_ENTRY, "sv")) > 0) {
		const struct field *field = fields;

		r = sd_bus_message_read_basic(message, 's', &key);
		if (r < 0)
			return r;
		while (field->key && strcmp(field->key, key))
			field++;
		r = field->key ? read_field(message, field, row) :
				 sd_bus_message_skip(message, "v");
		if (r >= 0)
			r = sd_bus_message_exit_container(message);
		if (r < 0)
			return r;
	}
	if (r >= 0)
		r = sd_bus_message_exit_container(message);
	return r < 0 ? r : 1;
}

/* Makes room for one more zeroed row and returns it; NULL when memory ran out. */
static void *append_row(void **rows, size_t *n_rows, size_t size)
{
	char *grown = reallocarray(*rows, *n_rows + 1, size);

	if (!grown)
		return NULL;
	*rows = grown;
	grown += *n_rows * size;
	memset(grown, 0, size);
	(*n_rows)++;
	return grown;
}

/* Reads an aa{sv}; the last of @rows is half filled when it fails. */
static int read_rows(sd_bus_message *message, const struct field *fields, size_t size, void **rows,
		     size_t *n_rows)
{
	int r;

	r = sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, "a{sv}");
	while (r >= 0) {
		void *row;

		r = sd_bus_message_at_end(message, 0);
		if (r > 0)
			return 0;
		row = r < 0 ? NULL : append_row(rows, n_rows, size);
		if (r >= 0)
			r = row ? read_row(message, fields, row) : -ENOMEM;
	}
	return r;
}

/* Calls a method with at most one string. */
static int call(struct client *client, const char *method, const char *argument,
		sd_bus_message **ret, struct client_error *ret_error)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r;

	r = sd_bus_call_method(client->bus, client->destination, CLIENT_OBJECT, CLIENT_INTERFACE,
			       method, &error, ret, argument ? "s" : NULL, argument);
	if (r < 0)
		fail(r, &error, ret_error);
	sd_bus_error_free(&error);
	return r < 0 ? r : 0;
}

static int call_for_nodes(struct client *client, const char *method, struct node_rows *ret,
			  struct client_error *ret_error)
{
	sd_bus_message *message = NULL;
	struct node_rows rows = {};
	int r;

	r = call(client, method, NULL, &message, ret_error);
	if (r < 0)
		return r;
	r = read_rows(message, node_fields, sizeof(*rows.rows), (void **)&rows.rows, &rows.n_rows);
	sd_bus_message_unref(message);
	if (r < 0) {
		node_rows_done(&rows);
		return fail(r, NULL, ret_error);
	}
	*ret = rows;
	return 0;
}

static int call_for_grants(struct client *client, const char *method, const char *argument,
			   struct grant_rows *ret, struct client_error *ret_error)
{
	sd_bus_message *message = NULL;
	struct grant_rows rows = {};
	int r;

	r = call(client, method, argument, &message, ret_error);
	if (r < 0)
		return r;
	r = read_rows(message, grant_fields, sizeof(*rows.rows), (void **)&rows.rows,
		      &rows.n_rows);
	sd_bus_message_unref(message);
	if (r < 0) {
		grant_rows_done(&rows);
		return fail(r, NULL, ret_error);
	}
	*ret = rows;
	return 0;
}

/**
 * client_list_nodes() - the private nodes
 * @client: open
 * @ret: set only on success; see node_rows_done()
 * @ret_error: set only on failure
 *
 * Return: 0 or -Exxx
 */
int client_list_nodes(struct client *client, struct node_rows *ret, struct client_error *ret_error)
{
	return call_for_nodes(client, "ListNodes", ret, ret_error);
}

/**
 * client_list_grants() - what every unit has
 * @client: open
 * @ret: set only on success; see grant_rows_done()
 * @ret_error: set only on failure
 *
 * Return: 0 or -Exxx
 */
int client_list_grants(struct client *client, struct grant_rows *ret, struct client_error *ret_error)
{
	return call_for_grants(client, "ListGrants", NULL, ret, ret_error);
}

/**
 * client_get_grants() - what one unit or cgroup has
 * @client: open
 * @unit_or_cgroup: a path, beginning with "/", is a cgroup
 * @ret: set only on success; see grant_rows_done()
 * @ret_error: set only on failure
 *
 * Return: 0 or -Exxx
 */
int client_get_grants(struct client *client, const char *unit_or_cgroup, struct grant_rows *ret,
		      struct client_error *ret_error)
{
	return call_for_grants(client, *unit_or_cgroup == '/' ? "GetControlGroup" : "GetUnit",
			       unit_or_cgroup, ret, ret_error);
}

/**
 * client_apply() - have one unit's grant applied now
 * @client: open
 * @unit: name of a running unit
 * @ret_error: set only on failure
 *
 * Return: 0 or -Exxx
 */
int client_apply(struct client *client, const char *unit, struct client_error *ret_error)
{
	sd_bus_message *message = NULL;
	int r;

	r = call(client, "ApplyUnit", unit, &message, ret_error);
	sd_bus_message_unref(message);
	return r;
}

static int new_call(struct client *client, const char *method, sd_bus_message **ret)
{
	return sd_bus_message_new_method_call(client->bus, ret, client->destination, CLIENT_OBJECT,
					      CLIENT_INTERFACE, method);
}

/* Sends @message, which is freed; @r is how making it went. */
static int finish_call(struct client *client, int r, sd_bus_message *message,
		       struct client_error *ret_error)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;

	if (r >= 0)
		r = sd_bus_call(client->bus, message, 0, &error, NULL);
	if (r < 0)
		fail(r, &error, ret_error);
	sd_bus_error_free(&error);
	sd_bus_message_unref(message);
	return r < 0 ? r : 0;
}

/**
 * client_grant_cgroup() - grant a cgroup that is no unit's more nodes, or other amounts
 * @client: open
 * @path: of the cgroup
 * @nodes: a list
 * @limits: amounts for some of them
 * @ret_error: set only on failure
 *
 * Return: 0 or -Exxx
 */
int client_grant_cgroup(struct client *client, const char *path, const char *nodes,
			const struct plan_limit *limits, size_t n_limits,
			struct client_error *ret_error)
{
	sd_bus_message *message = NULL;
	int r = new_call(client, "GrantControlGroup", &message);

	if (r >= 0)
		r = sd_bus_message_append(message, "ss", path, nodes);
	if (r >= 0)
		r = sd_bus_message_open_container(message, 'a', "(ss)");
	for (size_t i = 0; r >= 0 && i < n_limits; i++)
		r = sd_bus_message_append(message, "(ss)", limits[i].nodes, limits[i].size);
	if (r >= 0)
		r = sd_bus_message_close_container(message);
	return finish_call(client, r, message, ret_error);
}

/**
 * client_set_cgroup_limit() - change how much of a node a cgroup may use
 * @client: open
 * @ret_error: set only on failure
 *
 * Return: 0 or -Exxx
 */
int client_set_cgroup_limit(struct client *client, const char *path, const char *node,
			    const char *size, struct client_error *ret_error)
{
	sd_bus_message *message = NULL;
	int r = new_call(client, "SetControlGroupLimit", &message);

	if (r >= 0)
		r = sd_bus_message_append(message, "sss", path, node, size);
	return finish_call(client, r, message, ret_error);
}

/**
 * client_revoke_cgroup() - take nodes away from a cgroup
 * @client: open
 * @nodes: "" for all
 * @ret_error: set only on failure
 *
 * Return: 0 or -Exxx
 */
int client_revoke_cgroup(struct client *client, const char *path, const char *nodes,
			 struct client_error *ret_error)
{
	sd_bus_message *message = NULL;
	int r = new_call(client, "RevokeControlGroup", &message);

	if (r >= 0)
		r = sd_bus_message_append(message, "ss", path, nodes);
	return finish_call(client, r, message, ret_error);
}

/**
 * client_complain() - tell an error to people
 * @about: unit or cgroup, as it was typed; said once even if the message begins with it; or NULL
 *
 * Return: what to exit with.
 */
enum exit_code client_complain(const char *about, const struct client_error *error)
{
	size_t length = about ? strlen(about) : 0;

	if (length && (strncmp(error->text, about, length) || !strchr(":. ", error->text[length])))
		fprintf(stderr, "privmemctl: %s: %s\n", about, error->text);
	else
		fprintf(stderr, "privmemctl: %s\n", error->text);
	return error->code;
}

/**
 * client_get_facts() - about privmemd and the kernel it runs on
 * @client: open
 * @ret_version: set only on success; owned by the caller
 * @ret_kernel_support: set only on success
 * @ret_error: set only on failure
 *
 * Return: 0 or -Exxx
 */
int client_get_facts(struct client *client, char **ret_version, bool *ret_kernel_support,
		     struct client_error *ret_error)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	char *version = NULL;
	int r, kernel_support = 0;

	r = sd_bus_get_property_string(client->bus, client->destination, CLIENT_OBJECT,
				       CLIENT_INTERFACE, "Version", &error, &version);
	if (r >= 0)
		r = sd_bus_get_property_trivial(client->bus, client->destination, CLIENT_OBJECT,
						CLIENT_INTERFACE, "KernelSupport", &error, 'b',
						&kernel_support);
	if (r < 0) {
		fail(r, &error, ret_error);
		free(version);
	} else {
		*ret_version = version;
		*ret_kernel_support = kernel_support;
		r = 0;
	}
	sd_bus_error_free(&error);
	return r;
}

/**
 * node_rows_done() - free rows
 * @rows: empty afterwards
 */
void node_rows_done(struct node_rows *rows)
{
	for (size_t i = 0; i < rows->n_rows; i++) {
		free(rows->rows[i].name);
		free(rows->rows[i].owner);
		free(rows->rows[i].device);
	}
	free(rows->rows);
	*rows = (struct node_rows){};
}

/**
 * grant_rows_done() - free rows
 * @rows: empty afterwards
 */
void grant_rows_done(struct grant_rows *rows)
{
	for (size_t i = 0; i < rows->n_rows; i++) {
		free(rows->rows[i].unit);
		free(rows->rows[i].control_group);
		free(rows->rows[i].draws_from);
		free(rows->rows[i].reason);
	}
	free(rows->rows);
	*rows = (struct grant_rows){};
}

/**
 * node_rows_find() - look a node up
 * @rows: where
 * @nid: the node
 *
 * Return: its row, or NULL.
 */
const struct node_row *node_rows_find(const struct node_rows *rows, uint32_t nid)
{
	for (size_t i = 0; i < rows->n_rows; i++)
		if (rows->rows[i].nid == nid)
			return &rows->rows[i];
	return NULL;
}
