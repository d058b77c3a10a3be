/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* privmemctl - show and change grants of private memory, and check unit files that ask for it */

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "verbs.h"

/* Options that only some verbs know. */
enum {
	OPTION_MAX = 1 << 0,
	OPTION_EVICT = 1 << 1,
	OPTION_BATCH = 1 << 2,
};

struct verb {
	const char *name, *arguments;
	int min, max; /* number of arguments */
	unsigned int options;
	enum exit_code (*run)(char *const *arguments, const struct options *options);
};

static const struct verb verbs[] = {
	{ "status", "", 0, 0, 0, verb_status },
	{ "nodes", "", 0, 0, 0, verb_nodes },
	{ "list", "", 0, 0, 0, verb_list },
	{ "show", " UNIT|CGROUP", 1, 1, 0, verb_show },
	{ "apply", " UNIT", 1, 1, 0, verb_apply },
	{ "grant", " UNIT|CGROUP NODES [SIZE...]", 2, 66, OPTION_MAX, verb_grant },
	{ "set-limit", " UNIT|CGROUP NODE SIZE", 3, 3, 0, verb_set_limit },
	{ "revoke", " [--evict] UNIT|CGROUP [NODES]", 1, 2, OPTION_EVICT, verb_revoke },
	{ "revert", " UNIT", 1, 1, 0, verb_revert },
	{ "verify", " FILE...", 1, 1 << 20, 0, verb_verify },
	{ "top", " [--batch] [-n TIMES]", 0, 0, OPTION_BATCH, verb_top },
	{ "monitor", "", 0, 0, 0, verb_monitor },
	{ "metrics", "", 0, 0, 0, verb_metrics },
	{ "node", " online|offline DAXDEV", 2, 2, 0, verb_node },
};

#define N_VERBS (sizeof(verbs) / sizeof(*verbs))

static const char help[] =
	"usage: privmemctl [--json=short|pretty] VERB [ARGUMENT...]\n"
	"\n"
	"  status             privmemd, the kernel, nodes and grants at a glance\n"
	"  nodes              private nodes: device, capacity, what is reserved and used\n"
	"  list               what every unit asked for, got and uses\n"
	"  show UNIT|CGROUP   the same for one unit, or one cgroup (a path such as /a.slice)\n"
	"  top [-b|--batch] [-n TIMES]\n"
	"                     who uses how much, again and again\n"
	"  monitor            what happens, a line of JSON each\n"
	"  metrics            the state in the OpenMetrics format\n"
	"  verify FILE...     check unit files and drop-ins before they are used\n"
	"\n"
	"root only, until the next boot:\n"
	"  grant UNIT|CGROUP NODES [--max=SIZE | --max='NODE SIZE']...\n"
	"                     grant nodes, or other amounts of them\n"
	"  set-limit UNIT|CGROUP NODE SIZE\n"
	"                     change how much of a granted node may be used\n"
	"  revoke [--evict] UNIT|CGROUP [NODES]\n"
	"                     take nodes away, and move off what is there\n"
	"  revert UNIT        give a unit again what its own files ask for\n"
	"  apply UNIT         apply a running unit's directives now\n"
	"  node online|offline DAXDEV\n"
	"                     bring a device's private memory up, or take it away\n"
	"\n"
	"  --json=short|pretty  print JSON for programs\n"
	"  --help, --version\n"
	"\n"
	"exit status: 0 done, 1 failed, 2 bad usage, 3 no kernel support, 4 not permitted,\n"
	"7 privmemd does not answer, 8 no room, 9 no such unit or node\n";

static int parse_format(const char *text, enum report_format *ret)
{
	if (!strcmp(text, "short"))
		*ret = REPORT_JSON_SHORT;
	else if (!strcmp(text, "pretty"))
		*ret = REPORT_JSON_PRETTY;
	else
		return -1;
	return 0;
}

static int parse_number(const char *text, unsigned long *ret)
{
	char *end;

	*ret = strtoul(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !*end && *ret)
		return 0;
	fprintf(stderr, "privmemctl: -n %s: expected a number from 1 on\n", text);
	return -1;
}

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < N_VERBS; i++)
		if (!strcmp(name, verbs[i].name))
			return &verbs[i];
	return NULL;
}

static enum exit_code run_verb(int argc, char **argv, const struct options *options,
			       unsigned int given)
{
	const struct verb *verb;

	if (argc < 1) {
		fputs("privmemctl: no verb given; try privmemctl --help\n", stderr);
		return EXIT_USAGE;
	}
	verb = find_verb(argv[0]);
	if (!verb) {
		fprintf(stderr, "privmemctl: unknown verb \"%s\"; try privmemctl --help\n", argv[0]);
		return EXIT_USAGE;
	}
	if (argc - 1 < verb->min || argc - 1 > verb->max || (given & ~verb->options)) {
		fprintf(stderr, "privmemctl: usage: privmemctl %s%s\n", verb->name, verb->arguments);
		return EXIT_USAGE;
	}
	for (int i = 1; i < argc; i++)
		if (!*argv[i]) {
			fprintf(stderr, "privmemctl: %s: empty argument\n", verb->name);
			return EXIT_USAGE;
		}
	return verb->run(argv + 1, options);
}

/* Returns 0, or what to exit with at once plus one. */
static int parse_option(int c, struct options *options, unsigned int *given)
{
	switch (c) {
	case 'h':
		fputs(help, stdout);
		return EXIT_DONE + 1;
	case 'v':
		puts("privmemctl " PRIVMEM_VERSION);
		return EXIT_DONE + 1;
	case 'j':
		if (!parse_format(optarg, &options->format))
			return 0;
		fprintf(stderr, "privmemctl: --json=%s: expected short or pretty\n", optarg);
		return EXIT_USAGE + 1;
	case 'm':
		if (options->n_limits == OPTIONS_LIMITS_MAX)
			return EXIT_USAGE + 1;
		options->limits[options->n_limits++] = optarg;
		*given |= OPTION_MAX;
		return 0;
	case 'b':
		options->is_batch = true;
		*given |= OPTION_BATCH;
		return 0;
	case 'n':
		*given |= OPTION_BATCH;
		return parse_number(optarg, &options->iterations) < 0 ? EXIT_USAGE + 1 : 0;
	case 'e':
		options->evict = true;
		*given |= OPTION_EVICT;
		return 0;
	default:
		return EXIT_USAGE + 1;
	}
}

int main(int argc, char **argv)
{
	static const struct option known[] = {
		{ "json", required_argument, NULL, 'j' },
		{ "max", required_argument, NULL, 'm' },
		{ "evict", no_argument, NULL, 'e' },
		{ "batch", no_argument, NULL, 'b' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{},
	};
	struct options options = { .format = REPORT_TABLE };
	unsigned int given = 0;
	enum exit_code code;
	int c, r;

	while ((c = getopt_long(argc, argv, "hbn:", known, NULL)) >= 0) {
		r = parse_option(c, &options, &given);
		if (r)
			return r - 1;
	}
	code = run_verb(argc - optind, argv + optind, &options, given);
	if (fflush(stdout) || ferror(stdout)) {
		perror("privmemctl: standard output");
		return code ?: EXIT_FAILED;
	}
	return code;
}
