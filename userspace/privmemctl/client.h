/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PRIVMEMCTL_CLIENT_H
#define PRIVMEMCTL_CLIENT_H

/* The one file that talks to privmemd. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan.h"

/* What the tool and the hook exit with; the names are those systemd prints for them. */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_NO_KERNEL_SUPPORT = 3,
	EXIT_NOT_PERMITTED = 4,
	EXIT_NO_ANSWER = 7,
	EXIT_NO_ROOM = 8,
	EXIT_NOT_FOUND = 9,
};

#define CLIENT_UNLIMITED UINT64_MAX
#define CLIENT_NO_NODE UINT32_MAX /* of a unit refused before its nodes were known */

/* A private node, as privmemd's ListNodes() tells it. */
struct node_row {
	uint32_t nid;
	int is_online; /* int: what sd-bus reads a boolean into */
	char *name, *owner, *device;
	uint64_t capacity_bytes, room_bytes, reserved_bytes, used_bytes, free_bytes;
};

/* What one unit has, or wants, of one node. */
struct grant_row {
	char *unit, *control_group, *draws_from, *reason;
	uint32_t nid;
	int is_effective;
	uint64_t requested_bytes, reserved_bytes, limit_bytes, current_bytes, peak_bytes;
};

struct node_rows {
	struct node_row *rows;
	size_t n_rows;
};

struct grant_rows {
	struct grant_row *rows;
	size_t n_rows;
};

/* Why a call failed: the exit code for it and a line for people. */
struct client_error {
	enum exit_code code;
	char text[1024];
};

struct client;

int client_open(struct client **ret, struct client_error *ret_error);
void client_close(struct client *client);
enum exit_code client_complain(const char *about, const struct client_error *error);

int client_get_facts(struct client *client, char **ret_version, bool *ret_kernel_support,
		     struct client_error *ret_error);
int client_list_nodes(struct client *client, struct node_rows *ret, struct client_error *ret_error);
int client_list_grants(struct client *client, struct grant_rows *ret,
		       struct client_error *ret_error);
int client_get_grants(struct client *client, const char *unit_or_cgroup, struct grant_rows *ret,
		      struct client_error *ret_error);
int client_apply(struct client *client, const char *unit, struct client_error *ret_error);
int client_grant_cgroup(struct client *client, const char *path, const char *nodes,
			const struct plan_limit *limits, size_t n_limits,
			struct client_error *ret_error);
int client_set_cgroup_limit(struct client *client, const char *path, const char *node,
			    const char *size, struct client_error *ret_error);
int client_revoke_cgroup(struct client *client, const char *path, const char *nodes,
			 struct client_error *ret_error);

void node_rows_done(struct node_rows *rows);
void grant_rows_done(struct grant_rows *rows);
const struct node_row *node_rows_find(const struct node_rows *rows, uint32_t nid);

#endif
