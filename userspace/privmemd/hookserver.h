/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The hook's end of the daemon: a stream socket on which a client sends one line
 * and gets one line back.
 *
 *	unit NAME[ nodes=LIST[ max=SIZE]]	or	slice NAME
 *	CODE REASON
 *
 * Many clients are served at a time, since a boot starts many units at a time.
 * Each has a deadline, shorter than the hook's own, so that it hears a reason.
 */
#ifndef PRIVMEM_HOOKSERVER_H
#define PRIVMEM_HOOKSERVER_H

#include <systemd/sd-event.h>

#include "request.h"

struct hookserver;

struct hook_line {
	const char *unit;
	bool is_slice;
	const char *nodes, *max;	/* NULL if not given */
};

int hook_line_parse(char *line, struct hook_line *ret, const char **ret_reason);

int hookserver_new(sd_event *event, int listen_fd, struct reconcile *reconcile,
		   struct hookserver **ret);
struct hookserver *hookserver_free(struct hookserver *server);
int hookserver_start(struct hookserver *server);

#endif
