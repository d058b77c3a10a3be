/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of privmem-soak share; main.c says what the program does. Its processes
 * are worker.c, admin.c and operator.c, and supervise.c, which looks after the workers.
 * What a worker can do is in mappings.c, pages.c, places.c and fork.c.
 */
#ifndef SOAK_H
#define SOAK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../mempolicy.h"

#define TOP "/sys/fs/cgroup/privmem-soak"
#define MAX_WORKERS 32
#define MAX_COMPLAINTS 20
#define HANG_SEC 120

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

extern unsigned int nr_workers;
extern uint64_t seed;

/* ---- shared.c: what happened, and in which process ---------------------- */

enum op {
	OP_MAP, OP_UNMAP, OP_WRITE, OP_VERIFY, OP_MBIND, OP_MBIND_MOVE, OP_TASK_POLICY,
	OP_MOVE_PAGES, OP_MIGRATE_PAGES, OP_FORK, OP_COPY_ON_WRITE, OP_MLOCK, OP_POPULATE,
	OP_FALLOCATE, OP_READ_INTO, OP_DONTNEED, OP_FREE, OP_COLD, OP_PAGEOUT, OP_COLLAPSE,
	OP_PROTECT, OP_REMAP, OP_PIN,
	OP_GRANT, OP_SUBTREE, OP_LIMIT, OP_REVOKE, OP_MOVE_TASK, OP_KILL, OP_CGROUP_NEW,
	OP_CGROUP_REMOVE, OP_RECLAIM, OP_PRIVATE_RECLAIM,
	OP_OFFLINE, OP_ONLINE, OP_UNBIND, OP_BIND, OP_SWAPOFF, OP_CENSUS,
	NR_OPS
};

/* A kind that is_refused must have met its refusal, or the run was too tame. */
struct op_kind {
	const char *name;
	bool is_refused;
};

extern const struct op_kind ops[NR_OPS];

struct worker {
	_Atomic pid_t pid;
	_Atomic unsigned int beats;
	_Atomic int op;
};

/* Between all processes; the only memory here that is nobody's in particular. */
struct shared {
	_Atomic bool stop;
	_Atomic unsigned long done[NR_OPS], refused[NR_OPS];
	_Atomic int complaints;
	char complaint[MAX_COMPLAINTS][256];
	struct worker workers[MAX_WORKERS];
	pthread_mutex_t quiet;		/* held while the workers are frozen */
	_Atomic bool frozen;		/* they were, and could not beat */
};

extern struct shared *shared;

void setup_shared(void);
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
void count(enum op op, bool is_done);

/* ---- common.c: random numbers, time and files --------------------------- */

uint64_t mix(uint64_t x);
void random_seed(uint64_t value);	/* of this process */
void random_fork(void);
unsigned int random_below(unsigned int n);
bool one_in(unsigned int n);
void sleep_usec(long usec);
double now(void);
int write_file(const char *path, const char *value);
int read_file(const char *path, char *buffer, size_t size);

/* ---- cgroups.c: where the workers live ---------------------------------- */

#define NR_CGROUPS 7
#define FIRST_LEAF 3		/* of cgroups[]; from here on they have processes */
#define NR_LEAVES (NR_CGROUPS - FIRST_LEAF)
#define NR_DYNAMIC 4

/* Paths below TOP, parents first. */
extern const char *const cgroups[NR_CGROUPS];

void make_cgroups(void);
bool remove_cgroups(void);
bool all_released(void);
void dynamic_path(unsigned int i, char *path, size_t size);
bool is_our_cgroup(uint64_t inode);
int write_cgroup(const char *path, const char *file, const char *value);
long read_bytes(const char *path, const char *file, int nid);

/* ---- stamps.c: a worker's memory and what it holds ---------------------- */

#define AREAS 6
#define AREA_PAGES 1024		/* of two huge pages; others are much smaller */
#define STAMP_WORDS 3		/* what holds the stamp of a page */

enum kind { KIND_ANON, KIND_HUGE, KIND_SHARED, KIND_MEMFD, NR_KINDS };

/*
 * stamp[] says what each page holds: 0 if it was never written or given away and
 * reads as zeros, else what was written last.  A page that was MADV_FREEd is
 * is_free[]: it still holds its stamp or is zero.
 */
struct area {
	char *memory;
	size_t pages;
	enum kind kind;
	int fd;
	bool is_strict;		/* bound to private memory alone: may be refused */
	bool is_copied;		/* was there at a fork: a write may have to copy */
	uint64_t stamp[AREA_PAGES];
	bool is_free[AREA_PAGES];
};

extern struct area areas[AREAS];	/* of this worker */
extern uint64_t last_stamp;		/* that it used */
extern bool has_policy;			/* the task has a strict one */

void catch_bus(void);
void any_range(const struct area *area, size_t *ret_first, size_t *ret_count);
bool may_refuse(const struct area *area);
bool has_page(const struct area *area, size_t page);
void fill_page(char *page, uint64_t stamp);
int store_page(const struct area *area, size_t page, uint64_t stamp);
bool page_holds(const struct area *area, size_t page, uint64_t stamp);
bool verify_page(struct area *area, size_t page);
bool write_page(struct area *area, size_t page);

/* ---- own.c: the rest of a worker's memory ------------------------------- */

void find_own(void);		/* once, before there are areas */
void keep_own(void);		/* before the task gets a policy */

/* ---- the operations of a worker ----------------------------------------- */

/* mappings.c */
void do_map(struct area *area);
void do_unmap(struct area *area);
void do_protect(struct area *area);
void do_remap(struct area *area);

/* pages.c */
void do_write(struct area *area);
void do_verify(struct area *area);
void do_mlock(struct area *area);
void do_populate(struct area *area);
void do_fallocate(struct area *area);
void do_read_into(struct area *area);
void do_advise(struct area *area, enum op op);
bool has_pin(void);
void do_pin(struct area *area);

/* places.c */
void bind_area(struct area *area, enum op op);
void do_task_policy(struct area *area);
void do_move_pages(struct area *area);
void do_migrate_pages(void);

/* fork.c */
void do_fork(struct area *mine);

/* ---- the processes ------------------------------------------------------ */

void worker(unsigned int index, unsigned int life) __attribute__((noreturn));
void admin(void) __attribute__((noreturn));
void operator(void) __attribute__((noreturn));
void find_dax(void);		/* of nodes 1 and 2, or exits */
void do_census(void);		/* census.c */
void supervise(double end);	/* supervise.c; starts workers until @end */
bool wait_for_all(void);

#endif
