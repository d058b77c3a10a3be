#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Design 4: a limit of N bytes is N bytes, at any level, for every kind of memory.

load lib

stem=memory.private_nodes

current() {
	cg_value "$1" $stem.current "${2:-N1}"
}

event() {
	cg_value "$1" "$stem.$2" "$3"
}

# fills PATH BYTES ARGS...: that much fits
fills() {
	run -0 cg_exec "$1" privmem-touch --catch --size="$2" "${@:3}"
	[[ $output == *"N1 $2"* ]] || { echo "$output"; return 1; }
}

# overfills PATH FIT ARGS...: SIGBUS comes right after FIT bytes
overfills() {
	run -3 cg_exec "$1" privmem-touch --catch "${@:3}"
	[[ $output == *"sigbus $2 BUS_ADRERR"* ]] || { echo "$output"; return 1; }
}

# isolation: row 20
@test "limit: the last page under it works, the next is refused and counted" {
	cg_make a/b
	cg_write a $stem 1
	cg_write a/b $stem.max "N1 1M"
	fills a/b 1048576
	[[ $(event a/b events N1.max) == 0 ]]
	[[ $(cg_value a/b $stem.peak N1) == 1048576 ]]
	overfills a/b 1048576 --size=1028K
	[[ $(event a/b events N1.max) == 1 ]]
	[[ $(event a/b events N1.fail) == 1 ]]
	[[ $(event a/b events N1.denied) == 0 ]]
	[[ $(event a/b events.local N1.max) == 1 ]]
	[[ $(event a events N1.max) == 1 ]]
	[[ $(event a events N1.fail) == 1 ]]
	[[ $(event a events.local N1.max) == 0 ]]
	[[ $(event a events.local N1.fail) == 0 ]]
	[[ $(cg_value a/b $stem.peak N1) == 1048576 ]]
	[[ $(cg_value a $stem.peak N1) == 1048576 ]]
	[[ $(current a) == 0 && $(current a/b) == 0 ]]
}

@test "limit: 0 lets nothing in, 4095 rounds down to it, 4096 is a page" {
	cg_make a
	cg_write a $stem 1
	cg_write a $stem.max "N1 0"
	overfills a 0 --size=4K
	cg_write a $stem.max "N1 4095"
	overfills a 0 --size=4K
	cg_write a $stem.max "N1 4096"
	fills a 4096
	overfills a 4096 --size=8K
	[[ $(cg_value a $stem.peak N1) == 4096 ]]
}

# isolation: row 20
@test "limit: an ancestor's limit binds, the event is the ancestor's, and the children share it" {
	cg_make a/b a/c
	cg_write a $stem 1
	cg_write a $stem.max "N1 1M"
	cg_hold a/b one --size=768K
	overfills a/c 262144 --size=1M
	[[ $(event a events.local N1.max) == 1 ]]
	[[ $(event a/c events N1.max) == 0 ]]
	[[ $(event a/c events.local N1.fail) == 1 ]]
	[[ $(current a) == 786432 && $(current a/b) == 786432 && $(current a/c) == 0 ]]
	fills a/c 262144
	cg_release one
	fills a/c 1048576
	[[ $(cg_value a $stem.peak N1) == 1048576 && $(cg_value a/c $stem.peak N1) == 1048576 ]]
}

# isolation: row 4
@test "limit: a limit of one node is none of the other" {
	cg_make a
	cg_write a $stem 1-2
	cg_write a $stem.max "N1 64K"
	run -0 cg_exec a privmem-touch --nodes=2 --size=1M
	[[ $output == *"N2 1048576"* ]]
	overfills a 65536 --size=68K
	[[ $(cg_value a $stem.peak N2) == 1048576 ]]
}

# isolation: row 22
# isolation: row 23
@test "limit: memory.current does not see private pages" {
	cg_make a
	cg_write a $stem 1
	echo 16M >"$cg_top/a/memory.max"
	echo 0 >"$cg_top/a/memory.swap.max"
	cg_hold a one --size=128M
	[[ $(current a) == 134217728 ]]
	(($(cg_read a memory.current) < 4 << 20))
	[[ $(cg_value a memory.events oom_kill) == 0 && $(cg_value a memory.events max) == 0 ]]
	cg_release one
	[[ $(current a) == 0 ]]
}

# isolation: row 22
# Seen red with the statistics of ordinary nodes alone flushed and shown.
@test "limit: memory.stat and memory.numa_stat show private pages" {
	cg_make a
	cg_write a $stem 1
	cg_hold a one --size=32M
	(($(cg_value a memory.stat anon) >= 32 << 20))
	run -0 grep -w ^anon "$cg_top/a/memory.numa_stat"
	[[ $output == *"N1=33554432"* && $output == *"N2=0"* ]] || { echo "$output"; false; }
	cg_release one
	run -0 grep -w ^anon "$cg_top/a/memory.numa_stat"
	[[ $output == *"N1=0"* ]] || { echo "$output"; false; }
}

# isolation: row 24
@test "limit: lowered below use it is set, use stays, nothing new comes until use is under it" {
	cg_make a/b a/c
	cg_write a $stem 1
	cg_hold a/b one --size=1M
	cg_hold a/b two --size=64K
	cg_write a $stem.max "N1 128K"
	cg_expect a $stem.max "N1 131072\nN2 max"
	[[ $(current a) == 1114112 ]]
	overfills a/c 0 --size=4K
	cg_release one
	[[ $(current a) == 65536 ]]
	fills a/c 65536
	overfills a/c 65536 --size=68K
	cg_release two
}

# isolation: row 8
@test "limit: shared memory of every kind is charged to its toucher" {
	local type

	cg_make a
	cg_write a $stem 1
	cg_write a $stem.max "N1 256K"
	for type in shm memfd sysv; do
		fills a 262144 --type=$type
		overfills a 262144 --type=$type --size=260K
		[[ $(current a) == 0 ]]
	done
}

