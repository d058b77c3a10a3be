#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# boot: --append "cgroup_disable=memory"
# Design 4: without the memory controller only CAP_SYS_NICE may name a private node.

load lib
load nocgroup

# isolation: row 36
# Seen red booted as the other files are.
@test "no controller: there are no files" {
	run ! grep -qw memory /sys/fs/cgroup/cgroup.controllers
	[[ ! -e /sys/fs/cgroup/memory.private_nodes.effective ]]
	nodes_expect has_private_memory 1-2
}

# isolation: row 36
@test "no controller: CAP_SYS_NICE names private nodes and nobody else does" {
	capability_decides
}

# isolation: row 36
# Seen red with nobody granted anything where grants do not bind.
@test "no controller: memory is allocated, moved, copied and freed uncharged" {
	memory_comes_and_goes
}

# isolation: row 36
@test "no controller: a full node is SIGBUS" {
	node_fills_up
}

# isolation: row 36
# Seen red with offlining that gives up wherever pages are in use.
@test "no controller: a node in use goes offline and comes back" {
	node_can_go
}

# isolation: row 36
# isolation: row 3
@test "no controller: what does not name the node does not get it" {
	nothing_leaks
}
