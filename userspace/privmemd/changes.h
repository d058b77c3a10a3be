/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The methods of org.privmem1.Manager that change the grant of a cgroup, for callers that may. */
#ifndef PRIVMEM_CHANGES_H
#define PRIVMEM_CHANGES_H

#include <systemd/sd-bus.h>

#include "reconcile.h"

int changes_grant(struct reconcile *reconcile, sd_bus_message *call, sd_bus_error *error);
int changes_set_limit(struct reconcile *reconcile, sd_bus_message *call, sd_bus_error *error);
int changes_revoke(struct reconcile *reconcile, sd_bus_message *call, sd_bus_error *error);

#endif
