/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * org.privmem1.Manager, one vtable on two kinds of bus: the system bus, which is
 * joined when it appears, and a socket of our own that is there from the start.
 * Anyone may read, root may change.
 */
#ifndef PRIVMEM_MANAGER_H
#define PRIVMEM_MANAGER_H

#include <systemd/sd-event.h>

#include "request.h"

struct manager;

int manager_new(sd_event *event, int private_fd, struct reconcile *reconcile,
		struct manager **ret);
struct manager *manager_free(struct manager *manager);
int manager_start(struct manager *manager);
void manager_tell_changes(struct manager *manager);

#endif
