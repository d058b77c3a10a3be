#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Who overfills a limit or a node hears of it, and nobody else does.

load lib

stem=memory.private_nodes

granted() {
	cg_make g
	cg_write g $stem "${1:-1}"
}

# bystanders: one granted beside and one ordinary, each in a cgroup of its own
bystanders() {
	cg_make g/near far
	cg_write far $stem 2
	cg_hold g/near near --size=64K
	cg_hold g/near plain --bind=none --size=1M
	cg_hold far far --nodes=2 --size=64K
}

# they_live: hold what they held, and can have more
they_live() {
	local name

	for name in near plain far; do
		cg_release "$name"
	done
	grep -qx "N1 65536" "$tmp/near.out"
	grep -qx "N0 1048576" "$tmp/plain.out"
	grep -qx "N2 65536" "$tmp/far.out"
	[[ $(cg_value far $stem.events N2.fail) == 0 && $(cg_value far $stem.events N2.max) == 0 ]]
	cg_expect . memory.events.local "$events"
	cg_expect g $stem.current "N1 0\nN2 0"
}

# isolation: row 20
@test "overfill: a limit, its own or an ancestor's: SIGBUS or EFAULT for the asker, the others live" {
	local fail

	granted
	events=$(cg_read . memory.events.local)
	bystanders
	cg_make g/asker
	cg_write g/asker $stem.max "N1 1M"
	run -3 cg_exec g/asker privmem-touch --catch --size=2M
	[[ $output == *"sigbus 1048576 BUS_ADRERR"* ]]
	run -0 cg_exec g/asker privmem-policy read 1 2097152
	[[ $output == "1048576 EFAULT" ]]
	# The copy of read(2) may try the page a second time, byte by byte.
	fail=$(cg_value g/asker $stem.events.local N1.fail)
	((fail == 2 || fail == 3))

	cg_write g $stem.max "N1 1M"
	run -3 cg_exec g/asker privmem-touch --catch --size=2M
	[[ $output == *"sigbus 983040 BUS_ADRERR"* ]]
	[[ $(cg_value g/asker $stem.events.local N1.fail) == $((fail + 1)) ]]
	[[ $(cg_value g $stem.events.local N1.max) == 1 ]]
	[[ $(cg_value g/near $stem.events N1.fail) == 0 ]]
	they_live
}

# isolation: row 4
# isolation: row 20
@test "overfill: the whole node: every page of it, then SIGBUS, none from elsewhere" {
	local free1 free2

	granted 1-2
	events=$(cg_read . memory.events.local)
	bystanders
	# what the bystanders hold is not to be had
	wait_for 10 node_has_free 1 $((131072 - 16))
	wait_for 10 node_has_free 2 $((131072 - 16))
	free1=$((131072 - 16)) free2=$free1
	cg_make g/asker
	run -3 cg_exec g/asker privmem-touch --catch --huge --size=520M
	[[ $output == *"sigbus $((free1 * 4096)) BUS_ADRERR"* ]] || { echo "$output"; false; }
	[[ $output == *"N1 $((free1 * 4096))"* && $output != *N0* && $output != *N2* ]]
	[[ $(cg_value g/asker $stem.events.local N1.fail) == 1 ]]
	[[ $(cg_value g/asker $stem.events.local N1.max) == 0 ]]
	wait_for 10 node_has_free 1 "$free1"
	node_has_free 2 "$free2"
	they_live
}

# isolation: row 4
# isolation: row 11
@test "overfill: a node that is nearly full serves small pages, then the fallback or nothing" {
	granted 1-2
	wait_for 10 node_has_free 1 131072
	cg_hold g most --huge --size=511M
	run -3 cg_exec g privmem-touch --catch --huge --size=2M
	[[ $output == *"sigbus 1048576 BUS_ADRERR"* && $output == *"N1 1048576"* && $output != *N0* && $output != *N2* ]]
	run -0 cg_exec g privmem-touch --huge --mode=preferred --size=2M
	[[ $output == *"N0 1048576"* && $output == *"N1 1048576"* && $output != *N2* ]]
	cg_exec g privmem-policy move default - 2 1 >"$tmp/out"
	grep -qx "N2 N1" "$tmp/out"
	cg_release most
	wait_for 10 node_has_free 1 131072
}

# isolation: row 11
# Seen red with the split in migrate_pages_batch() taken out.
@test "overfill: with no room for one huge page, huge ones are split to move in" {
	local pid

	granted 1-2
	cg_write g $stem.max "N1 1M"
	cg_hold g huge --huge --nodes=2 --size=2M
	pid=$(pgrep -x privmem-touch)
	grep -q '^AnonHugePages: *2048 kB' "/proc/$pid/smaps_rollup"
	cg_exec g migratepages "$pid" 2 1
	cg_expect g $stem.current "N1 1048576\nN2 1048576"
	cg_release huge
	run -3 cg_exec g privmem-touch --catch --huge --size=2M
	[[ $output == *"sigbus 1048576 BUS_ADRERR"* && $output != *N0* && $output != *N2* ]]
	cg_expect g $stem.current "N1 0\nN2 0"
}

# isolation: row 20
@test "overfill: a full node is no reason to kill or to reclaim anybody" {
	local before after

	granted
	cg_hold g most --huge --size=512M
	before=$(awk '/^(oom_kill|pgsteal|allocstall)/' /proc/vmstat)
	run -3 cg_exec g privmem-touch --catch --size=4K
	[[ $output == *"sigbus 0 BUS_ADRERR"* ]]
	after=$(awk '/^(oom_kill|pgsteal|allocstall)/' /proc/vmstat)
	[[ $before == "$after" ]] || { diff <(echo "$before") <(echo "$after"); false; }
	# Without room of its own nobody gets as far as to ask the node, to move there either.
	# Seen red with the target of a move allocated before it was charged.
	cg_make h
	cg_write h $stem 1
	cg_write h $stem.max "N1 0"
	run -0 cg_exec h privmem-policy move default - 1
	[[ $output == EACCES ]]
	(($(cg_value h $stem.events N1.max) > 0))
	cg_release most
}

# isolation: row 23
@test "overfill: at memory.max most of it private: page cache is reclaimed, nothing loops" {
	granted
	cg_write g memory.max 16M
	cg_hold g private --size=64M
	run -0 timeout $((30 * patience)) bash -c "echo \$\$ >$cg_top/g/cgroup.procs; exec dd if=/dev/vda of=/dev/null bs=1M count=64 status=none"
	(($(cg_value g memory.events max) > 0))
	[[ $(cg_value g memory.events oom) == 0 ]]
	[[ $(cg_value g $stem.current N1) == 67108864 ]]
	cg_release private
	grep -qx "N1 67108864" "$tmp/private.out"
}

# isolation: row 23
# The victim is chosen by all it has mapped, private memory included.
@test "overfill: at memory.max of anonymous memory the OOM killer ends it in bounded time" {
	granted
	cg_write g memory.max 16M
	cg_hold g private --size=64M
	run -137 timeout $((60 * patience)) bash -c "echo \$\$ >$cg_top/g/cgroup.procs; exec privmem-touch --bind=none --size=200M"
	(($(cg_value g memory.events oom_kill) >= 1))
}
