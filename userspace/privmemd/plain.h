/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Grants of cgroups that have no unit file to say what they want: made by cgcreate or a container
 * runtime, and scopes. A command says what changes, and what results is a wish like any other.
 * It rests on the cgroup's files and mark, so it ends with the cgroup.
 */
#ifndef PRIVMEM_PLAIN_H
#define PRIVMEM_PLAIN_H

#include "grant.h"
#include "plan.h"

bool plain_path_is_valid(const char *path);
void plain_grant(struct grants *grants, const char *path, const char *nodes,
		 const struct plan_limit *limits, size_t n_limits, struct verdict *ret);
void plain_set_limit(struct grants *grants, const char *path, const char *node, const char *size,
		     struct verdict *ret);
void plain_revoke(struct grants *grants, const char *path, const char *nodes,
		  struct verdict *ret);

#endif
