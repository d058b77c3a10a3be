// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "ledger.h"
#include "tap.h"

#define PAGE UINT64_C(4096)
#define MIB (UINT64_C(1) << 20)

static struct ledger *ledger_make(void)
{
	struct ledger *ledger = NULL;

	is_int(ledger_new(PAGE, &ledger), 0, "a ledger is made");
	is_int(ledger_set_node(ledger, 1, 512 * MIB, 100), 0, "node 1 has 512M");
	return ledger;
}

static void test_edges(void)
{
	struct ledger *ledger = ledger_make();
	struct reservation *a = NULL, *b = NULL, *untouched = NULL;

	is_int(ledger_reserve(ledger, "/s/a", "a", 1, 512 * MIB + PAGE, &untouched), -ENOSPC,
	       "a page more than the node is refused");
	ok(!untouched && ledger_get_reserved(ledger, 1) == 0, "and nothing is reserved by it");
	is_int(ledger_reserve(ledger, "/s/a", "a", 1, 512 * MIB - PAGE, &a), 0,
	       "a page less than the node fits");
	is_int(ledger_reserve(ledger, "/s/b", "b", 1, 2 * PAGE, &untouched), -ENOSPC,
	       "two pages do not fit in one");
	is_int(ledger_reserve(ledger, "/s/b", "b", 1, PAGE, &b), 0, "one page fits in one");
	is_int(ledger_get_left(ledger, "/s/c", 1), 0, "nothing is left");
	is_int(ledger_reserve(ledger, "/s/c", "c", 1, UINT64_MAX - PAGE + 1, &untouched), -ENOSPC,
	       "an amount near the end of 64 bits does not wrap");
	is_int(ledger_reserve(ledger, "/s/a", "a", 1, 0, &untouched), -EEXIST,
	       "one path holds one reservation a node");
	is_int(ledger_reserve(ledger, "/s/c", "c", 1, 1, &untouched), -EINVAL,
	       "an unaligned amount is refused");
	is_int(ledger_reserve(ledger, "/", "-.slice", 1, 0, &untouched), -EINVAL,
	       "the root holds no reservation");
	is_int(ledger_reserve(ledger, "/s/c", "c", 2, PAGE, &untouched), -ENODEV,
	       "a node nobody told of is refused");
	is_int(ledger_reserve(ledger, "/s/c", "c", 5000, PAGE, &untouched), -ENODEV,
	       "a node number out of range is refused");
	a = reservation_drop(a);
	is_int(ledger_get_left(ledger, "/s/c", 1), 512 * MIB - PAGE, "what is dropped is left again");
	reservation_drop(b);
	is_int(ledger_get_reserved(ledger, 1), 0, "all is given back");
	ledger_free(ledger);
}

static void test_resize(void)
{
	struct ledger *ledger = ledger_make();
	struct reservation *a = NULL, *b = NULL;

	ledger_reserve(ledger, "/a", "a", 1, 256 * MIB, &a);
	ledger_reserve(ledger, "/b", "b", 1, 128 * MIB, &b);
	is_int(reservation_resize(a, 384 * MIB + PAGE), -ENOSPC, "growing past what is left");
	is_int(reservation_get_bytes(a), 256 * MIB, "a refused resize changes nothing");
	is_int(reservation_resize(a, 384 * MIB), 0, "growing into all that is left");
	is_int(ledger_get_reserved(ledger, 1), 512 * MIB, "the node is full");
	is_int(reservation_resize(a, 0), 0, "shrinking to nothing");
	is_int(ledger_get_reserved(ledger, 1), 128 * MIB, "the rest is free");
	is_int(reservation_resize(a, 7), -EINVAL, "an unaligned size is refused");
	reservation_drop(a);
	reservation_drop(b);
	ledger_free(ledger);
}

static void test_slices(void)
{
	struct ledger *ledger = ledger_make();
	struct reservation *slice = NULL, *inner = NULL, *early = NULL, *late = NULL, *none = NULL;

	ledger_reserve(ledger, "/accel.slice/early.service", "early.service", 1, 64 * MIB, &early);
	is_int(ledger_reserve(ledger, "/accel.slice", "accel.slice", 1, 32 * MIB, &none), -EBUSY,
	       "a slice smaller than what its units hold is refused");
	is_int(ledger_reserve(ledger, "/accel.slice", "accel.slice", 1, 512 * MIB, &slice), 0,
	       "a slice takes over what its units drew from the node");
	is_int(ledger_get_reserved(ledger, 1), 512 * MIB, "and it is not counted twice");
	is_str(reservation_get_source(early), "accel.slice", "the unit draws from the slice now");
	is_int(ledger_get_left(ledger, "/accel.slice/late.service", 1), 448 * MIB,
	       "the rest of the slice is left to its units");
	is_int(ledger_get_left(ledger, "/accel.slicer/x.service", 1), 0,
	       "a path that merely begins alike is not in the slice");
	is_int(ledger_reserve(ledger, "/accel.slice/a.slice", "a.slice", 1, 256 * MIB, &inner), 0,
	       "a slice in the slice");
	is_int(ledger_reserve(ledger, "/accel.slice/a.slice/b/late.service", "late.service", 1,
			      256 * MIB + PAGE, &none), -ENOSPC, "the inner slice bounds its units");
	is_int(ledger_reserve(ledger, "/accel.slice/a.slice/b/late.service", "late.service", 1,
			      256 * MIB, &late), 0, "to the byte");
	is_int(reservation_resize(inner, 255 * MIB), -EBUSY, "no shrinking below what units hold");
	inner = reservation_drop(inner);
	is_str(reservation_get_source(late), "accel.slice", "without it the outer slice serves");
	is_int(ledger_get_left(ledger, "/accel.slice/x.service", 1), 192 * MIB,
	       "and its unit still counts");
	reservation_drop(slice);
	is_str(reservation_get_source(late), "", "without that the node serves");
	is_int(ledger_get_reserved(ledger, 1), 320 * MIB, "what units hold is what is reserved");
	reservation_drop(early);
	reservation_drop(late);
	is_int(ledger_get_reserved(ledger, 1), 0, "all is given back");
	ledger_free(ledger);
}

