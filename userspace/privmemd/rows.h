/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is shown over D-Bus: rows of nodes and of grants, put together from the
 * ledger and from what the kernel's files say at this moment. Every row is a
 * dictionary, so that fields can be added.
 */
#ifndef PRIVMEM_ROWS_H
#define PRIVMEM_ROWS_H

#include <systemd/sd-bus.h>

#include "grants.h"

int rows_append_nodes(sd_bus_message *m, struct grants *grants);
int rows_append_grant(sd_bus_message *m, const struct grants *grants, const struct grant *grant);
int rows_append_cgroup(sd_bus_message *m, const struct grants *grants, const char *cgroup);

#endif
