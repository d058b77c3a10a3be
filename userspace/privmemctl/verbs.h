/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PRIVMEMCTL_VERBS_H
#define PRIVMEMCTL_VERBS_H

/* What the tool can do. Arguments end with NULL and are as many as main.c's table says. */

#include "client.h"
#include "report.h"

enum exit_code verb_status(char *const *arguments, enum report_format format);
enum exit_code verb_nodes(char *const *arguments, enum report_format format);
enum exit_code verb_list(char *const *arguments, enum report_format format);
enum exit_code verb_show(char *const *arguments, enum report_format format);
enum exit_code verb_apply(char *const *arguments, enum report_format format);
enum exit_code verb_verify(char *const *arguments, enum report_format format);

#endif
