/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads unit files line by line like systemd's config_parse(): comments begin with # or ; and
 * may stand between continuation lines, a backslash at the end joins lines with a space, a NUL
 * ends a line, lines that are no assignment are skipped. A section header that does not close is
 * an error, since PID 1 reads nothing that stands behind it.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "unitfile.h"

struct reader {
	const char *pos, *end;
	unsigned int line;
	char *joined; /* the logical line, longest so far; as large as the text */
	char *section;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static char *strip(char *text)
{
	size_t length;

	while (is_space(*text))
		text++;
	length = strlen(text);
	while (length && is_space(text[length - 1]))
		length--;
	text[length] = '\0';
	return text;
}

static bool is_escaped_at_end(const char *line)
{
	bool is_escaped = false;

	for (; *line; line++)
		is_escaped = !is_escaped && *line == '\\';
	return is_escaped;
}

/* Copies the next physical line to @into; false at the end of the text. */
static bool read_physical(struct reader *reader, char *into)
{
	const char *p = reader->pos;

	if (p >= reader->end)
		return false;
	while (p < reader->end && *p != '\n' && *p != '\0')
		p++;
	memcpy(into, reader->pos, (size_t)(p - reader->pos));
	into[p - reader->pos] = '\0';
	reader->pos = p + 1;
	reader->line++;
	return true;
}

static bool is_comment(const char *line)
{
	while (is_space(*line))
		line++;
	return *line == '#' || *line == ';';
}

/* Joins the next logical line in reader->joined; false at the end of the text. */
static bool read_logical(struct reader *reader, unsigned int *ret_line)
{
	char *into = reader->joined;
	size_t length;

	*into = '\0';
	while (read_physical(reader, into)) {
		if (is_comment(into)) {
			*into = '\0';
			continue;
		}
		if (into == reader->joined)
			*ret_line = reader->line;
		length = strlen(into);
		if (!is_escaped_at_end(into))
			return true;
		into += length;
		into[-1] = ' ';
	}
	return into > reader->joined;
}

static int enter_section(struct reader *reader, const char *header)
{
	size_t length = strlen(header);

	if (header[length - 1] != ']')
		return -EBADMSG;
	memcpy(reader->section, header + 1, length - 2);
	reader->section[length - 2] = '\0';
	return 0;
}

static int walk_line(struct reader *reader, unsigned int line, unitfile_visit_t visit,
		     void *userdata)
{
	struct unitfile_assignment assignment = { .section = reader->section, .line = line };
	char *text = strip(reader->joined), *equals;

	if (*text == '[')
		return enter_section(reader, text);
	equals = strchr(text, '=');
	if (!equals || equals == text)
		return 0;
	*equals = '\0';
	assignment.key = strip(text);
	assignment.value = strip(equals + 1);
	return visit(&assignment, userdata);
}

/**
 * unitfile_walk() - visit the assignments of a unit file in order
 * @text: the file, not terminated
 * @length: of @text in bytes
 * @visit: called for each assignment of every section
 * @userdata: for @visit
 * @ret_line: set when a line is at fault
 *
 * Return: 0, or
 * * -EBADMSG - a section header is broken, in @ret_line
 * * -ENOMEM - no memory
 * * whatever @visit returned
 */
int unitfile_walk(const char *text, size_t length, unitfile_visit_t visit, void *userdata,
		  unsigned int *ret_line)
{
	struct reader reader = { .pos = text, .end = text + length };
	unsigned int line = 0;
	int r = 0;

	if (length >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) /* byte order mark */
		reader.pos += 3;
	reader.joined = malloc(length + 1);
	reader.section = calloc(1, length + 1);
	if (!reader.joined || !reader.section)
		r = -ENOMEM;
	while (!r && read_logical(&reader, &line))
		r = walk_line(&reader, line, visit, userdata);
	if (r)
		*ret_line = line;
	free(reader.joined);
	free(reader.section);
	return r;
}

/**
 * unitfile_make_printable() - put a "?" in place of every byte that is not printable ASCII
 * @text: quotes a file; it goes over D-Bus and into JSON, which take UTF-8 and nothing else
 */
void unitfile_make_printable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

/* The parts of prefix@instance.type; all point into one copy of the name. */
struct unit_name {
	const char *prefix, *instance, *last;
	char *bare; /* without the type */
	struct utsname host;
};

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* As systemd-escape --unescape: "-" stands for a slash, "\x2d" for any other character. */
static char *append_unescaped(char *into, const char *text)
{
	for (; *text; text++) {
		if (*text == '\\' && text[1] == 'x' && hex_digit(text[2]) >= 0 &&
		    hex_digit(text[3]) >= 0) {
			*into++ = (char)(hex_digit(text[2]) << 4 | hex_digit(text[3]));
			text += 3;
		} else {
			*into++ = *text == '-' ? '/' : *text;
		}
	}
	return into;
}

static bool unit_name_split(char *copy, char *bare, struct unit_name *ret)
{
	char *type = strrchr(copy, '.'), *at, *dash;

	if (!type)
		return false;
	*type = '\0';
	strcpy(bare, copy);
	at = strchr(copy, '@');
	if (at)
		*at = '\0';
	dash = strrchr(copy, '-');
	*ret = (struct unit_name){
		.prefix = copy,
		.instance = at && at[1] ? at + 1 : NULL,
		.last = dash ? dash + 1 : copy,
		.bare = bare,
	};
	return true;
}

/**
 * unitfile_unquote() - take off the quotes that may stand around words
 * @text: changed in place
 * @ret_reason: set only on failure, a constant string
 *
 * Neither nodes nor sizes hold white space, so quotes keep nothing together.
 *
 * Return: 0, or -EINVAL if a quote does not end
 */
int unitfile_unquote(char *text, const char **ret_reason)
{
	char quote = '\0', *into = text;

	for (; *text; text++) {
		if (quote ? *text == quote : *text == '"' || *text == '\'')
			quote = quote ? '\0' : *text;
		else
			*into++ = *text;
	}
	*into = '\0';
	if (!quote)
		return 0;
	*ret_reason = "a quote does not end";
	return -EINVAL;
}

static const char *specifier_find(char c, const char *unit, const struct unit_name *name)
{
	switch (c) {
	case '%':
		return "%";
	case 'n':
		return unit;
	case 'N':
		return name->bare;
	case 'p':
		return name->prefix;
	case 'j':
		return name->last;
	case 'i':
		return name->instance;
	case 'P':
		return name->prefix;
	case 'J':
		return name->last;
	case 'I':
		return name->instance;
	case 'H':
	case 'l':
		return name->host.nodename;
	case 'v':
		return name->host.release;
	}
	return NULL;
}

static int expand_into(const char *value, const char *unit, const struct unit_name *name, char *p,
		       const char **ret_reason)
{
	for (; *value; value++) {
		const char *text;

		if (*value != '%') {
			*p++ = *value;
			continue;
		}
		text = specifier_find(*++value, unit, name);
		if (!text && (*value == 'i' || *value == 'I')) {
			*ret_reason = "%i needs the name of an instance";
			return -ENXIO;
		}
		if (!text) {
			*ret_reason = "only the specifiers %% %H %i %I %j %J %l %n %N %p %P %v work here";
			return -EINVAL;
		}
		if (strchr("IJP", *value))
			p = append_unescaped(p, text);
		else if (*value == 'l')
			p = mempcpy(p, text, strcspn(text, "."));
		else
			p = stpcpy(p, text);
	}
	*p = '\0';
	return 0;
}

/**
 * unitfile_expand() - replace the specifiers that stand for names of unit and machine
 * @value: may hold %%, %H, %i, %I, %j, %J, %l, %n, %N, %p, %P and %v
 * @unit: name of the unit
 * @ret: set only on success; owned by the caller
 * @ret_reason: set only with -EINVAL and -ENXIO, a constant string
 *
 * Return: 0, or
 * * -EINVAL - another specifier
 * * -ENXIO - %i in a unit that is no instance
 * * -ENOMEM - no memory
 */
int unitfile_expand(const char *value, const char *unit, char **ret, const char **ret_reason)
{
	struct unit_name name;
	size_t unit_size = strlen(unit) + 1;
	size_t longest = unit_size > sizeof(name.host.nodename) ? unit_size :
								  sizeof(name.host.nodename);
	char *names = malloc(2 * unit_size), *expanded = malloc(strlen(value) * longest + 1);
	int r = -ENOMEM;

	if (!names || !expanded)
		goto free_buffers;
	memcpy(names, unit, unit_size);
	if (!unit_name_split(names, names + unit_size, &name)) {
		*ret_reason = "unit name has no type";
		r = -EINVAL;
		goto free_buffers;
	}
	if (uname(&name.host) < 0)
		name.host = (struct utsname){ .nodename = "localhost" };
	r = expand_into(value, unit, &name, expanded, ret_reason);
	if (r < 0)
		goto free_buffers;
	*ret = expanded;
	expanded = NULL;
free_buffers:
	free(names);
	free(expanded);
	return r;
}
