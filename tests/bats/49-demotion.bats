#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Design 3.5: demotion to a private node, by opt-in and grant. Node 2 is the one that did not opt in.

load lib
load hoard

stem=memory.private_nodes
demotion=/sys/kernel/mm/numa/demotion_enabled

setup_file() {
	node_ops 1 "mempolicy migration reclaim demotion"
}

teardown_file() {
	nodes_restore
}

setup() {
	cg_start
	cg_make g
	cg_write g $stem 1
	swap_on
	echo 1 >$demotion
}

teardown() {
	hoard_end
	echo 0 >$demotion
	echo n >/sys/kernel/mm/lru_gen/enabled
	cg_remove .
	swap_off
}

# reclaimed PATH SIZE: ordinary reclaim of that much, or of what can be had
reclaimed() {
	cg_write "$1" memory.reclaim "$2" >/dev/null || :
}

# isolation: row 14
@test "demotion: what a granted cgroup does not use comes to the node, charged there and not here" {
	local gen before

	for gen in n y; do
		echo $gen >/sys/kernel/mm/lru_gen/enabled
		holds g - $((8 * mib)) bound
		before=$(cg_read g memory.current)
		reclaimed g 4M
		(($(anon g 1) >= 3 * mib && $(anon g 1) == $(cg_value g $stem.current N1)))
		((before - $(cg_read g memory.current) >= 3 * mib))
		[[ $(cg_read g memory.swap.current) == 0 ]]
		intact
		ended
		cg_expect g $stem.current "N1 0\nN2 0"
	done
}

# isolation: row 14
@test "demotion: shared memory, too; never a page of a file" {
	holds g - $((8 * mib)) shared bound
	cg_exec g dd if=/dev/zero of=/var/tmp/privmem-file bs=1M count=8 status=none conv=fsync
	(($(stat g file) - $(stat g shmem) >= 8 * mib))
	reclaimed g 16M
	(($(cg_value g $stem.current N1) >= 3 * mib && $(stat g file) - $(stat g shmem) < mib))
	[[ $(node_kb 1 FilePages) == "$(node_kb 1 Shmem)" ]]
	intact
	ended
	rm /var/tmp/privmem-file
}

# isolation: row 14
@test "demotion: without a grant memory goes to swap, and nobody was denied anything" {
	# its parent may hand the node down, and reclaim of that tries
	cg_make p/u
	cg_write p $stem.subtree 1
	cg_hold p/u ungranted --bind=none --size=8M
	reclaimed p 4M
	(($(cg_read p/u memory.swap.current) >= 2 * mib))
	cg_expect p $stem.current "N1 0\nN2 0"
	[[ $(event p N1.denied) == 0 ]]
	cg_release ungranted
}

# isolation: row 14
@test "demotion: never where it is off, and never to a node that did not opt in" {
	echo 0 >$demotion
	cg_hold g off --bind=none --size=4M
	reclaimed g 2M
	cg_expect g $stem.current "N1 0\nN2 0"
	echo 1 >$demotion
	cg_write g $stem 2
	reclaimed g 2M
	cg_expect g $stem.current "N1 0\nN2 0"
	cg_release off
}

# isolation: row 14
@test "demotion: up to the limit, which is not hit by it, and what is over goes to swap" {
	cg_write g $stem.max "N1 2M"
	holds g - $((8 * mib)) bound
	cg_write g memory.max 4M
	(($(cg_value g $stem.current N1) >= mib && $(cg_value g $stem.peak N1) <= 2 * mib))
	(($(cg_read g memory.swap.current) >= mib))
	[[ $(event g N1.max) == 0 && $(event g N1.fail) == 0 ]]
	intact
	ended
}

# isolation: row 14
@test "demotion: nothing of the root cgroup's, whoever reclaims" {
	holds .. - $((8 * mib)) bound
	# a task of the root cgroup that could name the node
	(echo 0 >/sys/fs/cgroup/cgroup.procs && echo 16M >/sys/fs/cgroup/memory.reclaim) || :
	echo where >&"${SWAP[1]}"
	read -r -t 60 got <&"${SWAP[0]}"
	[[ $got != *N1* ]]
	ended
}

@test "demotion: reclaim of a parent demotes what a child below was granted" {
	cg_make p/a p/b
	cg_write p $stem.subtree 1
	cg_write p/a $stem 1
	cg_hold p/a granted --bind=none --size=4M
	cg_hold p/b other --bind=none --size=4M
	cg_write p memory.swap.max 0
	reclaimed p 4M
	(($(cg_value p/a $stem.current N1) >= mib))
	cg_expect p/b $stem.current "N1 0\nN2 0"
	cg_release granted
	cg_release other
}

@test "demotion: what was demoted stays with its charge when the grant goes, and no more comes" {
	local was

	holds g - $((8 * mib)) bound
	reclaimed g 2M
	was=$(cg_value g $stem.current N1)
	((was >= mib))
	cg_write g $stem none
	reclaimed g 4M
	[[ $(cg_value g $stem.current N1) == "$was" ]]
	intact
	ended
	cg_expect g $stem.current "N1 0\nN2 0"
}

@test "demotion: never from a private node: its own reclaim swaps" {
	cg_write g $stem 1-2
	holds g 1 $((4 * mib)) bound
	cg_write g $stem.reclaim "N1 2M"
	(($(cg_read g memory.swap.current) >= 2 * mib))
	[[ $(cg_value g $stem.current N2) == 0 && $(anon g 2) == 0 ]]
	(($(anon g 0) < mib))
	ended
}

@test "demotion: a full node takes what it has room for, and the rest goes to swap" {
	local capacity

	capacity=$(awk '$1 == "N1" { print $2 }' /sys/fs/cgroup/$stem.capacity)
	cg_make full
	cg_write full $stem 1
	cg_write full memory.swap.max 0
	cg_hold full most --size=$((capacity / mib - 2))M
	holds g - $((16 * mib)) bound
	cg_write g memory.max 6M
	(($(cg_read g memory.swap.current) >= 4 * mib))
	intact
	ended
	cg_release most
	[[ $(event g N1.fail) == 0 && $(event full N1.fail) == 0 ]]
}
