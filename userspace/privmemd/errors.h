/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The names of errors on D-Bus. */
#ifndef PRIVMEM_ERRORS_H
#define PRIVMEM_ERRORS_H

#include "grant.h"

#define ERROR(name) "org.privmem1.Error." name

const char *error_name(enum code code);

#endif
