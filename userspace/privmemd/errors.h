/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The names of errors on D-Bus. */
#ifndef PRIVMEM_ERRORS_H
#define PRIVMEM_ERRORS_H

#include <systemd/sd-bus.h>

#include "grant.h"

#define ERROR(name) "org.privmem1.Error." name

const char *error_name(enum code code);
int error_set(sd_bus_error *error, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
