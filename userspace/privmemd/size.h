/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PRIVMEM_SIZE_H
#define PRIVMEM_SIZE_H

/* Amounts of memory as people write them: "8G", "25%", "infinity". */

#include <stdint.h>

enum limit_kind {
	LIMIT_BYTES, /* value is an amount in bytes */
	LIMIT_PERMYRIAD, /* value is a share of the node's capacity, 10000 is all of it */
	LIMIT_INFINITY, /* whatever is left; value is 0 */
};

struct limit {
	enum limit_kind kind;
	uint64_t value;
};

int limit_parse(const char *text, struct limit *ret, const char **ret_reason);
char *limit_format(const struct limit *limit);
uint64_t limit_resolve(const struct limit *limit, uint64_t capacity_bytes);

char *size_format(uint64_t bytes);

#endif
