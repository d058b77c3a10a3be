// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The worker's mappings: made, moved, made read-only and removed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "soak.h"

/* Return: where @bytes can be mapped so that huge pages fit, or NULL */
static char *find_place(size_t bytes)
{
	char *where = mmap(NULL, bytes + HUGE_BYTES, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (where == MAP_FAILED)
		return NULL;
	munmap(where, bytes + HUGE_BYTES);
	return where + (-(uintptr_t)where & (HUGE_BYTES - 1));
}

void do_map(struct area *area)
{
	int flags, prot = PROT_READ | PROT_WRITE;
	char *where;

	memset(area->stamp, 0, sizeof(area->stamp));
	memset(area->is_free, 0, sizeof(area->is_free));
	area->kind = random_below(NR_KINDS);
	area->pages = area->kind == KIND_HUGE ? AREA_PAGES : 1 + random_below(96);
	area->is_strict = area->is_copied = false;
	area->fd = -1;
	if (area->kind == KIND_MEMFD) {
		area->fd = memfd_create("privmem-soak", MFD_CLOEXEC);
		if (area->fd < 0 || ftruncate(area->fd, area->pages * PAGE))
			complain("memfd: %s", strerrorname_np(errno));
	}
	where = find_place(area->pages * PAGE);
	if (!where) {
		complain("mmap: %s", strerrorname_np(errno));
		return;
	}
	flags = (area->kind <= KIND_HUGE ? MAP_PRIVATE : MAP_SHARED) | MAP_FIXED_NOREPLACE |
		(area->fd < 0 ? MAP_ANONYMOUS : 0);
	area->memory = mmap(where, area->pages * PAGE, prot, flags, area->fd, 0);
	if (area->memory == MAP_FAILED) {
		area->memory = NULL;
		complain("mmap: %s", strerrorname_np(errno));
		return;
	}
	if (area->kind == KIND_HUGE)
		madvise(area->memory, area->pages * PAGE, MADV_HUGEPAGE);
	count(OP_MAP, true);
	if (!one_in(8))
		bind_area(area, OP_MBIND);
}

void do_unmap(struct area *area)
{
	munmap(area->memory, area->pages * PAGE);
	if (area->fd >= 0)
		close(area->fd);
	area->memory = NULL;
	count(OP_UNMAP, true);
}

void do_protect(struct area *area)
{
	if (mprotect(area->memory, area->pages * PAGE, PROT_READ))
		complain("mprotect: %s", strerrorname_np(errno));
	do_verify(area);
	if (mprotect(area->memory, area->pages * PAGE, PROT_READ | PROT_WRITE))
		complain("mprotect: %s", strerrorname_np(errno));
	count(OP_PROTECT, true);
}

void do_remap(struct area *area)
{
	size_t bytes = area->pages * PAGE;
	char *to = find_place(bytes);

	if (!to)
		return;
	/* EFAULT where binding or locking a part has made several mappings of it */
	to = mremap(area->memory, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	if (to != MAP_FAILED)
		area->memory = to;
	else if (errno != EFAULT && errno != EINVAL && errno != EAGAIN)
		complain("mremap: %s", strerrorname_np(errno));
	count(OP_REMAP, to != MAP_FAILED);
}
