/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PRIVMEMCTL_ANSWERS_H
#define PRIVMEMCTL_ANSWERS_H

/* All that privmemd has to say, asked before anything is printed. */

#include "client.h"

struct answers {
	struct client *client;
	char *version;
	bool has_kernel_support;
	struct node_rows nodes;
	struct grant_rows grants;
};

int answers_ask_nodes(struct answers *answers, struct client_error *ret_error);
int answers_ask(struct answers *answers, struct client_error *ret_error);
void answers_done(struct answers *answers);

#endif
