// SPDX-License-Identifier: LGPL-2.1-or-later
#include "wish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARK_DIRECTIVE "directive"
#define MARK_REQUEST "request"

void wish_done(struct wish *wish)
{
	free(wish->items);
	*wish = (struct wish){};
}

/* Items are few and small, so there is room for every node from the start. */
static int wish_start(const struct nodelist *nodes, struct wish *ret)
{
	unsigned int nid;

	*ret = (struct wish){ .items = calloc(nodelist_count(nodes) + 1, sizeof(*ret->items)) };
	if (!ret->items)
		return -ENOMEM;
	nodelist_for_each(nid, nodes)
		ret->items[ret->n_items++] = (struct wish_item){ nid, { LIMIT_INFINITY, 0 } };
	return 0;
}

/**
 * wish_new() - make a wish of nodes and their limits
 * @limits: by number of the node
 * @ret: set only on success; see wish_done()
 *
 * Return: 0 or -ENOMEM
 */
int wish_new(const struct nodelist *nodes, const struct limit *limits, struct wish *ret)
{
	int r = wish_start(nodes, ret);

	for (size_t i = 0; r >= 0 && i < ret->n_items; i++)
		ret->items[i].limit = limits[ret->items[i].nid];
	return r;
}

static char *error_format(const struct directive_error *error)
{
	char *text = NULL;
	int r;

	if (error->path && error->line > 0)
		r = asprintf(&text, "%s:%u: %s", error->path, error->line, error->reason);
	else if (error->path)
		r = asprintf(&text, "%s: %s", error->path, error->reason);
	else
		r = asprintf(&text, "%s", error->reason);
	return r < 0 ? NULL : text;
}

/**
 * wish_load() - read what the files of a unit ask for
 * @names: that nodes may be called by
 * @ret: set only on success; see wish_done()
 * @ret_reason: set only on failure: file, line and reason; free() it
 *
 * Return: 0, or -Exxx as directive_load()
 */
int wish_load(const struct unit *unit, const struct nodenames *names, struct wish *ret,
	      char **ret_reason)
{
	const char *section = directive_section_of(unit->name);
	struct directive_error error = {};
	struct directive directive = {};
	int r;

	if (!section) {
		*ret = (struct wish){};
		return 0;
	}
	r = directive_load(AT_FDCWD, unit->name, unit->files, section, names, &directive,
			   &error);
	if (r < 0) {
		*ret_reason = error_format(&error);
		return r;
	}
	r = wish_start(&directive.nodes, ret);
	for (size_t i = 0; r >= 0 && i < ret->n_items; i++) {
		const struct limit *limit = directive_limit(&directive, ret->items[i].nid);

		if (limit)
			ret->items[i].limit = *limit;
	}
	directive_done(&directive);
	if (r < 0)
		*ret_reason = NULL;
	return r;
}

/**
 * wish_parse_request() - read the two lists of a request
 * @max: NULL for none; otherwise holds for each node
 * @names: that nodes may be called by, or NULL
 * @ret: set only on success; see wish_done()
 * @ret_reason: set only on failure, static
 *
 * Return: 0, or -Exxx as nodelist_parse_named() and limit_parse()
 */
int wish_parse_request(const char *nodes, const char *max, const struct nodenames *names,
		       struct wish *ret, const char **ret_reason)
{
	struct limit limit = { LIMIT_INFINITY, 0 };
	struct nodelist list;
	int r = nodelist_parse_named(nodes, names, &list, ret_reason);

	if (r >= 0 && nodelist_is_empty(&list)) {
		*ret_reason = "names no node";
		r = -EINVAL;
	}
	if (r >= 0 && max)
		r = limit_parse(max, &limit, ret_reason);
	if (r < 0)
		return r;
	r = wish_start(&list, ret);
	if (r < 0) {
		*ret_reason = "out of memory";
		return r;
	}
	ret->is_request = true;
	for (size_t i = 0; i < ret->n_items; i++)
		ret->items[i].limit = limit;
	return 0;
}

static int mark_parse_item(char *line, struct nodelist *nodes, struct limit *limits)
{
	char *space = strchr(line, ' ');
	struct limit limit;
	const char *reason;
	unsigned int nid;
	int r;

	if (!space)
		return -EINVAL;
	*space = '\0';
	r = nodelist_parse_node(line, NULL, &nid, &reason);
	if (r >= 0)
		r = limit_parse(space + 1, &limit, &reason);
	if (r < 0)
		return r;
	nodelist_set(nodes, nid);
	limits[nid] = limit;
	return 0;
}

/**
 * wish_parse_mark() - read back what wish_format_mark() wrote
 * @ret: set only on success; see wish_done()
 *
 * Return: 0, -EINVAL or another error of the parsers for a text that is none, or -ENOMEM
 */
int wish_parse_mark(const char *text, struct wish *ret)
{
	struct limit limits[NODELIST_MAX];
	char copy[strlen(text) + 1], *rest = NULL, *line;
	struct nodelist nodes = {};
	bool is_request;
	int r = 0;

	strcpy(copy, text);
	line = strtok_r(copy, "\n", &rest);
	if (!line)
		return -EINVAL;
	is_request = strcmp(line, MARK_REQUEST) == 0;
	if (!is_request && strcmp(line, MARK_DIRECTIVE) != 0)
		return -EINVAL;
	while (r >= 0 && (line = strtok_r(NULL, "\n", &rest)))
		r = mark_parse_item(line, &nodes, limits);
	if (r < 0)
		return r;
	r = wish_new(&nodes, limits, ret);
	if (r < 0)
		return r;
	ret->is_request = is_request;
	return 0;
}

/**
 * wish_format_mark() - write a wish so that nothing of it is lost
 *
 * Return: text to free(), or NULL when memory ran out
 */
char *wish_format_mark(const struct wish *wish)
{
	bool is_complete = true;
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		return NULL;
	fprintf(out, "%s\n", wish->is_request ? MARK_REQUEST : MARK_DIRECTIVE);
	for (size_t i = 0; i < wish->n_items; i++) {
		char *limit = limit_format(&wish->items[i].limit);

		fprintf(out, "%u %s\n", wish->items[i].nid, limit ?: "");
		is_complete = is_complete && limit;
		free(limit);
	}
	if (fclose(out) != 0 || !is_complete) {
		free(text);
		return NULL;
	}
	return text;
}
