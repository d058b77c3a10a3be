#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Design 3.6: dax attributes, state, unbind and bind.

load lib

# an admin's mistake must not fail the next test
teardown() {
	cg_remove .
	nodes_restore
}

# kmem_in_iomem: its ranges and what is around them
kmem_in_iomem() {
	grep -E 'kmem|dax|Soft|hmem' /proc/iomem
}

@test "bring-up: a device tells what private_nodes= asked for" {
	dax_expect 2 private 1
	dax_expect 2 private_ops "migration mempolicy reclaim"
	dax_expect 2 state online
}

@test "bring-up: attributes of a bound device are fixed" {
	run ! dax_write 2 private 0
	[[ $output == *"Device or resource busy"* ]]
	run ! dax_write 2 private_ops migration
	[[ $output == *"Device or resource busy"* ]]
	dax_expect 2 private 1
	dax_expect 2 private_ops "migration mempolicy reclaim"
}

# isolation: row 32
# isolation: row 33
# Seen red with opt-ins taken that this kernel does not have.
@test "bring-up: opt-ins that do not go together or do not exist are refused" {
	kmem_unbind 2
	nodes_expect has_private_memory 1
	[[ ! -e $(dax_of 2)/state ]]

	for ops in mempolicy compaction demotion "oom_eligible reclaim" Migration migratio \
		"mempolicy migration protect_write" "migration;mempolicy"; do
		run ! dax_write 2 private_ops "$ops"
		[[ $output == *"Invalid argument"* ]] || { echo "$ops: $output"; return 1; }
	done
	for ops in "migration compaction" longterm_pin protect_write; do
		run ! dax_write 2 private_ops "$ops"
		[[ $output == *"Operation not supported"* ]] || { echo "$ops: $output"; return 1; }
	done
	run ! dax_write 2 private 2
	[[ $output == *"Invalid argument"* ]]
	dax_expect 2 private_ops "migration mempolicy reclaim"
	dax_expect 2 private 1

	dax_write 2 private_ops ""
	dax_expect 2 private_ops ""
	dax_write 2 private_ops "mempolicy,migration"
	dax_expect 2 private_ops "migration mempolicy"
	kmem_bind 2
	nodes_expect has_private_memory 1-2
}

@test "bring-up: state takes every range away and brings it back" {
	dax_write 2 state online
	dax_expect 2 state online
	run ! dax_write 2 state maybe
	[[ $output == *"Invalid argument"* ]]
	dax_expect 2 state online

	dax_write 2 state offline
	dax_expect 2 state offline
	nodes_expect has_private_memory 1
	run ! grep -q "kmem" <(kmem_in_iomem | tail -n 1)
	dax_write 2 state offline
	dax_expect 2 state offline
	dax_write 2 state online
	nodes_expect has_private_memory 1-2
}

# isolation: row 28
# Seen red with offlining that gives up wherever pages are in use.
@test "bring-up: memory that migration can move off does not hold a node" {
	cg_make a
	cg_write a memory.private_nodes 2
	cg_hold a h --nodes=2 --size=8M
	dax_write 2 state offline
	nodes_expect has_private_memory 1
	cg_release h
	dax_write 2 state online
}

# isolation: row 27
# isolation: row 28
@test "bring-up: one pinned page makes offline say busy in bounded time, all online again" {
	local pid start word

	cg_make p
	cg_write p memory.private_nodes 2
	coproc PIN { cg_exec p privmem-pin 2; }
	pid=$PIN_PID
	read -r -t 30 word <&"${PIN[0]}"
	start=$SECONDS
	run ! dax_write 2 state offline
	[[ $output == *"Device or resource busy"* ]]
	((SECONDS - start < 30 * patience))
	dax_expect 2 state online
	nodes_expect has_private_memory 1-2
	[[ $(node_kb 2 MemTotal) == 524288 ]]
	exec {PIN[1]}>&-
	wait "$pid"
	dax_write 2 state offline
	dax_write 2 state online
}

# isolation: row 29
# Seen red with memory that goes and leaves its resource behind.
@test "bring-up: private, ordinary, private, and nothing stays in iomem" {
	local before block

	before=$(kmem_in_iomem)
	kmem_unbind 2
	dax_write 2 private 0
	kmem_bind 2
	[[ ! -e $(dax_of 2)/state ]]
	for block in /sys/devices/system/node/node2/memory[0-9]*; do
		echo online_movable >"$block/state"
	done
	nodes_expect has_private_memory 1
	nodes_expect has_memory 0,2
	for block in /sys/devices/system/node/node2/memory[0-9]*; do
		echo offline >"$block/state"
	done
	kmem_unbind 2
	nodes_expect has_memory 0
	dax_write 2 private 1
	kmem_bind 2
	nodes_expect has_private_memory 1-2
	[[ $(kmem_in_iomem) == "$before" ]]
}

# isolation: row 29
# PRIVMEM_CYCLES=100 when there is time.
# Seen red with memory that goes and leaves its resource behind.
@test "bring-up: unbind and bind, again and again" {
	local before i

	before=$(kmem_in_iomem)
	for ((i = 0; i < ${PRIVMEM_CYCLES:-8}; i++)); do
		kmem_unbind 2
		nodes_expect has_private_memory 1
		kmem_bind 2
		nodes_expect has_private_memory 1-2
	done
	[[ $(kmem_in_iomem) == "$before" ]]
	[[ $(node_free 2) == 131072 ]]
}
