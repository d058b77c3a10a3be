// SPDX-License-Identifier: LGPL-2.1-or-later
#include "report.h"

#include "journal.h"

/**
 * report_refusal() - log and remember a refusal, once for each start of the unit
 * @wish: taken over and left empty
 *
 * The hook asks twice, so that the unit hears before its own commands run and
 * fails where failing is possible. People need to read it once.
 */
void report_refusal(struct grants *grants, const struct unit *unit, struct wish *wish,
		    const struct verdict *verdict)
{
	if (grants_note_refusal(grants, unit, wish, verdict->text))
		journal_unit(LOG_ERR, unit->name, "private memory refused: %s", verdict->text);
}
