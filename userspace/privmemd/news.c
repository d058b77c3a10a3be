// SPDX-License-Identifier: LGPL-2.1-or-later
#include "news.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "journal.h"

/* What the identifiers mean, and what to do, is in the catalog, units/privmem.catalog. */
static const struct {
	int priority;
	const char *message_id;
	const char *before;
} classes[] = {
	[NEWS_GRANTED] = { LOG_INFO, "09ec4d496a9e42809f370a44236966ef",
		"private memory: " },
	[NEWS_LATE] = { LOG_WARNING, "6c790e567737457480bcc59ce9eba00f",
		"" },
	[NEWS_CHANGED] = { LOG_NOTICE, "3f7ecd667d874d6b8e80951f8827394f",
		"private memory: " },
	[NEWS_REVOKED] = { LOG_NOTICE, "61f769164d724ed1af70a35030307bfe",
		"private memory: " },
	[NEWS_RELEASED] = { LOG_INFO, "96facffc66b3468fba6d6309da042d61",
		"" },
	[NEWS_REFUSED] = { LOG_ERR, "5563a6b1d24d439290b50a1fd358ec4a",
		"private memory refused: " },
	[NEWS_BAD_DIRECTIVE] = { LOG_ERR, "816f6081934949839ebd87ee1e9f272a",
		"private memory refused: " },
	[NEWS_RESTORED] = { LOG_WARNING, "93f8324f2f9946f7bb3e352c693be61e",
		"" },
	[NEWS_NOT_RESTORED] = { LOG_WARNING, "b3aa82e6e2a24d6fb0535d1299189320",
		"" },
	[NEWS_NOT_WATCHED] = { LOG_WARNING, "5696ee90496842aeaddc9ddd01992420",
		"" },
	[NEWS_OVER_RESERVED] = { LOG_WARNING, "432f91c4aba4439ba6c23c5b5c32424a",
		"" },
};

/* The nodes it is about: what was refused, else what there is. */
static void news_nodes(const struct news *news, struct nodelist *ret)
{
	*ret = (struct nodelist){};
	if (news->nid != NEWS_NO_NODE)
		nodelist_set(ret, news->nid);
	for (size_t i = 0; news->refused && i < news->refused->n_items; i++)
		nodelist_set(ret, news->refused->items[i].nid);
	for (size_t i = 0; !news->refused && news->grant && i < news->grant->n_shares; i++)
		nodelist_set(ret, news->grant->shares[i].nid);
}

/**
 * news_tell() - to the journal and to who listens
 */
void news_tell(const struct grants *grants, const struct news *news)
{
	struct nodelist nodes;

	news_nodes(news, &nodes);
	journal_news(classes[news->kind].priority, classes[news->kind].message_id, news->unit,
		     &nodes, "%s%s", classes[news->kind].before, news->text);
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
			     .grant = grant, .nid = NEWS_NO_NODE };
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
			     .cgroup = cgroup, .grant = grant, .nid = NEWS_NO_NODE,
			     .text = verdict->text };

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
			     .nid = NEWS_NO_NODE, .text = verdict->text };

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
 * news_of_nodes() - tell of nodes of which more is promised than they have room for, once each
 *
 * Nothing is taken from a running unit for it.
 */
void news_of_nodes(struct grants *grants)
{
	unsigned int nid;

	nodelist_for_each(nid, &grants->known) {
		char *held = NULL, text[1024];
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
		snprintf(text, sizeof(text), "node%u: more is reserved than there is: %s. Units keep"
			 " what they have; stop one, or lower its PrivateMemoryMax=", nid, held ?: "?");
		news_tell(grants, &(struct news){ .kind = NEWS_OVER_RESERVED, .nid = nid,
						  .text = text });
		free(held);
	}
}
