// SPDX-License-Identifier: LGPL-2.1-or-later
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "cgroupname.h"

#define DESTINATION "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER_INTERFACE "org.freedesktop.systemd1.Manager"
/* Less than the hook's own deadline, so that it hears the reason. */
#define TIMEOUT_USEC (15 * UINT64_C(1000000))

struct unit_peer {
	sd_event *event;
	sd_event_source *idle;
	char *address;
	sd_bus *bus;
	unsigned int n_open;
};

typedef int (*property_read_t)(sd_bus_message *value, struct unit_question *question);

/* Names below this one are asked of the interface of the unit's type. */
enum property { ID, LOAD_STATE, JOB, ACTIVE_STATE, SUB_STATE, FRAGMENT, DROP_INS, INVOCATION, CGROUP,
		SLICE, PROPERTY_COUNT };

struct unit_question {
	struct unit_peer *peer;
	sd_bus_slot *loaded_slot, *slots[PROPERTY_COUNT];
	unsigned int n_missing;
	unit_answer_t answer;
	void *userdata;
	struct unit unit;
	char *fragment, **drop_ins, *slice;
};

struct live_question {
	struct unit_peer *peer;
	sd_bus_slot *slot;
	unit_live_t answer;
	void *userdata;
	uint64_t asked;
};

static void strings_free(char **strings)
{
	for (size_t i = 0; strings && strings[i]; i++)
		free(strings[i]);
	free(strings);
}

static const char *unit_interface_of(const char *name)
{
	const char *suffix = strrchr(name, '.');

	if (suffix && strcmp(suffix, ".service") == 0)
		return "org.freedesktop.systemd1.Service";
	if (suffix && strcmp(suffix, ".slice") == 0)
		return "org.freedesktop.systemd1.Slice";
	if (suffix && strcmp(suffix, ".scope") == 0)
		return "org.freedesktop.systemd1.Scope";
	return NULL;
}

/**
 * unit_name_is_valid() - is it the name of a unit that has a cgroup we may grant?
 */
bool unit_name_is_valid(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789:-_.\\@";

	return strlen(name) < 256 && name[strspn(name, allowed)] == '\0' &&
	       name[0] != '.' && unit_interface_of(name);
}

/**
 * unit_name_has_directives() - may files of this unit hold our keys?
 */
bool unit_name_has_directives(const char *name)
{
	const char *suffix = strrchr(name, '.');

	return suffix && (strcmp(suffix, ".service") == 0 || strcmp(suffix, ".slice") == 0);
}

static int on_idle(sd_event_source *source, void *userdata)
{
	struct unit_peer *peer = userdata;

	(void)source;
	if (peer->n_open == 0)
		peer->bus = sd_bus_close_unref(peer->bus);
	return 0;
}

/**
 * unit_peer_new() - prepare to ask PID 1; connects with the first question
 * @address: UNIT_PRIVATE_ADDRESS, but for tests
 * @ret: set only on success; see unit_peer_free()
 *
 * Return: 0 or -Exxx
 */
int unit_peer_new(sd_event *event, const char *address, struct unit_peer **ret)
{
	struct unit_peer *peer = calloc(1, sizeof(*peer));
	int r;

	if (!peer)
		return -ENOMEM;
	peer->address = strdup(address);
	r = peer->address ? sd_event_add_defer(event, &peer->idle, on_idle, peer) : -ENOMEM;
	if (r >= 0)
		r = sd_event_source_set_enabled(peer->idle, SD_EVENT_OFF);
	if (r < 0) {
		sd_event_source_unref(peer->idle);
		free(peer->address);
		free(peer);
		return r;
	}
	peer->event = sd_event_ref(event);
	*ret = peer;
	return 0;
}

/**
 * unit_peer_free() - no question may be open any more
 * @peer: may be NULL
 *
 * Return: NULL
 */
