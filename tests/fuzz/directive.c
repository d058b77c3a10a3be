/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What unit files ask for. The input is the unit's name on a line, then its files with a form
 * feed between two.
 */
#include "directive.h"
#include "fuzz.h"

#define FILES_MAX 4

static struct nodename known[] = { { "hbm0", 1, NULL }, { "gone", 0, "no device is there" } };
static const struct nodenames names = { known, 2 };
static char *paths[FILES_MAX + 1] = { "/a.service", "/a.service.d/1.conf", "/a.service.d/2.conf",
				      "/a.service.d/3.conf", NULL };

static void check_error(const struct directive_error *error)
{
	bool is_path = false;

	for (size_t i = 0; i < FILES_MAX; i++)
		is_path |= error->path == paths[i];
	require(is_path && fuzz_is_reason(error->reason));
}

/* Written down again in the plainest way it means the same. */
static void check_again(const struct directive *directive, const char *section)
{
	char *list = nodelist_format(&directive->nodes), *text;
	struct directive again = {};
	struct directive_error error;
	unsigned int nid;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	fprintf(out, "[%s]\nPrivateMemoryNodes=%s\n", section, list);
	for (size_t i = 0; i < directive->n_max; i++) {
		char *limit = limit_format(&directive->max[i].limit);

		fprintf(out, "X-PrivateMemoryMax=%u %s\n", directive->max[i].nid, limit);
		free(limit);
	}
	fclose(out);
	require(!directive_add_text(&again, "a.service", section, paths[0], text, length, &error));
	require(!directive_check(&again, paths, &error));
	require(nodelist_is_equal(&again.nodes, &directive->nodes));
	nodelist_for_each(nid, &again.nodes) {
		const struct limit *a = directive_limit(directive, nid);
		const struct limit *b = directive_limit(&again, nid);

		require(a->kind == b->kind && a->value == b->value);
	}
	directive_done(&again);
	free(list);
	free(text);
}

static void check_unit(const char *unit, const char *section, const uint8_t *data, size_t size)
{
	struct directive directive = { .names = &names };
	struct directive_error error = {};
	bool is_mentioned = false;
	int r = 0;

	for (size_t i = 0; i < FILES_MAX && !r && size; i++) {
		size_t length;
		const uint8_t *piece = fuzz_piece(&data, &size, '\f', &length);
		char *text = malloc(length);

		memcpy(text, piece, length);
		is_mentioned |= directive_is_mentioned(text, length, section);
		r = directive_add_text(&directive, unit, section, paths[i], text, length, &error);
		free(text);
	}
	/* A directive that the generator does not see would not be in force at the start. */
	require(!directive.is_set || is_mentioned);
	require(r || directive.is_set == is_mentioned);
	if (!r)
		r = directive_check(&directive, paths, &error);
	if (r)
		check_error(&error);
	else
		check_again(&directive, section);
	directive_done(&directive);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t length;
	const uint8_t *name = fuzz_piece(&data, &size, '\n', &length);
	char *unit = fuzz_string(name, length);
	const char *section = directive_section_of(unit);

	if (section)
		check_unit(unit, section, data, size);
	free(unit);
	return 0;
}
