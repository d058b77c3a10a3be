#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Design 3.4: data that exists is never refused, wherever it has to come back to.

load lib

stem=memory.private_nodes

setup() {
	cg_start
	cg_make g
	cg_write g $stem 1
	cluster=$(</proc/sys/vm/page-cluster)
	echo 0 >/proc/sys/vm/page-cluster
	swap_on
}

teardown() {
	[[ -z ${pid:-} ]] || kill "$pid" 2>/dev/null || :
	cg_remove .
	nodes_restore
	swap_off
	echo "$cluster" >/proc/sys/vm/page-cluster
	echo true >/sys/kernel/mm/swap/vma_ra_enabled
}

# swapped PATH NODES [shared]: 16 pages there, in swap, with a policy; sets $pid
swapped() {
	local path=$1 nodes=$2 word

	shift 2
	coproc SWAP { cg_exec "$path" taskset -c 0 privmem-swap "$nodes" 65536 "$@"; }
	pid=$SWAP_PID
	read -r -t 30 word <&"${SWAP[0]}"
	[[ $word == "absent 16" ]] && (($(cg_read "$path" memory.swap.current) >= 65536)) ||
		{ echo "got '$word', in swap: $(cg_read "$path" memory.swap.current)"; return 1; }
}

# swapped_out PATH BYTES: on the CPU of swapped()
swapped_out() {
	taskset -c 0 bash -c "echo 1M >$cg_top/$1/memory.reclaim" 2>/dev/null || :
	(($(cg_read "$1" memory.swap.current) >= $2))
}

# answers WORD WANT
answers() {
	local got

	echo "$1" >&"${SWAP[1]}"
	read -r -t 30 got <&"${SWAP[0]}"
	[[ $got == "$2" ]] || { echo "$1: got '$got', want '$2'"; return 1; }
}

ended() {
	exec {SWAP[1]}>&-
	wait "$pid"
	cg_expect g $stem.current "N1 0\nN2 0"
}

# isolation: row 9
@test "swap: what was swapped out is read with the grant gone, into ordinary memory" {
	swapped g 1
	cg_write g $stem none
	answers read "N0 16"
	[[ $(cg_value g $stem.events N1.denied) == 0 ]]
	ended
}

# isolation: row 9
@test "swap: with the limit lowered in between, what fits comes to the node" {
	node_ops 1 "mempolicy migration"
	swapped g 1
	cg_write g $stem.max "N1 20K"
	answers read "N0 11 N1 5"
	[[ $(cg_value g $stem.current N1) == 20480 ]]
	ended
}

# isolation: row 9
# Seen red with neither mpol_for_mm() nor swapin_for_others().
@test "swap: swapoff brings everything to ordinary memory, granted or not" {
	swapped g 1
	swap_off
	answers where "N0 16"
	answers read "N0 16"
	ended
	swap_on
	swapped g 1
	cg_write g $stem none
	cg_write g $stem.max "N1 0"
	swap_off
	answers read "N0 16"
	ended
}

# isolation: row 9
# Seen red before swapoff was told apart: it read shared memory back by the object's
# policy, as root, who may name every node; in the second part charged to nobody.
@test "swap: swapoff brings shared memory to ordinary memory, its cgroup removed or not" {
	wait_for 10 node_has_free 1 131072
	swapped g 1 shared
	(echo 0 >/sys/fs/cgroup/cgroup.procs && swap_off)
	node_has_free 1 131072
	answers read "N0 16"
	ended
	swap_on
	cg_make h/gone h/kept
	cg_write h $stem 1
	swapped h/gone 1 shared
	echo "$(<"$cg_top/h/gone/cgroup.procs")" >"$cg_top/h/kept/cgroup.procs"
	rmdir "$cg_top/h/gone"
	(echo 0 >/sys/fs/cgroup/cgroup.procs && swap_off)
	node_has_free 1 131072
	answers read "N0 16"
	ended
}

# isolation: row 9
@test "swap: a node that went away leaves swapped data readable" {
	swapped g 1
	dax_write 1 state offline
	answers read "N0 16"
	dax_write 1 state online
	ended
	nodes_expect has_private_memory 1-2
}

# isolation: row 9
# Neighbours in swap are read ahead for nobody in particular. The other is granted the
# node, or its charge would be refused; its slots are on both sides of those of the bound
# task, as all are written out on one CPU.
@test "swap: what is read ahead for others never lands on the node" {
	local got

	cg_make u
	cg_write u $stem 1
	cg_hold u before --bind=none --size=64K
	wait_for 10 swapped_out u 65536
	swapped g 1
	cg_hold u other --bind=none --size=64K
	wait_for 10 swapped_out u 131072
	echo false >/sys/kernel/mm/swap/vma_ra_enabled
	echo 5 >/proc/sys/vm/page-cluster
	# what it faults on itself comes to the node
	echo read >&"${SWAP[1]}"
	read -r -t 30 got <&"${SWAP[0]}"
	[[ $got == *"N1 "* ]]
	cg_expect u $stem.current "N1 0\nN2 0"
	cg_release before
	cg_release other
	ended
}

# isolation: row 9
# Seen red with mpol_for_mm() gone (make mutants): the reader, granted the node and
# bound to it, had the other's memory brought there.
@test "swap: what another task reads of a bound task comes to ordinary memory" {
	local task address

	cg_make r
	cg_write r $stem 1
	swapped g 1
	task=$(pgrep -n privmem-swap)
	address=$(awk '$2 == "bind:1" { print $1 }' "/proc/$task/numa_maps")
	cg_exec r numactl --membind=1 dd if="/proc/$task/mem" of=/dev/null \
		iflag=skip_bytes skip=$((16#$address)) bs=64K count=1
	answers where "N0 16"
	answers read "N0 16"
	ended
	cg_expect r $stem.current "N1 0\nN2 0"
}