struct unit_peer *unit_peer_free(struct unit_peer *peer)
{
	if (!peer)
		return NULL;
	sd_bus_close_unref(peer->bus);
	sd_event_source_disable_unref(peer->idle);
	sd_event_unref(peer->event);
	free(peer->address);
	free(peer);
	return NULL;
}

static int peer_connect(struct unit_peer *peer)
{
	sd_bus *bus = NULL;
	int r;

	if (peer->bus && sd_bus_is_open(peer->bus) > 0)
		return 0;
	/* A broken one lives on until its open questions have heard of it. */
	peer->bus = sd_bus_unref(peer->bus);
	r = sd_bus_new(&bus);
	if (r >= 0)
		r = sd_bus_set_address(bus, peer->address);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r >= 0)
		r = sd_bus_set_method_call_timeout(bus, TIMEOUT_USEC);
	if (r >= 0)
		r = sd_bus_attach_event(bus, peer->event, SD_EVENT_PRIORITY_NORMAL);
	if (r < 0) {
		sd_bus_close_unref(bus);
		return r;
	}
	peer->bus = bus;
	return 0;
}

static void peer_release(struct unit_peer *peer)
{
	if (--peer->n_open == 0)
		(void)sd_event_source_set_enabled(peer->idle, SD_EVENT_ONESHOT);
}

/**
 * unit_cancel() - forget a question; its answer will not come
 * @question: may be NULL
 *
 * Return: NULL
 */
struct unit_question *unit_cancel(struct unit_question *question)
{
	if (!question)
		return NULL;
	sd_bus_slot_unref(question->loaded_slot);
	for (size_t i = 0; i < PROPERTY_COUNT; i++)
		sd_bus_slot_unref(question->slots[i]);
	peer_release(question->peer);
	free(question->unit.name);
	free(question->unit.cgroup);
	strings_free(question->unit.files);
	free(question->fragment);
	strings_free(question->drop_ins);
	free(question->slice);
	free(question);
	return NULL;
}

/* PID 1's own ControlGroup=, or where the unit's would be while it has none. */
static int question_place(struct unit_question *question)
{
	struct unit *unit = &question->unit;
	char *slice;
	int r;

	if (unit->cgroup && *unit->cgroup)
		return 0;
	free(unit->cgroup);
	unit->cgroup = NULL;
	if (strcmp(unit_interface_of(unit->name), "org.freedesktop.systemd1.Slice") == 0)
		return cgroup_path_of_slice(unit->name, &unit->cgroup);
	r = cgroup_path_of_slice(question->slice && *question->slice ? question->slice :
				 "system.slice", &slice);
	if (r < 0)
		return r;
	if (asprintf(&unit->cgroup, "%s/%s%s", slice, cgroupname_escape(unit->name), unit->name) < 0)
		unit->cgroup = NULL;
	free(slice);
	return unit->cgroup ? 0 : -ENOMEM;
}

static int question_list_files(struct unit_question *question)
{
	size_t count = 0, i = 0;
	char **files;

	while (question->drop_ins && question->drop_ins[count])
		count++;
	files = calloc(count + 2, sizeof(*files));
	if (!files)
		return -ENOMEM;
	if (question->fragment && *question->fragment) {
		files[i++] = question->fragment;
		question->fragment = NULL;
	}
	for (size_t k = 0; k < count; k++) {
		files[i++] = question->drop_ins[k];
		question->drop_ins[k] = NULL;
	}
	question->unit.files = files;
	return 0;
}

static int read_string(sd_bus_message *m, char **ret)
{
	const char *text;
	char *copy;
	int r = sd_bus_message_read(m, "v", "s", &text);

	if (r < 0)
		return r;
	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	free(*ret);
	*ret = copy;
	return 0;
}

static int read_strings(sd_bus_message *m, char ***ret)
{
	int r = sd_bus_message_enter_container(m, 'v', "as");

	return r < 0 ? r : sd_bus_message_read_strv(m, ret);
}

