#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Design 4: who may use a node, by formula and by touching memory.

load lib

stem=memory.private_nodes

# effective PATH WANT
effective() {
	cg_expect "$1" $stem.effective "$2"
}

# lands_on PATH NID ARGS...: memory asked for there lands on NID
lands_on() {
	local path=$1 nid=$2

	shift 2
	run -0 cg_exec "$path" privmem-touch --nodes="$nid" --size=64K "$@"
	[[ $output == *"N$nid 65536"* ]] || { echo "$output"; return 1; }
}

# is_refused PATH NID: mbind says no
is_refused() {
	run -1 cg_exec "$1" privmem-touch --nodes="$2" --size=64K
	[[ $output == *"mbind: Operation not permitted"* ]] || { echo "$output"; return 1; }
}

@test "grant: the default is none" {
	cg_make a/b
	effective a ""
	effective a/b ""
	is_refused a/b 1
}

@test "grant: a node given to a cgroup reaches it and all unset below it, no other" {
	cg_make a/b/c d
	cg_write a $stem 1
	effective a 1
	effective a/b 1
	effective a/b/c 1
	effective d ""
	lands_on a/b/c 1
	is_refused a/b/c 2
	is_refused d 1
}

@test "grant: a cgroup made after the grant inherits it" {
	cg_make a
	cg_write a $stem 1
	cg_make a/late/later
	effective a/late/later 1
	lands_on a/late/later 1
}

@test "grant: a child gets no more than its parent can give" {
	cg_make a/b
	cg_write a $stem 1
	cg_write a/b $stem 1-2
	cg_expect a/b $stem 1-2
	effective a/b 1
	is_refused a/b 2
	cg_write a $stem 1-2
	effective a/b 1-2
	lands_on a/b 2
	cg_write a $stem 2
	effective a/b 2
	is_refused a/b 1
}

@test "grant: files may be written from the leaf up" {
	cg_make a/b/c
	cg_write a/b/c $stem 2
	effective a/b/c ""
	cg_write a/b $stem 1-2
	effective a/b/c ""
	cg_write a $stem 1-2
	effective a/b/c 2
	lands_on a/b/c 2
}

@test "grant: none keeps the parent's grant out, a newline lets it in again" {
	cg_make a/b/c
	cg_write a $stem 1
	cg_write a/b $stem none
	effective a/b ""
	effective a/b/c ""
	is_refused a/b/c 1
	cg_write a/b $stem "\n"
	effective a/b/c 1
	lands_on a/b/c 1
}

@test "subtree: children can be given what the cgroup itself does not use" {
	cg_make a/b a/c
	cg_write a $stem.subtree 1
	effective a ""
	effective a/b ""
	cg_write a/b $stem 1
	effective a/b 1
	effective a ""
	effective a/c ""
	lands_on a/b 1
	is_refused a/c 1
}

@test "subtree: it passes on along a chain and only there" {
	cg_make a/b/c a/d
	cg_write a $stem.subtree 1
	cg_write a/b/c $stem 1
	effective a/b/c ""
	cg_write a/b $stem.subtree 1-2
	effective a/b/c 1
	effective a/b ""
	cg_write a $stem.subtree "none"
	effective a/b/c ""
	cg_write a $stem 1
	cg_write a/b $stem none
	effective a/b ""
	effective a/b/c 1
}

@test "grant: with several nodes asked for, only the granted part is used" {
	cg_make a
	cg_write a $stem 2
	run -0 cg_exec a privmem-touch --nodes=1,2 --size=64K
	[[ $output == *"N2 65536"* && $output != *"N1 "* ]]
}

# isolation: row 36
@test "grant: tasks in the root cgroup need CAP_SYS_NICE" {
	run -0 bash -c 'echo $$ >/sys/fs/cgroup/cgroup.procs; exec privmem-touch --nodes=1' 3>&-
	[[ $output == *"N1 4096"* ]]
	run -1 bash -c 'echo $$ >/sys/fs/cgroup/cgroup.procs
		exec setpriv --bounding-set=-sys_nice --inh-caps=-sys_nice privmem-touch --nodes=1' 3>&-
	[[ $output == *"mbind: Operation not permitted"* ]]
}

@test "grant: a capability is no grant below the root cgroup" {
	cg_make a
	is_refused a 1
}

# isolation: row 36
@test "grant: where the controller is off, the nearest cgroup above that has it decides" {
	mkdir -p "$cg_top/a/x"
	[[ ! -e $cg_top/a/x/$stem ]]
	is_refused a/x 1
	cg_write a $stem 1
	lands_on a/x 1
	[[ $(cg_value a $stem.peak N1) == 65536 ]]
}

# isolation: row 24
@test "revoke: pages stay and stay charged, no new page comes" {
	cg_make a
	cg_write a $stem 1
	cg_hold a one --size=1M
	cg_write a $stem none
	effective a ""
	[[ $(cg_value a $stem.current N1) == 1048576 ]]
	is_refused a 1
	cg_release one
	[[ $(cg_value a $stem.current N1) == 0 ]]
}

