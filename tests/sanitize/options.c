// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Linked into the programs of `make test-sanitize`. A report goes to a file of its own, for
 * tests/sanitize/reports to find: what a program says may be lost, or be what a test expects.
 * UBSan beside ASan writes to stderr whatever log_path= says; but it aborts, and that ASan
 * reports.
 */
#define OPTIONS "log_path=/var/log/privmem-sanitizer/report:abort_on_error=1"

const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

const char *__asan_default_options(void)
{
	return OPTIONS ":handle_abort=1:detect_stack_use_after_return=1:strict_string_checks=1";
}

const char *__ubsan_default_options(void)
{
	return OPTIONS;
}
