#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Nodes that go while they are used, pinned, granted, revoked, and come back.

load lib

stem=memory.private_nodes

# All that a test did to a device is undone, its opt-ins included.
teardown() {
	cg_remove .
	whole_device
	nodes_restore
	for nid in 1 2; do
		[[ $(<"$(dax_of $nid)/private_ops") == "migration mempolicy" ]] || {
			kmem_unbind $nid
			dax_write $nid private 1
			dax_write $nid private_ops "mempolicy migration reclaim"
			kmem_bind $nid
		}
	done
}

granted() {
	cg_make g
	cg_write g $stem "${1:-1}"
}

# pinned: a page of node 1 that cannot be moved; sets $pin
pinned() {
	local word

	coproc PIN { cg_exec g privmem-pin 1; }
	pin=$PIN_PID
	read -r -t 30 word <&"${PIN[0]}"
	[[ $word == ready ]]
}

unpinned() {
	exec {PIN[1]}>&-
	wait "$pin"
}

# is_usable: node 1 is private, granted, empty, and serves
is_usable() {
	nodes_expect has_private_memory 1-2
	nodes_expect has_memory 0
	says "bind 1" bind bind 1
	says "N1 16" mlock 1 65536
	cg_expect g $stem.current "N1 0\nN2 0"
	node_has_free 1 131072
}

refuses_to_go() {
	run ! dax_write 1 state offline
	[[ $output == *"Device or resource busy"* ]]
	dax_expect 1 state online
	nodes_expect has_private_memory 1-2
	[[ $(node_kb 1 MemTotal) == 524288 ]]
}

goes_and_comes() {
	dax_write 1 state offline
	nodes_expect has_private_memory 2
	dax_write 1 state online
}

# is_intact NAME: what it held is where it says, and was not lost
is_intact() {
	cg_release "$1"
	grep -qx "touched $2" "$tmp/$1.out"
}

# isolation: row 28
@test "unplug: in use, granted: pages move to ordinary memory and the charge with them" {
	granted
	cg_write g memory.max 4M
	cg_hold g user --size=8M
	dax_write 1 state offline
	nodes_expect has_private_memory 2
	(($(cg_read g memory.current) >= 8 << 20))
	cg_expect g $stem.current "N2 0"
	is_intact user 8388608
	dax_write 1 state online
	is_usable
}

# isolation: row 28
# Seen red with offlining that gives up wherever pages are in use.
@test "unplug: in use, revoked before: pages move off all the same" {
	granted
	cg_hold g user --size=1M
	cg_write g $stem none
	cg_expect g $stem.current "N1 1048576\nN2 0"
	goes_and_comes
	is_intact user 1048576
	cg_write g $stem 1
	is_usable
}

# isolation: row 28
# Seen red with offlining that gives up wherever pages are in use.
@test "unplug: in use, revoked after, given back when the node is: what moved off stays off" {
	granted
	cg_hold g user --size=1M
	dax_write 1 state offline
	cg_write g $stem none
	dax_write 1 state online
	cg_write g $stem 1
	cg_expect g $stem.current "N1 0\nN2 0"
	is_intact user 1048576
	is_usable
}

# isolation: row 28
# Seen red with a request cut down to the nodes that are online when it is written.
@test "unplug: granted while the node is away: the grant holds when it comes" {
	granted none
	dax_write 1 state offline
	cg_write g $stem 1
	cg_write g $stem.max "N1 64K"
	cg_expect g $stem.effective ""
	says EINVAL bind bind 1
	dax_write 1 state online
	cg_expect g $stem.effective 1
	is_usable
	says ENOMEM mlock 1 131072
}

# isolation: row 28
@test "unplug: pinned, then exit: busy, then clean" {
	granted
	pinned
	refuses_to_go
	cg_expect g $stem.current "N1 4096\nN2 0"
	unpinned
	goes_and_comes
	is_usable
}

# isolation: row 28
@test "unplug: pinned, then revoked: busy in bounded time, in either order" {
	local start=$SECONDS

	granted
	pinned
	cg_write g $stem none
	refuses_to_go
	cg_write g $stem 1
	refuses_to_go
	((SECONDS - start < 40 * patience))
	unpinned
	goes_and_comes
	is_usable
}

# isolation: row 28
# Seen red with -EBUSY for memory that is there already.
@test "unplug: unbound while pinned, revoked, exited: the node stays and is adopted" {
	granted
	pinned
	kmem_unbind 1
	nodes_expect has_private_memory 1-2
	cg_write g $stem none
	unpinned
	cg_expect g $stem.current "N1 0\nN2 0"
	kmem_bind 1
	cg_write g $stem 1
	is_usable
	goes_and_comes
	is_usable
}

# isolation: row 28
# Seen red with offlining that gives up wherever pages are in use.
@test "unplug: unbound while in use: gone, its pages in ordinary memory, and bound again" {
	granted
	cg_hold g user --size=1M
	kmem_unbind 1
	nodes_expect has_private_memory 2
	is_intact user 1048576
	kmem_bind 1
	is_usable
}

# isolation: row 28
@test "unplug: a task that exits while the node goes leaves nothing behind" {
	local i

	granted
	for i in 1 2 3; do
		cg_hold g user --size=16M
		touch "$tmp/user.stop"
		goes_and_comes
		wait "$pid_user"
		rm "$tmp/user.stop"
	done
	is_usable
}

