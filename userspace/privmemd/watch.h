/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Watches the cgroups of grants: when the last process leaves one, and when what
 * is effective there changes, be it that somebody rewrote our files. There is no
 * event for a cgroup that is removed, so a watch goes with its grant.
 */
#ifndef PRIVMEM_WATCH_H
#define PRIVMEM_WATCH_H

#include <systemd/sd-event.h>

#include "grants.h"

enum watched { WATCHED_EVENTS, WATCHED_EFFECTIVE };

typedef void (*watch_changed_t)(struct grant *grant, enum watched what, void *userdata);

struct watch;

int watch_new(sd_event *event, int root_fd, watch_changed_t changed, void *userdata,
	      struct watch **ret);
struct watch *watch_free(struct watch *watch);
int watch_add(struct watch *watch, struct grant *grant);
void watch_remove(struct watch *watch, struct grant *grant);

#endif
