/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PRIVMEM_JOURNAL_H
#define PRIVMEM_JOURNAL_H

#include <syslog.h>

__attribute__((format(printf, 2, 3)))
void journal(int priority, const char *format, ...);

__attribute__((format(printf, 3, 4)))
void journal_unit(int priority, const char *unit, const char *format, ...);

#endif
