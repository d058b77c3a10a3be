/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The private socket of PID 1 is root's alone and needs no D-Bus. Where it cannot be had the
 * system bus is asked.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "peer.h"
#include "pid1.h"

#define DESTINATION "org.freedesktop.systemd1"
#define OBJECT "/org/freedesktop/systemd1"
#define UNIT_INTERFACE DESTINATION ".Unit"
/* A reload reads every unit file there is, and runs the generators. */
#define RELOAD_USEC (180 * UINT64_C(1000000))

struct pid1 {
	sd_bus *bus;
};

static int fail(int r, const sd_bus_error *error, struct client_error *ret_error)
{
	const char *message = error && error->message ? error->message : strerror(-r);

	ret_error->code = EXIT_FAILED;
	snprintf(ret_error->text, sizeof(ret_error->text), "system manager: %s", message);
	return r;
}

/**
 * pid1_open() - connect to the system manager
 * @ret: set only on success; see pid1_close()
 * @ret_error: set only on failure
 *
 * Return: 0 or -Exxx
 */
int pid1_open(struct pid1 **ret, struct client_error *ret_error)
{
	struct pid1 *pid1 = calloc(1, sizeof(*pid1));
	int r = pid1 ? peer_open("unix:path=/run/systemd/private", &pid1->bus) : -ENOMEM;

	if (pid1 && r < 0)
		r = sd_bus_open_system(&pid1->bus);
	if (r < 0) {
		free(pid1);
		return fail(r, NULL, ret_error);
	}
	*ret = pid1;
	return 0;
}

void pid1_close(struct pid1 *pid1)
{
	if (!pid1)
		return;
	sd_bus_flush_close_unref(pid1->bus);
	free(pid1);
}

static int get_string(struct pid1 *pid1, const char *path, const char *interface,
		      const char *property, char **ret, sd_bus_error *error)
{
	return sd_bus_get_property_string(pid1->bus, DESTINATION, path, interface, property, error,
					  ret);
}

/* The interface that has ControlGroup, NULL for a unit without a cgroup we could grant. */
static const char *interface_of(const char *name)
{
	const char *type = strrchr(name, '.');

	if (type && !strcmp(type, ".service"))
		return DESTINATION ".Service";
	if (type && !strcmp(type, ".slice"))
		return DESTINATION ".Slice";
	if (type && !strcmp(type, ".scope"))
		return DESTINATION ".Scope";
	return NULL;
}

static int get_files(struct pid1 *pid1, const char *path, char ***ret, sd_bus_error *error)
{
	char *fragment = NULL, **drop_ins = NULL, **files;
	size_t n = 0, count = 0;
	int r;

	r = get_string(pid1, path, UNIT_INTERFACE, "FragmentPath", &fragment, error);
	if (r >= 0)
		r = sd_bus_get_property_strv(pid1->bus, DESTINATION, path, UNIT_INTERFACE,
					     "DropInPaths", error, &drop_ins);
	while (r >= 0 && drop_ins && drop_ins[count])
		count++;
	files = r < 0 ? NULL : calloc(count + 2, sizeof(*files));
	if (r >= 0 && !files)
		r = -ENOMEM;
	if (r < 0) {
		free(fragment);
		return r;
	}
	if (*fragment)
		files[n++] = fragment;
	else
		free(fragment);
	memcpy(files + n, drop_ins ?: files, count * sizeof(*files));
	free(drop_ins);
	*ret = files;
	return 0;
}

/**
 * pid1_get_unit() - what the system manager knows of a unit, which it loads if need be
 * @ret: set only on success; see pid1_unit_done()
 * @ret_error: set only on failure
 *
 * Return: 0, or -Exxx: EXIT_NOT_FOUND for a unit that has no file and does not run
 */
int pid1_get_unit(struct pid1 *pid1, const char *name, struct pid1_unit *ret,
		  struct client_error *ret_error)
{
	const char *interface = interface_of(name);
	sd_bus_error error = SD_BUS_ERROR_NULL;
	struct pid1_unit unit = {};
	char *path = NULL;
	int r;

	if (!interface) {
		ret_error->code = EXIT_NOT_FOUND;
		snprintf(ret_error->text, sizeof(ret_error->text), "is no service, slice or scope");
		return -ENOENT;
	}
	r = sd_bus_path_encode(OBJECT "/unit", name, &path);
	if (r >= 0)
		r = get_string(pid1, path, UNIT_INTERFACE, "Id", &unit.name, &error);
	if (r >= 0)
		r = get_string(pid1, path, UNIT_INTERFACE, "LoadState", &unit.load_state, &error);
	if (r >= 0)
		r = get_string(pid1, path, UNIT_INTERFACE, "ActiveState", &unit.active_state,
			       &error);
	if (r >= 0)
		r = get_string(pid1, path, interface, "ControlGroup", &unit.control_group, &error);
	if (r >= 0)
		r = get_string(pid1, path, interface, "Slice", &unit.slice, &error);
	if (r >= 0)
		r = get_files(pid1, path, &unit.files, &error);
	free(path);
	if (r < 0) {
		fail(r, &error, ret_error);
	} else if (!strcmp(unit.load_state, "not-found") && !pid1_unit_is_active(&unit)) {
		ret_error->code = EXIT_NOT_FOUND;
		snprintf(ret_error->text, sizeof(ret_error->text), "no such unit");
		r = -ENOENT;
	}
	sd_bus_error_free(&error);
	if (r < 0) {
		pid1_unit_done(&unit);
		return r;
	}
	*ret = unit;
	return 0;
}

/**
 * pid1_reload() - as systemctl daemon-reload
 * @ret_error: set only on failure
 *
 * Return: 0 or -Exxx
 */
int pid1_reload(struct pid1 *pid1, struct client_error *ret_error)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *call = NULL;
	int r;

	r = sd_bus_message_new_method_call(pid1->bus, &call, DESTINATION, OBJECT,
					   DESTINATION ".Manager", "Reload");
	if (r >= 0)
		r = sd_bus_call(pid1->bus, call, RELOAD_USEC, &error, NULL);
	if (r < 0)
		fail(r, &error, ret_error);
	sd_bus_message_unref(call);
	sd_bus_error_free(&error);
	return r < 0 ? r : 0;
}

bool pid1_unit_is_active(const struct pid1_unit *unit)
{
	return strcmp(unit->active_state, "inactive") && strcmp(unit->active_state, "failed");
}

void pid1_unit_done(struct pid1_unit *unit)
{
	for (size_t i = 0; unit->files && unit->files[i]; i++)
		free(unit->files[i]);
	free(unit->files);
	free(unit->name);
	free(unit->load_state);
	free(unit->active_state);
	free(unit->control_group);
	free(unit->slice);
	*unit = (struct pid1_unit){};
}