static int read_id(sd_bus_message *m, sd_id128_t *ret)
{
	const void *bytes;
	size_t size;
	int r = sd_bus_message_enter_container(m, 'v', "ay");

	if (r >= 0)
		r = sd_bus_message_read_array(m, 'y', &bytes, &size);
	if (r >= 0 && size == sizeof(*ret))
		memcpy(ret, bytes, size);
	return r;
}

static int read_states(sd_bus_message *m, enum property property, struct unit *unit)
{
	const char *state;
	int r = sd_bus_message_read(m, "v", "s", &state);

	if (r < 0)
		return r;
	if (property == LOAD_STATE) {
		unit->is_loaded = strcmp(state, "not-found") != 0;
	} else if (property == ACTIVE_STATE) {
		unit->is_failed = strcmp(state, "failed") == 0;
		unit->is_live = strcmp(state, "inactive") != 0 && !unit->is_failed;
		unit->is_starting |= strcmp(state, "activating") == 0;
	} else {
		/* A service of Type=idle calls itself active before its hook has run. */
		unit->is_starting |= strcmp(state, "condition") == 0 ||
				     strcmp(state, "start-pre") == 0;
	}
	return 0;
}

static int read_job(sd_bus_message *m, struct unit *unit)
{
	uint32_t id;
	int r = sd_bus_message_read(m, "v", "(uo)", &id, NULL);

	if (r >= 0)
		unit->has_job = id > 0;
	return r;
}

static int question_read(struct unit_question *question, enum property property,
			 sd_bus_message *m)
{
	switch (property) {
	case ID:
		return read_string(m, &question->unit.name);
	case LOAD_STATE:
	case ACTIVE_STATE:
	case SUB_STATE:
		return read_states(m, property, &question->unit);
	case JOB:
		return read_job(m, &question->unit);
	case FRAGMENT:
		return read_string(m, &question->fragment);
	case DROP_INS:
		return read_strings(m, &question->drop_ins);
	case INVOCATION:
		return read_id(m, &question->unit.invocation);
	case CGROUP:
		return read_string(m, &question->unit.cgroup);
	case SLICE:
		return read_string(m, &question->slice);
	case PROPERTY_COUNT:
		break;
	}
	return -EINVAL;
}

/* sd-bus calls it a timeout when the other side hangs up; the connection tells the two apart. */
static int reply_error(sd_bus_message *m)
{
	return sd_bus_is_open(sd_bus_message_get_bus(m)) > 0 ? -sd_bus_message_get_errno(m) :
							      -ECONNRESET;
}

static int on_property(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct unit_question *question = userdata;
	size_t property = 0;
	int r;

	(void)error;
	while (question->slots[property] != sd_bus_get_current_slot(sd_bus_message_get_bus(m)))
		property++;
	if (sd_bus_message_is_method_error(m, NULL))
		r = reply_error(m);
	else
		r = question_read(question, property, m);
	if (r >= 0 && --question->n_missing > 0)
		return 0;
	if (r >= 0)
		r = question_place(question);
	if (r >= 0)
		r = question_list_files(question);
	question->answer(r < 0 ? r : 0, r < 0 ? NULL : &question->unit, question->userdata);
	unit_cancel(question);
	return 0;
}

static int question_send(struct unit_question *question)
{
	static const char *const names[PROPERTY_COUNT] = {
		[ID] = "Id", [LOAD_STATE] = "LoadState", [ACTIVE_STATE] = "ActiveState",
		[SUB_STATE] = "SubState", [JOB] = "Job",
		[FRAGMENT] = "FragmentPath", [DROP_INS] = "DropInPaths",
		[INVOCATION] = "InvocationID", [CGROUP] = "ControlGroup", [SLICE] = "Slice",
	};
	char *path = NULL;
	int r = sd_bus_path_encode(MANAGER_PATH "/unit", question->unit.name, &path);

	for (size_t i = 0; r >= 0 && i < PROPERTY_COUNT; i++)
		r = sd_bus_call_method_async(question->peer->bus, &question->slots[i], DESTINATION,
					     path, "org.freedesktop.DBus.Properties", "Get",
					     on_property, question, "ss",
					     i < CGROUP ? "org.freedesktop.systemd1.Unit" :
					     unit_interface_of(question->unit.name), names[i]);
	free(path);
	return r;
}

