// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What people read in the journal. A line about a unit carries that unit's name
 * in OBJECT_SYSTEMD_UNIT=, so "systemctl status" shows it with the unit's own
 * lines; the unit's stderr may go nowhere.
 */
#include "journal.h"

#include <stdarg.h>
#include <stdio.h>

#include <systemd/sd-journal.h>

/**
 * journal() - log a line about the daemon itself
 */
void journal(int priority, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	(void)sd_journal_send("PRIORITY=%d", priority, "MESSAGE=%s", text, NULL);
}

/**
 * journal_unit() - log a line that belongs to a unit
 */
void journal_unit(int priority, const char *unit, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	(void)sd_journal_send("PRIORITY=%d", priority, "MESSAGE=%s: %s", unit, text,
			      "OBJECT_SYSTEMD_UNIT=%s", unit, NULL);
}
