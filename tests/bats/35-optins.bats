#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Design 3.5: services that no flag switched on do not touch a private node.

load lib

stem=memory.private_nodes

teardown() {
	swap_off
	cg_remove .
	nodes_restore
}

in_g() {
	cg_exec g "$@"
}

granted() {
	cg_make g
	cg_write g $stem 1
}

# isolation: row 18
@test "opt-ins: cold, pageout and free change nothing without reclaim" {
	granted
	swap_on
	says "0 absent 64" advise 0 262144 pageout
	node_ops 1 "mempolicy migration"
	for advice in cold pageout free; do
		says "0 N1 64" advise 1 262144 $advice
	done
	cg_expect g $stem.current "N1 0\nN2 0"
}

# isolation: row 12
@test "opt-ins: MADV_COLLAPSE leaves the pages of a private policy alone" {
	granted
	says "0 N0 1024" advise 0 4194304 collapse
	says "EINVAL N1 1024" advise 1 4194304 collapse
}

@test "opt-ins: mlock locks private memory without moving it between lists" {
	granted
	says "N1 16" mlock 1 65536
	cg_write g $stem.max "N1 32K"
	says ENOMEM mlock 1 65536
}

# isolation: row 27
# seen red with the test of gup.c taken out
@test "opt-ins: a longterm pin fails and the page stays" {
	local free

	free=$(node_free 1)
	granted
	run -0 in_g privmem-policy longterm 1 65536
	[[ $output == "ENOMEM N1 16" ]]
	run -0 in_g privmem-policy longterm-unmapped 1 65536
	[[ $output == EFAULT* ]]
	run -0 in_g privmem-policy longterm 0 65536
	[[ $output == "0 N0 16" ]]
	wait_for 10 node_has_free 1 "$free"
}

# isolation: row 14
@test "opt-ins: no demotion target, no memory tier, no kcompactd" {
	local tier

	for tier in /sys/devices/virtual/memory_tiering/memory_tier*/nodelist; do
		[[ $(<"$tier") == 0 ]]
	done
	[[ -z $(pgrep -x 'kcompactd[12]') ]]
}

# isolation: row 1
# isolation: row 23
@test "opt-ins: memory pressure on ordinary memory takes nothing from a private node" {
	granted
	swap_on
	cg_hold g private --size=16M
	cg_hold g twin --bind=none --size=16M
	# from within its cgroup and from above it
	cg_write g memory.reclaim 8M || :
	echo 32M >/sys/fs/cgroup/memory.reclaim || :
	(($(cg_read g memory.swap.current) > 8 << 20))
	[[ $(cg_value g $stem.current N1) == 16777216 ]]
	cg_release twin
	cg_release private
	grep -qx "N1 16777216" "$tmp/private.out"
}

# isolation: row 23
@test "opt-ins: memory.max of a cgroup bounds its ordinary memory alone" {
	granted
	cg_write g memory.max 32M
	run -0 in_g privmem-touch --size=128M
	[[ $output == *"N1 134217728"* ]]
	cg_expect g $stem.current "N1 0\nN2 0"
}
