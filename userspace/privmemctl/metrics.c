/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * privmemctl metrics - the state as OpenMetrics text, which node_exporter's textfile collector
 * reads as well: only gauges, since that format has no others that both know.
 */

#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "verbs.h"

static void print_family(const char *name, const char *unit, const char *help)
{
	printf("# TYPE privmem_%s gauge\n", name);
	if (unit)
		printf("# UNIT privmem_%s %s\n", name, unit);
	printf("# HELP privmem_%s %s\n", name, help);
}

/* What stands between quotation marks. */
static void print_value(const char *text)
{
	for (const char *c = text ?: ""; *c; c++)
		if (*c == '\n')
			fputs("\\n", stdout);
		else if (*c == '"' || *c == '\\')
			printf("\\%c", *c);
		else
			putchar(*c);
}

static void print_label(const char *name, const char *value, const char *end)
{
	printf("%s=\"", name);
	print_value(value);
	printf("\"%s", end);
}

static void print_bytes(uint64_t bytes)
{
	if (bytes == CLIENT_UNLIMITED)
		puts("+Inf");
	else
		printf("%llu\n", (unsigned long long)bytes);
}

static void print_node(const char *name, const struct node_row *row)
{
	printf("privmem_%s{node=\"%u\",", name, row->nid);
	print_label("device", row->device, ",");
	print_label("owner", row->owner, "} ");
}

static void print_grant(const char *name, const struct grant_row *row)
{
	printf("privmem_%s{", name);
	print_label("unit", row->unit, ",");
	print_label("control_group", row->control_group, ",");
	if (row->nid == CLIENT_NO_NODE)
		print_label("node", "", "} ");
	else
		printf("node=\"%u\"} ", row->nid);
}

static void print_nodes(const struct node_rows *nodes)
{
	static const struct {
		const char *name, *help;
		size_t offset;
	} families[] = {
		{ "node_capacity_bytes", "Bytes of a private node that can be handed out.",
		  offsetof(struct node_row, capacity_bytes) },
		{ "node_reserved_bytes", "Bytes of a private node that are promised.",
		  offsetof(struct node_row, reserved_bytes) },
		{ "node_used_bytes", "Bytes of a private node that cgroups are charged with.",
		  offsetof(struct node_row, used_bytes) },
		{ "node_free_bytes", "Bytes of a private node that hold nothing.",
		  offsetof(struct node_row, free_bytes) },
	};

	print_family("node_online", NULL, "Whether a private node is online.");
	for (size_t i = 0; i < nodes->n_rows; i++) {
		print_node("node_online", &nodes->rows[i]);
		printf("%d\n", !!nodes->rows[i].is_online);
	}
	for (size_t k = 0; k < sizeof(families) / sizeof(*families); k++) {
		print_family(families[k].name, "bytes", families[k].help);
		for (size_t i = 0; i < nodes->n_rows; i++) {
			const struct node_row *row = &nodes->rows[i];

			print_node(families[k].name, row);
			print_bytes(*(uint64_t *)((char *)row + families[k].offset));
		}
	}
}

static void print_grants(const struct grant_rows *grants)
{
	static const struct {
		const char *name, *help;
		size_t offset;
	} families[] = {
		{ "grant_requested_bytes", "Bytes that were asked for, +Inf for all that is left.",
		  offsetof(struct grant_row, requested_bytes) },
		{ "grant_reserved_bytes", "Bytes that are set aside.",
		  offsetof(struct grant_row, reserved_bytes) },
		{ "grant_limit_bytes", "The limit in force.",
		  offsetof(struct grant_row, limit_bytes) },
		{ "grant_current_bytes", "Bytes in use.",
		  offsetof(struct grant_row, current_bytes) },
		{ "grant_peak_bytes", "Most bytes ever in use.",
		  offsetof(struct grant_row, peak_bytes) },
	};

	print_family("grant_effective", NULL, "Whether a granted node can be used now.");
	for (size_t i = 0; i < grants->n_rows; i++) {
		print_grant("grant_effective", &grants->rows[i]);
		printf("%d\n", !!grants->rows[i].is_effective);
	}
	for (size_t k = 0; k < sizeof(families) / sizeof(*families); k++) {
		print_family(families[k].name, "bytes", families[k].help);
		for (size_t i = 0; i < grants->n_rows; i++) {
			const struct grant_row *row = &grants->rows[i];

			print_grant(families[k].name, row);
			print_bytes(*(uint64_t *)((char *)row + families[k].offset));
		}
	}
}

/**
 * verb_metrics() - the state for a monitoring system
 * @arguments: none
 * @options: none
 *
 * Without kernel support there is a metric that says so, and that is no failure.
 *
 * Return: what to exit with.
 */
enum exit_code verb_metrics(char *const *arguments, const struct options *options)
{
	struct answers answers = {};
	struct client_error error;

	(void)arguments;
	(void)options;
	if (answers_ask(&answers, &error) < 0) {
		fprintf(stderr, "privmemctl: %s\n", error.text);
		answers_done(&answers);
		return error.code;
	}
	print_family("build_info", NULL, "Always 1; the version of privmemd is a label.");
	fputs("privmem_build_info{", stdout);
	print_label("version", answers.version, "} 1\n");
	print_family("kernel_support", NULL, "Whether the kernel knows private nodes.");
	printf("privmem_kernel_support %d\n", answers.has_kernel_support);
	print_nodes(&answers.nodes);
	print_grants(&answers.grants);
	puts("# EOF");
	answers_done(&answers);
	return EXIT_DONE;
}