static void test_adopt(void)
{
	struct ledger *ledger = ledger_make();
	struct reservation *a = NULL, *b = NULL, *none = NULL;

	is_int(ledger_adopt(ledger, "/a", "a", 2, 64 * MIB, &a), 0,
	       "a grant on a node that is away is entered");
	ok(!ledger_has_node(ledger, 2), "which does not bring the node back");
	is_int(ledger_reserve(ledger, "/b", "b", 2, PAGE, &none), -ENODEV, "nor lets others in");
	ledger_set_node(ledger, 2, 32 * MIB, 100);
	is_int(ledger_get_left(ledger, "/b", 2), 0, "a node that came back smaller has nothing left");
	is_int(ledger_reserve(ledger, "/b", "b", 2, PAGE, &none), -ENOSPC, "and refuses");
	is_int(ledger_reserve(ledger, "/b", "b", 2, 0, &b), 0, "but nothing is always to be had");
	is_int(ledger_adopt(ledger, "/c", "c", 2, UINT64_MAX - PAGE + 1, &none), -EOVERFLOW,
	       "what cannot be counted is refused");
	ledger_set_absent(ledger, 2);
	is_int(reservation_resize(a, 128 * MIB), -ENODEV, "nothing grows on a node that is away");
	is_int(reservation_resize(a, 16 * MIB), 0, "but it may shrink");
	reservation_drop(a);
	reservation_drop(b);
	ledger_free(ledger);
}

static void test_explain(void)
{
	struct ledger *ledger = ledger_make();
	struct reservation *held[5] = {}, *own = NULL;
	char *text = NULL, name[] = "/0.service";

	is_int(ledger_explain(ledger, "/x", 9, &text), -ENODEV, "nothing to say of an unknown node");
	for (int i = 0; i < 5; i++) {
		name[1] = '0' + i;
		ledger_reserve(ledger, name, name + 1, 1, (i + 1) * 16 * MIB, &held[i]);
	}
	is_int(ledger_explain(ledger, "/x", 1, &text), 0, "a refusal is explained");
	is_str(text, "272M of 512M left; 80M reserved by 4.service, 64M reserved by 3.service, "
	       "48M reserved by 2.service and 2 others", "by the largest holders");
	free(text);
	ledger_reserve(ledger, "/own", "own", 1, 256 * MIB, &own);
	ledger_explain(ledger, "/own", 1, &text);
	ok(strncmp(text, "272M of 512M left; 80M", 22) == 0, "one's own holding is not in one's way");
	free(text);
	reservation_drop(own);
	for (int i = 0; i < 5; i++)
		reservation_drop(held[i]);
	ledger_free(ledger);
}

static void test_room(void)
{
	struct ledger *ledger = ledger_make();
	struct reservation *a = NULL, *b = NULL, *none = NULL;
	char *text = NULL;

	ledger_set_node(ledger, 1, 512 * MIB, 150);
	is_int(ledger_get_room(ledger, 1), 768 * MIB, "half as much again may be promised");
	is_int(ledger_get_capacity(ledger, 1), 512 * MIB, "of what there is");
	is_int(ledger_reserve(ledger, "/a", "a", 1, 768 * MIB + PAGE, &none), -ENOSPC, "and no page more");
	is_int(ledger_reserve(ledger, "/a", "a", 1, 768 * MIB, &a), 0, "to the page");
	ok(!ledger_is_over(ledger, 1), "which is not too much");
	ledger_set_node(ledger, 1, 512 * MIB, 100);
	ok(ledger_is_over(ledger, 1), "until less may be promised");
	is_int(ledger_reserve(ledger, "/b", "b", 1, PAGE, &none), -ENOSPC, "then nobody gets more");
	is_int(reservation_resize(a, 640 * MIB), 0, "who has too much may have less");
	reservation_restore(a, 768 * MIB);
	is_int(ledger_get_reserved(ledger, 1), 768 * MIB, "and has it again if that comes to nothing");
	is_int(reservation_resize(a, 256 * MIB), 0, "enough is given back");
	ok(!ledger_is_over(ledger, 1), "and all is well");
	ledger_set_stray(ledger, 1, 64 * MIB);
	is_int(ledger_get_left(ledger, "/b", 1), 192 * MIB, "what is in use unreserved is not left");
	is_int(ledger_reserve(ledger, "/b", "b", 1, 192 * MIB + PAGE, &none), -ENOSPC, "nor to be had");
	ledger_explain(ledger, "/b", 1, &text);
	is_str(text, "192M of 512M left; 256M reserved by a; 64M still in use by units that were granted"
	       " it before", "and a refusal says so");
	free(text);
	ledger_set_node(ledger, 1, UINT64_MAX, 10000);
	is_int(ledger_get_room(ledger, 1), UINT64_MAX - PAGE + 1, "no amount wraps");
	reservation_drop(a);
	reservation_drop(b);
	ledger_free(ledger);
}

int main(void)
{
	test_edges();
	test_resize();
	test_slices();
	test_adopt();
	test_explain();
	test_room();
	return tap_done();
}
