/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of grants: a unit, what it asked for, and what the ledger set aside
 * for it. The table lives in memory only. A new daemon fills it from the cgroup
 * files, where every grant left its limit, its nodes and a mark that says what
 * was wanted.
 */
#ifndef PRIVMEM_GRANTS_H
#define PRIVMEM_GRANTS_H

#include <stdbool.h>
#include <stdint.h>

#include "cgroup.h"
#include "ledger.h"
#include "settings.h"
#include "unit.h"
#include "wish.h"

#define FILE_NODES "memory.private_nodes"
#define FILE_SUBTREE "memory.private_nodes.subtree"
#define FILE_EFFECTIVE "memory.private_nodes.effective"
#define FILE_MAX "memory.private_nodes.max"
#define FILE_CURRENT "memory.private_nodes.current"
#define FILE_PEAK "memory.private_nodes.peak"
#define FILE_CAPACITY "memory.private_nodes.capacity"

struct share {
	unsigned int nid;
	struct limit limit;			/* as asked for */
	struct reservation *reservation;	/* as set aside */
};

struct grant {
	char *unit;		/* its name, or the path of a cgroup that is no unit's */
	char *cgroup;
	struct share *shares;	/* in ascending order of nid; none: this is a refusal */
	size_t n_shares;
	bool is_request;	/* see struct wish */
	bool is_unwatched;	/* though it has a cgroup, which has been told */
	bool is_remembered;	/* this is what was kept of it, see grants_remember() */
	uint64_t touched;	/* in counts of grants_tick() */
	char *refusal;		/* why the last application failed, NULL if it did not */
	struct wish refused;	/* what was refused then; no items if it could not be read */
	sd_id128_t invocation;	/* that heard the refusal */
	int watches[2];		/* inotify's, -1 if none; see watch.h */
};

struct news;

struct grants {
	int root_fd;
	int cache_fd;		/* see cache.h; -1 if there is none */
	uint64_t page_bytes;
	struct ledger *ledger;
	struct settings settings;
	void *by_unit;		/* tsearch() tree */
	size_t count;		/* of all in the table */
	size_t n_granted;	/* of those that hold something */
	size_t n_refused;	/* of those with a refusal, which may hold something as well */
	uint64_t ticks;
	struct nodelist known;	/* every node the ledger was ever told of */
	struct nodelist over;	/* those of them of which too much is promised, as last reported */
	void (*forgetting)(struct grant *grant, void *userdata);	/* may be NULL */
	void *userdata;
	void (*telling)(const struct news *news, void *userdata);	/* see news.h; may be NULL */
	void *telling_userdata;
};

/*
 * Of a cgroup that some tool or container runtime made. It has nobody to ask after: it
 * lasts as long as the cgroup, whose files and mark are all that is kept of it.
 */
static inline bool grant_is_plain(const struct grant *grant)
{
	return grant->unit[0] == '/';
}

int grants_new(int root_fd, int cache_fd, uint64_t page_bytes, struct grants **ret);
struct grants *grants_free(struct grants *grants);
uint64_t grants_tick(struct grants *grants);
void grants_refresh_nodes(struct grants *grants);
void grants_count_strays(struct grants *grants, const struct grant *asking, unsigned int nid,
			 uint64_t asked_bytes);
const char *grants_unit_of_cgroup(const char *path);
void grants_adopt(struct grants *grants);

struct grant *grants_add(struct grants *grants, const char *unit, const char *cgroup);
void grants_forget(struct grants *grants, struct grant *grant);
void grants_set_shares(struct grants *grants, struct grant *grant, struct share *shares,
		       size_t count);
struct grant *grants_find(const struct grants *grants, const char *unit);
size_t grants_list(const struct grants *grants, struct grant ***ret);
void grants_remember(const struct grants *grants, struct grant *grant);
bool grants_note_refusal(struct grants *grants, const struct unit *unit, struct wish *wish,
			 const char *text);
void grants_clear_refusal(struct grants *grants, struct grant *grant);

#endif
