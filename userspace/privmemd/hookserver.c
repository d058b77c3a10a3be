// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hookserver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "journal.h"

#define LINE_MAX_BYTES 1024
#define CLIENTS_MAX 256
#define DEADLINE_USEC (25 * UINT64_C(1000000))
/* At most CLIENTS_MAX are met in this time. */
#define ACCEPT_USEC UINT64_C(100000)

struct hookserver {
	sd_event *event;
	sd_event_source *listener;
	struct reconcile *reconcile;
	struct client *clients;
	unsigned int n_clients;
	int listen_fd;
};

struct client {
	struct hookserver *server;
	struct client *next, **link;
	sd_event_source *io, *deadline;
	struct request *request;
	int fd;
	size_t length;
	char line[LINE_MAX_BYTES + 1];
};

/**
 * hook_line_parse() - take a client's line apart
 * @line: without its newline; cut into pieces that @ret points to
 * @ret: set only on success
 * @ret_reason: set only on failure, static
 *
 * Return: 0 or -EINVAL
 */
int hook_line_parse(char *line, struct hook_line *ret, const char **ret_reason)
{
	struct hook_line parsed = {};
	char *rest = NULL, *word = strtok_r(line, " ", &rest), *max;

	parsed.is_slice = word && strcmp(word, "slice") == 0;
	if (parsed.is_slice || (word && strcmp(word, "unit") == 0))
		parsed.unit = strtok_r(NULL, " ", &rest);
	if (!parsed.unit) {
		*ret_reason = "expected \"unit NAME\" or \"slice NAME\"";
		return -EINVAL;
	}
	if (parsed.is_slice && (!strrchr(parsed.unit, '.') ||
				strcmp(strrchr(parsed.unit, '.'), ".slice") != 0)) {
		*ret_reason = "the name is not that of a slice";
		return -EINVAL;
	}
	if (*rest) {
		if (parsed.is_slice || strncmp(rest, "nodes=", strlen("nodes=")) != 0) {
			*ret_reason = "expected nothing or \"nodes=LIST\" after the name";
			return -EINVAL;
		}
		parsed.nodes = rest + strlen("nodes=");
		max = strstr(rest, " max=");
		if (max) {
			*max = '\0';
			parsed.max = max + strlen(" max=");
		}
	}
	*ret = parsed;
	return 0;
}

static void client_free(struct client *client)
{
	struct hookserver *server = client->server;

	if (client->request)
		request_abandon(client->request);
	*client->link = client->next;
	if (client->next)
		client->next->link = client->link;
	sd_event_source_disable_unref(client->io);
	sd_event_source_disable_unref(client->deadline);
	close(client->fd);
	free(client);
	if (server->n_clients-- == CLIENTS_MAX)
		(void)sd_event_source_set_enabled(server->listener, SD_EVENT_ON);
}

/* The line is short and the socket's buffer empty: what does not fit at once never will. */
static void client_reply(struct client *client, enum code code, const char *reason)
{
	char line[LINE_MAX_BYTES];
	int status = code == CODE_NO_NODE ? CODE_NO_UNIT :
		     code == CODE_BAD_DIRECTIVE ? CODE_FAILED : code;

	snprintf(line, sizeof(line) - 1, "%d %s", status, reason);
	for (char *c = line; *c; c++)
		if (*c == '\n')
			*c = ' ';
	strcat(line, "\n");
	(void)send(client->fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT);
	client_free(client);
}

static void on_verdict(const struct verdict *verdict, void *userdata)
{
	struct client *client = userdata;

	client->request = NULL;
	client_reply(client, verdict->code, verdict->text);
}

static void client_handle(struct client *client)
{
	char text[2 * LINE_MAX_BYTES];
	struct hook_line parsed = {};
	struct wish wish = {};
	const char *reason;
	int r = hook_line_parse(client->line, &parsed, &reason);

	if (r >= 0 && parsed.nodes)
		r = wish_parse_request(parsed.nodes, parsed.max,
				       reconcile_names(client->server->reconcile), &wish, &reason);
	if (r < 0) {
		snprintf(text, sizeof(text), "%s%s%s%s%s%s", parsed.nodes ? "--nodes=" : "",
			 parsed.nodes ?: "", parsed.max ? " --max=" : "", parsed.max ?: "",
			 parsed.nodes ? ": " : "", reason);
		client_reply(client, r == -ENODEV ? CODE_NO_NODE : CODE_USAGE, text);
		return;
	}
	r = request_new(client->server->reconcile, parsed.unit, parsed.is_slice,
			parsed.nodes ? &wish : NULL, on_verdict, client, &client->request);
	wish_done(&wish);
	if (r == -EINVAL) {
		client_reply(client, CODE_USAGE, "that is no name of a service, slice or scope");
	} else if (r < 0) {
		snprintf(text, sizeof(text), "cannot ask the system manager: %s", strerror(-r));
		client_reply(client, CODE_FAILED, text);
	}
}

