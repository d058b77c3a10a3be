#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# kernel: debug
# Every allocation of every operation of ours fails once: it succeeds all the same, or
# says so and changes nothing; nothing stays charged and no page stays away.

load lib

setup_file() {
	local debugfs=/sys/kernel/debug start end kind

	mountpoint -q $debugfs || mount -t debugfs debugfs $debugfs
	# This one BUG()s, or follows a NULL, where it cannot allocate, and says so: not ours.
	read -r start end < <(awk '$3 == "add_memory_resource" { start = $1 }
		start && $1 != start { print start, $1; exit }' /proc/kallsyms)
	for kind in failslab fail_page_alloc; do
		echo "0x$end" >$debugfs/$kind/reject-end
		echo "0x$start" >$debugfs/$kind/reject-start
	done
}

teardown() {
	cg_remove .
	nodes_restore
}

# survives OPERATION...: each to its end, and some of its allocations failed it
survives() {
	local operation before

	before=$(dying)
	for operation; do
		run privmem-failnth "$operation"
		echo "# $output"
		((status == 0))
		[[ $output != *"gave up"* ]]
		[[ $output =~ \ ([0-9]+)\ tries && ${BASH_REMATCH[1]} -ge 2 ]] || { echo "nothing failed: $output"; return 1; }
	done
	wait_for 20 node_has_free 1 131072
	wait_for 20 node_has_free 2 131072
	wait_for 20 few_dying $((before + 5))
}

dying() {
	awk '$1 == "nr_dying_descendants" { print $2 }' /sys/fs/cgroup/cgroup.stat
}

few_dying() {
	(($(dying) <= $1))
}

@test "fail-nth: the first writes to the control files, all or nothing" {
	survives nodes subtree max
}

@test "fail-nth: reading the control files" {
	survives read-files
}

@test "fail-nth: making cgroups" {
	survives mkdir mkdir-granted
}

@test "fail-nth: mbind and set_mempolicy" {
	survives mbind set_mempolicy
}

@test "fail-nth: the first charge and fault of a fresh cgroup, small and huge" {
	survives touch huge
}

@test "fail-nth: the first page of shared memory, by fault and by fallocate" {
	survives memfd fallocate
}

@test "fail-nth: user copies, populate and mlock" {
	survives read populate mlock
}

@test "fail-nth: fork, and the copies a child makes" {
	survives fork copy
}

@test "fail-nth: moves in, out and across" {
	survives move-in move-out move-across
}

@test "fail-nth: move_pages and migrate_pages" {
	survives move_pages migrate_pages
}

@test "fail-nth: a node goes offline" {
	survives offline
}

@test "fail-nth: a node comes online" {
	survives online
}

# isolation: row 30
@test "fail-nth: a device of two ranges comes and goes whole or not at all" {
	local dax region other

	dax=$(dax_of 1)
	region=${dax##*/} region=${region%.*}
	other=/sys/bus/dax/devices/$region.1
	kmem_unbind 1
	echo 0 >"$dax/size"
	echo $((128 << 20)) >"$dax/size"
	echo 1 >"$(readlink -f "$dax/..")/dax_region/create"
	echo $((128 << 20)) >"$other/size"
	echo $((256 << 20)) >"$dax/size"
	[[ $(<"$dax/size") == $((256 << 20)) ]]
	echo "${dax##*/}" >/sys/bus/dax/drivers/kmem/bind
	[[ $(node_kb 1 MemTotal) == 262144 ]]
	run -0 privmem-failnth bind
	echo "# $output"
	run -0 privmem-failnth offline
	echo "# $output"
	echo "${dax##*/}" >/sys/bus/dax/drivers/kmem/unbind
	echo 0 >"$other/size"
	echo "${other##*/}" >"$(readlink -f "$dax/..")/dax_region/delete"
	echo 0 >"$dax/size"
	echo $((512 << 20)) >"$dax/size"
	kmem_bind 1
	node_has_free 1 131072
}

@test "fail-nth: unbind" {
	survives unbind
}

@test "fail-nth: bind" {
	survives bind
}