/* Not loaded is not live; all else needs PID 1's properties. */
static int on_loaded(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct unit_question *question = userdata;
	int r;

	(void)error;
	if (!sd_bus_message_is_method_error(m, NULL)) {
		r = question_send(question);
		if (r >= 0)
			return 0;
	} else if (sd_bus_message_is_method_error(m, "org.freedesktop.systemd1.NoSuchUnit")) {
		r = 0;
	} else {
		r = reply_error(m);
	}
	question->answer(r, r < 0 ? NULL : &question->unit, question->userdata);
	unit_cancel(question);
	return 0;
}

static int question_ask_loaded(struct unit_question *question)
{
	return sd_bus_call_method_async(question->peer->bus, &question->loaded_slot, DESTINATION,
					MANAGER_PATH, MANAGER_INTERFACE, "GetUnit", on_loaded,
					question, "s", question->unit.name);
}

/**
 * unit_ask() - ask PID 1 about one unit
 * @name: see unit_name_is_valid()
 * @load: have PID 1 load the unit if need be; else an unloaded one is answered as not live
 *	and has nothing but its name. PID 1 would load and forget it for each property.
 * @now: handed back in the answer, so that one can tell what has happened since
 * @answer: called once, from the event loop, unless the question is cancelled
 * @ret: the open question, valid until its answer is given
 *
 * Return: 0, -EINVAL for a bad name, or -Exxx if PID 1 cannot be reached
 */
int unit_ask(struct unit_peer *peer, const char *name, bool load, uint64_t now,
	     unit_answer_t answer, void *userdata, struct unit_question **ret)
{
	struct unit_question *question;
	int r;

	if (!unit_name_is_valid(name))
		return -EINVAL;
	r = peer_connect(peer);
	if (r < 0)
		return r;
	question = calloc(1, sizeof(*question));
	if (!question)
		return -ENOMEM;
	question->peer = peer;
	question->n_missing = PROPERTY_COUNT;
	question->answer = answer;
	question->userdata = userdata;
	question->unit.asked = now;
	peer->n_open++;
	question->unit.name = strdup(name);
	if (!question->unit.name)
		r = -ENOMEM;
	else
		r = load ? question_send(question) : question_ask_loaded(question);
	if (r < 0) {
		unit_cancel(question);
		return r;
	}
	*ret = question;
	return 0;
}

/* Down for good; one with a job is about to start, maybe only amid a restart. */
static bool is_down(const char *active, uint32_t job)
{
	return job == 0 && (strcmp(active, "inactive") == 0 || strcmp(active, "failed") == 0);
}

