/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests: a hook or an admin wants one unit's grant applied now and waits for
 * the verdict.
 */
#ifndef PRIVMEM_REQUEST_H
#define PRIVMEM_REQUEST_H

#include <stdbool.h>

#include "reconcile.h"

struct request;

typedef void (*request_answer_t)(const struct verdict *verdict, void *userdata);

int request_new(struct reconcile *reconcile, const char *unit, bool is_early,
		const struct wish *wish, request_answer_t answer, void *userdata,
		struct request **ret);
void request_abandon(struct request *request);

#endif
