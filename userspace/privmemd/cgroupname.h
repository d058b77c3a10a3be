/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What PID 1 calls the cgroup of a unit. Pure; the hook has it, too.
 */
#ifndef PRIVMEM_CGROUPNAME_H
#define PRIVMEM_CGROUPNAME_H

const char *cgroupname_escape(const char *unit);

#endif
