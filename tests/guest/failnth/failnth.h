/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of privmem-failnth share; main.c says what it does. */
#ifndef FAILNTH_H
#define FAILNTH_H

#include <stdbool.h>
#include <stddef.h>

#include "../mempolicy.h"

#define TOP "/sys/fs/cgroup/privmem-test"
#define PAGES 8UL

struct operation {
	const char *name;		/* NULL ends a list */
	void (*prepare)(void);		/* nothing fails yet */
	int (*run)(void);		/* with the fault; 0 or an errno */
	bool (*check)(int err);		/* does hold what has to, now that it ended so? */
	bool is_node;			/* node 1 has to be brought back afterwards */
};

extern const struct operation control_operations[], page_operations[], move_operations[],
	node_operations[];

extern int fail_fd;		/* our fail-nth, while an operation runs */

/* ---- common.c ------------------------------------------------------------ */

extern char *memory;		/* PAGES of it, if the operation has any */
extern int file_fd;		/* what it writes to or reads */

void fail(const char *what) __attribute__((noreturn));	/* as errno says; the setup's fault */

int write_file(const char *path, const char *value);
void must_write(const char *path, const char *value);
void read_file(const char *path, char *buffer, size_t size);
bool file_is(const char *path, const char *want);
int result(long value);			/* what a system call gave, as 0 or errno */
void sleep_msec(long msec);

void open_for_write(const char *path);	/* as file_fd */
int write_value(const char *value);	/* to it */

void prepare_granted(void);		/* in f/g, granted nodes 1 and 2 */
void prepare_mapped(void);		/* ... with memory of no page */
void prepare_bound(void);		/* ... that is bound to node 1 */
void prepare_filled(void);		/* ... and there */

char *map_anon(size_t bytes);		/* aligned for a huge page */
void bind_to(void *area, size_t bytes, unsigned long nodes);
void fill(void);			/* memory */

bool check_any(int err);
bool check_filled(int err);
bool check_kept(int err);

/* ---- node.c -------------------------------------------------------------- */

void find_dax(void);			/* before any operation */
void restore_node(void);

#endif
