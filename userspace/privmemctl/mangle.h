/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PRIVMEMCTL_MANGLE_H
#define PRIVMEMCTL_MANGLE_H

#include <stdbool.h>

bool mangle_cut_slice(char *slice);
char *mangle_unit(const char *name);

#endif
