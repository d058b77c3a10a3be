// SPDX-License-Identifier: LGPL-2.1-or-later
#include "news.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "journal.h"

static const struct {
	int priority;
	const char *before;
} classes[] = {
	[NEWS_GRANTED] = { LOG_INFO, "private memory: " },
	[NEWS_LATE] = { LOG_WARNING, "" },
	[NEWS_CHANGED] = { LOG_NOTICE, "private memory: " },
	[NEWS_REVOKED] = { LOG_NOTICE, "private memory: " },
	[NEWS_RELEASED] = { LOG_INFO, "" },
	[NEWS_REFUSED] = { LOG_ERR, "private memory refused: " },
	[NEWS_BAD_DIRECTIVE] = { LOG_ERR, "private memory refused: " },
	[NEWS_RESTORED] = { LOG_WARNING, "" },
	[NEWS_NOT_RESTORED] = { LOG_WARNING, "" },
	[NEWS_NOT_WATCHED] = { LOG_WARNING, "" },
};

/**
 * news_tell() - to the journal and to who listens
 */
void news_tell(const struct grants *grants, const struct news *news)
{
	journal_unit(classes[news->kind].priority, news->unit, "%s%s",
		     classes[news->kind].before, news->text);
	if (grants->telling)
		grants->telling(news, grants->telling_userdata);
}

/**
 * news_of_grant() - news with a text of its own
 */
void news_of_grant(const struct grants *grants, enum news_kind kind, const struct grant *grant,
		   const char *format, ...)
{
	struct news news = { .kind = kind, .unit = grant->unit, .cgroup = grant->cgroup,
			     .grant = grant };
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	news.text = text;
	news_tell(grants, &news);
}

/**
 * news_of_verdict() - something was applied, and changed something
 * @kind: what it is if the unit has a grant now; if not, it was revoked
 */
void news_of_verdict(const struct grants *grants, enum news_kind kind, const char *unit,
		     const char *cgroup, const struct verdict *verdict)
{
	const struct grant *grant = grants_find(grants, unit);
	bool has_grant = grant && grant->n_shares > 0;
	struct news news = { .kind = has_grant ? kind : NEWS_REVOKED, .unit = unit,
			     .cgroup = cgroup, .grant = grant, .text = verdict->text };

	news_tell(grants, &news);
}

/**
 * news_of_refusal() - tell and remember a refusal, once for each start of the unit
 * @wish: taken over and left empty
 *
 * The hook asks twice, so that the unit hears before its own commands run and
 * fails where failing is possible. People need to read it once.
 */
void news_of_refusal(struct grants *grants, const struct unit *unit, struct wish *wish,
		     const struct verdict *verdict)
{
	bool is_bad = verdict->code == CODE_BAD_DIRECTIVE;
	struct news news = { .kind = is_bad ? NEWS_BAD_DIRECTIVE : NEWS_REFUSED,
			     .unit = unit->name, .cgroup = unit->cgroup, .code = verdict->code,
			     .text = verdict->text };

	if (!grants_note_refusal(grants, unit, wish, verdict->text))
		return;
	news.grant = grants_find(grants, unit->name);
	news.refused = news.grant ? &news.grant->refused : NULL;
	news_tell(grants, &news);
}

/**
 * news_release() - release a grant whose unit or cgroup ended, and tell
 */
void news_release(struct grants *grants, struct grant *grant)
{
	news_of_grant(grants, NEWS_RELEASED, grant, "grant of private memory released");
	grant_release(grants, grant);
}

/**
 * news_of_nodes() - log nodes of which more is promised than they have room for, once each
 *
 * Nothing is taken from a running unit for it.
 */
void news_of_nodes(struct grants *grants)
{
	unsigned int nid;

	nodelist_for_each(nid, &grants->known) {
		char *held = NULL;
		bool is_over = ledger_is_over(grants->ledger, nid);

		if (is_over == nodelist_is_set(&grants->over, nid))
			continue;
		if (!is_over) {
			nodelist_clear(&grants->over, nid);
			journal(LOG_NOTICE, "node%u: has room again for all that is reserved", nid);
			continue;
		}
		nodelist_set(&grants->over, nid);
		(void)ledger_explain(grants->ledger, "/", nid, &held);
		journal(LOG_WARNING, "node%u: more is reserved than there is: %s. Units keep what they"
			" have; stop one, or lower its PrivateMemoryMax=", nid, held ?: "?");
		free(held);
	}
}