is_bound() {
	grep -q 'bind:1' "/proc/$(pgrep -x privmem-touch)/numa_maps"
}

# isolation: row 24
@test "revoke: memory bound before and touched after raises SIGBUS and counts denied" {
	local status=0 pid

	cg_make a/b
	cg_write a $stem 1
	cg_exec a/b strace -o /dev/null -e trace=mbind -e inject=mbind:delay_exit=$((3000000 * patience)) \
		privmem-touch --catch --size=64K >"$tmp/out" 2>&1 &
	pid=$!
	# mbind is done and held on its way out.
	wait_for 20 is_bound 2>/dev/null
	cg_write a $stem none
	wait $pid || status=$?
	cat "$tmp/out"
	[[ $status == 3 ]]
	grep -qx 'sigbus 0 BUS_ADRERR' "$tmp/out"
	[[ $(cg_value a/b $stem.events N1.denied) == 1 ]]
	[[ $(cg_value a/b $stem.events.local N1.denied) == 1 ]]
	[[ $(cg_value a $stem.events N1.denied) == 1 ]]
	[[ $(cg_value a $stem.events.local N1.denied) == 0 ]]
	[[ $(cg_value a/b $stem.current N1) == 0 ]]
	[[ $(cg_value a/b $stem.peak N1) == 0 ]]
}

# isolation: row 24
@test "revoke: a grant given back lets new pages come again" {
	cg_make a
	cg_write a $stem 1
	cg_write a $stem none
	is_refused a 1
	cg_write a $stem 1
	lands_on a 1
}

@test "grant: Mems_allowed names the granted private nodes and no others" {
	cg_make a b
	cg_write a $stem 2
	run -0 cg_exec a grep Mems_allowed_list /proc/self/status
	[[ $output == *$'\t0,2' ]]
	run -0 cg_exec b grep Mems_allowed_list /proc/self/status
	[[ $output == *$'\t0' ]]
}

# watch PATH FILE COMMAND...: does COMMAND make FILE notify?
watch() {
	local file=$cg_top/$1/$2

	shift 2
	privmem-watch "$file" bash -c "$*" 3>&-
}

@test "notify: a change of effective wakes its readers, below too; no change wakes nobody" {
	cg_make a/b/c d
	watch a $stem.effective "echo 1 >$cg_top/a/$stem"
	watch a/b/c $stem.effective "echo 2 >$cg_top/a/$stem"
	cg_write a/b $stem 2
	watch a/b/c $stem.effective "echo none >$cg_top/a/b/$stem"
	run -1 watch a/b $stem.effective "echo none >$cg_top/a/b/$stem"
	run -1 watch a $stem.effective "echo none >$cg_top/a/b/$stem"
	run -1 watch a/b/c $stem.effective "echo 1 >$cg_top/a/$stem"
	run -1 watch d $stem.effective "echo none >$cg_top/a/$stem"
}

# isolation: row 34
@test "grant: a user in its own namespaces cannot grant itself, but can hand down" {
	mkdir "$cg_top/a"
	cg_write a $stem 1
	cg_write a $stem.max "N1 1M"
	chown -R 1000:1000 "$cg_top/a"
	run cg_exec a setpriv --reuid=1000 --regid=1000 --clear-groups unshare -UrmC bash -c '
		cd "$0/a" && mkdir leaf b && echo $$ >leaf/cgroup.procs || exit 10
		echo +memory >cgroup.subtree_control || exit 11
		printf 1-2 >memory.private_nodes && exit 1
		printf 1-2 >memory.private_nodes.subtree && exit 2
		printf "N1 max" >memory.private_nodes.max && exit 3
		printf none >b/memory.private_nodes || exit 4
		printf 1-2 >b/memory.private_nodes || exit 5
		printf "N1 64K" >b/memory.private_nodes.max || exit 6
		cat b/memory.private_nodes.effective
		privmem-touch --nodes=2 && exit 7
		privmem-touch --nodes=1' "$cg_top"
	echo "$output"
	[[ $status == 0 ]]
	[[ ${lines[-1]} == "N1 4096" ]]
	effective a/b 1
	cg_expect a $stem 1
	cg_expect a $stem.subtree ""
	cg_expect a $stem.max "N1 1048576\nN2 max"
}

@test "grant: 50 cgroups under one that is granted and revoked again and again" {
	local i

	for ((i = 0; i < 50; i++)); do
		mkdir -p "$cg_top/many/$i"
	done
	echo +memory >"$cg_top/many/cgroup.subtree_control"
	for i in 1 2 3; do
		cg_write many $stem 1-2
		[[ $(cat "$cg_top"/many/*/$stem.effective | sort | uniq -c | xargs) == "50 1-2" ]]
		cg_write many $stem "\n"
		[[ $(cat "$cg_top"/many/*/$stem.effective | sort -u) == "" ]]
	done
}
