#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# boot: --append "systemd.unified_cgroup_hierarchy=0 SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1"
# Design 4: on cgroup v1 only CAP_SYS_NICE may name a private node.

load lib
load nocgroup

v1=/sys/fs/cgroup/memory/privmem-test

teardown() {
	pkill -KILL -x privmem-swap || :
	stop_holders
	[[ ! -d $v1 ]] || find $v1 -depth -type d -exec rmdir {} +
	! grep -q zram0 /proc/swaps || swapoff /dev/zram0
	echo 1 >/sys/block/zram0/reset
	swap_off
	nodes_restore
	wait_for 10 node_has_free 1 131072
	wait_for 10 node_has_free 2 131072
}

# in_v1 COMMAND...: in a memory cgroup
in_v1() {
	mkdir -p $v1
	bash -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' $v1 "$@" 3>&-
}

# isolation: row 36
# Seen red booted as the other files are.
@test "cgroup v1: the memory controller is there and has none of the files" {
	[[ -e /sys/fs/cgroup/memory/memory.limit_in_bytes ]]
	run -1 bash -c 'ls /sys/fs/cgroup/memory/ | grep private_nodes'
	nodes_expect has_private_memory 1-2
}

# isolation: row 36
@test "cgroup v1: CAP_SYS_NICE names private nodes and nobody else does, in a group or not" {
	capability_decides
	says "bind 1" in_v1 privmem-policy bind bind 1
	says EPERM in_v1 setpriv --bounding-set -sys_nice --inh-caps -sys_nice privmem-policy bind bind 1
}

# isolation: row 36
# Seen red with nobody granted anything where grants do not bind.
@test "cgroup v1: memory is allocated, moved, copied and freed" {
	memory_comes_and_goes
}

# isolation: row 36
@test "cgroup v1: a group's usage does not count private pages, before or after a move" {
	local pid usage

	in_v1 privmem-touch --size=32M --hold="$tmp/stop" >"$tmp/out" &
	pid=$!
	wait_for 30 grep -qx ready "$tmp/out"
	grep -qx "N1 33554432" "$tmp/out"
	usage=$(<$v1/memory.usage_in_bytes)
	((usage < 8 << 20))
	migratepages "$(cat $v1/cgroup.procs)" 1 0
	usage=$(<$v1/memory.usage_in_bytes)
	((usage >= 32 << 20 && usage < 40 << 20))
	migratepages "$(cat $v1/cgroup.procs)" 0 2
	usage=$(<$v1/memory.usage_in_bytes)
	((usage < 8 << 20))
	touch "$tmp/stop"
	wait "$pid"
	usage=$(<$v1/memory.usage_in_bytes)
	((usage >= 0 && usage < 4 << 20))
}

usages() {
	echo $(($(<$v1/memory.usage_in_bytes) >> 20)) $(($(<$v1/memory.memsw.usage_in_bytes) >> 20))
}

# isolation: row 36
@test "cgroup v1: private pages that are swapped out and in change no counter of ordinary memory" {
	local before line

	# Written at once, not from the swap cache some time later.
	echo 64M >/sys/block/zram0/disksize
	mkswap -q /dev/zram0
	swapon /dev/zram0
	in_v1 privmem-touch --bind=none --size=32M --hold="$tmp/stop" >"$tmp/out" &
	wait_for 30 grep -qx ready "$tmp/out"
	coproc SWAP { in_v1 privmem-swap 1 $((8 << 20)) bound; }
	read -r line <&"${SWAP[0]}"
	[[ $line == 'N1 2048' ]]
	before=$(usages)
	echo pageout >&"${SWAP[1]}"
	read -r line <&"${SWAP[0]}"
	[[ $line == *'absent 2048' ]] || { echo "$line"; return 1; }
	[[ $(usages) == "$before" ]] || { usages; echo "want $before"; return 1; }
	echo read >&"${SWAP[1]}"
	read -r line <&"${SWAP[0]}"
	[[ $line == 'N1 2048' ]] || { echo "$line"; return 1; }
	[[ $(usages) == "$before" ]] || { usages; echo "want $before"; return 1; }
	eval "exec ${SWAP[1]}>&-"
	touch "$tmp/stop"
	wait
	usages
	[[ $(usages) == [0-3]' '[0-3] ]]
}

# isolation: row 36
@test "cgroup v1: a task moved between groups with charge moving on keeps private pages out" {
	local pid

	in_v1 privmem-touch --size=4M --hold="$tmp/stop" >"$tmp/out" &
	pid=$!
	wait_for 30 grep -qx ready "$tmp/out"
	mkdir -p $v1/other
	echo 3 >$v1/other/memory.move_charge_at_immigrate || :
	cat $v1/cgroup.procs >$v1/other/cgroup.procs
	touch "$tmp/stop"
	wait "$pid"
	(($(<$v1/other/memory.usage_in_bytes) < 2 << 20))
	rmdir $v1/other
}

# isolation: row 36
@test "cgroup v1: a full node is SIGBUS, and a node in use goes and comes back" {
	node_fills_up
	node_can_go
}

# isolation: row 36
@test "cgroup v1: what does not name the node does not get it" {
	nothing_leaks
}