# isolation: row 28
# Seen red with offlining that gives up wherever pages are in use.
@test "unplug: a cgroup removed while its pages are on the node: they go with it" {
	cg_make g/x away
	cg_write g $stem 1
	cg_hold g/x user --type=shm --size=1M
	pgrep -x privmem-touch >"$cg_top/away/cgroup.procs"
	rmdir "$cg_top/g/x"
	# Else no task could be put there.
	echo -memory >"$cg_top/g/cgroup.subtree_control"
	cg_expect g $stem.current "N1 1048576\nN2 0"
	goes_and_comes
	cg_expect g $stem.current "N1 0\nN2 0"
	is_intact user 1048576
	is_usable
}

# isolation: row 28
@test "unplug: tasks that fault all the while: busy or gone, never worse" {
	local i pids=()

	granted
	for i in 1 2; do
		cg_exec g bash -c 'for i in {1..12}; do privmem-touch --catch --mode=preferred --size=512K; done' \
			>/dev/null 2>&1 &
		pids+=($!)
	done
	for i in 1 2 3; do
		dax_write 1 state offline || :
		dax_write 1 state online
		nodes_expect has_private_memory 1-2
	done
	wait "${pids[@]}" || :
	is_usable
}

# isolation: row 29
# PRIVMEM_CYCLES=100 when there is time.
# Seen red with memory that goes and leaves its resource behind.
@test "unplug: through state again and again, and iomem as it was" {
	local before i

	granted
	before=$(</proc/iomem)
	for ((i = 0; i < ${PRIVMEM_CYCLES:-8}; i++)); do
		dax_write 1 state offline
		dax_write 1 state online
	done
	[[ $(</proc/iomem) == "$before" ]]
	is_usable
}

# whole_device: one device again, as large as its region
whole_device() {
	local dax region

	for dax in /sys/bus/dax/devices/*; do
		[[ $dax == *.0 ]] && continue
		region=${dax##*/} region=${region%.*}
		[[ ! -e $dax/driver ]] || echo "${dax##*/}" >"$(readlink -f "$dax/driver")/unbind"
		echo 0 >"$dax/size"
		echo "${dax##*/}" >"$(readlink -f "$dax/..")/dax_region/delete"
		grow_back "$region"
	done
}

# grow_back REGION: its first device takes all there is
grow_back() {
	local dax=/sys/bus/dax/devices/$1.0

	[[ $(<"$dax/size") == $((512 << 20)) ]] && return
	[[ ! -e $dax/driver ]] || echo "$1.0" >/sys/bus/dax/drivers/kmem/unbind
	echo 0 >"$dax/size"
	echo $((512 << 20)) >"$dax/size"
}

# split_device: node 1's device keeps 256 MiB, a second has the rest; sets $second
split_device() {
	local dax region

	dax=$(dax_of 1)
	region=${dax##*/} region=${region%.*}
	kmem_unbind 1
	echo 0 >"$dax/size"
	echo $((256 << 20)) >"$dax/size"
	echo 1 >"$(readlink -f "$dax/..")/dax_region/create"
	second=/sys/bus/dax/devices/$region.1
	echo $((256 << 20)) >"$second/size"
	echo "${dax##*/}" >/sys/bus/dax/drivers/kmem/bind
	[[ ! -e $second/driver ]] || echo "${second##*/}" >"$(readlink -f "$second/driver")/unbind"
}

# isolation: row 30
@test "ranges: a second device with other opt-ins is refused and changes nothing" {
	granted
	split_device
	nodes_expect has_private_memory 1-2
	[[ $(node_kb 1 MemTotal) == 262144 ]]
	echo 1 >"$second/private"
	echo migration >"$second/private_ops"
	run -1 bash -c "echo ${second##*/} >/sys/bus/dax/drivers/kmem/bind"
	[[ ! -e $second/driver && $(node_kb 1 MemTotal) == 262144 ]]

	# as ordinary memory neither
	echo 0 >"$second/private"
	run bash -c "echo ${second##*/} >/sys/bus/dax/drivers/kmem/bind"
	nodes_expect has_memory 0
	[[ $(node_kb 1 MemTotal) == 262144 ]]
	[[ ! -e $second/driver ]] || echo "${second##*/}" >/sys/bus/dax/drivers/kmem/unbind

	# with the same opt-ins it adds to the node
	echo 1 >"$second/private"
	echo "mempolicy migration reclaim" >"$second/private_ops"
	echo "${second##*/}" >/sys/bus/dax/drivers/kmem/bind
	[[ $(node_kb 1 MemTotal) == 524288 ]]
	says "N1 16" mlock 1 65536
}

# isolation: row 15
# isolation: row 28
@test "unplug: back without the mempolicy opt-in nobody can name it, pages or not" {
	granted
	kmem_unbind 1
	dax_write 1 private_ops migration
	kmem_bind 1
	nodes_expect has_private_memory 1-2
	says EINVAL bind bind 1
	says EINVAL set bind 1
	cg_write g $stem 1-2
	says "bind 2" bind bind 1,2
	cg_make u
	run -0 cg_exec u privmem-policy bind bind 1
	[[ $output == EINVAL ]]
}
