/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The hook's socket: the line, what it asks for, and how the daemon serves it. The input is what a
 * client sends, with a form feed where it pauses.
 */
#include <signal.h>

#include "fuzz.h"
#include "../../userspace/privmemd/hookserver.c"

static const struct nodenames no_names;

static sd_event *event;
static struct grants *grants;
static struct reconcile *reconcile;

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	require(sd_event_new(&event) >= 0);
	require(grants_new(-1, -1, 4096, &grants) == 0);
	require(reconcile_new(event, "unix:path=/nowhere", grants, &reconcile) == 0);
	return 0;
}

/* A wish is what its mark says. */
static void check_mark(const struct wish *wish)
{
	struct wish again = {};
	char *mark = wish_format_mark(wish);

	require(wish_parse_mark(mark, &again) == 0);
	require(again.is_request == wish->is_request && again.n_items == wish->n_items);
	for (size_t i = 0; i < wish->n_items; i++)
		require(again.items[i].nid == wish->items[i].nid &&
			again.items[i].limit.kind == wish->items[i].limit.kind &&
			again.items[i].limit.value == wish->items[i].limit.value);
	wish_done(&again);
	free(mark);
}

static void check_request(const struct hook_line *line)
{
	struct wish wish = {};
	const char *reason = NULL;

	if (!line->nodes)
		return;
	if (wish_parse_request(line->nodes, line->max, &no_names, &wish, &reason) < 0) {
		require(fuzz_is_reason(reason) && !wish.items && !wish.n_items);
		return;
	}
	require(wish.n_items > 0 && wish.is_request && !reason);
	check_mark(&wish);
	wish_done(&wish);
}

/* A line that was understood says the same when it is put together again. */
static void check_line(const char *text)
{
	struct hook_line parsed = { .unit = "untouched" }, again;
	char *copy = strdup(text), *joined;
	const char *reason = NULL;

	if (hook_line_parse(copy, &parsed, &reason) < 0) {
		require(fuzz_is_reason(reason) && !strcmp(parsed.unit, "untouched"));
		free(copy);
		return;
	}
	require(!reason);
	require(asprintf(&joined, "%s %s%s%s%s%s", parsed.is_slice ? "slice" : "unit", parsed.unit,
			 parsed.nodes ? " nodes=" : "", parsed.nodes ?: "",
			 parsed.max ? " max=" : "", parsed.max ?: "") >= 0);
	require(hook_line_parse(joined, &again, &reason) == 0);
	require(again.is_slice == parsed.is_slice && !strcmp(again.unit, parsed.unit));
	require(!again.nodes == !parsed.nodes && !again.max == !parsed.max);
	require(!again.nodes || !strcmp(again.nodes, parsed.nodes));
	require(!again.max || !strcmp(again.max, parsed.max));
	check_request(&parsed);
	free(joined);
	free(copy);
}

/* One line: a number the hook can end with, and why. */
static void check_answer(const char *answer, size_t length)
{
	require(length > 3 && length <= LINE_MAX_BYTES && answer[length - 1] == '\n');
	require(answer[0] >= '0' && answer[0] <= '9' && answer[1] == ' ');
	require(memchr(answer, '\n', length) == answer + length - 1);
	require(!memchr(answer, '\0', length));
}

static void check_served(const uint8_t *data, size_t size)
{
	struct hookserver server = { .event = event, .reconcile = reconcile };
	char answer[2 * LINE_MAX_BYTES];
	bool is_whole = size > 1 && size <= LINE_MAX_BYTES && data[size - 1] == '\n' &&
			!memchr(data, '\f', size);
	ssize_t got;
	int fds[2];

	require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
	require(client_new(&server, fds[0]) >= 0);
	while (size) {
		size_t length;
		const uint8_t *piece = fuzz_piece(&data, &size, '\f', &length);

		(void)!send(fds[1], piece, length, MSG_NOSIGNAL);
		while (sd_event_run(event, 0) > 0)
			;
	}
	got = recv(fds[1], answer, sizeof(answer), 0);
	if (got > 0)
		check_answer(answer, (size_t)got);
	/* A whole line is answered, and who was answered is let go. */
	require(!is_whole || got > 0);
	require(got <= 0 || !server.clients);
	while (server.clients)
		client_free(server.clients);
	close(fds[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);

	check_line(text);
	check_served(data, size);
	free(text);
	return 0;
}
