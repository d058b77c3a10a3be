#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Design 3.4 and 4: every way for a page to come to a private node is charged,
# and every way to be refused has its own answer.

load lib

stem=memory.private_nodes

granted() {
	cg_make g
	cg_write g $stem "${1:-1}"
	[[ -z $2 ]] || cg_write g $stem.max "$2"
}

is_over() {
	cg_expect g $stem.current "N1 0\nN2 0"
}

teardown() {
	swap_off
	cg_remove .
}

# isolation: row 22
@test "charge: anonymous, shared, memfd and SysV memory are charged and freed alike" {
	granted
	for type in anon shm memfd sysv; do
		cg_hold g held --type=$type --size=4M
		cg_expect g $stem.current "N1 4194304\nN2 0"
		cg_release held
		is_over
	done
}

@test "charge: ordinary memory.current does not count private pages" {
	local before

	granted
	before=$(cg_read g memory.current)
	cg_hold g held --size=64M
	(($(cg_read g memory.current) - before < 4 << 20))
	cg_release held
}

# isolation: row 20
@test "charge: the answer at the limit is SIGBUS for a fault" {
	granted 1 "N1 64K"
	for type in anon shm memfd sysv; do
		run -3 cg_exec g privmem-touch --catch --type=$type --size=128K
		[[ $output == *"sigbus 65536 BUS_ADRERR"* ]]
		is_over
	done
	run cg_exec g privmem-touch --size=128K
	((status == 128 + 7))
}

# isolation: row 20
@test "charge: EFAULT for a user copy, ENOMEM for mlock, EFAULT for populate" {
	granted 1 "N1 64K"
	says "65536 EFAULT" read 1 131072
	says ENOMEM mlock 1 131072
	says EFAULT populate 1 131072
	says "N1 16" mlock 1 65536
	is_over
}

@test "charge: ENOSPC for write and fallocate on shmem" {
	granted 1 "N1 64K"
	says ENOSPC fallocate 1 131072
	says "N1 16" fallocate 1 65536
	run -1 cg_exec g privmem-touch --type=memfd --write --size=128K
	[[ $output == *"touched 65536"* && $output == *"No space left on device"* ]]
	is_over
}

@test "charge: fork shares, and a copy is charged when it is made" {
	granted 1 "N1 1M"
	run -0 cg_exec g privmem-touch --catch --size=512K --fork=1
	is_over
	run -3 cg_exec g privmem-touch --catch --size=768K --fork=1
	[[ $output == *"sigbus 262144 BUS_ADRERR"* ]]
	is_over
}

# isolation: row 10
@test "charge: thirty-two children copy what fits and the parent keeps its own" {
	granted 1 "N1 33M"
	run -0 cg_exec g privmem-touch --catch --size=1M --fork=32
	is_over
}

@test "charge: a child moved to an ungranted cgroup gets SIGBUS and ours is intact" {
	granted
	cg_make u
	says "child BUS, intact" fork 1 65536 "$cg_top/u"
	says "child 0, intact" fork 1 65536 "$cg_top/g"
	[[ $(cg_value u $stem.events N1.denied) == 1 ]]
	[[ $(cg_value u $stem.events N1.fail) == 0 ]]
	is_over
}

# isolation: row 11
@test "charge: huge pages are used while they fit, small ones then, none spill" {
	granted 1 "N1 5M"
	run -3 cg_exec g privmem-touch --catch --huge --size=8M
	[[ $output == *"sigbus 5242880 BUS_ADRERR"* && $output == *"N1 5242880"* && $output != *N0* ]]
	[[ $(cg_value g $stem.events N1.fail) == 1 ]]
	is_over
	run -0 cg_exec g privmem-touch --huge --mode=preferred --size=8M
	[[ $output == *"N1 5242880"* && $output == *"N0 3145728"* ]]
	is_over
}

@test "charge: a huge page really is one" {
	local before after

	granted
	before=$(awk '$1 == "thp_fault_alloc" { print $2 }' /proc/vmstat)
	run -0 cg_exec g privmem-touch --huge --size=8M
	after=$(awk '$1 == "thp_fault_alloc" { print $2 }' /proc/vmstat)
	((after - before == 4))
	[[ $output == *"N1 8388608"* ]]
	is_over
}

# isolation: row 38
@test "charge: mbind with MOVE charges the target and leaves what does not fit" {
	granted 1-2 "N1 64K\nN2 8K"
	says "N1 4" remap default - bind 1
	says "N0 4" remap bind 1 bind 0
	says "N1 2 N2 2" remap bind 1 bind 2
	says "N0 2 N2 2" remap default - bind 2
	is_over
}

# isolation: row 17
# isolation: row 38
@test "charge: move_pages moves by grant and limit and says EACCES for the rest" {
	granted 1 "N1 8K"
	says "N1 N1 EACCES N0" move default - 1 1 1 0
	says "EACCES N1 EACCES" move default - 2 1 2
	cg_write g $stem.max "N1 max"
	says "N0 N1" move bind 1 0 1
	cg_write g $stem none
	says "EACCES EACCES" move default - 1 1
	is_over
}

# isolation: row 37
@test "charge: file pages never move to a private node" {
	granted
	# What others read or wrote is theirs, and would stay for that reason.
	cg_exec g sh -c 'echo content >"$0"' "$tmp/file"
	says "EACCES
N0 1" movefile "$tmp/file" 1
	run -0 cat "$tmp/file"
}

# isolation: row 17
# Seen red with ungranted nodes left in the mask of migrate_pages().
@test "charge: migrate_pages is EPERM for an ungranted node and moves to a granted one" {
	granted
	says "left 0 N0 4" migrate bind 1 1 0
	says "EPERM N0 4" migrate default - 0 2
	run -0 cg_exec g privmem-policy migrate default - 0 1
	[[ $output == "left "*" N1 4" ]]
	says "EINVAL N0 4" migrate default - 0 1,5
	# The first pages of the task take the room.
	cg_write g $stem.max "N1 8K"
	run -0 cg_exec g privmem-policy migrate default - 0 1
	[[ $output == "left "[1-9]*" N0 4" ]]
	cg_write g $stem none
	says "EPERM N0 4" migrate default - 0 1
	is_over
}

# isolation: row 9
@test "charge: swap-in goes to the node, or to ordinary memory where it must not" {
	swap_on
	echo 0 >/proc/sys/vm/page-cluster
	granted
	says "out: absent 16
in: N1 16" swapin 1 65536 "$cg_top/g"
	# what it has there itself goes out in turn
	cg_write g $stem.max "N1 32K"
	says "out: absent 16
in: N1 8 absent 8" swapin 1 65536 "$cg_top/g"
	[[ $(cg_value g $stem.events N1.fail) == 0 ]]
	cg_write g $stem none
	is_over
}
