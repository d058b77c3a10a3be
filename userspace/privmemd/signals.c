// SPDX-License-Identifier: LGPL-2.1-or-later
#include "signals.h"

#include <errno.h>
#include <string.h>

#include "errors.h"

static int append_shares(sd_bus_message *m, const struct grant *grant)
{
	int r = sd_bus_message_open_container(m, 'a', "(ut)");

	for (size_t i = 0; r >= 0 && grant && i < grant->n_shares; i++)
		r = sd_bus_message_append(m, "(ut)", grant->shares[i].nid,
					  reservation_get_bytes(grant->shares[i].reservation));
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_applied(sd_bus_message *m, const struct news *news)
{
	int r = append_shares(m, news->grant);

	return r < 0 ? r : sd_bus_message_append(m, "b", news->kind == NEWS_LATE);
}

/* The signal for a kind of news, NULL if there is none. */
static const char *signal_of(enum news_kind kind)
{
	switch (kind) {
	case NEWS_GRANTED:
	case NEWS_LATE:
	case NEWS_CHANGED:
		return "GrantApplied";
	case NEWS_REVOKED:
	case NEWS_RELEASED:
		return "GrantReleased";
	case NEWS_REFUSED:
	case NEWS_BAD_DIRECTIVE:
		return "GrantRefused";
	default:
		return NULL;
	}
}

/**
 * signals_send() - send the signal for a piece of news, if there is one
 *
 * Return: 0 or -Exxx
 */
int signals_send(sd_bus *bus, const char *path, const char *interface, const struct news *news)
{
	const char *name = signal_of(news->kind);
	sd_bus_message *m = NULL;
	int r;

	if (!name)
		return 0;
	r = sd_bus_message_new_signal(bus, &m, path, interface, name);
	if (r >= 0)
		r = sd_bus_message_append(m, "ss", news->unit, news->cgroup ?: "");
	if (r >= 0 && strcmp(name, "GrantApplied") == 0)
		r = append_applied(m, news);
	else if (r >= 0 && strcmp(name, "GrantRefused") == 0)
		r = sd_bus_message_append(m, "ss", error_name(news->code), news->text);
	if (r >= 0)
		r = sd_bus_send(bus, m, NULL);
	sd_bus_message_unref(m);
	return r < 0 ? r : 0;
}

static int append_nodes(sd_bus_message *m, const struct grants *grants)
{
	unsigned int nid;
	int r = sd_bus_message_open_container(m, 'a', "u");

	nodelist_for_each(nid, &grants->known)
		if (r >= 0 && ledger_has_node(grants->ledger, nid))
			r = sd_bus_message_append(m, "u", nid);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_amounts(sd_bus_message *m, const struct grants *grants,
			  uint64_t (*get)(const struct ledger *ledger, unsigned int nid))
{
	unsigned int nid;
	int r = sd_bus_message_open_container(m, 'a', "(ut)");

	nodelist_for_each(nid, &grants->known) {
		bool is_there = ledger_has_node(grants->ledger, nid) ||
				ledger_get_reserved(grants->ledger, nid) > 0;

		if (r >= 0 && is_there)
			r = sd_bus_message_append(m, "(ut)", nid, get(grants->ledger, nid));
	}
	return r < 0 ? r : sd_bus_message_close_container(m);
}

/**
 * properties_append() - append the value of a property
 */
int properties_append(sd_bus_message *reply, const struct grants *grants, const char *property)
{
	if (strcmp(property, "Version") == 0)
		return sd_bus_message_append(reply, "s", PRIVMEM_VERSION);
	if (strcmp(property, "KernelSupport") == 0)
		return sd_bus_message_append(reply, "b", cgroup_has_support(grants->root_fd));
	if (strcmp(property, "Nodes") == 0)
		return append_nodes(reply, grants);
	if (strcmp(property, "Capacity") == 0)
		return append_amounts(reply, grants, ledger_get_capacity);
	if (strcmp(property, "Reserved") == 0)
		return append_amounts(reply, grants, ledger_get_reserved);
	if (strcmp(property, "NGrants") == 0)
		return sd_bus_message_append(reply, "u", (uint32_t)grants->n_granted);
	return sd_bus_message_append(reply, "u", (uint32_t)grants->n_refused);
}
