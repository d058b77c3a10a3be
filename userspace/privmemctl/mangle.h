/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PRIVMEMCTL_MANGLE_H
#define PRIVMEMCTL_MANGLE_H

char *mangle_unit(const char *name);

#endif
