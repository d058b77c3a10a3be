// SPDX-License-Identifier: LGPL-2.1-or-later
#include "reconcile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <malloc.h>
#include <unistd.h>

#include "journal.h"
#include "plan.h"
#include "news.h"
#include "watch.h"

/* So many checks ask PID 1 at a time; the others wait for their turn. */
#define CHECKS_MAX 8
/* A cgroup is empty before PID 1 knows that its unit is down: ask again a few times. */
#define RETRIES_MAX 7
#define RETRY_USEC UINT64_C(50000)
#define TICK_USEC (60 * UINT64_C(1000000))
/* Without a bus nobody tells of reloads and of units that went down. */
#define UNTOLD_USEC (10 * UINT64_C(1000000))

struct check {
	struct reconcile *reconcile;
	struct check *next;
	sd_event_source *timer;
	char *unit;
	char *asked;		/* the unit, or the service that stands in for a slice */
	unsigned int retries;	/* left */
	bool is_startup;
};

struct reconcile {
	sd_event *event;
	sd_event_source *tick;
	struct unit_peer *peer;
	struct grants *grants;
	struct watch *watch;
	struct check *first, **last;
	unsigned int n_running;
	bool is_round, is_again;
	bool is_startup;
	bool is_told;		/* PID 1's signals reach us */
	reconcile_settled_t settled;
	void *userdata;
};

static void check_free(struct check *check)
{
	sd_event_source_disable_unref(check->timer);
	free(check->unit);
	free(check->asked);
	free(check);
}

/* A slice's grant begins before the slice does, with the service that applies it. */
static char *stand_in_of(const char *unit)
{
	size_t length = strlen(unit), suffix = strlen(".slice");
	char *name = NULL;

	if (length > suffix && strcmp(unit + length - suffix, ".slice") == 0 &&
	    asprintf(&name, "privmem-slice@%s.service", unit) < 0)
		return NULL;
	return name;
}

/* The slice that "privmem-slice@NAME.service" stands in for, NULL for any other unit. */
static char *stood_in_by(const char *unit)
{
	static const char prefix[] = "privmem-slice@";
	size_t length = strlen(unit), suffix = strlen(".service");

	if (strncmp(unit, prefix, sizeof(prefix) - 1) != 0 || length < sizeof(prefix) + suffix ||
	    strcmp(unit + length - suffix, ".service") != 0)
		return NULL;
	return strndup(unit + sizeof(prefix) - 1, length - suffix - (sizeof(prefix) - 1));
}

static void round_end(struct reconcile *reconcile)
{
	reconcile_settled_t settled = reconcile->settled;

	reconcile->is_round = reconcile->is_startup = false;
	reconcile->settled = NULL;
	malloc_trim(0);
	if (settled)
		settled(reconcile->userdata);
	if (reconcile->is_again) {
		reconcile->is_again = false;
		reconcile_all(reconcile);
	}
}

static void check_answer(int error, const struct unit *unit, void *userdata);
static bool check_retry(struct check *check);

/* A cgroup that is no unit's has nobody to ask: it is there or it is not. */
static void check_plain(struct check *check)
{
	struct grants *grants = check->reconcile->grants;
	struct grant *grant = grants_find(grants, check->unit);

	if (grant && !cgroup_exists(grants->root_fd, grant->cgroup)) {
		news_release(grants, grant);
	} else if (grant && !cgroup_is_populated(grants->root_fd, grant->cgroup) &&
		   check_retry(check)) {
		return;
	}
	check_free(check);
}

static void checks_run(struct reconcile *reconcile)
{
	while (reconcile->first && reconcile->n_running < CHECKS_MAX) {
		struct check *check = reconcile->first;
		struct unit_question *question;

		reconcile->first = check->next;
		if (!reconcile->first)
			reconcile->last = &reconcile->first;
		if (check->unit[0] == '/')
			check_plain(check);
		else if (unit_ask(reconcile->peer, check->asked ?: check->unit, false,
			     grants_tick(reconcile->grants), check_answer, check, &question) < 0)
			check_free(check);
		else
			reconcile->n_running++;
	}
	if (reconcile->is_round && !reconcile->first && reconcile->n_running == 0)
		round_end(reconcile);
}

