#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Design 3.1: what a private node is, and who may change it.

load lib

teardown() {
	cg_remove .
	nodes_restore
}

# blocks_of NID: its memory blocks' directories
blocks_of() {
	printf '%s\n' "/sys/devices/system/node/node$1"/memory[0-9]*
}

# each block of node 1 has this STATE
blocks_expect() {
	local block

	for block in $(blocks_of 1); do
		[[ $(<"$block/state") == "$1" ]] || { echo "$block: $(<"$block/state")"; return 1; }
	done
}

@test "state: private and ordinary memory exclude each other" {
	nodes_expect has_private_memory 1-2
	nodes_expect has_memory 0
	nodes_expect has_normal_memory 0
	nodes_expect online 0-2
}

@test "state: private memory is movable" {
	local block

	for block in $(blocks_of 1); do
		[[ $(<"$block/valid_zones") == Movable ]]
	done
}

# isolation: row 29
@test "state: a write to a memory block's state or online is refused" {
	local block word

	blocks_expect online
	for block in $(blocks_of 1); do
		for word in offline online_kernel; do
			run -1 bash -c "echo $word >$block/state"
		done
		run -1 bash -c "echo 0 >$block/online"
	done
	blocks_expect online
	nodes_expect has_private_memory 1-2
	[[ $(node_kb 1 MemTotal) == 524288 ]]
}

@test "state: an ordinary node's block still goes offline and online" {
	local block tried=0

	for block in $(blocks_of 0); do
		echo offline >"$block/state" 2>/dev/null || continue
		[[ $(<"$block/state") == offline ]]
		echo online >"$block/state"
		[[ $(<"$block/state") == online ]]
		tried=1
		break
	done
	((tried))
	nodes_expect has_private_memory 1-2
}

@test "state: a node taken away has no blocks, and comes back private" {
	dax_write 1 state offline
	nodes_expect has_private_memory 2
	nodes_expect has_memory 0
	[[ ! -d /sys/devices/system/node/node1 ]]
	dax_write 1 state online
	nodes_expect has_private_memory 1-2
	blocks_expect online
	[[ $(node_kb 1 MemTotal) == 524288 ]]
}

# isolation: row 28
# isolation: row 30
@test "state: memory in use that cannot move keeps the node private over an unbind" {
	local pid word

	cg_make p
	cg_write p memory.private_nodes 1
	coproc PIN { cg_exec p privmem-pin 1; }
	pid=$PIN_PID
	read -r -t 30 word <&"${PIN[0]}"
	[[ $word == ready ]]
	kmem_unbind 1
	nodes_expect has_private_memory 1-2
	nodes_expect has_memory 0
	blocks_expect online

	# other opt-ins are refused, and so is ordinary memory; nothing changes
	dax_write 1 private_ops migration
	run ! kmem_bind 1
	dax_write 1 private 0
	run ! kmem_bind 1
	nodes_expect has_private_memory 1-2
	blocks_expect online

	# with the same, it is adopted
	dax_write 1 private 1
	dax_write 1 private_ops "mempolicy migration reclaim"
	kmem_bind 1
	dax_expect 1 state online
	run ! dax_write 1 state offline
	[[ $output == *"Device or resource busy"* ]]

	exec {PIN[1]}>&-
	wait "$pid"
	dax_write 1 state offline
	nodes_expect has_private_memory 2
	dax_write 1 state online
	nodes_expect has_private_memory 1-2
}
