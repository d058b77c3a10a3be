#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Programs that name every node there is, as libnuma and the JVM do.

load lib

stem=memory.private_nodes

# lands PATH COMMAND...: succeeds, with everything on node 0
lands() {
	run -0 cg_exec "$@"
	[[ $output == *"N0 1048576"* && $output != *N1* && $output != *N2* ]] || { echo "$output"; return 1; }
}

touches=(privmem-touch --bind=none --size=1M)

# isolation: row 16
@test "masks: numactl's interleave and membind of all work, granted or not, and drop private nodes" {
	local how

	cg_make u g
	cg_write g $stem 1-2
	for how in --interleave=all --membind=all --preferred-many=all --weighted-interleave=all; do
		numactl --help 2>&1 | grep -q -- "${how%%=*}" || continue
		lands u numactl $how "${touches[@]}"
		lands g numactl $how "${touches[@]}"
	done
	cg_expect g $stem.current "N1 0\nN2 0"
	cg_expect u $stem.events "N1.max 0\nN1.fail 0\nN1.denied 0\nN2.max 0\nN2.fail 0\nN2.denied 0"
}

# isolation: row 16
@test "masks: a JVM's heap, interleaved over all nodes it is allowed, stays ordinary" {
	local mode

	cg_make g
	cg_write g $stem 1-2
	run -0 cg_exec g privmem-policy allowed
	[[ $output == "0,1,2" ]]
	for mode in interleave bind preferred many weighted; do
		lands g privmem-touch --mode=$mode --nodes=0,1,2 --size=1M
		lands g privmem-touch --bind=set --mode=$mode --nodes=0,1,2 --size=1M
	done
	cg_expect g $stem.current "N1 0\nN2 0"
}

# isolation: row 16
@test "masks: shared memory of a program that interleaves over all nodes stays ordinary" {
	cg_make g
	cg_write g $stem 1-2
	for type in shm memfd sysv; do
		lands g privmem-touch --mode=interleave --nodes=0,1,2 --type=$type --size=1M
		lands g numactl --interleave=all privmem-touch --bind=none --type=$type --size=1M
	done
}

# isolation: row 8
# isolation: row 22
@test "masks: shared memory bound by one and filled by another is the other's charge" {
	local file=/dev/shm/privmem-masks

	cg_make a b
	cg_write a $stem 1
	cg_write b $stem 1
	truncate -s 64K $file
	run -0 cg_exec a privmem-policy mapped bind 1 $file rw-shared
	[[ $output == "bind 1" ]]
	cg_hold b filler --bind=none --type=file --path=$file --size=64K
	cg_expect a $stem.current "N1 0\nN2 0"
	cg_expect b $stem.current "N1 4096\nN2 0"
	cg_release filler
	rm $file
	cg_expect b $stem.current "N1 0\nN2 0"
}
