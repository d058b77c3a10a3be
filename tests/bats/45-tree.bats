#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Counters through everything that moves: pages, tasks, limits, grants, cgroups.

load lib

stem=memory.private_nodes

teardown() {
	swap_off
	cg_remove .
}

# dying_is N: so many removed cgroups below g are not gone yet, at most. The page
# cache and slab that were theirs hold them too: not what is asked here.
dying_is() {
	local dying cpu

	# Output that is yet to be written out is page cache, too.
	sync
	echo 3 >/proc/sys/vm/drop_caches
	# Each CPU keeps the last cgroup whose kernel memory it freed, until it meets another.
	for cpu in $(seq 0 $(($(nproc) - 1))); do
		taskset -c "$cpu" /bin/true
	done
	dying=$(cg_value g cgroup.stat nr_dying_descendants)
	((dying <= $1)) || { echo "dying: $dying"; return 1; }
}

# numa_stat PATH NID: its anonymous bytes there
numa_stat() {
	sed -n "s/^anon .*N$2=\([0-9]*\).*/\1/p" "$cg_top/$1/memory.numa_stat"
}

# uses PATH BYTES1 BYTES2: by the counters and by memory.numa_stat
uses() {
	cg_expect "$1" $stem.current "N1 $2\nN2 $3"
	[[ $(numa_stat "$1" 1) == "$2" && $(numa_stat "$1" 2) == "$3" ]] ||
		{ grep '^anon ' "$cg_top/$1/memory.numa_stat"; return 1; }
}

# isolation: row 22
@test "counters: exact through charge, move there and back, and free; memory.current unmoved" {
	local before pid

	cg_make g
	cg_write g $stem 1-2
	cg_hold g held --size=4M
	uses g 4194304 0
	before=$(cg_read g memory.current)
	pid=$(pgrep -x privmem-touch)
	cg_exec g migratepages "$pid" 1 2
	uses g 0 4194304
	(($(cg_read g memory.current) < before + (1 << 20)))
	cg_exec g migratepages "$pid" 2 0
	uses g 0 0
	(($(cg_read g memory.current) >= before + (3 << 20)))
	cg_exec g migratepages "$pid" 0 1
	(($(cg_value g $stem.current N1) >= 4194304))
	(($(cg_read g memory.current) < before + (1 << 20)))
	cg_release held
	uses g 0 0
	(($(cg_value g $stem.peak N1) >= 4194304 && $(cg_value g $stem.peak N2) == 4194304))
}

# isolation: row 22
# isolation: row 9
@test "counters: what comes back from swap is charged once and freed to zero" {
	cg_make g
	cg_write g $stem 1
	swap_on
	run -0 cg_exec g privmem-policy swapin 1 262144 "$cg_top/g"
	[[ $output == *"N1 "* ]]
	uses g 0 0
	swap_off
	[[ $(cg_read g memory.swap.current) == 0 ]]
}

@test "counters: userfaultfd copies what fits and says ENOMEM, and charges that once" {
	cg_make g
	cg_write g $stem 1
	cg_write g $stem.max "N1 64K"
	says "65536 0: N1 16" uffdcopy 1 65536
	uses g 0 0
	[[ $(cg_value g $stem.peak N1) == 65536 ]]
	says "65536 ENOMEM: N1 16 absent 16" uffdcopy 1 131072
	uses g 0 0
	[[ $(cg_value g $stem.peak N1) == 65536 ]]
	# The call that got so far, and the next one, which says why.
	[[ $(cg_value g $stem.events N1.fail) == 2 ]]
}

@test "counters: pages that userfaultfd moves stay where they are, charged once" {
	cg_make g
	cg_write g $stem 1
	# Not a page more than there is to move.
	cg_write g $stem.max "N1 1M"
	says "1048576 0: N1 256" uffdmove 1 1048576
	uses g 0 0
	[[ $(cg_value g $stem.peak N1) == 1048576 && $(cg_value g $stem.events N1.max) == 0 ]]
}

@test "counters: what another process writes: in place where there is a page, else ordinary memory" {
	cg_make g
	cg_write g $stem 1
	says "131072 0: N0 16 N1 16" vmwrite 1 131072
	uses g 0 0
	[[ $(cg_value g $stem.peak N1) == 65536 ]]
}

@test "counters: half a huge page given back is charged until the page is split" {
	local pid free half

	cg_make g
	cg_write g $stem 1
	node_settle 1
	free=$(node_free 1)
	coproc HALF { cg_exec g privmem-policy halfhuge 1; }
	pid=$HALF_PID
	read -r -t 30 half <&"${HALF[0]}"
	[[ $half == "N1 256 absent 256" ]]
	# By the counter and on the node
	[[ $(cg_value g $stem.current N1) == 2097152 ]]
	wait_for 10 node_has_free 1 $((free - 512))
	echo 2 >/proc/sys/vm/drop_caches
	wait_for 10 node_has_free 1 $((free - 256))
	uses g 1048576 0
	exec {HALF[1]}>&-
	wait "$pid"
	uses g 0 0
}

