/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* privmemctl - show and apply grants of private memory, and check unit files that ask for it */

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "verbs.h"

struct verb {
	const char *name, *arguments;
	int min, max; /* number of arguments */
	enum exit_code (*run)(char *const *arguments, enum report_format format);
};

static const struct verb verbs[] = {
	{ "status", "", 0, 0, verb_status },
	{ "nodes", "", 0, 0, verb_nodes },
	{ "list", "", 0, 0, verb_list },
	{ "show", " UNIT|CGROUP", 1, 1, verb_show },
	{ "apply", " UNIT", 1, 1, verb_apply },
	{ "verify", " FILE...", 1, 1 << 20, verb_verify },
};

#define N_VERBS (sizeof(verbs) / sizeof(*verbs))

static const char help[] =
	"usage: privmemctl [--json=short|pretty] VERB [ARGUMENT...]\n"
	"\n"
	"  status             privmemd, the kernel, nodes and grants at a glance\n"
	"  nodes              private nodes: device, capacity, what is reserved and used\n"
	"  list               what every unit asked for, got and uses\n"
	"  show UNIT|CGROUP   the same for one unit, or one cgroup (a path such as /a.slice)\n"
	"  apply UNIT         apply a running unit's directives now (root only)\n"
	"  verify FILE...     check unit files and drop-ins before they are used\n"
	"\n"
	"  --json=short|pretty  print JSON for programs\n"
	"  --help, --version\n"
	"\n"
	"exit status: 0 done, 1 failed, 2 usage, 3 no kernel support, 4 not permitted,\n"
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

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < N_VERBS; i++)
		if (!strcmp(name, verbs[i].name))
			return &verbs[i];
	return NULL;
}

static enum exit_code run_verb(int argc, char **argv, enum report_format format)
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
	if (argc - 1 < verb->min || argc - 1 > verb->max) {
		fprintf(stderr, "privmemctl: usage: privmemctl %s%s\n", verb->name, verb->arguments);
		return EXIT_USAGE;
	}
	for (int i = 1; i < argc; i++)
		if (!*argv[i]) {
			fprintf(stderr, "privmemctl: %s: empty argument\n", verb->name);
			return EXIT_USAGE;
		}
	return verb->run(argv + 1, format);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", required_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{},
	};
	enum report_format format = REPORT_TABLE;
	enum exit_code code;
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0)
		switch (c) {
		case 'h':
			fputs(help, stdout);
			return EXIT_DONE;
		case 'v':
			puts("privmemctl " PRIVMEM_VERSION);
			return EXIT_DONE;
		case 'j':
			if (!parse_format(optarg, &format))
				break;
			fprintf(stderr, "privmemctl: --json=%s: expected short or pretty\n", optarg);
			return EXIT_USAGE;
		default:
			return EXIT_USAGE;
		}
	code = run_verb(argc - optind, argv + optind, format);
	if (fflush(stdout) || ferror(stdout)) {
		perror("privmemctl: standard output");
		return code ?: EXIT_FAILED;
	}
	return code;
}
