/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers of the kernel's interface that Debian 12's headers lack or keep in libnuma's. */
#ifndef MEMPOLICY_H
#define MEMPOLICY_H

#include <sys/mman.h>

#define PAGE			4096UL
#define HUGE_BYTES		(2UL << 20)
#define MAX_NODES		64

#define MPOL_DEFAULT		0
#define MPOL_PREFERRED		1
#define MPOL_BIND		2
#define MPOL_INTERLEAVE		3
#define MPOL_PREFERRED_MANY	5
#define MPOL_WEIGHTED_INTERLEAVE 6
#define MPOL_F_STATIC_NODES	(1 << 15)
#define MPOL_F_RELATIVE_NODES	(1 << 14)
#define MPOL_F_NUMA_BALANCING	(1 << 13)
#define MPOL_MODE_FLAGS		(7 << 13)
#define MPOL_F_ADDR		2
#define MPOL_F_MEMS_ALLOWED	4
#define MPOL_MF_STRICT		1
#define MPOL_MF_MOVE		2

#ifndef MADV_COLD
#define MADV_COLD 20
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE 101
#endif

#endif
