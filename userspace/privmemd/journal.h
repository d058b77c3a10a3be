/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PRIVMEM_JOURNAL_H
#define PRIVMEM_JOURNAL_H

#include <syslog.h>

#include "nodelist.h"

__attribute__((format(printf, 2, 3)))
void journal(int priority, const char *format, ...);

__attribute__((format(printf, 5, 6)))
void journal_news(int priority, const char *message_id, const char *unit,
		  const struct nodelist *nodes, const char *format, ...);

#endif
