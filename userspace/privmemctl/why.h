/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PRIVMEMCTL_WHY_H
#define PRIVMEMCTL_WHY_H

#include "client.h"

void why_nothing(struct client *client, const char *name, struct client_error *error);

#endif
