/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * privmemctl monitor - what happens, a line of JSON each, until somebody ends it. The signals of
 * org.privmem1 are sent on the system bus, so this one verb needs it.
 */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

#include "verbs.h"

#define NAME "org.privmem1"

struct monitor {
	sd_event *event;
	sd_bus *bus;
};

/* Whoever reads has gone: that is an end like any other. */
static int print_line(struct monitor *monitor, struct json_object *object)
{
	report_json_print(object, REPORT_JSON_SHORT, stdout);
	if (fflush(stdout) == 0)
		return 0;
	return sd_event_exit(monitor->event, errno == EPIPE ? EXIT_DONE : EXIT_FAILED);
}

static struct json_object *new_line(const char *event)
{
	struct json_object *object = report_json_new();
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	json_object_object_add(object, "time_usec", json_object_new_int64(
		now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000));
	json_object_object_add(object, "event", json_object_new_string(event));
	return object;
}

static int read_string(sd_bus_message *m, struct json_object *object, const char *key)
{
	const char *text;
	int r = sd_bus_message_read(m, "s", &text);

	if (r >= 0)
		json_object_object_add(object, key, *text ? json_object_new_string(text) : NULL);
	return r;
}

/* An a(ut). */
static int read_amounts(sd_bus_message *m, struct json_object *object, const char *key)
{
	struct json_object *array = json_object_new_array();
	uint64_t bytes;
	uint32_t nid;
	int r = sd_bus_message_enter_container(m, 'a', "(ut)");

	json_object_object_add(object, key, array);
	while (r >= 0 && (r = sd_bus_message_enter_container(m, 'r', "ut")) > 0) {
		struct json_object *node = json_object_new_object();

		json_object_array_add(array, node);
		r = sd_bus_message_read(m, "ut", &nid, &bytes);
		json_object_object_add(node, "node", json_object_new_uint64(nid));
		json_object_object_add(node, "bytes", report_json_bytes(bytes));
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_grant(sd_bus_message *m, struct json_object *object)
{
	int r = read_string(m, object, "unit");

	return r < 0 ? r : read_string(m, object, "control_group");
}

static int on_applied(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct json_object *object = new_line("granted");
	int late, r = read_grant(m, object);

	(void)error;
	if (r >= 0)
		r = read_amounts(m, object, "nodes");
	if (r >= 0)
		r = sd_bus_message_read(m, "b", &late);
	if (r >= 0)
		json_object_object_add(object, "late", json_object_new_boolean(late));
	return print_line(userdata, object);
}

static int on_released(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct json_object *object = new_line("released");

	(void)error;
	(void)read_grant(m, object);
	return print_line(userdata, object);
}

static int on_refused(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct json_object *object = new_line("refused");

	(void)error;
	if (read_grant(m, object) >= 0 && read_string(m, object, "error") >= 0)
		(void)read_string(m, object, "reason");
	return print_line(userdata, object);
}

static int read_property(sd_bus_message *m, struct json_object *object)
{
	const char *name;
	int r = sd_bus_message_read(m, "s", &name);

	if (r < 0)
		return r;
	if (strcmp(name, "Capacity") && strcmp(name, "Reserved"))
		return sd_bus_message_skip(m, "v");
	r = sd_bus_message_enter_container(m, 'v', "a(ut)");
	if (r >= 0)
		r = read_amounts(m, object, strcmp(name, "Capacity") ? "reserved" : "capacity");
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int on_properties(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct json_object *object = new_line("nodes");
	int r = sd_bus_message_skip(m, "s");

	(void)error;
	if (r >= 0)
		r = sd_bus_message_enter_container(m, 'a', "{sv}");
	while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		r = read_property(m, object);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return print_line(userdata, object);
}

static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char *name, *before, *after;
	struct json_object *object;

	(void)error;
	if (sd_bus_message_read(m, "sss", &name, &before, &after) < 0)
		return 0;
	object = new_line("privmemd");
	json_object_object_add(object, "running", json_object_new_boolean(*after));
	return print_line(userdata, object);
}

static int on_lost(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct monitor *monitor = userdata;

	(void)m;
	(void)error;
	fputs("privmemctl: monitor: the system bus went away\n", stderr);
	return sd_event_exit(monitor->event, EXIT_NO_ANSWER);
}

/* Nothing is ever written there: it closed. */
static int on_stdout(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct monitor *monitor = userdata;

	(void)source;
	(void)fd;
	(void)events;
	return sd_event_exit(monitor->event, EXIT_DONE);
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct monitor *monitor = userdata;

	(void)source;
	(void)info;
	return sd_event_exit(monitor->event, EXIT_DONE);
}

static int catch_ends(struct monitor *monitor)
{
	sigset_t mask;
	int r;

	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &mask, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	r = sd_event_add_signal(monitor->event, NULL, SIGINT, on_signal, monitor);
	if (r >= 0)
		r = sd_event_add_signal(monitor->event, NULL, SIGTERM, on_signal, monitor);
	/* A file is always ready, and refused here: it has no reader to lose. */
	if (r >= 0)
		(void)sd_event_add_io(monitor->event, NULL, STDOUT_FILENO, 0, on_stdout, monitor);
	return r;
}

static int match(struct monitor *monitor, const char *member, sd_bus_message_handler_t handler)
{
	return sd_bus_match_signal(monitor->bus, NULL, NAME, "/org/privmem1", NAME ".Manager",
				   member, handler, monitor);
}

static int listen_to_all(struct monitor *monitor)
{
	int r = match(monitor, "GrantApplied", on_applied);

	if (r >= 0)
		r = match(monitor, "GrantReleased", on_released);
	if (r >= 0)
		r = match(monitor, "GrantRefused", on_refused);
	if (r >= 0)
		r = sd_bus_match_signal(monitor->bus, NULL, NAME, "/org/privmem1",
					"org.freedesktop.DBus.Properties", "PropertiesChanged",
					on_properties, monitor);
	if (r >= 0)
		r = sd_bus_add_match(monitor->bus, NULL,
				     "type='signal',sender='org.freedesktop.DBus',"
				     "interface='org.freedesktop.DBus',member='NameOwnerChanged',"
				     "arg0='" NAME "'", on_owner, monitor);
	if (r >= 0)
		r = sd_bus_match_signal(monitor->bus, NULL, "org.freedesktop.DBus.Local", NULL,
					"org.freedesktop.DBus.Local", "Disconnected", on_lost,
					monitor);
	return r;
}

static int run(struct monitor *monitor)
{
	int r = sd_event_default(&monitor->event);

	if (r >= 0)
		r = catch_ends(monitor);
	if (r >= 0)
		r = sd_bus_open_system(&monitor->bus);
	if (r >= 0)
		r = sd_bus_attach_event(monitor->bus, monitor->event, SD_EVENT_PRIORITY_NORMAL);
	if (r >= 0)
		r = listen_to_all(monitor);
	if (r < 0)
		return r;
	print_line(monitor, new_line("listening"));
	return sd_event_loop(monitor->event);
}

/**
 * verb_monitor() - print what happens until SIGINT, SIGTERM, or nobody reads any more
 * @arguments: none
 * @options: none; it is JSON in any case
 *
 * Return: what to exit with.
 */
enum exit_code verb_monitor(char *const *arguments, const struct options *options)
{
	struct monitor monitor = {};
	int r;

	(void)arguments;
	if (options->format == REPORT_JSON_PRETTY) {
		fputs("privmemctl: monitor: prints a line for each event, --json=pretty is none\n",
		      stderr);
		return EXIT_USAGE;
	}
	r = run(&monitor);
	if (r < 0)
		fprintf(stderr, "privmemctl: monitor: system bus: %s\n", strerror(-r));
	sd_bus_flush_close_unref(monitor.bus);
	sd_event_unref(monitor.event);
	return r < 0 ? EXIT_NO_ANSWER : (enum exit_code)r;
}
