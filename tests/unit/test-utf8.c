// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>

#include "tap.h"
#include "utf8.h"

static void expect(const char *text, const char *want)
{
	char *copy = strdup(text);

	utf8_clean(copy);
	is_str(copy, want, want);
	free(copy);
}

int main(void)
{
	expect("", "");
	expect("node1: 4K", "node1: 4K");
	expect("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
	expect("cut \xc3", "cut ?");
	expect("cut \xe2\x82", "cut ??");
	expect("cut \xf0\x9f\x98 here", "cut ??? here");
	expect("\x80 lone", "? lone");
	expect("\xe9t\xe9", "?t?");
	expect("\xc0\xaf too long", "?? too long");
	expect("\xe0\x80\xaf too long", "??? too long");
	expect("\xed\xa0\x80 half a pair", "??? half a pair");
	expect("\xf4\x90\x80\x80 beyond", "???? beyond");
	expect("\xff\xfe", "??");
	return tap_done();
}
