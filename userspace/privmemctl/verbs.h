/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PRIVMEMCTL_VERBS_H
#define PRIVMEMCTL_VERBS_H

/* What the tool can do. Arguments end with NULL and are as many as main.c's table says. */

#include "client.h"
#include "report.h"

#define OPTIONS_LIMITS_MAX 64

struct options {
	enum report_format format;
	char *limits[OPTIONS_LIMITS_MAX]; /* of --max= */
	size_t n_limits;
	bool evict, is_batch;
	unsigned long iterations; /* 0 for without end */
};

enum exit_code verb_status(char *const *arguments, const struct options *options);
enum exit_code verb_nodes(char *const *arguments, const struct options *options);
enum exit_code verb_list(char *const *arguments, const struct options *options);
enum exit_code verb_show(char *const *arguments, const struct options *options);
enum exit_code verb_apply(char *const *arguments, const struct options *options);
enum exit_code verb_grant(char *const *arguments, const struct options *options);
enum exit_code verb_set_limit(char *const *arguments, const struct options *options);
enum exit_code verb_revoke(char *const *arguments, const struct options *options);
enum exit_code verb_revert(char *const *arguments, const struct options *options);
enum exit_code verb_metrics(char *const *arguments, const struct options *options);
enum exit_code verb_monitor(char *const *arguments, const struct options *options);
enum exit_code verb_node(char *const *arguments, const struct options *options);
enum exit_code verb_top(char *const *arguments, const struct options *options);
enum exit_code verb_verify(char *const *arguments, const struct options *options);

#endif
