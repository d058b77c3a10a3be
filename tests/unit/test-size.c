/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "size.h"
#include "tap.h"

static void expect_limit(const char *text, enum limit_kind kind, uint64_t value, const char *printed)
{
	struct limit limit = { LIMIT_INFINITY, 1 };
	const char *reason = NULL;
	char what[80], *got;

	snprintf(what, sizeof(what), "\"%.40s\" is %d:%" PRIu64, text, kind, value);
	ok(limit_parse(text, &limit, &reason) == 0 && limit.kind == kind && limit.value == value,
	   what);
	got = limit_format(&limit);
	is_str(got, printed, "... and prints as expected");
	free(got);
}

static void expect_refusal(const char *text, int error)
{
	struct limit limit = { LIMIT_INFINITY, 42 };
	const char *reason = NULL;
	char what[80];

	snprintf(what, sizeof(what), "\"%.40s\" is refused", text);
	is_int(limit_parse(text, &limit, &reason), error, what);
	ok(reason && limit.value == 42, "... with a reason, and the result is not touched");
}

static void expect_size(uint64_t bytes, const char *want)
{
	char *got = size_format(bytes);

	is_str(got, want, want);
	free(got);
}

static void test_limits(void)
{
	expect_limit("0", LIMIT_BYTES, 0, "0");
	expect_limit("1", LIMIT_BYTES, 1, "1");
	expect_limit("4097", LIMIT_BYTES, 4097, "4097");
	expect_limit("4K", LIMIT_BYTES, 4096, "4K");
	expect_limit("256M", LIMIT_BYTES, 268435456, "256M");
	expect_limit("8G", LIMIT_BYTES, UINT64_C(8) << 30, "8G");
	expect_limit("2048M", LIMIT_BYTES, UINT64_C(2) << 30, "2G");
	expect_limit("3T", LIMIT_BYTES, UINT64_C(3) << 40, "3T");
	expect_limit("4096T", LIMIT_BYTES, UINT64_C(4096) << 40, "4096T");
	expect_limit("16777215T", LIMIT_BYTES, UINT64_C(16777215) << 40, "16777215T");
	expect_limit("18446744073709551615", LIMIT_BYTES, UINT64_MAX, "18446744073709551615");
	expect_limit("0%", LIMIT_PERMYRIAD, 0, "0.00%");
	expect_limit("50%", LIMIT_PERMYRIAD, 5000, "50.00%");
	expect_limit("12.5%", LIMIT_PERMYRIAD, 1250, "12.50%");
	expect_limit("0.01%", LIMIT_PERMYRIAD, 1, "0.01%");
	expect_limit("100%", LIMIT_PERMYRIAD, 10000, "100.00%");
	expect_limit("infinity", LIMIT_INFINITY, 0, "infinity");
}

static void test_refusals(void)
{
	expect_refusal("", -EINVAL);
	expect_refusal("-1", -EINVAL);
	expect_refusal("-1G", -EINVAL);
	expect_refusal("+1", -EINVAL);
	expect_refusal("G", -EINVAL);
	expect_refusal("8g", -EINVAL);
	expect_refusal("8GB", -EINVAL);
	expect_refusal("8 G", -EINVAL);
	expect_refusal(" 8G", -EINVAL);
	expect_refusal("8G ", -EINVAL);
	expect_refusal("1.5G", -EINVAL);
	expect_refusal("0x10", -EINVAL);
	expect_refusal("max", -EINVAL);
	expect_refusal("Infinity", -EINVAL);
	expect_refusal("18446744073709551616", -ERANGE);
	expect_refusal("16777216T", -ERANGE);
	expect_refusal("%", -EINVAL);
	expect_refusal("5%%", -EINVAL);
	expect_refusal("5.%", -EINVAL);
	expect_refusal("5.123%", -EINVAL);
	expect_refusal("100.01%", -ERANGE);
	expect_refusal("101%", -ERANGE);
	expect_refusal("18446744073709551615%", -ERANGE);
	expect_refusal("184467440737095517%", -ERANGE); /* times 100 wraps to 0.84% */
}

static void test_resolve(void)
{
	struct limit half = { LIMIT_PERMYRIAD, 5000 }, all = { LIMIT_PERMYRIAD, 10000 };
	struct limit bytes = { LIMIT_BYTES, 77 }, infinity = { LIMIT_INFINITY, 0 };

	is_int(limit_resolve(&half, 536870912), 268435456, "half of 512M");
	is_int(limit_resolve(&half, 3), 1, "a share is rounded down");
	ok(limit_resolve(&all, UINT64_MAX) == UINT64_MAX, "all of the largest node");
	is_int(limit_resolve(&bytes, 1), 77, "bytes do not depend on the capacity");
	ok(limit_resolve(&infinity, 1) == UINT64_MAX, "infinity is not bounded");
}

int main(void)
{
	test_limits();
	test_refusals();
	test_resolve();
	expect_size(0, "0B");
	expect_size(1023, "1023B");
	expect_size(1024, "1K");
	expect_size(1536, "1.5K");
	expect_size(536870912, "512M");
	expect_size(536870911, "511.9M");
	expect_size(536870913, "512M");
	expect_size(UINT64_C(1) << 50, "1024T");
	expect_size(UINT64_MAX - 1, "16777215.9T");
	expect_size(UINT64_MAX, "infinity");
	return tap_done();
}
