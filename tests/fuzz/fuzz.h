/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For libFuzzer targets. The sanitizers watch the memory; what else has to hold for any input is
 * said with require(), and an input for which it does not is a finding.
 */
#ifndef PRIVMEM_FUZZ_H
#define PRIVMEM_FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define require(condition)									\
	do {											\
		if (!(condition)) {								\
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__,	\
				#condition);							\
			abort();								\
		}										\
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input up to its first NUL as a string, with no byte to spare behind it. */
static inline char *fuzz_string(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);

	require(text);
	return text;
}

/* Cuts the next piece off at @separator; as strsep(), but for bytes. */
static inline const uint8_t *fuzz_piece(const uint8_t **data, size_t *size, int separator,
					size_t *ret_size)
{
	const uint8_t *piece = *data, *end = *size ? memchr(piece, separator, *size) : NULL;

	*ret_size = end ? (size_t)(end - piece) : *size;
	*size -= *ret_size + (end != NULL);
	*data += *ret_size + (end != NULL);
	return piece;
}

/* What people are told is one line of printable text. */
static inline bool fuzz_is_reason(const char *reason)
{
	if (!reason || !*reason)
		return false;
	for (; *reason; reason++)
		if (*reason < ' ' || *reason > '~')
			return false;
	return true;
}

#endif
