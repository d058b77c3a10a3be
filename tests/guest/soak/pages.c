// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The ways for a worker's pages to come and to go.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "soak.h"

void do_write(struct area *area)
{
	size_t first, pages, i;

	any_range(area, &first, &pages);
	for (i = first; i < first + pages; i++) {
		bool is_done = write_page(area, i);

		count(OP_WRITE, is_done);
		if (!is_done)
			break;
	}
}

void do_verify(struct area *area)
{
	size_t i;

	/* Reading holes of shared memory fills them: not always. */
	for (i = 0; i < area->pages; i++)
		if (area->stamp[i] || one_in(16))
			verify_page(area, i);
	count(OP_VERIFY, true);
}

void do_mlock(struct area *area)
{
	size_t first, pages;

	any_range(area, &first, &pages);
	if (mlock(area->memory + first * PAGE, pages * PAGE)) {
		if (errno != ENOMEM && errno != EAGAIN)
			complain("mlock: %s", strerrorname_np(errno));
		count(OP_MLOCK, false);
		if (!may_refuse(area))
			complain("mlock refused without a strict policy: %s", strerrorname_np(errno));
	} else {
		count(OP_MLOCK, true);
	}
	if (!one_in(3))
		munlock(area->memory, area->pages * PAGE);
}

void do_populate(struct area *area)
{
	size_t first, pages;
	int err = 0;

	any_range(area, &first, &pages);
	if (madvise(area->memory + first * PAGE, pages * PAGE, MADV_POPULATE_WRITE))
		err = errno;
	count(OP_POPULATE, !err);
	if (err && (err != EFAULT || !may_refuse(area)))
		complain("populate: %s", strerrorname_np(err));
}

/* ENOSPC is a strict policy's refusal. Punching gives pages away. */
void do_fallocate(struct area *area)
{
	size_t first, pages, i;
	int err = 0;

	if (area->kind != KIND_MEMFD)
		return;
	any_range(area, &first, &pages);
	if (one_in(2)) {
		if (fallocate(area->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, first * PAGE,
			      pages * PAGE))
			complain("punch: %s", strerrorname_np(errno));
		for (i = first; i < first + pages; i++)
			area->stamp[i] = 0;
		return;
	}
	if (fallocate(area->fd, 0, first * PAGE, pages * PAGE))
		err = errno;
	count(OP_FALLOCATE, !err);
	if (err && ((err != ENOSPC && err != EINTR) || !may_refuse(area)))
		complain("fallocate: %s", strerrorname_np(err));
}

/* read(2) into a page: EFAULT is the refusal, and it may be one only for a new page. */
void do_read_into(struct area *area)
{
	static char page[PAGE];
	size_t index = random_below(area->pages);
	bool was_there = has_page(area, index);
	uint64_t stamp = ++last_stamp;
	int ends[2], err = 0;

	fill_page(page, stamp);
	if (pipe2(ends, O_CLOEXEC)) {
		complain("pipe: %s", strerrorname_np(errno));
		return;
	}
	if (write(ends[1], page, PAGE) != (ssize_t)PAGE)
		complain("pipe: %s", strerrorname_np(errno));
	if (read(ends[0], area->memory + index * PAGE, PAGE) != (ssize_t)PAGE)
		err = errno;
	close(ends[0]);
	close(ends[1]);
	count(OP_READ_INTO, !err);
	if (!err) {
		area->stamp[index] = stamp;
		area->is_free[index] = false;
	} else if (err != EFAULT || was_there || !may_refuse(area)) {
		complain("read into an area: %s%s", strerrorname_np(err),
			 was_there ? ", the page was there" : "");
	}
}

void do_advise(struct area *area, enum op op)
{
	static const int advice[NR_OPS] = {
		[OP_DONTNEED] = MADV_DONTNEED, [OP_FREE] = MADV_FREE, [OP_COLD] = MADV_COLD,
		[OP_PAGEOUT] = MADV_PAGEOUT, [OP_COLLAPSE] = MADV_COLLAPSE,
	};
	bool is_private = area->kind <= KIND_HUGE, is_done;
	size_t first, pages, i;

	any_range(area, &first, &pages);
	if (op == OP_COLLAPSE) {
		first = 0;
		pages = area->pages;
	}
	if (op == OP_FREE && !is_private)
		return;
	is_done = !madvise(area->memory + first * PAGE, pages * PAGE, advice[op]);
	/* EINVAL for locked memory, and for what cannot be collapsed */
	if (!is_done && errno != EINVAL && op != OP_COLLAPSE)
		complain("madvise %d: %s", advice[op], strerrorname_np(errno));
	count(op, is_done);
	for (i = first; i < first + pages; i++) {
		if (op == OP_DONTNEED && is_private && is_done) {
			area->stamp[i] = 0;
			area->is_free[i] = false;
		} else if (op == OP_FREE || (op == OP_DONTNEED && is_private)) {
			/* A refusal may come after a part was done. */
			area->is_free[i] = area->stamp[i];
		}
	}
}

static int pinned[2] = { -1, -1 };

bool has_pin(void)
{
	return pinned[0] >= 0;
}

/* Hold a page in a pipe for a while: nothing can move it. */
void do_pin(struct area *area)
{
	size_t page = random_below(area->pages);
	struct iovec iov = { .iov_base = area->memory + page * PAGE, .iov_len = PAGE };

	if (has_pin()) {
		close(pinned[0]);
		close(pinned[1]);
		pinned[0] = -1;
		return;
	}
	if (!area->stamp[page] || area->is_free[page] || pipe2(pinned, O_CLOEXEC))
		return;
	if (vmsplice(pinned[1], &iov, 1, 0) != (ssize_t)PAGE)
		complain("vmsplice of a page that is there: %s", strerrorname_np(errno));
	count(OP_PIN, true);
}
