/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Directives are merged as PID 1 merges list settings: files in order, assignments add up, an
 * empty one starts afresh. For PrivateMemoryMax= the last amount for a node counts. A node list
 * that was emptied on purpose asks for nothing, whatever amounts are left over; otherwise an
 * amount for a node that is not in the list is a mistake.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directive.h"
#include "unitfile.h"

struct context {
	struct directive *directive;
	const char *unit, *section;
	struct directive_error *error;
	const char *reason;
};

static const struct limit directive_unlimited = { LIMIT_INFINITY, 0 };

/**
 * directive_done() - free what a directive holds
 * @directive: empty afterwards
 */
void directive_done(struct directive *directive)
{
	free(directive->asked);
	free(directive->max);
	*directive = (struct directive){};
}

/**
 * directive_limit() - the amount asked for on one node
 * @directive: where to look
 * @nid: the node
 *
 * Return: the limit, LIMIT_INFINITY when none is given.
 */
const struct limit *directive_limit(const struct directive *directive, unsigned int nid)
{
	for (size_t i = 0; i < directive->n_max; i++)
		if (directive->max[i].nid == nid)
			return &directive->max[i].limit;
	return &directive_unlimited;
}

/**
 * directive_place() - where a node was asked for, or the amount of it, if there is one
 * @directive: names the node
 * @ret_file: index of the text
 * @ret_line: number of the line
 */
void directive_place(const struct directive *directive, unsigned int nid, unsigned int *ret_file,
		     unsigned int *ret_line)
{
	*ret_file = *ret_line = 0;
	for (size_t i = 0; i < directive->n_asked; i++)
		if (nodelist_is_set(&directive->asked[i].nodes, nid)) {
			*ret_file = directive->asked[i].file;
			*ret_line = directive->asked[i].line;
		}
	for (size_t i = 0; i < directive->n_max; i++)
		if (directive->max[i].nid == nid) {
			*ret_file = directive->max[i].file;
			*ret_line = directive->max[i].line;
		}
}

static const char *key_without_x(const char *key)
{
	return strncmp(key, "X-", 2) ? key : key + 2;
}

/**
 * directive_is_key() - whether an assignment is for us
 * @key: what stands before the "="
 *
 * Return: true for the two keys and their X- twins.
 */
bool directive_is_key(const char *key)
{
	key = key_without_x(key);
	return !strcmp(key, "PrivateMemoryNodes") || !strcmp(key, "PrivateMemoryMax");
}

/**
 * directive_section_of() - where the keys stand in a unit
 * @unit: name of a unit, a template or a unit file
 *
 * Return: "Service" or "Slice"; NULL for a type of unit that has no such keys.
 */
const char *directive_section_of(const char *unit)
{
	const char *type = strrchr(unit, '.');

	if (type && !strcmp(type, ".service"))
		return "Service";
	if (type && !strcmp(type, ".slice"))
		return "Slice";
	return NULL;
}

static bool has_suffix(const char *text, size_t length, const char *suffix)
{
	size_t n = strlen(suffix);

	return length > n && !memcmp(text + length - n, suffix, n);
}

/**
 * directive_unit_of_quadlet() - the unit that podman's Quadlet makes of a file
 * @file: its name, such as foo.container or foo.pod
 * @length: of @file
 * @ret: set only on success: foo.service or foo-pod.service
 *
 * Return: false if it makes none of it.
 */
