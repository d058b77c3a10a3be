/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What org.privmem1.Manager sends by itself, and its properties. */
#ifndef PRIVMEM_SIGNALS_H
#define PRIVMEM_SIGNALS_H

#include <systemd/sd-bus.h>

#include "news.h"

/* Properties that change, for a call of sd_bus_emit_properties_changed(). */
#define PROPERTIES_THAT_CHANGE "Nodes", "Capacity", "Reserved", "NGrants", "NRefusals"

int signals_send(sd_bus *bus, const char *path, const char *interface, const struct news *news);
int properties_append(sd_bus_message *reply, const struct grants *grants, const char *property);

#endif
