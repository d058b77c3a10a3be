// SPDX-License-Identifier: LGPL-2.1-or-later
#include "errors.h"

#include <systemd/sd-bus.h>

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
