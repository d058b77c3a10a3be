// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What people read in the journal. A line about a unit carries that unit's name
 * in OBJECT_SYSTEMD_UNIT=, so "systemctl status" shows it with the unit's own
 * lines; the unit's stderr may go nowhere.
 */
#include "journal.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>

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

/* Makes one field; memory that ran out costs the field, not the line. */
__attribute__((format(printf, 3, 4)))
static void field_add(struct iovec *fields, size_t *count, const char *format, ...)
{
	va_list args;
	char *text;
	int length;

	va_start(args, format);
	length = vasprintf(&text, format, args);
	va_end(args);
	if (length >= 0)
		fields[(*count)++] = (struct iovec){ text, length };
}

/**
 * journal_news() - log a line about a unit, cgroup or node
 * @message_id: leads to what the catalog says of such lines
 * @unit: or path of a cgroup; NULL for none
 * @nodes: the nodes it is about, a field PRIVMEM_NODE= each
 */
void journal_news(int priority, const char *message_id, const char *unit,
		  const struct nodelist *nodes, const char *format, ...)
{
	struct iovec fields[4 + NODELIST_MAX];
	bool is_cgroup = unit && unit[0] == '/';
	size_t count = 0;
	unsigned int nid;
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	field_add(fields, &count, "PRIORITY=%d", priority);
	field_add(fields, &count, "MESSAGE=%s%s%s", unit ?: "", unit ? ": " : "", text);
	field_add(fields, &count, "MESSAGE_ID=%s", message_id);
	if (unit)
		field_add(fields, &count, "%s=%s",
			  is_cgroup ? "PRIVMEM_CGROUP" : "OBJECT_SYSTEMD_UNIT", unit);
	nodelist_for_each(nid, nodes)
		field_add(fields, &count, "PRIVMEM_NODE=%u", nid);
	(void)sd_journal_sendv(fields, count);
	while (count > 0)
		free(fields[--count].iov_base);
}