static void check_queue(struct check *check)
{
	check->next = NULL;
	*check->reconcile->last = check;
	check->reconcile->last = &check->next;
}

static void check_add(struct reconcile *reconcile, const char *unit, unsigned int retries)
{
	struct check *check = calloc(1, sizeof(*check));

	if (!check || !(check->unit = strdup(unit))) {
		free(check);
		return;
	}
	check->reconcile = reconcile;
	check->retries = retries;
	check->is_startup = reconcile->is_startup;
	check_queue(check);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct check *check = userdata;

	(void)source;
	(void)usec;
	check->timer = sd_event_source_disable_unref(check->timer);
	check_queue(check);
	checks_run(check->reconcile);
	return 0;
}

static bool check_retry(struct check *check)
{
	uint64_t usec = RETRY_USEC << (RETRIES_MAX - check->retries);

	if (check->retries == 0)
		return false;
	check->retries--;
	free(check->asked);
	check->asked = NULL;
	return sd_event_add_time_relative(check->reconcile->event, &check->timer, CLOCK_MONOTONIC,
					  usec, 0, on_retry, check) >= 0;
}

/* Returns true if the check goes on, asking after the slice's stand-in. */
static bool check_down(struct check *check, const struct unit *unit)
{
	struct grants *grants = check->reconcile->grants;
	struct grant *grant = grants_find(grants, check->unit);

	/* Nobody else may take what a unit held before it is up again; its job's end brings us back. */
	if (!grant || unit->has_job || grant->touched > unit->asked)
		return false;
	if (!check->asked && (check->asked = stand_in_of(check->unit))) {
		check_queue(check);
		return true;
	}
	if (grant->n_shares > 0)
		news_release(grants, grant);
	/* What was refused is for people to read as long as the unit is there, failed. */
	else if (!unit->is_failed)
		grants_forget(grants, grant);
	return false;
}

/* Then it was an admin who asked, just now: the unit could not have had it earlier. */
static bool is_overridden(const struct unit *unit)
{
	for (char **file = unit->files; *file; file++) {
		const char *name = strrchr(*file, '/');

		if (name && strcmp(name + 1, PLAN_OVERRIDE) == 0)
			return true;
	}
	return false;
}

/* Removed on disk, which PID 1 has not been told: until it is, a unit keeps what it has. */
static bool has_lost_file(const struct unit *unit)
{
	for (char **file = unit->files; *file; file++)
		if (access(*file, F_OK) < 0 && errno == ENOENT)
			return true;
	return false;
}

static void report_late(const struct check *check, const struct unit *unit,
			const struct verdict *verdict)
{
	/* Without a process in it nobody can have missed the grant. */
	if (check->is_startup &&
	    !cgroup_is_populated(check->reconcile->grants->root_fd, unit->cgroup))
		return;
	news_of_grant(check->reconcile->grants, NEWS_LATE,
		      grants_find(check->reconcile->grants, unit->name),
		      "private memory granted late, the unit was started without it: %s"
		      " (was the system manager reloaded since the directive appeared?)",
		      verdict->text);
}

