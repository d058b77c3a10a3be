#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# boot: --mem 512M
# Design 3.2: nothing lands on a private node that did not name it.

load lib

setup_file() {
	free_before=$(node_free 1)
	export free_before
}

# is_untouched: no page of node 1 went since the file began
is_untouched() {
	local free

	free=$(node_free 1)
	((free == free_before)) || { echo "node 1 had $free_before free pages, has $free"; return 1; }
}

# isolation: row 2
@test "gate: an idle private node has every page free" {
	is_untouched
	((free_before == 131072))
}

# isolation: row 1
# isolation: row 3
@test "gate: a task that eats all ordinary memory gets none of it" {
	run privmem-touch --bind=none --size=1G
	((status != 0))
	is_untouched
}

@test "gate: a task bound to no node in a cgroup of its own gets none of it" {
	cg_make a
	cg_write a memory.private_nodes 1
	run cg_exec a privmem-touch --bind=none --size=1G
	((status != 0))
	is_untouched
}

# isolation: row 1
@test "gate: page cache of more than all ordinary memory gets none of it" {
	dd if=/dev/vda of=/dev/null bs=1M count=700 status=none
	is_untouched
	dd if=/dev/zero of=/var/tmp/fill bs=1M count=64 status=none
	rm /var/tmp/fill
	is_untouched
}

# isolation: row 1
@test "gate: tmpfs over the size of ordinary memory gets none of it" {
	mkdir -p "$tmp/t"
	mount -t tmpfs -o size=1G t "$tmp/t"
	cg_make f
	cg_write f memory.max 256M
	run cg_exec f dd if=/dev/zero of="$tmp/t/fill" bs=1M count=800 status=none
	umount -l "$tmp/t"
	is_untouched
}

# isolation: row 5
@test "gate: hugetlb pools, per node and global, have none there" {
	local node=/sys/devices/system/node pool=hugepages/hugepages-2048kB/nr_hugepages

	echo 8 >"$node/node1/$pool"
	[[ $(<"$node/node1/$pool") == 0 ]]
	is_untouched
	echo 20 >/proc/sys/vm/nr_hugepages
	[[ $(<"$node/node1/$pool") == 0 && $(<"$node/node2/$pool") == 0 ]]
	(($(</proc/sys/vm/nr_hugepages) > 0))
	echo 0 >/proc/sys/vm/nr_hugepages
	is_untouched
}

# isolation: row 14
# isolation: row 19
@test "gate: no kswapd, no kcompactd, no compaction" {
	local before after

	[[ -z $(pgrep -x 'kswapd[12]|kcompactd[12]') ]]
	[[ -n $(pgrep -x kswapd0) ]]
	before=$(grep -c . /proc/buddyinfo)
	echo 1 >/sys/devices/system/node/node1/compact
	echo 1 >/proc/sys/vm/compact_memory
	after=$(grep -c . /proc/buddyinfo)
	((before == after))
	is_untouched
}

# isolation: row 3
@test "gate: cpusets change nothing, whichever nodes they name" {
	echo +cpuset >/sys/fs/cgroup/cgroup.subtree_control
	echo +cpuset >"$cg_top/cgroup.subtree_control"
	cg_make c
	echo 0 >"$cg_top/c/cpuset.mems"
	run cg_exec c privmem-touch --bind=none --size=600M
	is_untouched

	# one that names a private node gets what its parent has
	echo 1 >"$cg_top/c/cpuset.mems"
	[[ $(<"$cg_top/c/cpuset.mems.effective") == 0 ]]
	run -0 cg_exec c privmem-touch --bind=none --size=1M
	is_untouched
	cg_remove c
}
