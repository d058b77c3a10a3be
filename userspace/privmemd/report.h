/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PRIVMEM_REPORT_H
#define PRIVMEM_REPORT_H

#include "grant.h"

void report_over(struct grants *grants);
void report_refusal(struct grants *grants, const struct unit *unit, struct wish *wish,
		    const struct verdict *verdict);

#endif
