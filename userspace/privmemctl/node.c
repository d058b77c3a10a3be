/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * privmemctl node online|offline DAXDEV - the memory of a dax device that kmem holds as a private
 * node. The kernel takes all of it away or nothing.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answers.h"
#include "size.h"
#include "verbs.h"

#define DAX_ROOT "/sys/bus/dax/devices/"

static int write_state(const char *device, const char *state)
{
	char path[sizeof(DAX_ROOT "/state") + 64];
	int fd, r = 0;

	snprintf(path, sizeof(path), DAX_ROOT "%s/state", device);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, state, strlen(state)) < 0)
		r = -errno;
	close(fd);
	return r;
}

static bool is_device_of(const struct node_row *row, const char *device)
{
	size_t length = strlen(device);

	for (const char *at = row->device; (at = strstr(at, device)); at += length)
		if ((at == row->device || at[-1] == ' ') && (!at[length] || at[length] == ' '))
			return true;
	return false;
}

/* Who is in the way, as far as privmemd knows. */
static void print_users(const char *device)
{
	struct answers answers = {};
	struct client_error error;

	if (answers_ask(&answers, &error) >= 0)
		for (size_t i = 0; i < answers.grants.n_rows; i++) {
			const struct grant_row *row = &answers.grants.rows[i];
			const struct node_row *node = node_rows_find(&answers.nodes, row->nid);
			char *size;

			if (!node || !row->current_bytes || !is_device_of(node, device))
				continue;
			size = size_format(row->current_bytes);
			fprintf(stderr, "privmemctl: node%u: %s in use by %s\n", row->nid,
				size ?: "?", *row->unit ? row->unit : row->control_group);
			free(size);
		}
	answers_done(&answers);
}

static enum exit_code complain(const char *device, const char *state, int error)
{
	enum exit_code code = EXIT_FAILED;
	const char *why = strerror(-error);

	if (error == -EACCES || error == -EPERM) {
		code = EXIT_NOT_PERMITTED;
		why = "only root may do this";
	} else if (error == -EBUSY && !strcmp(state, "offline")) {
		why = "some pages cannot be moved off, so all of it is online again";
	} else if (error == -EBUSY) {
		why = "its node has ordinary memory, or private memory with other services";
	}
	fprintf(stderr, "privmemctl: %s: %s\n", device, why);
	if (error == -EBUSY && !strcmp(state, "offline"))
		print_users(device);
	return code;
}

/* What has to be done first for the device to have a state at all. */
static enum exit_code complain_stateless(const char *device)
{
	char path[sizeof(DAX_ROOT "/private") + 64];

	snprintf(path, sizeof(path), DAX_ROOT "%s", device);
	if (access(path, F_OK) < 0) {
		fprintf(stderr, "privmemctl: %s: no such dax device\n", device);
		return EXIT_NOT_FOUND;
	}
	snprintf(path, sizeof(path), DAX_ROOT "%s/private", device);
	if (access(path, F_OK) < 0) {
		fprintf(stderr, "privmemctl: this kernel has no private memory nodes\n");
		return EXIT_NO_KERNEL_SUPPORT;
	}
	fprintf(stderr, "privmemctl: %s: not private memory that kmem holds: set its \"private\" to 1"
		" and bind it to kmem\n", device);
	return EXIT_FAILED;
}

/**
 * verb_node() - bring the private memory of a device up, or take it away
 * @arguments: "online" or "offline", name of the device
 * @options: none
 *
 * Return: what to exit with.
 */
enum exit_code verb_node(char *const *arguments, const struct options *options)
{
	const char *state = arguments[0], *device = arguments[1];
	int r;

	(void)options;
	if (strcmp(state, "online") && strcmp(state, "offline")) {
		fprintf(stderr, "privmemctl: node: \"%s\" is neither online nor offline\n", state);
		return EXIT_USAGE;
	}
	if (strlen(device) > 64 || strchr(device, '/') || device[0] == '.') {
		fprintf(stderr, "privmemctl: \"%.64s\" is no name of a dax device\n", device);
		return EXIT_USAGE;
	}
	r = write_state(device, state);
	if (r == -ENOENT)
		return complain_stateless(device);
	return r < 0 ? complain(device, state, r) : EXIT_DONE;
}
