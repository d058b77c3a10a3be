// SPDX-License-Identifier: LGPL-2.1-or-later
#include "errors.h"

#include <stdarg.h>
#include <stdio.h>

#include <systemd/sd-bus.h>

#include "utf8.h"

/**
 * error_name() - what a failed verdict is called on D-Bus
 */
const char *error_name(enum code code)
{
	switch (code) {
	case CODE_USAGE:
		return SD_BUS_ERROR_INVALID_ARGS;
	case CODE_NO_SUPPORT:
		return ERROR("NoKernelSupport");
	case CODE_NOT_PERMITTED:
		return ERROR("NotPermitted");
	case CODE_NO_ROOM:
		return ERROR("NoRoom");
	case CODE_NO_UNIT:
		return ERROR("NoSuchUnit");
	case CODE_NO_NODE:
		return ERROR("NoSuchNode");
	case CODE_BAD_DIRECTIVE:
		return ERROR("InvalidDirective");
	default:
		return ERROR("Failed");
	}
}

/**
 * error_set() - fail a call, saying back what was said to us
 * @name: of the error; see error_name()
 *
 * Return: as sd_bus_error_set()
 */
int error_set(sd_bus_error *error, const char *name, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	utf8_clean(text);
	return sd_bus_error_set(error, name, text);
}
