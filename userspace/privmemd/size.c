/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sizes follow the rules of MemoryMax= as far as private memory needs them: whole numbers with
 * the suffixes K, M, G and T to the base of 1024, percentages with up to two decimals, and
 * "infinity". What does not fit 64 bits is refused, never wrapped.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "size.h"

static const char size_suffixes[] = "KMGT";

static int parse_digits(const char **pos, uint64_t *ret, const char **ret_reason)
{
	const char *p = *pos;
	uint64_t value = 0;

	if (*p == '-') {
		*ret_reason = "size is negative";
		return -EINVAL;
	}
	if (*p < '0' || *p > '9') {
		*ret_reason = "expected a size such as 512M, a percentage or infinity";
		return -EINVAL;
	}
	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value)) {
			*ret_reason = "size is too large";
			return -ERANGE;
		}
	*pos = p;
	*ret = value;
	return 0;
}

/* @decimals stands behind the whole part: "%", ".5%" or ".25%". */
static int parse_permyriad(uint64_t whole, const char *decimals, struct limit *ret,
			   const char **ret_reason)
{
	uint64_t permyriad, weight = 10;
	const char *p = decimals;

	if (whole > 100) {
		*ret_reason = "percentage is above 100%";
		return -ERANGE;
	}
	permyriad = whole * 100;
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9' && weight; p++, weight /= 10)
			permyriad += (uint64_t)(*p - '0') * weight;
	if (p == decimals + 1 || strcmp(p, "%")) {
		*ret_reason = "percentages have at most two decimals and end with %";
		return -EINVAL;
	}
	if (permyriad > 10000) {
		*ret_reason = "percentage is above 100%";
		return -ERANGE;
	}
	*ret = (struct limit){ LIMIT_PERMYRIAD, permyriad };
	return 0;
}

/**
 * limit_parse() - read an amount of private memory
 * @text: "268435456", "256M", "12.5%" or "infinity", without any white space
 * @ret: set only on success
 * @ret_reason: set only on failure, a constant string
 *
 * Return: 0, or
 * * -EINVAL - @text is not an amount
 * * -ERANGE - the amount does not fit 64 bits, or is above 100%
 */
int limit_parse(const char *text, struct limit *ret, const char **ret_reason)
{
	const char *p = text, *suffix;
	uint64_t value;
	int r;

	if (!strcmp(text, "infinity")) {
		*ret = (struct limit){ LIMIT_INFINITY, 0 };
		return 0;
	}
	r = parse_digits(&p, &value, ret_reason);
	if (r < 0)
		return r;
	if (*p == '%' || (*p == '.' && p[strlen(p) - 1] == '%'))
		return parse_permyriad(value, p, ret, ret_reason);
	if (*p) {
		suffix = strchr(size_suffixes, *p);
		if (!suffix || p[1]) {
			*ret_reason = "expected a whole number with the suffix K, M, G, T or %";
			return -EINVAL;
		}
		if (__builtin_mul_overflow(value, UINT64_C(1024) << 10 * (suffix - size_suffixes),
					   &value)) {
			*ret_reason = "size is too large";
			return -ERANGE;
		}
	}
	*ret = (struct limit){ LIMIT_BYTES, value };
	return 0;
}

/**
 * limit_resolve() - what a limit means on a node
 * @limit: as written in the directive
 * @capacity_bytes: of the node
 *
 * Return: bytes, not rounded to pages; UINT64_MAX for infinity.
 */
uint64_t limit_resolve(const struct limit *limit, uint64_t capacity_bytes)
{
	switch (limit->kind) {
	case LIMIT_BYTES:
		return limit->value;
	case LIMIT_PERMYRIAD:
		return capacity_bytes / 10000 * limit->value +
		       capacity_bytes % 10000 * limit->value / 10000;
	case LIMIT_INFINITY:
		break;
	}
	return UINT64_MAX;
}

/**
 * limit_format() - print a limit so that limit_parse() reads the same one
 * @limit: what to print
 *
 * Return: text owned by the caller; NULL when memory ran out.
 */
char *limit_format(const struct limit *limit)
{
	char *text = NULL;
	uint64_t value = limit->value;
	int suffix = -1;

	if (limit->kind == LIMIT_INFINITY)
		return strdup("infinity");
	if (limit->kind == LIMIT_PERMYRIAD) {
		if (asprintf(&text, "%ju.%02ju%%", (uintmax_t)value / 100,
			     (uintmax_t)value % 100) < 0)
			return NULL;
		return text;
	}
	for (; value && value % 1024 == 0 && suffix < 3; suffix++)
		value /= 1024;
	if (asprintf(&text, "%ju%.*s", (uintmax_t)value, suffix >= 0,
		     &size_suffixes[suffix < 0 ? 0 : suffix]) < 0)
		return NULL;
	return text;
}

/**
 * size_format() - print an amount for people
 * @bytes: UINT64_MAX means no limit
 *
 * Return: "512M", "1.5G", "infinity", rounded down to one decimal if any; owned by the caller, NULL when
 * memory ran out.
 */
char *size_format(uint64_t bytes)
{
	char *text = NULL;
	uint64_t unit = 1, tenths;
	int suffix = -1, r;

	if (bytes == UINT64_MAX)
		return strdup("infinity");
	for (; suffix < 3 && bytes / unit >= 1024; suffix++)
		unit *= 1024;
	tenths = bytes % unit / (unit < 10 ? 1 : unit / 10);
	if (tenths > 9)
		tenths = 9;
	if (suffix < 0)
		r = asprintf(&text, "%juB", (uintmax_t)bytes);
	else if (!tenths)
		r = asprintf(&text, "%ju%c", (uintmax_t)(bytes / unit), size_suffixes[suffix]);
	else
		r = asprintf(&text, "%ju.%ju%c", (uintmax_t)(bytes / unit), (uintmax_t)tenths,
			     size_suffixes[suffix]);
	return r < 0 ? NULL : text;
}
