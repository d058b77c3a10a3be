/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Amounts of memory, as limits are written and as people are shown them. */
#include "fuzz.h"
#include "size.h"

static void check_shown(uint64_t bytes)
{
	struct limit limit;
	const char *reason;
	char *text = size_format(bytes);

	require(text && *text);
	if (limit_parse(text, &limit, &reason) == 0 && limit.kind == LIMIT_BYTES)
		require(limit.value <= bytes && bytes - limit.value <= bytes / 10);
	free(text);
}

static void check_meaning(const struct limit *limit, uint64_t capacity)
{
	uint64_t bytes = limit_resolve(limit, capacity);

	switch (limit->kind) {
	case LIMIT_BYTES:
		require(bytes == limit->value);
		break;
	case LIMIT_PERMYRIAD:
		require(limit->value <= 10000 && bytes <= capacity);
		require(limit->value < 10000 || bytes == capacity);
		break;
	case LIMIT_INFINITY:
		require(bytes == UINT64_MAX && !limit->value);
		break;
	}
	check_shown(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct limit limit = { 77, 77 }, again;
	char *text = fuzz_string(data, size), *printed;
	const char *reason = NULL;

	if (limit_parse(text, &limit, &reason) < 0) {
		require(fuzz_is_reason(reason));
		require(limit.kind == 77 && limit.value == 77);
		free(text);
		return 0;
	}
	require(!reason);
	printed = limit_format(&limit);
	require(limit_parse(printed, &again, &reason) == 0);
	require(again.kind == limit.kind && again.value == limit.value);
	check_meaning(&limit, 0);
	check_meaning(&limit, UINT64_C(512) << 20);
	check_meaning(&limit, UINT64_MAX);
	free(printed);
	free(text);
	return 0;
}
