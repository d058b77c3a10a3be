// SPDX-License-Identifier: LGPL-2.1-or-later
#include "request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "news.h"

/*
 * PID 1 drops its peers when it executes itself anew, and is silent while it waits for generators; it
 * listens all the while.
 */
#define LOST_MAX 5

struct request {
	struct reconcile *reconcile;
	char *unit;
	struct wish wish;		/* of a command; the unit's files are not read then */
	bool is_early;
	bool has_swept;			/* dead units have been looked for already */
	unsigned int n_lost;
	request_answer_t answer;	/* NULL once abandoned */
	void *userdata;
};

static void request_free(struct request *request)
{
	free(request->unit);
	wish_done(&request->wish);
	free(request);
}

static void request_finish(struct request *request, const struct verdict *verdict)
{
	if (request->answer)
		request->answer(verdict, request->userdata);
	request_free(request);
}

static void request_fail(struct request *request, int error)
{
	struct verdict verdict = {};

	if (error == -EINVAL)
		verdict_set(&verdict, CODE_NO_UNIT, "\"%.200s\" is no service, slice or scope",
			    request->unit);
	else
		verdict_set(&verdict, CODE_FAILED, "cannot ask the system manager about %s: %s",
			    request->unit, strerror(-error));
	request_finish(request, &verdict);
}

static int request_ask(struct request *request);

/* Somebody may be down whose end nobody told us of. */
static void on_swept(int error, char *const *names, size_t count, uint64_t asked, void *userdata)
{
	struct request *request = userdata;
	int r;

	if (error >= 0)
		reconcile_release_dead(request->reconcile, names, count, asked);
	r = request_ask(request);
	if (r < 0)
		request_fail(request, r);
}

static bool request_sweep(struct request *request)
{
	if (request->has_swept)
		return false;
	request->has_swept = true;
	return unit_ask_live(reconcile_peer(request->reconcile),
			     grants_tick(reconcile_grants(request->reconcile)), on_swept,
			     request) >= 0;
}

static bool wish_copy(const struct wish *wish, struct wish *ret)
{
	*ret = *wish;
	ret->items = calloc(wish->n_items + 1, sizeof(*ret->items));
	if (ret->items && wish->items)
		memcpy(ret->items, wish->items, wish->n_items * sizeof(*ret->items));
	return ret->items;
}

static void request_decide(const struct request *request, const struct unit *unit,
			   struct wish *ret_wish, struct verdict *ret)
{
	struct grants *grants = reconcile_grants(request->reconcile);

	*ret = (struct verdict){};
	(void)reconcile_names(request->reconcile);
	if (!unit->is_loaded && !unit->is_live)
		verdict_set(ret, CODE_NO_UNIT, "%s: no such unit", unit->name);
	else if (!unit->is_live && !request->is_early && !cgroup_has_support(grants->root_fd))
		verdict_set_no_support(ret);
	else if (!unit->is_live && !request->is_early)
		verdict_set(ret, CODE_FAILED, "%s is not active, there is nothing to grant to",
			    unit->name);
	else if (request->wish.is_request && !wish_copy(&request->wish, ret_wish))
		verdict_set(ret, CODE_FAILED, "out of memory");
	else if (request->wish.is_request || grant_read_wish(grants, unit, ret_wish, ret))
		grant_apply(grants, unit, ret_wish, request->is_early, ret);
}

static bool is_lost(int error)
{
	return error == -ECONNRESET || error == -ENOTCONN || error == -ETIMEDOUT;
}

static void on_unit(int error, const struct unit *unit, void *userdata)
{
	struct request *request = userdata;
	struct reconcile *reconcile = request->reconcile;
	struct wish wish = {};
	struct verdict verdict;

	if (is_lost(error) && request->answer && request->n_lost++ < LOST_MAX)
		error = request_ask(request);
	else if (error >= 0)
		goto decide;
	if (error < 0)
		request_fail(request, error);
	return;
decide:
	request_decide(request, unit, &wish, &verdict);
	if (verdict.code == CODE_NO_ROOM && request_sweep(request)) {
		wish_done(&wish);
		return;
	}
	if (verdict.code == CODE_DONE && verdict.is_changed)
		news_of_verdict(reconcile_grants(reconcile), NEWS_GRANTED, unit->name,
				unit->cgroup, &verdict);
	else if (verdict.code != CODE_DONE && verdict.code != CODE_NO_UNIT)
		news_of_refusal(reconcile_grants(reconcile), unit, &wish, &verdict);
	wish_done(&wish);
	reconcile_watch(reconcile, unit->name);
	request_finish(request, &verdict);
}

static int request_ask(struct request *request)
{
	struct unit_question *question;

	return unit_ask(reconcile_peer(request->reconcile), request->unit, true,
			grants_tick(reconcile_grants(request->reconcile)), on_unit, request,
			&question);
}

/**
 * request_new() - ask for one unit's grant
 * @unit: name of the unit, checked here
 * @is_early: the unit is a slice about to start; make its cgroup
 * @wish: what a command asks for, or NULL for what the unit's files say
 * @answer: called once, from the event loop, unless the request is abandoned
 * @ret: set only on success; valid until the answer
 *
 * Return: 0, -EINVAL if @unit is no valid name, or -Exxx if PID 1 cannot be asked
 */
int request_new(struct reconcile *reconcile, const char *unit, bool is_early,
		const struct wish *wish, request_answer_t answer, void *userdata,
		struct request **ret)
{
	struct request *request = calloc(1, sizeof(*request));
	int r = -ENOMEM;

	if (!request)
		return -ENOMEM;
	*request = (struct request){
		.reconcile = reconcile, .is_early = is_early, .answer = answer,
		.userdata = userdata, .unit = strdup(unit),
	};
	if (request->unit && (!wish || wish_copy(wish, &request->wish)))
		r = request_ask(request);
	if (r < 0) {
		request_free(request);
		return r;
	}
	*ret = request;
	return 0;
}

/**
 * request_abandon() - nobody waits for the answer any more; what is asked is done all the same
 */
void request_abandon(struct request *request)
{
	request->answer = NULL;
}
