/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * privmemctl top - who uses how much, looked at again and again: on the whole screen until "q",
 * or in batches for a file. Whoever uses most stands first.
 */

#include <locale.h>
#include <ncurses.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answers.h"
#include "verbs.h"

#define DELAY_MSEC 1000

static int compare_use(const void *a, const void *b)
{
	const struct grant_row *left = a, *right = b;

	if (left->current_bytes != right->current_bytes)
		return left->current_bytes < right->current_bytes ? 1 : -1;
	return strcmp(left->unit, right->unit);
}

/* Everything that is shown, as text; NULL with @ret_error set if privmemd does not say. */
static char *take_picture(struct client_error *ret_error)
{
	struct answers answers = {};
	char *text = NULL;
	size_t length;
	FILE *out;

	if (answers_ask(&answers, ret_error) >= 0) {
		out = open_memstream(&text, &length);
		qsort(answers.grants.rows, answers.grants.n_rows, sizeof(*answers.grants.rows),
		      compare_use);
		report_print_nodes(&answers.nodes, out);
		fputc('\n', out);
		report_print_grants(&answers.grants, &answers.nodes, out);
		if (fclose(out)) {
			free(text);
			text = NULL;
		}
	}
	answers_done(&answers);
	return text;
}

static void draw(const char *text)
{
	int line = 0;

	erase();
	while (*text && line < LINES) {
		int length = strcspn(text, "\n");
		/* Titles are what follows the top or an empty line. */
		bool is_title = line == 0 || text[-2] == '\n';

		if (is_title && length)
			attron(A_REVERSE);
		mvaddnstr(line++, 0, text, length < COLS ? length : COLS);
		attroff(A_REVERSE);
		text += length + !!text[length];
	}
	refresh();
}

static enum exit_code run_screen(void)
{
	struct client_error error = { EXIT_FAILED, "out of memory" };
	enum exit_code code = EXIT_DONE;
	SCREEN *screen;
	char *text;
	int key;

	if (!isatty(STDOUT_FILENO) || !(screen = newterm(NULL, stdout, stdin))) {
		fputs("privmemctl: top: no terminal to draw on; use --batch\n", stderr);
		return EXIT_FAILED;
	}
	cbreak();
	noecho();
	curs_set(0);
	timeout(DELAY_MSEC);
	do {
		text = take_picture(&error);
		if (!text) {
			code = error.code;
			break;
		}
		draw(text);
		free(text);
		key = getch();
	} while (key != 'q');
	endwin();
	delscreen(screen);
	if (code != EXIT_DONE)
		fprintf(stderr, "privmemctl: %s\n", error.text);
	return code;
}

static enum exit_code run_batch(unsigned long iterations)
{
	struct client_error error = { EXIT_FAILED, "out of memory" };
	char *text;

	for (unsigned long i = 0; !iterations || i < iterations; i++) {
		if (i) {
			(void)poll(NULL, 0, DELAY_MSEC);
			putchar('\n');
		}
		text = take_picture(&error);
		if (!text) {
			fprintf(stderr, "privmemctl: %s\n", error.text);
			return error.code;
		}
		fputs(text, stdout);
		free(text);
		if (fflush(stdout))
			return EXIT_FAILED;
	}
	return EXIT_DONE;
}

/**
 * verb_top() - show use until told to stop
 * @arguments: none
 * @options: batch, and how many times
 *
 * Return: what to exit with.
 */
enum exit_code verb_top(char *const *arguments, const struct options *options)
{
	(void)arguments;
	(void)setlocale(LC_CTYPE, "");
	return options->is_batch ? run_batch(options->iterations) : run_screen();
}