# isolation: row 24
@test "load: grants and limits that change under tasks that fault: no write fails, nothing is lost" {
	local i pids=()

	cg_make g/x g/y
	cg_write g $stem 1
	# mbind may come while there is no grant; nothing else may fail
	for i in x y; do
		cg_exec "g/$i" bash -c 'while [[ ! -e $0 ]]; do
			privmem-touch --catch --mode=preferred --size=256K --fork=1 2>"$1" >/dev/null ||
				grep -q "mbind: Operation not permitted" "$1" || exit 1; done' \
			"$tmp/enough" "$tmp/err.$i" &
		pids+=($!)
	done
	# until it could have gone wrong
	for ((i = 0; i < 8 || $(cg_value g $stem.peak N1) == 0; i++)); do
		((i < 200))
		cg_write g $stem none
		cg_write g/x $stem.max "N1 $((i % 5 * 65536))"
		cg_write g $stem 1
		cg_write g $stem.max "N1 $((i % 7 * 131072))"
		cg_write g/x $stem.max "N1 max"
	done
	touch "$tmp/enough"
	wait "${pids[@]}"
	cg_expect g $stem.current "N1 0\nN2 0"
	cg_expect g/x $stem.current "N1 0\nN2 0"
	cg_expect g/y $stem.current "N1 0\nN2 0"
}

# isolation: row 24
@test "load: a limit lowered below use holds off new pages alone, and what is there stays" {
	cg_make g
	cg_write g $stem 1
	cg_hold g held --size=2M
	cg_write g $stem.max "N1 1M"
	cg_write g $stem none
	cg_write g $stem 1
	cg_expect g $stem.current "N1 2097152\nN2 0"
	run -3 cg_exec g privmem-touch --catch --size=4K
	cg_write g $stem.max "N1 2052K"
	run -0 cg_exec g privmem-touch --catch --size=4K
	cg_release held
	grep -qx "N1 2097152" "$tmp/held.out"
}

# isolation: row 26
@test "tree: tasks moved between cgroups while they fault: every counter ends at zero" {
	local i pid pids=()

	cg_make g/x g/y
	cg_write g $stem 1
	for i in 1 2; do
		cg_exec g/x privmem-touch --size=16M --fork=4 >/dev/null &
		pids+=($!)
	done
	for ((i = 0; i < 10; i++)); do
		for pid in $(cat "$cg_top"/g/{x,y}/cgroup.procs); do
			echo "$pid" 2>/dev/null >"$cg_top/g/$( ((i % 2)) && echo x || echo y)/cgroup.procs" || :
		done
	done
	wait "${pids[@]}"
	cg_expect g $stem.current "N1 0\nN2 0"
	cg_expect g/x $stem.current "N1 0\nN2 0"
	cg_expect g/y $stem.current "N1 0\nN2 0"
}

# isolation: row 26
@test "tree: the controller turned off and on and children made and removed under load" {
	local i pid

	cg_make g
	cg_write g $stem 1
	cg_exec g bash -c 'while [[ ! -e $0 ]]; do privmem-touch --mode=preferred --size=256K; done' \
		"$tmp/enough" >/dev/null 2>&1 &
	pid=$!
	mkdir -p "$cg_top/h"
	for ((i = 0; i < 4; i++)); do
		mkdir "$cg_top/h/$i"
		echo +memory >"$cg_top/h/cgroup.subtree_control"
		echo "N1 64K" >"$cg_top/h/$i/$stem.max"
		echo "$pid" >"$cg_top/h/$i/cgroup.procs"
		echo "$pid" >"$cg_top/g/cgroup.procs"
		wait_for 10 cg_is_empty "$cg_top/h/$i" || { pgrep -x privmem-touch >"$cg_top/g/cgroup.procs" || :; }
		echo -memory >"$cg_top/h/cgroup.subtree_control"
		rmdir "$cg_top/h/$i"
	done
	touch "$tmp/enough"
	wait "$pid"
	cg_expect g $stem.current "N1 0\nN2 0"
	cg_expect h $stem.current "N1 0\nN2 0"
}

# churn N: so many hundred cgroups, each granted and limited, some used, and removed
churn() {
	local i n

	cg_make g
	cg_write g $stem 1
	echo +memory >"$cg_top/g/cgroup.subtree_control"
	for ((n = 0; n < $1; n++)); do
		mkdir "$cg_top/g/"{1..100}
		for i in {1..100}; do
			echo 1 >"$cg_top/g/$i/$stem"
			echo "N1 64K" >"$cg_top/g/$i/$stem.max"
		done
		cg_exec g/7 privmem-touch >/dev/null
		cg_exec g/77 privmem-touch --type=memfd >/dev/null
		rmdir "$cg_top/g/"{1..100}
	done
	cg_expect g $stem.current "N1 0\nN2 0"
	wait_for 30 dying_is 0
}

# isolation: row 25
# As many as there is time for; PRIVMEM_CHURN=100 for 10,000 of them.
@test "tree: many cgroups made, used and removed leave none behind" {
	churn "${PRIVMEM_CHURN:-2}"
}

# isolation: row 25
@test "tree: cgroups removed with pages alive go when the pages do" {
	local i pid

	cg_make g
	cg_write g $stem 1
	for i in 1 2; do
		cg_make g/$i
		cg_hold g/$i held$i --type=memfd --size=64K
		cg_make away
		for pid in $(pgrep -x privmem-touch); do
			echo "$pid" >"$cg_top/away/cgroup.procs"
		done
		rmdir "$cg_top/g/$i"
	done
	cg_expect g $stem.current "N1 131072\nN2 0"
	[[ $(cg_value g cgroup.stat nr_dying_descendants) == 2 ]]
	for i in 1 2; do
		cg_release held$i
	done
	cg_expect g $stem.current "N1 0\nN2 0"
	wait_for 20 dying_is 0
}
