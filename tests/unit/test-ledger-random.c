// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The ledger against an oracle: random operations in random order, each answer
 * foretold by a list of who holds what and by the definition of what is left,
 * worked out from nothing every time. Seen red with each of eight lines of the
 * ledger taken out, such as the strays, the children that a new slice takes over
 * or the one on -EBUSY. "SEED=N test-ledger-random" repeats a run.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "ledger.h"
#include "tap.h"

#define PAGE UINT64_C(4096)
#define N_NODES 3
#define SEQUENCES 300
#define STEPS 400

/* Slices in slices, units in them, names that only begin alike. Below a service nothing is granted. */
static const char *const paths[] = {
	"/a.slice", "/a.slice/b.slice", "/a.slice/b.slice/c.slice", "/a.slice/b.slice/c.slice/d.service",
	"/a.slice/b.slice/e.service", "/a.slice/f.service", "/a.slices.slice",
	"/a.slices.slice/g.service", "/h.service", "/z.slice/j.service",
};

#define N_PATHS (sizeof(paths) / sizeof(*paths))

struct entry {
	struct reservation *reservation; /* NULL: holds nothing */
	uint64_t bytes;
};

struct oracle {
	struct entry entries[N_PATHS];
	uint64_t room, stray;
	bool is_known, is_present;
};

static struct ledger *ledger;
static struct oracle oracles[N_NODES];
static unsigned int n_wrong, step;

static void check(bool good, const char *what, unsigned int nid, const char *path)
{
	if (good)
		return;
	if (n_wrong++ < 10)
		printf("# step %u, node %u, %s: %s\n", step, nid, path, what);
}

static bool is_below(const char *path, const char *above)
{
	size_t length = strlen(above);

	return strncmp(path, above, length) == 0 && path[length] == '/';
}

/* The nearest holder above, -1 for the node. */
static int find_parent(const struct oracle *oracle, const char *path)
{
	int found = -1;

	for (size_t i = 0; i < N_PATHS; i++)
		if (oracle->entries[i].reservation && is_below(path, paths[i]) &&
		    (found < 0 || strlen(paths[i]) > strlen(paths[found])))
			found = (int)i;
	return found;
}

static uint64_t sum_drawn(const struct oracle *oracle, int from)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < N_PATHS; i++)
		if (oracle->entries[i].reservation && find_parent(oracle, paths[i]) == from)
			sum += oracle->entries[i].bytes;
	return sum;
}

