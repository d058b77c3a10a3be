/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a unit or cgroup is to have, and how a command changes that: the nodes, and how much of
 * each. Pure; privmemd plans so for cgroups, privmemctl for units.
 */
#ifndef PRIVMEM_PLAN_H
#define PRIVMEM_PLAN_H

#include <stddef.h>

#include "nodelist.h"
#include "size.h"

/* So many characters of a list and so many limits are read from a command. */
#define PLAN_TEXT_MAX 4096
#define PLAN_LIMITS_MAX 1024

/* The drop-in that privmemctl keeps what it changed of a unit in. */
#define PLAN_OVERRIDE "zzz-privmemctl.conf"

struct plan {
	const struct nodenames *names;		/* that commands may call nodes by; NULL for none */
	struct nodelist nodes;
	struct limit limits[NODELIST_MAX];	/* of the nodes that are set */
};

/* As a command has it. */
struct plan_limit {
	const char *nodes, *size;
};

struct plan_error {
	char text[200];
};

int plan_grant(struct plan *plan, const char *nodes, const struct plan_limit *limits,
	       size_t n_limits, struct plan_error *ret_error);
int plan_set_limit(struct plan *plan, const char *nodes, const char *size,
		   struct plan_error *ret_error);
int plan_revoke(struct plan *plan, const char *nodes, struct plan_error *ret_error);
bool plan_is_equal(const struct plan *a, const struct plan *b);

#endif
