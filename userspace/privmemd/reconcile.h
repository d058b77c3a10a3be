/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reconciling: read what PID 1 and the unit files say, decide by the ledger, act
 * on the cgroup files. A request does it for one unit and has an answer; a check
 * does it for one unit because something was heard of it; a round does it for
 * all that is live, at the start and after every daemon-reload.
 *
 * What is read is old by the time it is acted upon. So every question carries
 * the count of when it was asked, and nothing is taken from a grant that was
 * touched since.
 */
#ifndef PRIVMEM_RECONCILE_H
#define PRIVMEM_RECONCILE_H

#include <stdbool.h>

#include <systemd/sd-event.h>

#include "grant.h"

struct reconcile;

typedef void (*reconcile_settled_t)(void *userdata);

int reconcile_new(sd_event *event, const char *address, struct grants *grants,
		  struct reconcile **ret);
struct reconcile *reconcile_free(struct reconcile *reconcile);

void reconcile_start(struct reconcile *reconcile, reconcile_settled_t settled, void *userdata);
void reconcile_all(struct reconcile *reconcile);
void reconcile_unit(struct reconcile *reconcile, const char *unit);
void reconcile_set_told(struct reconcile *reconcile, bool is_told);
struct grants *reconcile_grants(const struct reconcile *reconcile);
struct unit_peer *reconcile_peer(const struct reconcile *reconcile);
const struct nodenames *reconcile_names(struct reconcile *reconcile);

void reconcile_watch(struct reconcile *reconcile, const char *unit);
void reconcile_release_dead(struct reconcile *reconcile, char *const *names, size_t count,
			    uint64_t asked);

#endif