static void check_up(struct check *check, const struct unit *unit)
{
	struct reconcile *reconcile = check->reconcile;
	struct grant *grant = grants_find(reconcile->grants, unit->name);
	bool had_grant = grant && grant->n_shares > 0;
	struct verdict verdict;
	struct wish wish = {};

	/* A starting unit asks by itself; if it cannot, the end of its job brings us back. */
	if ((!had_grant && unit->is_starting && !check->is_startup) ||
	    (grant && grant->touched > unit->asked) || (had_grant && has_lost_file(unit)))
		return;
	if (!grant_read_wish(reconcile->grants, unit, &wish, &verdict)) {
		news_of_refusal(reconcile->grants, unit, &wish, &verdict);
		return;
	}
	/*
	 * What a command asked for outlives a unit whose files ask for nothing; a refusal of what
	 * they once asked for does not.
	 */
	if (wish.n_items > 0 || (grant && !grant->is_request)) {
		grant_apply(reconcile->grants, unit, &wish, false, &verdict);
		if (verdict.code != CODE_DONE)
			news_of_refusal(reconcile->grants, unit, &wish, &verdict);
		else if (!had_grant && verdict.is_changed && !is_overridden(unit))
			report_late(check, unit, &verdict);
		else if (verdict.is_changed)
			news_of_verdict(reconcile->grants, NEWS_CHANGED, unit->name, unit->cgroup,
					&verdict);
	} else if (grant && !had_grant) {
		/* It asked once, was refused, and asks no more. */
		grants_forget(reconcile->grants, grant);
	}
	wish_done(&wish);
	reconcile_watch(reconcile, unit->name);
}

static void check_answer(int error, const struct unit *unit, void *userdata)
{
	struct check *check = userdata;
	struct reconcile *reconcile = check->reconcile;
	const struct grant *grant;
	bool goes_on = false;

	reconcile->n_running--;
	if (error < 0)
		journal(LOG_WARNING, "cannot ask the system manager about %s: %s", check->unit,
			strerror(-error));
	else if (!unit->is_live)
		goes_on = check_down(check, unit);
	else if (!check->asked)
		check_up(check, unit);
	grant = grants_find(reconcile->grants, check->unit);
	if (!goes_on && grant && grant->n_shares > 0 &&
	    !cgroup_is_populated(reconcile->grants->root_fd, grant->cgroup))
		goes_on = check_retry(check);
	if (!goes_on)
		check_free(check);
	checks_run(reconcile);
}

/**
 * reconcile_watch() - hear of what happens to the cgroup of a unit's grant
 */
void reconcile_watch(struct reconcile *reconcile, const char *unit)
{
	struct grant *grant = grants_find(reconcile->grants, unit);
	int r = grant && grant->n_shares > 0 ? watch_add(reconcile->watch, grant) : 0;
	bool is_unwatched = r < 0 && r != -ENOENT;

	/* Where watches give out they do for many, and each round comes by all of them. */
	if (is_unwatched && !grant->is_unwatched)
		news_of_grant(reconcile->grants, NEWS_NOT_WATCHED, grant,
			      "cannot watch its cgroup, changes there will be noticed late: %s",
			      strerror(-r));
	if (grant)
		grant->is_unwatched = is_unwatched;
}

static void enforce(struct reconcile *reconcile, struct grant *grant)
{
	bool is_changed = false;
	const char *file;
	int r;

	if (grant->n_shares == 0)
		return;
	r = grant_enforce(reconcile->grants, grant, &is_changed, &file);
	if (r < 0)
		news_of_grant(reconcile->grants, NEWS_NOT_RESTORED, grant,
			      "cannot restore %s/%s: %s", grant->cgroup, file, strerror(-r));
	else if (is_changed)
		news_of_grant(reconcile->grants, NEWS_RESTORED, grant,
			      "somebody else had changed its private memory files, restored");
}

static void on_watched(struct grant *grant, enum watched what, void *userdata)
{
	struct reconcile *reconcile = userdata;

	if (what == WATCHED_EFFECTIVE) {
		enforce(reconcile, grant);
	} else if (!cgroup_is_populated(reconcile->grants->root_fd, grant->cgroup)) {
		check_add(reconcile, grant->unit, RETRIES_MAX);
		checks_run(reconcile);
	}
}

