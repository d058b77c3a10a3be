/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Node lists: "1,3-4", "1 3-4", "" for none. Everything else is refused with a reason a person
 * can act on; a list that was accepted prints and parses back to itself.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nodelist.h"

#define NODELIST_WORDS (NODELIST_MAX / 64)

bool nodelist_is_empty(const struct nodelist *list)
{
	return nodelist_next(list, 0) >= NODELIST_MAX;
}

bool nodelist_is_equal(const struct nodelist *a, const struct nodelist *b)
{
	return !memcmp(a->bits, b->bits, sizeof(a->bits));
}

bool nodelist_is_subset(const struct nodelist *part, const struct nodelist *whole)
{
	for (unsigned int i = 0; i < NODELIST_WORDS; i++)
		if (part->bits[i] & ~whole->bits[i])
			return false;
	return true;
}

void nodelist_and(struct nodelist *list, const struct nodelist *other)
{
	for (unsigned int i = 0; i < NODELIST_WORDS; i++)
		list->bits[i] &= other->bits[i];
}

void nodelist_andnot(struct nodelist *list, const struct nodelist *other)
{
	for (unsigned int i = 0; i < NODELIST_WORDS; i++)
		list->bits[i] &= ~other->bits[i];
}

void nodelist_or(struct nodelist *list, const struct nodelist *other)
{
	for (unsigned int i = 0; i < NODELIST_WORDS; i++)
		list->bits[i] |= other->bits[i];
}

unsigned int nodelist_count(const struct nodelist *list)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < NODELIST_WORDS; i++)
		count += (unsigned int)__builtin_popcountll(list->bits[i]);
	return count;
}

/**
 * nodelist_next() - the first node of a list that is not below @nid
 * @list: where to look
 * @nid: where to begin
 *
 * Return: the node, or NODELIST_MAX when there is none.
 */