bool directive_unit_of_quadlet(const char *file, size_t length, char ret[256])
{
	static const struct {
		const char *suffix, *addition;
	} kinds[] = {
		{ ".container", "" },	 { ".kube", "" },	{ ".pod", "-pod" },
		{ ".build", "-build" },	 { ".image", "-image" }, { ".network", "-network" },
		{ ".volume", "-volume" },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (has_suffix(file, length, kinds[i].suffix)) {
			length -= strlen(kinds[i].suffix);
			return snprintf(ret, 256, "%.*s%s.service", (int)length, file,
					kinds[i].addition) < 256;
		}
	return false;
}

static int mention_visit(const struct unitfile_assignment *assignment, void *userdata)
{
	const char *section = userdata;

	return directive_is_key(assignment->key) && !strcmp(assignment->section, section);
}

/**
 * directive_is_mentioned() - whether a file names one of the keys
 * @text: the file
 * @length: of @text in bytes
 * @section: the only one to look at
 *
 * Return: true if so, or if memory ran out before an answer: too many is harmless.
 */
bool directive_is_mentioned(const char *text, size_t length, const char *section)
{
	unsigned int line;
	int r = unitfile_walk(text, length, mention_visit, (void *)section, &line);

	return r > 0 || r == -ENOMEM;
}

static int put_nodes(struct directive *directive, const struct nodelist *nodes, unsigned int line)
{
	struct directive_nodes *grown = reallocarray(directive->asked, directive->n_asked + 1,
						     sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	grown[directive->n_asked++] = (struct directive_nodes){ *nodes, directive->n_files, line };
	directive->asked = grown;
	nodelist_or(&directive->nodes, nodes);
	directive->is_reset = false;
	return 0;
}

static int assign_nodes(struct context *context, const char *value, unsigned int line)
{
	struct directive *directive = context->directive;
	struct nodelist nodes;
	char *expanded;
	int r;

	if (!*value) {
		directive->nodes = (struct nodelist){};
		directive->n_asked = 0;
		directive->is_reset = true;
		return 0;
	}
	r = unitfile_expand(value, context->unit, &expanded, &context->reason);
	if (r < 0)
		return r;
	r = unitfile_unquote(expanded, &context->reason);
	if (!r)
		r = nodelist_parse_named(expanded, directive->names, &nodes, &context->reason);
	free(expanded);
	return r < 0 ? r : put_nodes(directive, &nodes, line);
}

/* Replaces the amount for its node, or adds one. */
static int put_max(struct directive *directive, const struct directive_max *max)
{
	struct directive_max *grown;

	for (size_t i = 0; i < directive->n_max; i++)
		if (directive->max[i].nid == max->nid) {
			directive->max[i] = *max;
			return 0;
		}
	grown = reallocarray(directive->max, directive->n_max + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	grown[directive->n_max++] = *max;
	directive->max = grown;
	return 0;
}

/* @node and @size are the two words of the value. */
static int assign_max_words(struct context *context, const char *node, const char *size,
			    unsigned int line)
{
	struct directive *directive = context->directive;
	struct directive_max max = { .file = directive->n_files, .line = line };
	char *expanded;
	int r;

	r = unitfile_expand(node, context->unit, &expanded, &context->reason);
	if (r < 0)
		return r;
	r = nodelist_parse_node(expanded, directive->names, &max.nid, &context->reason);
	free(expanded);
	if (r < 0)
		return r;
	r = limit_parse(size, &max.limit, &context->reason);
	if (r < 0)
		return r;
	return put_max(directive, &max);
}

static int assign_max(struct context *context, const char *value, unsigned int line)
{
	char *copy, *node, *size, *rest;
	int r;

	if (!*value) {
		free(context->directive->max);
		context->directive->max = NULL;
		context->directive->n_max = 0;
		return 0;
	}
	copy = strdup(value);
	if (!copy)
		return -ENOMEM;
	r = unitfile_unquote(copy, &context->reason);
	node = strtok_r(copy, " \t\r", &rest);
	size = strtok_r(NULL, " \t\r", &rest);
	if (!r && (!node || !size || strtok_r(NULL, " \t\r", &rest))) {
		context->reason = "expected a node and a size, as in \"1 8G\"";
		r = -EINVAL;
	} else if (!r) {
		r = assign_max_words(context, node, size, line);
	}
	free(copy);
	return r;
}

static int assign_visit(const struct unitfile_assignment *assignment, void *userdata)
{
	struct context *context = userdata;
	int r;

	if (strcmp(assignment->section, context->section) || !directive_is_key(assignment->key))
		return 0;
	context->directive->is_set = true;
	if (!strcmp(key_without_x(assignment->key), "PrivateMemoryNodes"))
		r = assign_nodes(context, assignment->value, assignment->line);
	else
		r = assign_max(context, assignment->value, assignment->line);
	if (r < 0 && context->reason) {
		snprintf(context->error->reason, sizeof(context->error->reason),
			 "%s=%.80s: %s%s", assignment->key, assignment->value, context->reason,
			 strchr(assignment->value, '#') ?
				 "; a comment needs a line of its own" : "");
		unitfile_make_printable(context->error->reason);
	}
	return r;
}

/**
 * directive_walked() - what unitfile_walk() came to
 * @r: its answer
 * @error: what the visit said of it; gets a reason if it gave none
 * @ret_error: set only on failure
 *
 * Return: 0 or @r, if that is an error
 */
int directive_walked(int r, struct directive_error *error, struct directive_error *ret_error)
{
	if (r >= 0)
		return 0;
	if (!*error->reason)
		snprintf(error->reason, sizeof(error->reason), "%s",
			 r == -EBADMSG ? "section header does not end with ]" : strerror(-r));
	*ret_error = *error;
	return r;
}

/**
 * directive_add_text() - merge one more file
 * @directive: all zero but for its names at first; after a failure only good for
 *	directive_done()
 * @unit: name of the unit, for specifiers
 * @section: "Service" or "Slice", see directive_section_of()
 * @path: named in @ret_error, never opened
 * @text: content of the file
 * @length: of @text in bytes
 * @ret_error: set only on failure
 *
 * Return: 0, or
 * * -EINVAL, -ERANGE - a value cannot be read
 * * -ENXIO - a value needs the name of an instance
 * * -ENODEV - a value holds a name that stands for no node
 * * -EBADMSG - the file is no unit file
 * * -ENOMEM - no memory
 */
int directive_add_text(struct directive *directive, const char *unit, const char *section,
		       const char *path, const char *text, size_t length,
		       struct directive_error *ret_error)
{
	struct directive_error error = { .path = path };
	struct context context = { directive, unit, section, &error, NULL };
	int r;

	r = unitfile_walk(text, length, assign_visit, &context, &error.line);
	directive->n_files++;
	return directive_walked(r, &error, ret_error);
}

/**
 * directive_check() - look at the whole once every file is merged
 * @directive: loses amounts that a reset made pointless
 * @files: the paths of the texts, in the order they were added
 * @ret_error: set only on failure
 *
 * Return: 0, or
 * * -EINVAL - an amount is given for a node that is not asked for
 */
int directive_check(struct directive *directive, char *const *files,
		    struct directive_error *ret_error)
{
	if (directive->is_reset) {
		free(directive->max);
		directive->max = NULL;
		directive->n_max = 0;
	}
	for (size_t i = 0; i < directive->n_max; i++) {
		const struct directive_max *max = &directive->max[i];

		if (nodelist_is_set(&directive->nodes, max->nid))
			continue;
		*ret_error = (struct directive_error){ files[max->file], max->line, "" };
		snprintf(ret_error->reason, sizeof(ret_error->reason),
			 "PrivateMemoryMax= for node %u, %s", max->nid,
			 nodelist_is_empty(&directive->nodes) ?
				 "but there is no PrivateMemoryNodes=" :
				 "which PrivateMemoryNodes= does not name");
		return -EINVAL;
	}
	return 0;
}