static void on_forgetting(struct grant *grant, void *userdata)
{
	struct reconcile *reconcile = userdata;

	watch_remove(reconcile->watch, grant);
}

static int name_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool live_has(char *const *sorted, size_t count, const char *unit)
{
	return bsearch(&unit, sorted, count, sizeof(*sorted), name_compare);
}

/**
 * reconcile_release_dead() - release the grants of units that are not live
 * @names: all units that are live or have a job
 * @asked: when, in counts of grants_tick()
 */
void reconcile_release_dead(struct reconcile *reconcile, char *const *names, size_t count,
			    uint64_t asked)
{
	char **sorted = calloc(count + 1, sizeof(*sorted));
	struct grant **all;
	size_t n_all = grants_list(reconcile->grants, &all);

	if (!sorted || !all)
		goto done;
	memcpy(sorted, names, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), name_compare);
	for (size_t i = 0; i < n_all; i++) {
		char *stand_in;

		if (all[i]->n_shares == 0 || all[i]->touched > asked ||
		    (grant_is_plain(all[i]) ?
		     cgroup_exists(reconcile->grants->root_fd, all[i]->cgroup) :
		     live_has(sorted, count, all[i]->unit)))
			continue;
		stand_in = stand_in_of(all[i]->unit);
		if (!stand_in || !live_has(sorted, count, stand_in))
			news_release(reconcile->grants, all[i]);
		free(stand_in);
	}
done:
	free(sorted);
	free(all);
}

/* Who was refused is not live, so nothing else leads to it. */
static void check_refused(struct reconcile *reconcile)
{
	struct grant **all;
	size_t count = grants_list(reconcile->grants, &all);

	for (size_t i = 0; i < count; i++)
		if (all[i]->n_shares == 0)
			check_add(reconcile, all[i]->unit, 0);
	free(all);
}

static void round_answer(int error, char *const *names, size_t count, uint64_t asked,
			 void *userdata)
{
	struct reconcile *reconcile = userdata;

	if (error < 0)
		journal(LOG_WARNING, "cannot ask the system manager for its units: %s",
			strerror(-error));
	else
		reconcile_release_dead(reconcile, names, count, asked);
	for (size_t i = 0; i < count; i++)
		if (unit_name_has_directives(names[i]) || grants_find(reconcile->grants, names[i]))
			check_add(reconcile, names[i], 0);
	check_refused(reconcile);
	checks_run(reconcile);
}

/**
 * reconcile_all() - look at everything that is live
 */
void reconcile_all(struct reconcile *reconcile)
{
	int r;

	if (reconcile->is_round) {
		reconcile->is_again = true;
		return;
	}
	reconcile->is_round = true;
	r = unit_ask_live(reconcile->peer, grants_tick(reconcile->grants), round_answer, reconcile);
	if (r < 0)
		round_answer(r, NULL, 0, 0, reconcile);
}

/**
 * reconcile_unit() - look at one unit because something was heard of it
 */
void reconcile_unit(struct reconcile *reconcile, const char *unit)
{
	char *slice = stood_in_by(unit);

	if (slice || unit_name_has_directives(unit) || grants_find(reconcile->grants, unit))
		check_add(reconcile, slice ?: unit, 0);
	free(slice);
	checks_run(reconcile);
}

static void tick_answer(int error, char *const *names, size_t count, uint64_t asked,
			void *userdata)
{
	struct reconcile *reconcile = userdata;
	struct grant **all;
	size_t n_all;

	if (error < 0)
		return;
	reconcile_release_dead(reconcile, names, count, asked);
	n_all = grants_list(reconcile->grants, &all);
	for (size_t i = 0; i < n_all; i++)
		enforce(reconcile, all[i]);
	free(all);
	check_refused(reconcile);
	checks_run(reconcile);
}

