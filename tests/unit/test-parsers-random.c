/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Parsers against mangled input. The sanitizers watch the memory; what is checked here is that an
 * accepted value prints and parses back to itself, and that a refusal names its reason.
 */
#include <errno.h>
#include <stdlib.h>

#include "directive.h"
#include "tap.h"

#define ROUNDS 20000

static uint64_t state = 0x9e3779b97f4a7c15;

static unsigned int draw(unsigned int below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned int)(state >> 33) % below;
}

/* Replaces, drops or doubles some bytes of @seed, with bytes that mean something to a parser. */
static size_t mangle(const char *seed, char *into, size_t size)
{
	static const char bytes[] = "0123456789,- \t\n\r\\\0=[]#;%.KMGTinfPX!\xef\xff";
	size_t length = 0;

	for (; *seed && length + 2 < size; seed++) {
		unsigned int what = draw(60);

		if (what == 0)
			into[length++] = bytes[draw(sizeof(bytes) - 1)];
		else if (what == 1)
			into[length++] = *seed;
		if (what != 0 && what != 2)
			into[length++] = *seed;
	}
	into[length] = '\0';
	return length;
}

static bool is_nodelist_sound(const char *text)
{
	struct nodelist list, again;
	const char *reason = NULL;
	bool is_sound;
	char *printed;

	if (nodelist_parse(text, &list, &reason) < 0)
		return reason;
	printed = nodelist_format(&list);
	is_sound = nodelist_parse(printed, &again, &reason) == 0 && nodelist_is_equal(&list, &again);
	free(printed);
	return is_sound;
}

static bool is_limit_sound(const char *text)
{
	struct limit limit, again;
	const char *reason = NULL;
	bool is_sound;
	char *printed;

	if (limit_parse(text, &limit, &reason) < 0)
		return reason;
	printed = limit_format(&limit);
	is_sound = limit_parse(printed, &again, &reason) == 0 && limit.kind == again.kind &&
		   limit.value == again.value;
	free(printed);
	return is_sound;
}

static bool is_directive_sound(const char *text, size_t length)
{
	struct directive directive = {};
	struct directive_error error = {};
	char *files[] = { "/x", NULL };
	int r;

	r = directive_add_text(&directive, "a@1.service", "Service", files[0], text, length, &error);
	if (!r)
		r = directive_check(&directive, files, &error);
	directive_done(&directive);
	return r == 0 || (error.path == files[0] && *error.reason && !strchr(error.reason, '\n'));
}

int main(void)
{
	static const char *const lists[] = { "1,3-4", "0-1023", "1 2, 5-7", "1023 , 0" };
	static const char *const limits[] = { "8G", "12.50%", "infinity", "16777215T", "4096" };
	static const char *const units[] = {
		"[Unit]\nDescription=x\n[Service]\nPrivateMemoryNodes=1 3-4\nPrivateMemoryMax=1 8G\n",
		"[Service]\nX-PrivateMemoryNodes=\\\n# c\n%i,%p2\nX-PrivateMemoryMax=%i 50%\n[Install]\n",
		"\xef\xbb\xbf[Service]\r\nPrivateMemoryNodes=\r\nPrivateMemoryMax=\r\n",
	};
	unsigned int unsound = 0;
	char text[512];

	for (unsigned int i = 0; i < ROUNDS; i++) {
		size_t length;

		mangle(lists[draw(4)], text, sizeof(text));
		unsound += !is_nodelist_sound(text);
		mangle(limits[draw(5)], text, sizeof(text));
		unsound += !is_limit_sound(text);
		length = mangle(units[draw(3)], text, sizeof(text));
		unsound += !is_directive_sound(text, length);
	}
	is_int(unsound, 0, "mangled lists, amounts and unit files are read soundly or refused");
	return tap_done();
}
