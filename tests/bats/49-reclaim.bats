#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Design 3.5 and 4: reclaim of a private node, by opt-in. Node 2 is the one that did not.

load lib
load hoard

stem=memory.private_nodes

setup_file() {
	node_ops 2 "mempolicy migration"
}

teardown_file() {
	nodes_restore
}

setup() {
	cg_start
	cg_make g
	cg_write g $stem 1-2
	swap_on
}

teardown() {
	hoard_end
	echo n >/sys/kernel/mm/lru_gen/enabled
	cg_remove .
	swap_off
}

@test "reclaim: kswapd and watermarks on the node that opted in, and on no other private one" {
	pgrep -x kswapd1
	run ! pgrep -x kswapd2
	# low and high, and no reserve below them
	awk '$1 == "Node" { nid = $2 + 0; movable = $4 == "Movable" }
		movable && ($1 == "min" || $1 == "low" || $1 == "high") { mark[nid, $1] = $2 }
		END { exit !(mark[1, "min"] == 0 && mark[1, "low"] > 0 && mark[1, "high"] > mark[1, "low"] &&
			mark[2, "min"] == 0 && mark[2, "low"] == 0 && mark[2, "high"] == 0) }' /proc/zoneinfo
}

@test "reclaim: capacity ends where kswapd begins, and MemAvailable knows nothing of it" {
	local high managed before after

	read -r high managed < <(awk '$1 == "Node" { on = $2 == "1," && $4 == "Movable" }
		on && $1 == "high" { high = $2 } on && $1 == "managed" { print high, $2 }' /proc/zoneinfo)
	grep -qx "N1 $(((managed - high) * 4096))" /sys/fs/cgroup/$stem.capacity
	grep -qx "N2 536870912" /sys/fs/cgroup/$stem.capacity
	dax_write 1 state offline
	dax_write 1 state online
	before=$(meminfo_kb MemAvailable)
	dax_write 1 state offline
	after=$(meminfo_kb MemAvailable)
	dax_write 1 state online
	# 1 MiB up to its high watermark would show
	((after - before < 800 && before - after < 800)) || { echo "$before, without the node $after"; return 1; }
	pgrep -x kswapd1
}

@test "reclaim: kswapd ends when the node goes" {
	dax_write 1 state offline
	run ! pgrep -x kswapd1
	dax_write 1 state online
	pgrep -x kswapd1
}

# isolation: row 9
@test "reclaim: at its limit a cgroup swaps what it has there, and loses nothing" {
	local gen

	cg_write g $stem.max "N1 4M"
	for gen in n y; do
		echo $gen >/sys/kernel/mm/lru_gen/enabled
		holds g 1 $((8 * mib)) bound
		intact
		(($(cg_value g $stem.peak N1) <= 4 * mib))
		(($(cg_read g memory.swap.current) >= 4 * mib))
		ended
	done
	(($(event g N1.max) > 0 && $(event g N1.fail) == 0))
}

@test "reclaim: shared memory at its limit is swapped, too, and loses nothing" {
	local gen

	cg_write g $stem.max "N1 4M"
	for gen in n y; do
		echo $gen >/sys/kernel/mm/lru_gen/enabled
		holds g 1 $((8 * mib)) shared bound
		intact
		(($(cg_value g $stem.peak N1) <= 4 * mib))
		ended
	done
	(($(event g N1.fail) == 0))
}

@test "reclaim: at an ancestor's limit whoever is below it makes room, and nobody beside it" {
	cg_make p/a p/b
	cg_write p $stem 1
	cg_write p $stem.max "N1 4M"
	cg_hold g beside --size=4M
	cg_hold p/a below --size=3M
	holds p/b 1 $((6 * mib)) bound
	intact
	(($(cg_value p $stem.peak N1) <= 4 * mib))
	[[ $(cg_read g memory.swap.current) == 0 && $(cg_value g $stem.current N1) == $((4 * mib)) ]]
	(($(cg_read p/a memory.swap.current) > 0))
	ended
	cg_release below
	cg_release beside
}

@test "reclaim: ordinary memory of the same cgroup is not touched by it, nor is another private node" {
	cg_hold g ordinary --bind=none --size=8M
	cg_hold g other --nodes=2 --size=8M
	cg_write g $stem.max "N1 4M"
	holds g 1 $((8 * mib)) bound
	cg_write g $stem.reclaim "N1 2M"
	intact
	(($(anon g 0) >= 8 * mib && $(anon g 2) == 8 * mib))
	ended
	cg_release ordinary
	cg_release other
}

# isolation: row 23
@test "reclaim: ordinary reclaim of a cgroup takes nothing from the node" {
	cg_hold g bound --size=8M
	cg_hold g ordinary --bind=none --size=8M
	cg_write g memory.reclaim 16M || :
	(($(cg_read g memory.swap.current) >= 4 * mib))
	(($(anon g 1) == 8 * mib && $(cg_value g $stem.current N1) == 8 * mib))
	cg_release bound
	cg_release ordinary
}

@test "reclaim: memory.min and memory.low protect ordinary memory, not the node's" {
	echo max >"$cg_top/memory.min"
	cg_write g memory.min max
	cg_make g/x
	cg_write g/x memory.min max
	cg_write g/x memory.low max
	cg_write g $stem.max "N1 4M"
	holds g/x 1 $((8 * mib)) bound
	intact
	ended
	[[ $(event g N1.fail) == 0 ]]
}

@test "reclaim: no slab is shrunk for it" {
	local before

	cg_hold g bound --size=8M
	before=$(vmstat slabs_scanned)
	echo "N1 6M" >/sys/fs/cgroup/$stem.reclaim
	[[ $(vmstat slabs_scanned) == "$before" ]]
	cg_release bound
}

# isolation: row 20
@test "reclaim: without swap, or none left for the cgroup, the limit is the end of the road" {
	cg_write g $stem.max "N1 4M"
	cg_write g memory.swap.max 0
	run -3 cg_exec g privmem-touch --size=8M --catch
	[[ ${lines[0]} == "sigbus $((4 * mib)) BUS_ADRERR" && $(event g N1.fail) == 1 ]]
	cg_write g memory.swap.max max
	run -0 cg_exec g privmem-touch --size=8M --catch
	swap_off
	run -3 cg_exec g privmem-touch --size=8M --catch
	[[ $(event g N1.fail) == 2 ]]
}

@test "reclaim: a node that did not opt in answers at once, as before" {
	cg_write g $stem.max "N2 4M"
	run -3 cg_exec g privmem-touch --nodes=2 --size=8M --catch
	[[ ${lines[0]} == "sigbus $((4 * mib)) BUS_ADRERR" ]]
	[[ $(cg_read g memory.swap.current) == 0 ]]
}

@test "reclaim: a preferred node makes room before ordinary memory serves" {
	cg_write g $stem.max "N1 4M"
	holds g 1 $((8 * mib)) preferred
	intact
	(($(anon g 0) < mib))
	ended
}

@test "reclaim: of two nodes the one with room is taken before anything is swapped" {
	local before

	before=$(vmstat pswpout)
	cg_write g $stem.max "N1 4M"
	run -0 cg_exec g privmem-touch --nodes=1,2 --size=8M --catch
	[[ $output == *"N1 $((4 * mib))"* && $output == *"N2 $((4 * mib))"* ]]
	[[ $(vmstat pswpout) == "$before" ]]
}

@test "reclaim: a lowered limit is reached at once, unless the writer will not wait" {
	holds g 1 $((8 * mib)) bound
	printf 'N1 6M' | dd of="$cg_top/g/$stem.max" oflag=nonblock status=none
	cg_expect g $stem.current "N1 $((8 * mib))\nN2 0"
	cg_write g $stem.max "N1 4M"
	(($(cg_value g $stem.current N1) <= 4 * mib))
	intact
	(($(cg_value g $stem.peak N1) == 8 * mib))
	ended
}

@test "reclaim: what a write to .max cannot reclaim stays, and the limit holds" {
	cg_write g memory.swap.max 0
	cg_hold g kept --size=8M
	cg_write g $stem.max "N1 4M"
	cg_expect g $stem.current "N1 $((8 * mib))\nN2 0"
	run -3 cg_exec g privmem-touch --catch
	cg_release kept
}

@test "reclaim: on request, in a cgroup and all below it, and the shortfall is said" {
	cg_make g/x
	cg_hold g/x bound --size=8M
	cg_write g $stem.reclaim "N1 2M"
	(($(cg_value g $stem.current N1) <= 6 * mib && $(cg_value g $stem.current N1) > 4 * mib))
	run -1 cg_write g $stem.reclaim "N1 16M"
	[[ $output == *"Resource temporarily unavailable"* ]]
	(($(cg_value g $stem.current N1) < mib / 4))
	cg_release bound
}

@test "reclaim: on request of the root cgroup, from whoever is on the node, its own tasks too" {
	local gen

	cg_hold g bound --size=8M
	echo "N1 2M" >/sys/fs/cgroup/$stem.reclaim
	(($(cg_value g $stem.current N1) <= 6 * mib))
	cg_release bound
	for gen in n y; do
		echo $gen >/sys/kernel/mm/lru_gen/enabled
		holds .. 1 $((4 * mib)) bound
		[[ $got == "N1 1024" ]]
		echo "N1 4M" >/sys/fs/cgroup/$stem.reclaim
		echo where >&"${SWAP[1]}"
		read -r -t 60 got <&"${SWAP[0]}"
		[[ $got == *"absent "[5-9]* || $got == *"absent 10"* ]] || { echo "$gen: $got"; return 1; }
		intact
		ended
	done
}

@test "reclaim: requests that make no sense change nothing" {
	local ask

	cg_hold g bound --size=4M
	for ask in "N1 max" "N1" "N9 1M" "1M" "N1 1M N1 1M" "N0 1M"; do
		run -1 cg_write g $stem.reclaim "$ask"
		[[ $output == *"Invalid argument"* || $output == *"not supported"* ]]
	done
	run -1 cg_write g $stem.reclaim 'N1 1M\nN2 1M\n'
	[[ $output == *"not supported"* ]]
	cg_expect g $stem.current "N1 $((4 * mib))\nN2 0"
	[[ $(cg_read g memory.swap.current) == 0 ]]
	cg_release bound
}

@test "reclaim: locked memory stays" {
	holds g 1 $((2 * mib)) locked
	run -1 cg_write g $stem.reclaim "N1 2M"
	(($(anon g 1) == 2 * mib))
	cg_write g $stem.max "N1 2M"
	run -3 cg_exec g privmem-touch --catch
	intact
	ended
}

@test "reclaim: MADV_PAGEOUT works on the node, and what comes back comes to the node" {
	cg_write g $stem.max "N1 1M"
	says "0 absent 64" advise 1 262144 pageout
	says "0 N1 64" advise 1 262144 cold
	says "0 N2 64" advise 2 262144 pageout
}

@test "reclaim: on a full node kswapd makes room for others, and nothing is lost" {
	local capacity

	capacity=$(awk '$1 == "N1" { print $2 }' /sys/fs/cgroup/$stem.capacity)
	cg_make full
	cg_write full $stem 1
	cg_hold full most --size=$((capacity / mib - 4))M
	holds g 1 $((24 * mib)) bound
	intact
	(($(event g N1.fail) == 0 && $(event full N1.fail) == 0))
	(($(cg_read full memory.swap.current) + $(cg_read g memory.swap.current) > 8 * mib))
	(($(stat full pgsteal_kswapd) + $(stat g pgsteal_kswapd) > 0))
	ended
	cg_release most
}

@test "reclaim: never a demotion, to or from the node" {
	local before

	before=$(vmstat pgdemote_direct)
	echo 1 >/sys/kernel/mm/numa/demotion_enabled
	cg_write g $stem.max "N1 4M"
	holds g 1 $((8 * mib)) bound
	intact
	ended
	echo 0 >/sys/kernel/mm/numa/demotion_enabled
	[[ $(vmstat pgdemote_direct) == "$before" ]]
}

@test "reclaim: a move that meets the limit is refused, and nothing is swapped for it" {
	local before

	cg_hold g bound --size=4M
	cg_write g $stem.max "N1 4M"
	before=$(vmstat pswpout)
	says EACCES move default - 1
	[[ $(vmstat pswpout) == "$before" ]]
	(($(event g N1.max) > 0)) || { cg_read g $stem.events; cg_read g $stem.current; return 1; }
	cg_release bound
}