static int tick_set(struct reconcile *reconcile)
{
	(void)sd_event_source_set_time_relative(reconcile->tick,
						reconcile->is_told ? TICK_USEC : UNTOLD_USEC);
	return sd_event_source_set_enabled(reconcile->tick, SD_EVENT_ONESHOT);
}

/* Events can be missed: there is none for a lowered limit, and no bus early in the boot. */
static int on_tick(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct reconcile *reconcile = userdata;

	(void)source;
	(void)usec;
	if (!reconcile->is_told)
		reconcile_all(reconcile);
	(void)unit_ask_live(reconcile->peer, grants_tick(reconcile->grants), tick_answer,
			    reconcile);
	return tick_set(reconcile);
}

/**
 * reconcile_set_told() - whether somebody tells us of jobs and reloads, else we look more often
 */
void reconcile_set_told(struct reconcile *reconcile, bool is_told)
{
	reconcile->is_told = is_told;
	(void)tick_set(reconcile);
}

struct grants *reconcile_grants(const struct reconcile *reconcile)
{
	return reconcile->grants;
}

struct unit_peer *reconcile_peer(const struct reconcile *reconcile)
{
	return reconcile->peer;
}

/**
 * reconcile_names() - what nodes are called, as of now
 */
const struct nodenames *reconcile_names(struct reconcile *reconcile)
{
	settings_resolve(&reconcile->grants->settings);
	return &reconcile->grants->settings.names;
}

/**
 * reconcile_new() - prepare; nothing happens before reconcile_start()
 * @address: where PID 1 listens, UNIT_PRIVATE_ADDRESS
 * @grants: stays the caller's
 * @ret: set only on success; see reconcile_free()
 *
 * Return: 0 or -Exxx
 */
int reconcile_new(sd_event *event, const char *address, struct grants *grants,
		  struct reconcile **ret)
{
	struct reconcile *reconcile = calloc(1, sizeof(*reconcile));
	int r;

	if (!reconcile)
		return -ENOMEM;
	reconcile->event = sd_event_ref(event);
	reconcile->grants = grants;
	reconcile->last = &reconcile->first;
	r = unit_peer_new(event, address, &reconcile->peer);
	if (r >= 0)
		r = watch_new(event, grants->root_fd, on_watched, reconcile, &reconcile->watch);
	if (r >= 0)
		r = sd_event_add_time_relative(event, &reconcile->tick, CLOCK_MONOTONIC,
					       UNTOLD_USEC, 0, on_tick, reconcile);
	if (r < 0) {
		reconcile_free(reconcile);
		return r;
	}
	grants->forgetting = on_forgetting;
	grants->userdata = reconcile;
	*ret = reconcile;
	return 0;
}

/**
 * reconcile_free() - stop; only at the end of the program, with no request open
 * @reconcile: may be NULL
 *
 * Return: NULL
 */
struct reconcile *reconcile_free(struct reconcile *reconcile)
{
	struct check *next;

	if (!reconcile)
		return NULL;
	for (struct check *check = reconcile->first; check; check = next) {
		next = check->next;
		check_free(check);
	}
	reconcile->grants->forgetting = NULL;
	sd_event_source_disable_unref(reconcile->tick);
	watch_free(reconcile->watch);
	unit_peer_free(reconcile->peer);
	sd_event_unref(reconcile->event);
	free(reconcile);
	return NULL;
}

/**
 * reconcile_start() - take over what is granted, then bring it up to date
 * @settled: called once, when that is done or PID 1 cannot be asked
 */
void reconcile_start(struct reconcile *reconcile, reconcile_settled_t settled, void *userdata)
{
	struct grant **all;
	size_t count;

	grants_adopt(reconcile->grants);
	count = grants_list(reconcile->grants, &all);
	for (size_t i = 0; i < count; i++)
		reconcile_watch(reconcile, all[i]->unit);
	free(all);
	reconcile->settled = settled;
	reconcile->userdata = userdata;
	reconcile->is_startup = true;
	reconcile_all(reconcile);
}
