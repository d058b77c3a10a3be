/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The whole content of a small file: of sysfs, of a cgroup, of our cache. */
#ifndef PRIVMEM_WHOLEFILE_H
#define PRIVMEM_WHOLEFILE_H

#include <stddef.h>

int wholefile_read(int dir_fd, const char *path, char *ret, size_t size);

#endif
