/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PRIVMEMCTL_EVICT_H
#define PRIVMEMCTL_EVICT_H

/* Moves what the processes of a cgroup have on private nodes to ordinary memory. */

#include "client.h"
#include "nodelist.h"

enum exit_code evict(const char *cgroup, const struct nodelist *nodes);

#endif
