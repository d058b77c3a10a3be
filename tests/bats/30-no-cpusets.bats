#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# boot: --mem 512M --append "cgroup_disable=cpuset"
# Design 3.2: isolation owes nothing to cpusets; here are none.

load lib

# isolation: row 3
# Seen red booted as the other files are.
@test "no cpusets: there are none" {
	[[ " $(</sys/fs/cgroup/cgroup.controllers) " != *" cpuset "* ]]
	grep -qE '^cpuset\s.*\s0$' /proc/cgroups
}

# isolation: row 3
@test "no cpusets: tasks in and out of the root cgroup that eat all memory get none of a private node" {
	local free allocated

	free=$(nodes_free)
	allocated="$(node_allocated 1) $(node_allocated 2)"
	[[ $free == "131072 131072" ]]
	# Else a gigabyte is refused before a page of it is asked for.
	echo 1 >/proc/sys/vm/overcommit_memory
	run -137 privmem-touch --bind=none --size=1G
	cg_make a
	run -137 cg_exec a privmem-touch --bind=none --size=1G
	nodes_have_free "$free"
	[[ "$(node_allocated 1) $(node_allocated 2)" == "$allocated" ]]
}

# isolation: row 3
@test "no cpusets: a granted task gets the node, an ungranted one EPERM" {
	cg_make g u
	cg_write g memory.private_nodes 1
	run -0 cg_exec g privmem-touch --size=1M
	[[ $output == *"N1 1048576"* ]]
	run -0 cg_exec u privmem-policy bind bind 1
	[[ $output == EPERM ]]
	[[ $(cg_value g memory.private_nodes.current N1) == 0 ]]
}
