/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a unit asks for, wherever it said so: in its files, in a request of its
 * hook, or in the mark that an earlier grant left on its cgroup.
 */
#ifndef PRIVMEM_WISH_H
#define PRIVMEM_WISH_H

#include <stdbool.h>
#include <stddef.h>

#include "directive.h"
#include "unit.h"

struct wish_item {
	unsigned int nid;
	struct limit limit;
};

struct wish {
	struct wish_item *items;	/* in ascending order of nid; none: nothing is asked for */
	size_t n_items;
	bool is_request;		/* asked for by a command, not by the unit's files */
};

int wish_new(const struct nodelist *nodes, const struct limit *limits, struct wish *ret);
void wish_done(struct wish *wish);
int wish_load(const struct unit *unit, const struct nodenames *names, struct wish *ret,
	      char **ret_reason);
int wish_parse_request(const char *nodes, const char *max, const struct nodenames *names,
		       struct wish *ret, const char **ret_reason);

int wish_parse_mark(const char *text, struct wish *ret);
char *wish_format_mark(const struct wish *wish);

#endif
