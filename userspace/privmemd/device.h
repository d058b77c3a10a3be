/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The dax devices of this machine: the memory that is, or can become, private
 * nodes. They are read from sysfs, so they are found before udev has seen them.
 */
#ifndef PRIVMEM_DEVICE_H
#define PRIVMEM_DEVICE_H

#include <stddef.h>

#include "config.h"

int device_list(struct device **ret, size_t *ret_count);
void device_list_free(struct device *devices, size_t count);

#endif
