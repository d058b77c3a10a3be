/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ledger: which unit was promised how much of which node.
 *
 * A node is a pool. A reservation belongs to a cgroup path and draws from the
 * nearest path above it that holds a reservation on the same node, or from the
 * node itself; the node is simply the reservation of the root path, whose bytes
 * are the capacity, or more of it where overcommit is wanted. So one rule serves both levels: what is left of a
 * reservation is its bytes less what its children drew, and nobody gets more
 * than what is left.
 *
 * Memory in use that no reservation stands for, left behind by a unit that is
 * gone or was made smaller, is not there to be promised either: whoever knows of
 * it says so before asking.
 *
 * A node may shrink below what is promised of it. Everybody keeps what they
 * have, and nobody gets more until enough was given back.
 *
 * Nothing here does I/O, logs or reads a clock.
 */
#ifndef PRIVMEM_LEDGER_H
#define PRIVMEM_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ledger;
struct reservation;

int ledger_new(uint64_t page_bytes, struct ledger **ret);
struct ledger *ledger_free(struct ledger *ledger);

int ledger_set_node(struct ledger *ledger, unsigned int nid, uint64_t capacity_bytes,
		    unsigned int overcommit_percent);
void ledger_set_absent(struct ledger *ledger, unsigned int nid);
bool ledger_has_node(const struct ledger *ledger, unsigned int nid);
uint64_t ledger_get_capacity(const struct ledger *ledger, unsigned int nid);
uint64_t ledger_get_room(const struct ledger *ledger, unsigned int nid);
uint64_t ledger_get_reserved(const struct ledger *ledger, unsigned int nid);
void ledger_set_stray(struct ledger *ledger, unsigned int nid, uint64_t bytes);
bool ledger_is_over(const struct ledger *ledger, unsigned int nid);
uint64_t ledger_get_left(const struct ledger *ledger, const char *path, unsigned int nid);

int ledger_reserve(struct ledger *ledger, const char *path, const char *holder, unsigned int nid,
		   uint64_t bytes, struct reservation **ret);
int ledger_adopt(struct ledger *ledger, const char *path, const char *holder, unsigned int nid,
		 uint64_t bytes, struct reservation **ret);
int ledger_explain(const struct ledger *ledger, const char *path, unsigned int nid, char **ret);

int reservation_resize(struct reservation *reservation, uint64_t bytes);
void reservation_restore(struct reservation *reservation, uint64_t bytes);
struct reservation *reservation_drop(struct reservation *reservation);
uint64_t reservation_get_bytes(const struct reservation *reservation);
const char *reservation_get_source(const struct reservation *reservation);

#endif