/* Units that are up come first: what they hold is older than what starting ones ask. */
static int read_live(sd_bus_message *m, bool is_starting, char **names, size_t *count)
{
	const char *name, *active;
	uint32_t job;
	int r = sd_bus_message_enter_container(m, 'a', "(ssssssouso)");

	while (r >= 0 && (r = sd_bus_message_enter_container(m, 'r', "ssssssouso")) > 0) {
		r = sd_bus_message_read(m, "ssssssouso", &name, NULL, NULL, &active, NULL, NULL,
					NULL, &job, NULL, NULL);
		if (r >= 0 && !is_down(active, job) &&
		    (strcmp(active, "activating") == 0) == is_starting) {
			if (names && !(names[*count] = strdup(name)))
				return -ENOMEM;
			++*count;
		}
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r < 0 ? r : sd_bus_message_rewind(m, true);
}

static int on_live(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct live_question *question = userdata;
	char **names = NULL;
	size_t count = 0;
	int r;

	(void)error;
	if (sd_bus_message_is_method_error(m, NULL)) {
		r = reply_error(m);
		goto answer;
	}
	r = read_live(m, false, NULL, &count);
	if (r >= 0)
		r = read_live(m, true, NULL, &count);
	if (r < 0)
		goto answer;
	names = calloc(count + 1, sizeof(*names));
	count = 0;
	r = names ? read_live(m, false, names, &count) : -ENOMEM;
	if (r >= 0)
		r = read_live(m, true, names, &count);
answer:
	question->answer(r < 0 ? r : 0, names, r < 0 ? 0 : count, question->asked,
			 question->userdata);
	strings_free(names);
	sd_bus_slot_unref(question->slot);
	peer_release(question->peer);
	free(question);
	return 0;
}

/**
 * unit_ask_live() - ask PID 1 which services, slices and scopes are live or have a job
 * @now: handed back in the answer
 * @answer: called once, from the event loop; units that are up first, then starting ones
 *
 * Return: 0 or -Exxx if PID 1 cannot be reached
 */
int unit_ask_live(struct unit_peer *peer, uint64_t now, unit_live_t answer, void *userdata)
{
	struct live_question *question;
	int r = peer_connect(peer);

	if (r < 0)
		return r;
	question = calloc(1, sizeof(*question));
	if (!question)
		return -ENOMEM;
	*question = (struct live_question){
		.peer = peer, .answer = answer, .userdata = userdata, .asked = now,
	};
	r = sd_bus_call_method_async(peer->bus, &question->slot, DESTINATION, MANAGER_PATH,
				     MANAGER_INTERFACE, "ListUnitsByPatterns", on_live, question,
				     "asas", 0, 3, "*.service", "*.slice", "*.scope");
	if (r < 0) {
		free(question);
		return r;
	}
	peer->n_open++;
	return 0;
}

struct subscription {
	struct unit_signals signals;
	void *userdata;
};

static int on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct subscription *subscription = userdata;
	const char *unit;

	(void)error;
	if (sd_bus_message_read(m, "uos", NULL, NULL, &unit) >= 0)
		subscription->signals.job_removed(unit, subscription->userdata);
	return 0;
}

static int on_reloading(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct subscription *subscription = userdata;
	int begins;

	(void)error;
	if (sd_bus_message_read(m, "b", &begins) >= 0 && !begins)
		subscription->signals.reloaded(subscription->userdata);
	return 0;
}

/* Until somebody subscribes PID 1 sends no signals at all. */
static int on_subscribed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	(void)m;
	(void)userdata;
	(void)error;
	return 0;
}

/**
 * unit_subscribe() - hear of finished jobs and reloads over the system bus
 * @bus: its slots go with it
 *
 * UnitNew and UnitRemoved, which storm on every reload, are not asked for.
 *
 * Return: 0 or -Exxx
 */
int unit_subscribe(sd_bus *bus, const struct unit_signals *signals, void *userdata)
{
	struct subscription *subscription = malloc(sizeof(*subscription));
	sd_bus_slot *slot = NULL;
	int r;

	if (!subscription)
		return -ENOMEM;
	*subscription = (struct subscription){ *signals, userdata };
	r = sd_bus_match_signal_async(bus, &slot, DESTINATION, MANAGER_PATH, MANAGER_INTERFACE,
				      "JobRemoved", on_job_removed, NULL, subscription);
	if (r < 0) {
		free(subscription);
		return r;
	}
	/* The first slot owns the subscription that both share. */
	(void)sd_bus_slot_set_destroy_callback(slot, free);
	(void)sd_bus_slot_set_floating(slot, true);
	sd_bus_slot_unref(slot);
	r = sd_bus_match_signal_async(bus, NULL, DESTINATION, MANAGER_PATH, MANAGER_INTERFACE,
				      "Reloading", on_reloading, NULL, subscription);
	if (r >= 0)
		r = sd_bus_call_method_async(bus, NULL, DESTINATION, MANAGER_PATH,
					     MANAGER_INTERFACE, "Subscribe", on_subscribed, NULL,
					     NULL);
	return r < 0 ? r : 0;
}
