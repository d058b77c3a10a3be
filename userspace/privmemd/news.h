/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * News of grants: what happened to whom. Each goes to the journal, and to whoever listens, which
 * is D-Bus.
 */
#ifndef PRIVMEM_NEWS_H
#define PRIVMEM_NEWS_H

#include <limits.h>

#include "grant.h"

enum news_kind {
	NEWS_GRANTED,		/* a grant came about or was changed because somebody asked */
	NEWS_LATE,		/* a grant came about after its unit had started without it */
	NEWS_CHANGED,		/* a grant was brought in line with changed unit files */
	NEWS_REVOKED,		/* a unit that goes on asks for nothing any more */
	NEWS_RELEASED,		/* a unit or cgroup ended */
	NEWS_REFUSED,
	NEWS_BAD_DIRECTIVE,	/* refused because the unit's files cannot be read */
	NEWS_RESTORED,		/* somebody else had written to our files */
	NEWS_NOT_RESTORED,	/* and they cannot be put right */
	NEWS_NOT_WATCHED,	/* changes will be noticed late */
	NEWS_OVER_RESERVED,	/* a node has become smaller than what is reserved of it */
};

#define NEWS_NO_NODE UINT_MAX

struct news {
	enum news_kind kind;
	const char *unit, *cgroup;	/* NULL if it is about a node */
	unsigned int nid;		/* which then; else NEWS_NO_NODE */
	const struct grant *grant;	/* what there is of it now; may be NULL */
	const struct wish *refused;	/* what was refused; may be NULL */
	enum code code;			/* why */
	const char *text;
};

void news_tell(const struct grants *grants, const struct news *news);
__attribute__((format(printf, 4, 5)))
void news_of_grant(const struct grants *grants, enum news_kind kind, const struct grant *grant,
		   const char *format, ...);
void news_of_verdict(const struct grants *grants, enum news_kind kind, const char *unit,
		     const char *cgroup, const struct verdict *verdict);
void news_of_refusal(struct grants *grants, const struct unit *unit, struct wish *wish,
		     const struct verdict *verdict);
void news_of_nodes(struct grants *grants);
void news_release(struct grants *grants, struct grant *grant);

#endif
