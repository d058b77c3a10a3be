/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verbs that ask privmemd once and print the answer, and the one that has it do something. */

#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "mangle.h"
#include "verbs.h"
#include "why.h"

static const char no_kernel_support[] =
	"this kernel has no private memory nodes; boot one with the privmem patches";

static enum exit_code complain_kernel(void)
{
	fprintf(stderr, "privmemctl: %s\n", no_kernel_support);
	return EXIT_NO_KERNEL_SUPPORT;
}

static void print_grants(const struct answers *answers, enum report_format format)
{
	struct json_object *object;

	if (format == REPORT_TABLE) {
		report_print_grants(&answers->grants, &answers->nodes, stdout);
		return;
	}
	object = report_json_new();
	json_object_object_add(object, "grants",
			       report_json_grants(&answers->grants, &answers->nodes));
	report_json_print(object, format, stdout);
}

static void print_status(const struct answers *answers, enum report_format format)
{
	struct json_object *object, *daemon;

	if (format == REPORT_TABLE) {
		printf("privmemd %s, kernel support: %s\n\n", answers->version,
		       answers->has_kernel_support ? "yes" : "no");
		report_print_nodes(&answers->nodes, stdout);
		putchar('\n');
		report_print_grants(&answers->grants, &answers->nodes, stdout);
		return;
	}
	object = report_json_new();
	daemon = json_object_new_object();
	json_object_object_add(daemon, "version", json_object_new_string(answers->version));
	json_object_object_add(object, "privmemd", daemon);
	json_object_object_add(object, "kernel_support",
			       json_object_new_boolean(answers->has_kernel_support));
	json_object_object_add(object, "nodes", report_json_nodes(&answers->nodes));
	json_object_object_add(object, "grants",
			       report_json_grants(&answers->grants, &answers->nodes));
	report_json_print(object, format, stdout);
}

/**
 * verb_status() - everything: privmemd, the kernel, nodes and grants
 * @arguments: none
 * @options: how to print
 *
 * Return: EXIT_NO_KERNEL_SUPPORT after printing if the kernel cannot do it; else the usual.
 */
enum exit_code verb_status(char *const *arguments, const struct options *options)
{
	enum exit_code code = EXIT_DONE;
	struct answers answers = {};
	struct client_error error;

	(void)arguments;
	if (answers_ask(&answers, &error) < 0) {
		code = client_complain(NULL, &error);
	} else {
		print_status(&answers, options->format);
		if (!answers.has_kernel_support)
			code = complain_kernel();
	}
	answers_done(&answers);
	return code;
}

/**
 * verb_nodes() - the private nodes
 * @arguments: none
 * @options: how to print
 *
 * Return: what to exit with.
 */
enum exit_code verb_nodes(char *const *arguments, const struct options *options)
{
	enum exit_code code = EXIT_DONE;
	struct answers answers = {};
	struct json_object *object;
	struct client_error error;

	(void)arguments;
	if (answers_ask_nodes(&answers, &error) < 0) {
		code = client_complain(NULL, &error);
	} else if (!answers.has_kernel_support) {
		code = complain_kernel();
	} else if (options->format == REPORT_TABLE) {
		report_print_nodes(&answers.nodes, stdout);
	} else {
		object = report_json_new();
		json_object_object_add(object, "nodes", report_json_nodes(&answers.nodes));
		report_json_print(object, options->format, stdout);
	}
	answers_done(&answers);
	return code;
}

/**
 * verb_list() - what every unit has
 * @arguments: none
 * @options: how to print
 *
 * Return: what to exit with.
 */
enum exit_code verb_list(char *const *arguments, const struct options *options)
{
	enum exit_code code = EXIT_DONE;
	struct answers answers = {};
	struct client_error error;

	(void)arguments;
	if (answers_ask(&answers, &error) < 0)
		code = client_complain(NULL, &error);
	else
		print_grants(&answers, options->format);
	answers_done(&answers);
	return code;
}

/**
 * verb_show() - what one unit or cgroup has
 * @arguments: its name, or its path below /sys/fs/cgroup
 * @options: how to print
 *
 * Return: what to exit with.
 */
enum exit_code verb_show(char *const *arguments, const struct options *options)
{
	enum exit_code code = EXIT_DONE;
	struct answers answers = {};
	struct client_error error = { EXIT_FAILED, "out of memory" };

	char *name = *arguments[0] == '/' ? strdup(arguments[0]) : mangle_unit(arguments[0]);

	if (!name || answers_ask_nodes(&answers, &error) < 0 ||
	    client_get_grants(answers.client, name, &answers.grants, &error) < 0) {
		if (name && *name != '/' && error.code == EXIT_NOT_FOUND)
			why_nothing(answers.client, name, &error);
		code = client_complain(arguments[0], &error);
	} else {
		print_grants(&answers, options->format);
	}
	free(name);
	answers_done(&answers);
	return code;
}

/**
 * verb_apply() - have a running unit's grant applied as its files now have it
 * @arguments: its name
 * @options: with JSON the unit's grants are printed
 *
 * Return: what to exit with.
 */
enum exit_code verb_apply(char *const *arguments, const struct options *options)
{
	enum exit_code code = EXIT_DONE;
	struct client *client = NULL;
	struct client_error error = { EXIT_FAILED, "out of memory" };
	char *name = mangle_unit(arguments[0]);

	if (!name || client_open(&client, &error) < 0 || client_apply(client, name, &error) < 0)
		code = client_complain(arguments[0], &error);
	free(name);
	client_close(client);
	if (code == EXIT_DONE && options->format != REPORT_TABLE)
		code = verb_show(arguments, options);
	return code;
}
