#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# boot: --append "private_nodes=1:migration private_nodes=2:longterm_pin kunit.enable=1"
# Design 3.6: private_nodes=, given twice; once with what this kernel refuses.

load lib

@test "parameter: each use speaks of its own nodes" {
	nodes_expect has_private_memory 1
	dax_expect 1 private 1
	dax_expect 1 private_ops migration
	dax_expect 1 state online
}

@test "parameter: opt-ins that are refused leave the memory out of use, not ordinary" {
	nodes_expect has_memory 0
	[[ ! -e $(dax_of 2)/driver ]]
	dmesg | grep -q 'private_nodes: cannot have all of these opt-ins; node 2 stays out of use'
}

@test "parameter: an admin can bring such memory up by hand" {
	run ! kmem_bind 2
	nodes_expect has_memory 0
	dax_write 2 private_ops ""
	kmem_bind 2
	nodes_expect has_private_memory 1-2
}

@test "parameter: a node without the migration opt-in offlines at once when idle" {
	dax_write 2 state offline
	nodes_expect has_private_memory 1
	dax_write 2 state online
}

@test "KUnit: the opt-ins of private nodes" {
	dmesg | grep -qE '\] ok [0-9]+ node_private$'
}
