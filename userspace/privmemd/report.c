// SPDX-License-Identifier: LGPL-2.1-or-later
#include "report.h"

#include <stdlib.h>

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

/**
 * report_over() - log nodes of which more is promised than they have room for, once each
 *
 * Nothing is taken from a running unit for it.
 */
void report_over(struct grants *grants)
{
	unsigned int nid;

	nodelist_for_each(nid, &grants->known) {
		char *held = NULL;
		bool is_over = ledger_is_over(grants->ledger, nid);

		if (is_over == nodelist_is_set(&grants->over, nid))
			continue;
		if (!is_over) {
			nodelist_clear(&grants->over, nid);
			journal(LOG_NOTICE, "node%u: has room again for all that is reserved", nid);
			continue;
		}
		nodelist_set(&grants->over, nid);
		(void)ledger_explain(grants->ledger, "/", nid, &held);
		journal(LOG_WARNING, "node%u: more is reserved than there is: %s. Units keep what they"
			" have; stop one, or lower its PrivateMemoryMax=", nid, held ?: "?");
		free(held);
	}
}