unsigned int nodelist_next(const struct nodelist *list, unsigned int nid)
{
	while (nid < NODELIST_MAX) {
		uint64_t rest = list->bits[nid / 64] >> (nid % 64);

		if (rest)
			return nid + (unsigned int)__builtin_ctzll(rest);
		nid = (nid / 64 + 1) * 64;
	}
	return NODELIST_MAX;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The length of the name at the begin of @text, 0 if there is none. */
static size_t name_length(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char others[] = "0123456789_.-";
	size_t length = 0, step;

	if (!*text || !strchr(letters, *text))
		return 0;
	do {
		step = strspn(text + length, letters);
		step += strspn(text + length + step, others);
		length += step;
	} while (step);
	return length;
}

/**
 * nodename_is_valid() - may a node be called so?
 *
 * Some words look as if they stood for more than one node.
 */
bool nodename_is_valid(const char *text)
{
	size_t length = name_length(text);

	return length > 0 && length < 64 && !text[length] && strcmp(text, "all") &&
	       strcmp(text, "any") && strcmp(text, "none");
}

/* "node1" and "N1" is what sysfs and cgroup files call node 1. */
static const char *why_unknown(const char *text)
{
	if ((!strncmp(text, "node", 4) && is_digit(text[4])) || (*text == 'N' && is_digit(text[1])))
		return "no node has this name in privmemd.conf; a number stands alone, as in \"1\"";
	return "no node has this name in privmemd.conf";
}

/* Reads one name at *@pos and moves *@pos behind it. */
static int parse_name(const char **pos, const struct nodenames *names, unsigned int *ret,
		      const char **ret_reason)
{
	size_t length = name_length(*pos);

	for (size_t i = 0; i < names->count; i++) {
		const struct nodename *name = &names->list[i];

		if (strlen(name->name) != length || memcmp(name->name, *pos, length))
			continue;
		if (name->reason) {
			*ret_reason = name->reason;
			return -ENODEV;
		}
		*ret = name->nid;
		*pos += length;
		return 0;
	}
	*ret_reason = why_unknown(*pos);
	return -ENODEV;
}

/* Reads one number at *@pos and moves *@pos behind it. */
static int parse_number(const char **pos, unsigned int *ret, const char **ret_reason)
{
	const char *p = *pos;
	unsigned int value = 0;

	if (!is_digit(*p)) {
		*ret_reason = "expected a node number";
		return -EINVAL;
	}
	for (; is_digit(*p); p++) {
		value = value * 10 + (unsigned int)(*p - '0');
		if (value >= NODELIST_MAX) {
			*ret_reason = "node number is above 1023";
			return -EINVAL;
		}
	}
	*pos = p;
	*ret = value;
	return 0;
}

/* Reads "3", "3-5" or a name at *@pos, adds it to @list and moves *@pos behind it. */
static int parse_range(const char **pos, const struct nodenames *names, struct nodelist *list,
		       const char **ret_reason)
{
	bool is_name = names && name_length(*pos) > 0;
	unsigned int first, last;
	int r;

	r = is_name ? parse_name(pos, names, &first, ret_reason) :
		      parse_number(pos, &first, ret_reason);
	if (r < 0)
		return r;
	last = first;
	if (!is_name && **pos == '-') {
		(*pos)++;
		r = parse_number(pos, &last, ret_reason);
		if (r < 0)
			return r;
	}
	if (last < first) {
		*ret_reason = "range runs backwards";
		return -EINVAL;
	}
	for (; first <= last; first++)
		nodelist_set(list, first);
	return 0;
}

/**
 * nodelist_parse_node() - read the number or the name of one node
 * @text: decimal digits, or a name, and nothing else
 * @names: may be NULL; then only numbers are read
 * @ret: set only on success
 * @ret_reason: set only on failure, a constant string
 *
 * Return: 0, or
 * * -EINVAL - @text is not a number, or not below NODELIST_MAX
 * * -ENODEV - @text is a name that stands for no node
 */
int nodelist_parse_node(const char *text, const struct nodenames *names, unsigned int *ret,
			const char **ret_reason)
{
	unsigned int nid;
	int r;

	r = names && name_length(text) > 0 ? parse_name(&text, names, &nid, ret_reason) :
					     parse_number(&text, &nid, ret_reason);
	if (r < 0)
		return r;
	if (*text) {
		*ret_reason = "expected a single node number";
		return -EINVAL;
	}
	*ret = nid;
	return 0;
}

/**
 * nodelist_parse_named() - read a list of nodes
 * @text: numbers, ascending ranges and names, separated by white space, commas, or a comma with
 *	white space around it; empty text is the empty list
 * @names: may be NULL; then a name is no part of a list
 * @ret: set only on success
 * @ret_reason: set only on failure, a constant string
 *
 * Return: 0, or
 * * -EINVAL - @text is not a node list
 * * -ENODEV - a name in it stands for no node
 */
int nodelist_parse_named(const char *text, const struct nodenames *names, struct nodelist *ret,
			 const char **ret_reason)
{
	struct nodelist list = {};
	const char *p = text;

	while (is_space(*p))
		p++;
	while (*p) {
		bool has_separator, has_comma = false;
		const char *end;
		int r;

		r = parse_range(&p, names, &list, ret_reason);
		if (r < 0)
			return r;
		for (end = p; is_space(*p) || (*p == ',' && !has_comma); p++)
			has_comma |= *p == ',';
		has_separator = p > end;
		if (!*p && has_comma) {
			*ret_reason = "list ends with a comma";
			return -EINVAL;
		}
		if (*p && !has_separator) {
			*ret_reason = "expected a comma or a space after a node number";
			return -EINVAL;
		}
	}
	*ret = list;
	return 0;
}

/**
 * nodelist_parse() - read a list of nodes without names, as the kernel writes it
 *
 * Return: 0 or -EINVAL, see nodelist_parse_named().
 */
int nodelist_parse(const char *text, struct nodelist *ret, const char **ret_reason)
{
	return nodelist_parse_named(text, NULL, ret, ret_reason);
}

/**
 * nodelist_format() - print a list the way the kernel does
 * @list: what to print
 *
 * Return: "1,3-4", "" for the empty list, owned by the caller; NULL when memory ran out.
 */
char *nodelist_format(const struct nodelist *list)
{
	/* At most every second node begins an item of at most five characters: "1023,". */
	char *text = malloc(NODELIST_MAX / 2 * 5 + 1), *p = text;
	unsigned int nid;

	if (!text)
		return NULL;
	*p = '\0';
	nodelist_for_each(nid, list) {
		unsigned int last = nid;

		while (nodelist_is_set(list, last + 1))
			last++;
		if (p > text)
			*p++ = ',';
		p += sprintf(p, "%u", nid);
		if (last > nid)
			p += sprintf(p, "-%u", last);
		nid = last;
	}
	return text;
}
