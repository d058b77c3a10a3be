/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of units as people type them, completed as systemctl does. */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mangle.h"

static const char *const types[] = {
	".service", ".slice", ".scope", ".socket", ".target", ".device", ".mount", ".automount",
	".swap", ".timer", ".path",
};

static bool has_type(const char *name)
{
	const char *type = strrchr(name, '.');

	for (size_t i = 0; type && type != name && i < sizeof(types) / sizeof(*types); i++)
		if (!strcmp(type, types[i]))
			return true;
	return false;
}

/**
 * mangle_unit() - complete the name of a unit
 * @name: "foo" for foo.service; what no name of a unit can hold is escaped
 *
 * Return: the name, to free(); NULL when memory ran out
 */
char *mangle_unit(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789:-_.\\@";
	char *mangled = malloc(4 * strlen(name) + sizeof(".service")), *at = mangled;

	if (!mangled)
		return NULL;
	for (const char *c = name; *c; c++)
		if (*c == '/')
			*at++ = '-';
		else if (strchr(allowed, *c))
			*at++ = *c;
		else
			at += sprintf(at, "\\x%02x", (unsigned char)*c);
	strcpy(at, has_type(name) ? "" : ".service");
	return mangled;
}

/**
 * mangle_cut_slice() - cut "a-b.slice" to "a.slice"
 * @slice: changed in place
 *
 * Return: false when only the root is above.
 */
bool mangle_cut_slice(char *slice)
{
	char *dash = strrchr(slice, '-');

	if (!dash || dash == slice)
		return false;
	strcpy(dash, ".slice");
	return true;
}