static int on_client(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct client *client = userdata;
	ssize_t got = recv(fd, client->line + client->length, LINE_MAX_BYTES - client->length,
			   MSG_DONTWAIT);
	char *end;

	(void)source;
	(void)events;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got <= 0 || client->request) {
		client_free(client);
		return 0;
	}
	client->length += got;
	client->line[client->length] = '\0';
	end = memchr(client->line, '\n', client->length);
	if (end && strlen(client->line) == client->length && !end[1]) {
		*end = '\0';
		client_handle(client);
	} else if (end || client->length == LINE_MAX_BYTES) {
		client_reply(client, CODE_USAGE, "expected one line of at most 1024 bytes");
	}
	return 0;
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct client *client = userdata;

	(void)source;
	(void)usec;
	client_reply(client, CODE_FAILED, client->request ? "the system manager does not answer" :
		     "no request came");
	return 0;
}

static int client_new(struct hookserver *server, int fd)
{
	struct client *client = calloc(1, sizeof(*client));
	int r;

	if (!client) {
		close(fd);
		return -ENOMEM;
	}
	client->server = server;
	client->fd = fd;
	client->next = server->clients;
	client->link = &server->clients;
	if (client->next)
		client->next->link = &client->next;
	server->clients = client;
	if (++server->n_clients == CLIENTS_MAX)
		(void)sd_event_source_set_enabled(server->listener, SD_EVENT_OFF);
	r = sd_event_add_io(server->event, &client->io, fd, EPOLLIN, on_client, client);
	if (r >= 0)
		r = sd_event_add_time_relative(server->event, &client->deadline, CLOCK_MONOTONIC,
					       DEADLINE_USEC, 0, on_deadline, client);
	if (r < 0)
		client_free(client);
	return r;
}

static int on_listener(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct hookserver *server = userdata;
	struct ucred peer;
	socklen_t size = sizeof(peer);
	int client_fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)source;
	(void)events;
	if (client_fd < 0)
		return 0;
	if (getsockopt(client_fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != 0) {
		static const char refusal[] = "4 only root may apply grants\n";

		(void)send(client_fd, refusal, sizeof(refusal) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		close(client_fd);
		return 0;
	}
	if (client_new(server, client_fd) < 0)
		journal(LOG_ERR, "cannot serve a hook: out of memory or file descriptors");
	return 0;
}

/**
 * hookserver_new() - prepare; clients wait in the socket's queue until hookserver_start()
 * @listen_fd: stays the caller's
 * @ret: set only on success; see hookserver_free()
 *
 * Return: 0 or -Exxx
 */
int hookserver_new(sd_event *event, int listen_fd, struct reconcile *reconcile,
		   struct hookserver **ret)
{
	struct hookserver *server = calloc(1, sizeof(*server));

	if (!server)
		return -ENOMEM;
	server->event = sd_event_ref(event);
	server->listen_fd = listen_fd;
	server->reconcile = reconcile;
	*ret = server;
	return 0;
}

/**
 * hookserver_start() - begin to serve
 */
int hookserver_start(struct hookserver *server)
{
	int r = sd_event_add_io(server->event, &server->listener, server->listen_fd, EPOLLIN,
				on_listener, server);

	/* One that cannot be accepted, for want of descriptors, is there again at once. */
	return r < 0 ? r : sd_event_source_set_ratelimit(server->listener, ACCEPT_USEC, CLIENTS_MAX);
}

/**
 * hookserver_free() - drop all clients
 * @server: may be NULL
 *
 * Return: NULL
 */
struct hookserver *hookserver_free(struct hookserver *server)
{
	if (!server)
		return NULL;
	while (server->clients)
		client_free(server->clients);
	sd_event_source_disable_unref(server->listener);
	sd_event_unref(server->event);
	free(server);
	return NULL;
}
