// SPDX-License-Identifier: LGPL-2.1-or-later
#include "utf8.h"

#include <stddef.h>
#include <stdint.h>

/* How many bytes the character has that begins here; 0 if it is none. */
static size_t character_length(const unsigned char *text)
{
	/* The least that needs so many bytes: what is below is written too long. */
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = *text < 0x80 ? 1 : *text < 0xc0 ? 0 : *text < 0xe0 ? 2 :
			*text < 0xf0 ? 3 : *text < 0xf8 ? 4 : 0;
	uint32_t value = length < 2 ? *text : *text & (0x7f >> length);

	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (text[i] & 0x3f);
	}
	if (length == 0 || value < least[length] || value > 0x10ffff ||
	    (value >= 0xd800 && value < 0xe000))
		return 0;
	return length;
}

/**
 * utf8_clean() - put a question mark where a text is not UTF-8
 * @text: changed in place; its length stays
 *
 * A bus throws out who sends a string that is not, and one that was cut to fit may have lost a
 * part of its last character. Others have their say in what we send: paths, values of unit files.
 */
void utf8_clean(char *text)
{
	size_t length;

	for (; *text; text += length ?: 1) {
		length = character_length((unsigned char *)text);
		if (length == 0)
			*text = '?';
	}
}
