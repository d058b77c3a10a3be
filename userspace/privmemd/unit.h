/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Units, as PID 1 tells of them.
 *
 * Questions go over /run/systemd/private, which is there before any bus and
 * cannot deadlock with one. The connection lasts while questions are open and
 * is closed with the last answer, because PID 1 sends every signal to every
 * peer. Signals, which save us from asking again and again, come over the
 * system bus once there is one; nothing depends on them.
 */
#ifndef PRIVMEM_UNIT_H
#define PRIVMEM_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <systemd/sd-id128.h>

struct unit {
	char *name;		/* the one the unit goes by, whatever alias was asked for */
	bool is_loaded;		/* PID 1 found a file for it */
	bool is_live;		/* neither inactive nor failed */
	bool is_starting;	/* live, but not up yet */
	bool is_failed;		/* down, and systemctl --failed lists it */
	bool has_job;		/* one that is down is about to start, maybe only amid a restart */
	char **files;		/* fragment, then drop-ins, then NULL */
	char *cgroup;		/* where it is or would be, never ""; NULL if not loaded */
	sd_id128_t invocation;
	uint64_t asked;		/* when, in the caller's own count; see unit_ask() */
};

/* Where PID 1 listens. */
#define UNIT_PRIVATE_ADDRESS "unix:path=/run/systemd/private"

struct unit_peer;
struct unit_question;

/* @error is 0 or -Exxx; @unit is valid for the call only, NULL on errors. */
typedef void (*unit_answer_t)(int error, const struct unit *unit, void *userdata);
typedef void (*unit_live_t)(int error, char *const *names, size_t count, uint64_t asked,
			    void *userdata);

int unit_peer_new(sd_event *event, const char *address, struct unit_peer **ret);
struct unit_peer *unit_peer_free(struct unit_peer *peer);

int unit_ask(struct unit_peer *peer, const char *name, bool load, uint64_t now,
	     unit_answer_t answer, void *userdata, struct unit_question **ret);
struct unit_question *unit_cancel(struct unit_question *question);
int unit_ask_live(struct unit_peer *peer, uint64_t now, unit_live_t answer, void *userdata);

bool unit_name_is_valid(const char *name);
bool unit_name_has_directives(const char *name);

struct unit_signals {
	void (*job_removed)(const char *unit, void *userdata);
	void (*reloaded)(void *userdata);
};

int unit_subscribe(sd_bus *bus, const struct unit_signals *signals, void *userdata);

#endif
