#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# boot: --mem 512M
# Design 3.2: nothing lands on a private node that did not name it.

load lib

setup_file() {
	# Else a gigabyte is refused before a page of it is asked for.
	echo 1 >/proc/sys/vm/overcommit_memory
	free_before=$(node_free 1)
	allocated_before=$(node_allocated 1)
	export free_before allocated_before
}

teardown() {
	cg_remove .
	swap_off
}

# is_untouched: no page of node 1 went since the file began, not even for a moment
is_untouched() {
	local free allocated

	free=$(node_free 1)
	((free == free_before)) || { echo "node 1 had $free_before free pages, has $free"; return 1; }
	allocated=$(($(node_allocated 1) - allocated_before))
	((!allocated)) || { echo "$allocated pages were allocated there"; return 1; }
}

# isolation: row 2
# Seen red with its memory in ZONE_NORMAL and its zones in others' lists: pages were missing.
@test "gate: an idle private node has every page free" {
	is_untouched
	((free_before == 131072))
}

# isolation: row 1
# isolation: row 3
@test "gate: a task that eats all ordinary memory gets none of it" {
	run -137 privmem-touch --bind=none --size=1G
	is_untouched
}

# isolation: row 1
@test "gate: a granted task that binds nothing and eats all memory and all swap gets none of it" {
	swap_on
	cg_make a
	cg_write a memory.private_nodes 1
	run -137 cg_exec a privmem-touch --bind=none --size=1G
	(($(cg_read a memory.swap.peak) > 32 << 20))
	swap_off
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
@test "gate: tmpfs that takes all that is free gets none of it" {
	mkdir -p "$tmp/t"
	mount -t tmpfs -o size=1G t "$tmp/t"
	# and some page cache, which goes for it
	dd if=/dev/zero of="$tmp/t/fill" bs=1M count=$(($(meminfo_kb MemFree) / 1024 + 16)) status=none
	umount "$tmp/t"
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
@test "gate: without an opt-in no kswapd, no kcompactd, no compaction" {
	local before after

	node_ops 1 "mempolicy migration"
	node_ops 2 "mempolicy migration"
	[[ -z $(pgrep -x 'kswapd[12]|kcompactd[12]') ]]
	[[ -n $(pgrep -x kswapd0) ]]
	cg_make g
	cg_write g memory.private_nodes 2
	cg_hold g held --nodes=2 --size=4M
	before=$(grep '^compact_.*_scanned' /proc/vmstat)
	echo 1 >/sys/devices/system/node/node2/compact
	after=$(grep '^compact_.*_scanned' /proc/vmstat)
	[[ $before == "$after" ]] || { diff <(echo "$before") <(echo "$after"); false; }
	cg_release held
	echo 1 >/proc/sys/vm/compact_memory
	is_untouched
	nodes_restore
}

# isolation: row 3
@test "gate: cpusets change nothing, whichever nodes they name" {
	echo +cpuset >/sys/fs/cgroup/cgroup.subtree_control
	echo +cpuset >"$cg_top/cgroup.subtree_control"
	cg_make c
	echo 0 >"$cg_top/c/cpuset.mems"
	run -137 cg_exec c privmem-touch --bind=none --size=600M
	is_untouched

	# one that names a private node gets what its parent has
	echo 1 >"$cg_top/c/cpuset.mems"
	[[ $(<"$cg_top/c/cpuset.mems.effective") == 0 ]]
	run -0 cg_exec c privmem-touch --bind=none --size=1M
	is_untouched
	cg_remove c
}