static uint64_t sub(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static uint64_t count_left(const struct oracle *oracle, int from)
{
	uint64_t drawn = sum_drawn(oracle, from);

	return from < 0 ? sub(sub(oracle->room, drawn), oracle->stray) :
			  sub(oracle->entries[from].bytes, drawn);
}

/* Held below @path by those that draw from the same as it would. */
static uint64_t sum_below(const struct oracle *oracle, const char *path)
{
	int parent = find_parent(oracle, path);
	uint64_t sum = 0;

	for (size_t i = 0; i < N_PATHS; i++)
		if (oracle->entries[i].reservation && is_below(paths[i], path) &&
		    find_parent(oracle, paths[i]) == parent)
			sum += oracle->entries[i].bytes;
	return sum;
}

static uint64_t random_bytes(void)
{
	static const uint64_t odd[] = { 0, 1, PAGE - 1, PAGE + 1, UINT64_MAX, UINT64_MAX - PAGE + 1 };

	if (random() % 20 == 0)
		return odd[random() % 6];
	return (uint64_t)(random() % 64) * PAGE;
}

/* What holds of every reserve, adopted or not. */
static int foretell_reserve(const struct oracle *oracle, size_t i, uint64_t bytes)
{
	uint64_t below = sum_below(oracle, paths[i]);

	if (bytes % PAGE)
		return -EINVAL;
	if (!oracle->is_known || !oracle->is_present)
		return -ENODEV;
	if (oracle->entries[i].reservation)
		return -EEXIST;
	if (bytes < below)
		return -EBUSY;
	return bytes - below > count_left(oracle, find_parent(oracle, paths[i])) ? -ENOSPC : 0;
}

static void do_reserve(unsigned int nid, size_t i)
{
	struct oracle *oracle = &oracles[nid];
	struct reservation *fresh = NULL;
	uint64_t bytes = random_bytes();
	int want = foretell_reserve(oracle, i, bytes);
	int got = ledger_reserve(ledger, paths[i], paths[i], nid, bytes, &fresh);

	check(got == want, "reserve answers otherwise", nid, paths[i]);
	check(!fresh == (got < 0), "reserve sets its output on success only", nid, paths[i]);
	if (fresh)
		oracle->entries[i] = (struct entry){ fresh, bytes };
}

static void do_adopt(unsigned int nid, size_t i)
{
	struct oracle *oracle = &oracles[nid];
	struct reservation *fresh = NULL;
	uint64_t bytes = (uint64_t)(random() % 64) * PAGE;
	int got = ledger_adopt(ledger, paths[i], paths[i], nid, bytes, &fresh);

	check(got == (oracle->entries[i].reservation ? -EEXIST : 0), "adopt answers otherwise", nid,
	      paths[i]);
	oracle->is_known = true;
	if (fresh)
		oracle->entries[i] = (struct entry){ fresh, bytes };
}

static void do_resize(unsigned int nid, size_t i)
{
	struct oracle *oracle = &oracles[nid];
	struct entry *entry = &oracle->entries[i];
	uint64_t bytes = random_bytes(), before = entry->bytes;
	int want = 0, got;

	if (!entry->reservation)
		return;
	if (bytes % PAGE)
		want = -EINVAL;
	else if (bytes > before)
		want = !oracle->is_present ? -ENODEV :
		       bytes - before > count_left(oracle, find_parent(oracle, paths[i])) ? -ENOSPC : 0;
	else if (bytes < sum_drawn(oracle, (int)i))
		want = -EBUSY;
	got = reservation_resize(entry->reservation, bytes);
	check(got == want, "resize answers otherwise", nid, paths[i]);
	if (got < 0)
		return;
	entry->bytes = bytes;
	if (random() % 4 == 0) {
		reservation_restore(entry->reservation, before);
		entry->bytes = before;
	}
}

static void do_drop(unsigned int nid, size_t i)
{
	struct entry *entry = &oracles[nid].entries[i];

	entry->reservation = reservation_drop(entry->reservation);
}

/* A node comes, grows, shrinks, goes, or memory in use shows up without an owner. */
static void do_node(unsigned int nid)
{
	struct oracle *oracle = &oracles[nid];
	uint64_t capacity = (uint64_t)(random() % 256) * PAGE + (uint64_t)(random() % 100);
	unsigned int percent = random() % 2 ? 100 : 100 + (unsigned int)(random() % 200);

	switch (random() % 3) {
	case 0:
		ledger_set_absent(ledger, nid);
		oracle->is_present = false;
		break;
	case 1:
		check(ledger_set_node(ledger, nid, capacity, percent) == 0, "a node is refused", nid, "");
		oracle->room = capacity * percent / 100 / PAGE * PAGE;
		oracle->is_known = oracle->is_present = true;
		break;
	default:
		oracle->stray = oracle->is_known ? (uint64_t)(random() % 32) * PAGE : 0;
		ledger_set_stray(ledger, nid, oracle->stray);
	}
}

/* All that the ledger shows is as it follows from who holds what. */
static void check_all(unsigned int nid)
{
	const struct oracle *oracle = &oracles[nid];
	uint64_t drawn = sum_drawn(oracle, -1);

	check(ledger_get_reserved(ledger, nid) == drawn, "reserved", nid, "");
	check(ledger_has_node(ledger, nid) == oracle->is_present, "presence", nid, "");
	check(ledger_get_room(ledger, nid) == oracle->room, "room", nid, "");
	check(ledger_is_over(ledger, nid) == (oracle->is_present && drawn > oracle->room), "over", nid,
	      "");
	for (size_t i = 0; i < N_PATHS; i++) {
		const struct entry *entry = &oracle->entries[i];
		int parent = find_parent(oracle, paths[i]);
		uint64_t left = oracle->is_present ? count_left(oracle, parent) +
						     sum_below(oracle, paths[i]) : 0;

		if (!entry->reservation) {
			check(ledger_get_left(ledger, paths[i], nid) == left, "left", nid, paths[i]);
			continue;
		}
		check(reservation_get_bytes(entry->reservation) == entry->bytes, "bytes", nid, paths[i]);
		check(strcmp(reservation_get_source(entry->reservation),
			     parent < 0 ? "" : paths[parent]) == 0, "source", nid, paths[i]);
	}
}

static void run_step(void)
{
	unsigned int nid = (unsigned int)(random() % N_NODES);
	size_t i = (size_t)random() % N_PATHS;

	switch (random() % 16) {
	case 0:
		do_node(nid);
		break;
	case 1:
		do_adopt(nid, i);
		break;
	case 2 ... 4:
		do_drop(nid, i);
		break;
	case 5 ... 9:
		do_resize(nid, i);
		break;
	default:
		do_reserve(nid, i);
	}
	check_all(nid);
}

static void run_sequence(void)
{
	ledger_new(PAGE, &ledger);
	memset(oracles, 0, sizeof(oracles));
	for (step = 0; step < STEPS; step++)
		run_step();
	for (unsigned int nid = 0; nid < N_NODES; nid++)
		for (size_t i = 0; i < N_PATHS; i++)
			do_drop(nid, i);
	for (unsigned int nid = 0; nid < N_NODES; nid++)
		check(ledger_get_reserved(ledger, nid) == 0, "not all came back", nid, "");
	ledger_free(ledger);
}

int main(void)
{
	const char *given = getenv("SEED");
	unsigned int seed = given ? (unsigned int)strtoul(given, NULL, 10) : (unsigned int)time(NULL);

	printf("# SEED=%u\n", seed);
	srandom(seed);
	for (int i = 0; i < SEQUENCES && n_wrong == 0; i++)
		run_sequence();
	ok(n_wrong == 0, "the ledger does as the oracle foretells, step by step");
	return tap_done();
}
