/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PRIVMEMCTL_REPORT_H
#define PRIVMEMCTL_REPORT_H

/* The same facts as tables for people and as JSON for programs. */

#include <json-c/json.h>
#include <stdio.h>

#include "client.h"

/* Counts up when a field changes its meaning or goes away; new fields don't count. */
#define REPORT_JSON_VERSION 1

enum report_format {
	REPORT_TABLE,
	REPORT_JSON_SHORT,
	REPORT_JSON_PRETTY,
};

void report_print_nodes(const struct node_rows *nodes, FILE *file);
void report_print_grants(const struct grant_rows *grants, const struct node_rows *nodes,
			 FILE *file);

struct json_object *report_json_new(void);
struct json_object *report_json_bytes(uint64_t bytes);
struct json_object *report_json_nodes(const struct node_rows *nodes);
struct json_object *report_json_grants(const struct grant_rows *grants,
				       const struct node_rows *nodes);
void report_json_print(struct json_object *object, enum report_format format, FILE *file);

#endif
