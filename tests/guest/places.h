/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* On which nodes pages are: what several programs of the guest ask and print. */
#ifndef PLACES_H
#define PLACES_H

#include <err.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mempolicy.h"

/* "N0 1 N1 3": pages on each node, then "absent 2" for those that are nowhere. */
static inline int print_places(char *memory, size_t bytes)
{
	unsigned long count[MAX_NODES] = { }, absent = 0;
	const char *separator = "";
	size_t offset;
	void *page;
	int status, nid;

	for (offset = 0; offset < bytes; offset += PAGE) {
		page = memory + offset;
		if (syscall(SYS_move_pages, 0, 1UL, &page, NULL, &status, 0))
			err(1, "move_pages");
		if (status >= 0)
			count[status]++;
		else
			absent++;
	}
	for (nid = 0; nid < MAX_NODES; nid++)
		if (count[nid]) {
			printf("%sN%d %lu", separator, nid, count[nid]);
			separator = " ";
		}
	if (absent)
		printf("%sabsent %lu", separator, absent);
	printf("\n");
	fflush(stdout);
	return 0;
}

#endif
