/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "answers.h"

/**
 * answers_ask_nodes() - about privmemd, the kernel and the nodes
 * @answers: empty; see answers_done(), also after a failure
 * @ret_error: set only on failure
 *
 * Return: 0 or -Exxx
 */
int answers_ask_nodes(struct answers *answers, struct client_error *ret_error)
{
	int r = client_open(&answers->client, ret_error);

	if (r >= 0)
		r = client_get_facts(answers->client, &answers->version,
				     &answers->has_kernel_support, ret_error);
	if (r >= 0)
		r = client_list_nodes(answers->client, &answers->nodes, ret_error);
	return r;
}

/**
 * answers_ask() - about these and all grants
 */
int answers_ask(struct answers *answers, struct client_error *ret_error)
{
	int r = answers_ask_nodes(answers, ret_error);

	return r < 0 ? r : client_list_grants(answers->client, &answers->grants, ret_error);
}

void answers_done(struct answers *answers)
{
	node_rows_done(&answers->nodes);
	grant_rows_done(&answers->grants);
	free(answers->version);
	client_close(answers->client);
	*answers = (struct answers){};
}
