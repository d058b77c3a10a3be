/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PRIVMEMCTL_PEER_H
#define PRIVMEMCTL_PEER_H

#include <systemd/sd-bus.h>

int peer_open(const char *address, sd_bus **ret);

#endif
