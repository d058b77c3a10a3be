#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Design 3.3: private memory is not part of what anybody may have.

load lib

node_kbytes=524288

# is_near A B SLACK
is_near() {
	((($1 > $2 ? $1 - $2 : $2 - $1) <= $3)) || { echo "$1 and $2 differ by more than $3"; return 1; }
}

# What a test took away and failed to bring back is there for the next one.
teardown() {
	cg_remove .
	[[ $(</sys/devices/system/node/has_private_memory) == 1-2 ]] || dax_write 1 state online
}

vmstat_of() {
	awk -v key="$1" '$1 == key { print $2 }' /proc/vmstat
}

# isolation: row 21
@test "sums: PrivateTotal and PrivateFree hold the private nodes, MemTotal and MemFree do not" {
	[[ $(meminfo_kb PrivateTotal) == $((2 * node_kbytes)) ]]
	is_near "$(meminfo_kb PrivateFree)" $((2 * node_kbytes)) 1024
	[[ $(meminfo_kb MemTotal) == $(node_kb 0 MemTotal) ]]
	is_near "$(meminfo_kb MemFree)" "$(node_kb 0 MemFree)" 4096
	(($(meminfo_kb MemAvailable) <= $(meminfo_kb MemTotal)))
}

@test "sums: a node's own meminfo, numastat and vmstat show it as they show others" {
	[[ $(node_kb 1 MemTotal) == "$node_kbytes" ]]
	is_near "$(node_kb 1 MemFree)" "$node_kbytes" 1024
	grep -q '^nr_free_pages ' /sys/devices/system/node/node1/vmstat
	grep -q '^local_node ' /sys/devices/system/node/node1/numastat
}

# isolation: row 21
@test "sums: a node that goes takes nothing from the sums but its own" {
	local key before after
	declare -A was

	for key in MemTotal CommitLimit MemAvailable; do
		was[$key]=$(meminfo_kb $key)
	done
	was[dirty]=$(vmstat_of nr_dirty_threshold)
	was[min]=$(</proc/sys/vm/min_free_kbytes)
	was[user]=$(</proc/sys/vm/user_reserve_kbytes)

	dax_write 1 state offline
	[[ $(meminfo_kb PrivateTotal) == "$node_kbytes" ]]
	[[ $(meminfo_kb MemTotal) == "${was[MemTotal]}" ]]
	[[ $(meminfo_kb CommitLimit) == "${was[CommitLimit]}" ]]
	[[ $(</proc/sys/vm/min_free_kbytes) == "${was[min]}" ]]
	is_near "$(</proc/sys/vm/user_reserve_kbytes)" "${was[user]}" 1024
	# KASAN's shadow of the node, an eighth of it, is ordinary memory and goes with it.
	is_near "$(meminfo_kb MemAvailable)" "${was[MemAvailable]}" $((32768 + (patience > 1) * node_kbytes / 8))
	is_near "$(vmstat_of nr_dirty_threshold)" "${was[dirty]}" 4096

	dax_write 1 state online
	[[ $(meminfo_kb PrivateTotal) == $((2 * node_kbytes)) ]]
	[[ $(meminfo_kb MemTotal) == "${was[MemTotal]}" ]]
	[[ $(meminfo_kb CommitLimit) == "${was[CommitLimit]}" ]]
}

# isolation: row 21
@test "sums: a private zone keeps no reserve, an ordinary one does" {
	local zone

	zone=$(awk '$1 == "Node" { ours = $2 == "1," && $4 == "Movable" } ours' /proc/zoneinfo)
	grep -qE '^ +min +0$' <<<"$zone"
	grep -qE '^ +min +[1-9]' /proc/zoneinfo
}

# isolation: row 21
@test "sums: there is none when min_free_kbytes is written" {
	local old

	old=$(</proc/sys/vm/min_free_kbytes)
	echo $((old * 2)) >/proc/sys/vm/min_free_kbytes
	awk '$1 == "Node" { ours = $2 == "1," && $4 == "Movable" } ours && $1 == "min"' /proc/zoneinfo |
		grep -qE '^ +min +0$'
	echo "$old" >/proc/sys/vm/min_free_kbytes
}

@test "sums: pages in use on the node are its own, in numa_maps and meminfo" {
	local free

	cg_make a
	cg_write a memory.private_nodes 1
	free=$(node_free 1)
	cg_hold a h --size=64M
	is_near $((free - $(node_free 1))) 16384 0
	is_near "$(node_kb 1 AnonPages)" 65536 0
	# Pages on per-CPU lists are not in it, as in MemFree.
	is_near "$(meminfo_kb PrivateFree)" $((2 * node_kbytes - 65536)) 12288
	grep -q 'N1=16384' "/proc/$(pgrep -x privmem-touch)/numa_maps"
	cg_release h
	wait_for 10 node_has_free 1 "$free"
}
