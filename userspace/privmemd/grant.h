/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Granting, done at once and to the end: grant_apply() takes facts that somebody
 * else gathered, decides by the ledger, writes the cgroup files, and undoes the
 * decision if the kernel refuses.
 *
 * The order of writes is such that no grant is ever in force without its limit.
 * Whoever kills the daemon between two writes finds them finished by the next
 * one: nothing counts as granted before the last write.
 */
#ifndef PRIVMEM_GRANT_H
#define PRIVMEM_GRANT_H

#include "grants.h"

/* Exit statuses of the hook and the tool, and codes of the hook's protocol. */
enum code {
	CODE_DONE = 0,
	CODE_FAILED = 1,
	CODE_USAGE = 2,
	CODE_NO_SUPPORT = 3,
	CODE_NOT_PERMITTED = 4,
	CODE_NO_ANSWER = 7,
	CODE_NO_ROOM = 8,
	CODE_NO_UNIT = 9,
	CODE_NO_NODE = 109,		/* 9 to the outside, an error of its own on D-Bus */
	CODE_BAD_DIRECTIVE = 101,	/* 1 to the outside, likewise */
};

struct verdict {
	enum code code;
	bool is_changed;	/* a grant came, went or was corrected */
	char text[768];		/* what was done, or why not */
};

__attribute__((format(printf, 3, 4)))
void verdict_set(struct verdict *verdict, enum code code, const char *format, ...);

void verdict_set_no_support(struct verdict *verdict);

bool grant_read_wish(const struct grants *grants, const struct unit *unit, struct wish *ret,
		     struct verdict *ret_verdict);
void grant_apply(struct grants *grants, const struct unit *unit, const struct wish *wish,
		 bool is_early, struct verdict *ret);
int grant_enforce(struct grants *grants, struct grant *grant, bool *ret_is_changed,
		  const char **ret_file);
void grant_release(struct grants *grants, struct grant *grant);

#endif