# isolation: row 11
@test "limit: huge pages near it give way to small ones and never spill" {
	cg_make a
	cg_write a $stem 1
	cg_write a $stem.max "N1 3M"
	fills a 3145728 --huge
	[[ $(event a events N1.max) == 0 && $(event a events N1.fail) == 0 ]]
	overfills a 3145728 --huge --size=4M
	[[ $(cg_value a $stem.peak N1) == 3145728 && $(current a) == 0 ]]
	cg_write a $stem.max "N1 2M"
	fills a 2097152 --huge
	cg_write a $stem.max "N1 2093056"
	overfills a 2093056 --huge --size=2M
	[[ $(current a) == 0 ]]
}

@test "limit: many tasks at once stay under it and leave nothing behind" {
	local i pids=()

	cg_make a/b a/c
	cg_write a $stem 1
	cg_write a $stem.max "N1 2M"
	for i in 1 2 3 4 5 6; do
		cg_exec "a/$([[ $((i % 2)) == 0 ]] && echo b || echo c)" bash -c \
			'for i in {1..20}; do privmem-touch --catch --size=1M; done' >/dev/null 2>&1 &
		pids+=($!)
	done
	while kill -0 "${pids[@]}" 2>/dev/null; do
		(($(current a) <= 2097152))
	done
	wait "${pids[@]}" || :
	(($(cg_value a $stem.peak N1) <= 2097152))
	[[ $(current a) == 0 && $(current a/b) == 0 && $(current a/c) == 0 ]]
}

# isolation: row 10
@test "limit: copies that a forked child makes are charged, up to the last page" {
	cg_make a
	cg_write a $stem 1
	cg_write a $stem.max "N1 2M"
	fills a 1048576 --fork=1
	[[ $(cg_value a $stem.peak N1) == 2097152 && $(current a) == 0 ]]
	cg_write a $stem.max "N1 2093056"
	run ! cg_exec a privmem-touch --size=1M --fork=1
	[[ $(cg_value a $stem.peak N1) == 2097152 && $(current a) == 0 ]]
}

# isolation: row 26
@test "limit: a task moved to another cgroup leaves its pages' charge behind" {
	cg_make a b
	cg_write a $stem 1
	cg_write b $stem 1
	cg_hold a one --size=1M
	pgrep -x privmem-touch >"$cg_top/b/cgroup.procs"
	[[ $(current a) == 1048576 && $(current b) == 0 ]]
	cg_release one
	[[ $(current a) == 0 && $(current b) == 0 ]]
}

# isolation: row 25
@test "limit: a removed cgroup's pages stay charged to its ancestors until they are freed" {
	cg_make a/b a/c
	cg_write a $stem 1
	cg_hold a/b one --size=1M --type=shm
	pgrep -x privmem-touch >"$cg_top/a/c/cgroup.procs"
	rmdir "$cg_top/a/b"
	[[ $(current a) == 1048576 && $(current a/c) == 0 ]]
	cg_release one
	[[ $(current a) == 0 ]]
}

dying() {
	awk '$1 == "nr_dying_descendants" { print $2 }' "$cg_top/cgroup.stat"
}

few_dying() {
	(($(dying) <= $1))
}

# isolation: row 25
@test "limit: cgroups that used a node are gone without a trace" {
	local i before

	cg_make a
	cg_write a $stem 1
	echo +memory >"$cg_top/a/cgroup.subtree_control"
	before=$(dying)
	for ((i = 0; i < 20; i++)); do
		mkdir "$cg_top/a/x"
		echo "N1 1M" >"$cg_top/a/x/$stem.max"
		cg_exec a/x privmem-touch >/dev/null
		rmdir "$cg_top/a/x"
	done
	[[ $(current a) == 0 ]]
	wait_for 20 few_dying $((before + 5))
}

@test "events: a hit limit notifies the cgroup's own file and its ancestors', local ones only its own" {
	cg_make a/b
	cg_write a $stem 1
	cg_write a/b $stem.max "N1 0"
	watch_hit() {
		privmem-watch "$cg_top/$1" bash -c "echo \$\$ >$cg_top/a/b/cgroup.procs
			privmem-touch --catch >/dev/null; [[ \$? == 3 ]]" 3>&-
	}
	watch_hit a/b/$stem.events
	watch_hit a/b/$stem.events.local
	watch_hit a/$stem.events
	run -1 watch_hit a/$stem.events.local
	[[ $(event a events N1.max) == 4 ]]
}

# isolation: row 17
# Seen red before the mover was asked where it is: the pages were on node 1, charged to nobody.
@test "limit: what is charged to the root cgroup comes to a node only from the root cgroup" {
	cg_make g
	cg_write g $stem 1
	cg_write g $stem.max "N1 0"
	wait_for 10 node_has_free 1 131072
	bash -c 'echo 0 >/sys/fs/cgroup/cgroup.procs && exec privmem-touch --bind=none --size=64K --hold="$0"' \
		"$tmp/stop" >"$tmp/out" 2>&1 3>&- &
	pid=$!
	wait_for 10 grep -qx ready "$tmp/out"
	echo "$pid" >"$cg_top/g/cgroup.procs"
	privmem-policy migratepid "$pid" 0 1
	node_has_free 1 131072
	(echo 0 >/sys/fs/cgroup/cgroup.procs && exec privmem-policy migratepid "$pid" 0 1)
	(($(node_free 1) <= 131072 - 16))
	cg_expect g $stem.current "N1 0\nN2 0"
	touch "$tmp/stop"
	wait "$pid"
	wait_for 10 node_has_free 1 131072
}
