/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How much others may make us work. Time is earned while it passes and spent by the work itself,
 * so the bound holds however much there is to answer with.
 */
#ifndef PRIVMEM_BUDGET_H
#define PRIVMEM_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#define BUDGET_MAX_USEC INT64_C(1000000)
/* One part in so many of the time. */
#define BUDGET_SHARE 4

struct budget {
	int64_t left_usec;
	uint64_t earned_until_usec;	/* 0 before first use */
};

bool budget_is_left(struct budget *budget, uint64_t now_usec);
void budget_spend(struct budget *budget, uint64_t usec);

#endif
