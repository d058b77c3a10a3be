/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of privmem-policy share; main.c says what each verb does. */
#ifndef POLICY_H
#define POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "../places.h"

/* ---- common.c: arguments, output and memory ------------------------------ */

void fail(const char *what) __attribute__((noreturn));	/* as errno says */
void usage(void) __attribute__((noreturn));

unsigned long parse_nodes(const char *text);
int parse_mode(char *text);	/* with its flags; cuts @text up */

/* Lines of output; 0, for a verb to return. */
int print_error(void);
int print_policy(void *addr);	/* of the task, if NULL */
void print_nodes(unsigned long nodes);

/* Memory, of no page yet, or the end of the program. */
char *map(size_t bytes, int flags, int fd, int prot);
char *map_anon(size_t bytes);
char *map_bound(const char *nodes, size_t bytes);
int bind_to(void *memory, size_t bytes, int mode, unsigned long nodes, int flags);

/* Make every page hold something that none of the others does, and look for it. */
void fill(char *memory, size_t bytes);
bool is_filled(const char *memory, size_t bytes);

void write_cgroup(const char *path, const char *file, const char *value);
void hold(void);		/* until our standard input ends */

/* ---- the verbs, see main.c: print what came of it, return the exit status */

/* policies.c */
int verb_set(char **args);
int verb_bind(char **args);
int verb_home(char **args);
int verb_mapped(char **args);
int verb_allowed(char **args);
int verb_kernelmem(char **args);

/* moves.c */
int verb_remap(char **args);
int verb_move(char **args);
int verb_movefile(char **args);
int verb_migrate(char **args);
int verb_migratepid(char **args);
int verb_movechild(char **args);
int verb_movebatch(char **args);
int verb_remapfile(char **args);
int verb_migratefile(char **args);
int verb_balance(char **args);

/* pages.c */
int verb_read(char **args);
int verb_mlock(char **args);
int verb_populate(char **args);
int verb_longterm(char **args);
int verb_longterm_unmapped(char **args);
int verb_fallocate(char **args);
int verb_swapin(char **args);
int verb_fork(char **args);
int verb_odirect(char **args);
int verb_hugetlb(char **args);

/* handler.c */
int verb_uffdcopy(char **args);
int verb_uffdmove(char **args);
int verb_vmwrite(char **args);

/* advice.c */
int verb_advise(char **args);
int verb_splithuge(char **args);
int verb_halfhuge(char **args);
int verb_device(char **args);
int verb_poison(char **args);

#endif
