// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a worker's pages hold: writing a stamp over a page and reading it again, where
 * either may end in SIGBUS, and whether it may.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <string.h>

#include "soak.h"

struct area areas[AREAS];
uint64_t last_stamp;
bool has_policy;

static sigjmp_buf bus_return;
static volatile bool is_guarded;

static void on_bus(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	if (is_guarded) {
		if (info->si_code != BUS_ADRERR)
			complain("SIGBUS with code %d", info->si_code);
		is_guarded = false;
		siglongjmp(bus_return, 1);
	}
	complain("SIGBUS outside of any access to an area, at %p", info->si_addr);
	_exit(1);
}

void catch_bus(void)
{
	static char stack[64 << 10];
	struct sigaction action = { .sa_sigaction = on_bus, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };

	memset(stack, 1, sizeof(stack));
	sigaltstack(&alternate, NULL);
	sigaction(SIGBUS, &action, NULL);
}

static const size_t word_offset[STAMP_WORDS] = { 0, 2048, PAGE - 8 };

static uint64_t word_of(uint64_t stamp, int i)
{
	return stamp ? mix(stamp + i) : 0;
}

static volatile uint64_t *word_at(const struct area *area, size_t page, int i)
{
	return (volatile uint64_t *)(area->memory + page * PAGE + word_offset[i]);
}

/* Make @page what store_page() would make of a page of zeros. */
void fill_page(char *page, uint64_t stamp)
{
	uint64_t word;
	int i;

	memset(page, 0, PAGE);
	for (i = 0; i < STAMP_WORDS; i++) {
		word = word_of(stamp, i);
		memcpy(page + word_offset[i], &word, sizeof(word));
	}
}

/* Write @stamp over a page. Return: how many words arrived before SIGBUS came */
__attribute__((noinline)) int store_page(const struct area *area, size_t page, uint64_t stamp)
{
	volatile int i = 0;

	if (sigsetjmp(bus_return, 1))
		return i;
	is_guarded = true;
	for (; i < STAMP_WORDS; i++)
		*word_at(area, page, i) = word_of(stamp, i);
	is_guarded = false;
	return i;
}

/* Read the words of a page. Return: how many before SIGBUS came */
static __attribute__((noinline)) int load_page(const struct area *area, size_t page,
					       uint64_t *words)
{
	volatile int i = 0;

	if (sigsetjmp(bus_return, 1))
		return i;
	is_guarded = true;
	for (; i < STAMP_WORDS; i++)
		words[i] = *word_at(area, page, i);
	is_guarded = false;
	return i;
}

static bool holds(const uint64_t *words, uint64_t stamp)
{
	int i;

	for (i = 0; i < STAMP_WORDS; i++)
		if (words[i] != word_of(stamp, i))
			return false;
	return true;
}

/* Can the page be read, and does it hold @stamp? Complains of nothing. */
bool page_holds(const struct area *area, size_t page, uint64_t stamp)
{
	uint64_t words[STAMP_WORDS];

	return load_page(area, page, words) == STAMP_WORDS && holds(words, stamp);
}

/* May the first touch of a page that is not there be refused? */
bool may_refuse(const struct area *area)
{
	return area->is_strict || has_policy;
}

/* Is the page there, and ours alone? Then a write needs no other. */
bool has_page(const struct area *area, size_t page)
{
	return area->stamp[page] && !area->is_free[page] &&
	       !(area->is_copied && area->kind <= KIND_HUGE);
}

/* A page that was never written may be refused; one that was must be as it was. */
bool verify_page(struct area *area, size_t page)
{
	uint64_t words[STAMP_WORDS], stamp = area->stamp[page];
	int n = load_page(area, page, words);

	if (n < STAMP_WORDS) {
		if (n || (stamp && !area->is_free[page]) || !may_refuse(area))
			complain("page %zu of a kind %d area cannot be read: stamp %llx, word %d",
				 page, area->kind, (unsigned long long)stamp, n);
		return false;
	}
	if (holds(words, stamp))
		return true;
	if (area->is_free[page] && holds(words, 0)) {
		area->stamp[page] = 0;
		area->is_free[page] = false;
		return true;
	}
	complain("CORRUPT: page %zu of a kind %d area holds %llx %llx %llx, not stamp %llx",
		 page, area->kind, (unsigned long long)words[0], (unsigned long long)words[1],
		 (unsigned long long)words[2], (unsigned long long)stamp);
	return false;
}

/* Refused only where the page is new or has to be copied. */
bool write_page(struct area *area, size_t page)
{
	bool was_there = has_page(area, page);
	uint64_t stamp = ++last_stamp;
	int n = store_page(area, page, stamp);

	if (n == STAMP_WORDS) {
		area->stamp[page] = stamp;
		area->is_free[page] = false;
		return true;
	}
	if (n || was_there || !may_refuse(area))
		complain("page %zu of a kind %d area cannot be written: word %d%s%s", page,
			 area->kind, n, was_there ? ", it was there" : "",
			 may_refuse(area) ? "" : ", its policy is not strict");
	return false;
}

void any_range(const struct area *area, size_t *ret_first, size_t *ret_count)
{
	size_t max = area->kind == KIND_HUGE ? area->pages : 32;

	*ret_first = random_below(area->pages);
	*ret_count = 1 + random_below(max);
	if (*ret_count > area->pages - *ret_first)
		*ret_count = area->pages - *ret_first;
}
