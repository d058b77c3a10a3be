/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * TAP for unit tests. A check that fails prints where and what, and the test
 * goes on; tap_done() prints the plan and gives main() its exit status.
 */
#ifndef PRIVMEM_TAP_H
#define PRIVMEM_TAP_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tap_count;
static int tap_failed;

static inline bool tap_report(bool good, const char *file, int line, const char *what)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++tap_count, what);
	if (!good) {
		printf("# failed at %s:%d\n", file, line);
		tap_failed++;
	}
	return good;
}

/* ok(): @condition holds; the text that follows says in words what that means. */
#define ok(condition, what) tap_report((condition), __FILE__, __LINE__, (what))

#define is_int(got, want, what)									\
	do {											\
		long long tap_got = (long long)(got), tap_want = (long long)(want);		\
		if (!tap_report(tap_got == tap_want, __FILE__, __LINE__, (what)))		\
			printf("# got %lld, want %lld\n", tap_got, tap_want);			\
	} while (0)

#define is_str(got, want, what)									\
	do {											\
		const char *tap_got = (got), *tap_want = (want);				\
		if (!tap_report(tap_got && strcmp(tap_got, tap_want) == 0, __FILE__, __LINE__,	\
				(what)))							\
			printf("# got \"%s\", want \"%s\"\n", tap_got ? tap_got : "(null)",	\
			       tap_want);							\
	} while (0)

static inline int tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed ? 1 : 0;
}

#endif
