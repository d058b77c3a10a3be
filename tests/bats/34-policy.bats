#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Design 3.4: how policies name private nodes, and what they answer.

load lib

stem=memory.private_nodes

# policy PATH ARGS... WANT: what privmem-policy says there
policy() {
	local path=$1 got want=${*: -1}

	got=$(cg_exec "$path" privmem-policy "${@:2:$#-2}" 2>&1)
	[[ $got == "$want" ]] || { printf 'privmem-policy %s\ngot:  %s\nwant: %s\n' "${*:2:$#-2}" "$got" "$want"; return 1; }
}

# paused PATH NAME ARGS...: start privmem-touch there, wait until it is half done
paused() {
	local path=$1 name=$2

	shift 2
	rm -f "$tmp/$name.go"
	cg_exec "$path" privmem-touch --catch --pause="$tmp/$name.go" "$@" >"$tmp/$name.out" 2>&1 &
	eval "pid_$name=$!"
	wait_for 20 grep -qsx half "$tmp/$name.out"
}

# resumed NAME STATUS: let it go on, and end so
resumed() {
	local pid=pid_$1 status=0

	touch "$tmp/$1.go"
	wait "${!pid}" || status=$?
	((status == $2)) || { cat "$tmp/$1.out"; return 1; }
}

granted() {
	cg_make g
	cg_write g $stem "${1:-1}"
}

# isolation: row 15
# Seen red with the first node of a mask kept, and no other.
@test "policy: a mask of private nodes alone is taken in every mode" {
	granted 1-2
	for call in set bind; do
		policy g $call bind 1 "bind 1"
		policy g $call preferred 2 "preferred 2"
		policy g $call many 1,2 "many 1,2"
		policy g $call interleave 1,2 "interleave 1,2"
		policy g $call weighted 1,2 "weighted 1,2"
		policy g $call bind+static 1 "bind 1"
	done
}

# isolation: row 15
# isolation: row 16
@test "policy: one ordinary node in the mask drops the private ones" {
	granted 1-2
	for call in set bind; do
		policy g $call interleave 0,1,2 "interleave 0"
		policy g $call bind 0,1 "bind 0"
		policy g $call bind+static 0,1 "bind 0"
	done
	cg_make u
	policy u set interleave 0,1,2 "interleave 0"
	run -0 cg_exec g privmem-touch --mode=interleave --nodes=0,1 --size=1M
	[[ $output == *"N0 1048576"* && $output != *N1* ]]
}

# isolation: row 15
# Seen red without the test for relative masks in mpol_names_private().
@test "policy: a relative mask never names a private node" {
	granted 1-2
	policy g bind bind+relative 1 "bind 1"
	policy g remap bind+relative 1 bind+relative 1 "N0 4"
}

@test "policy: an ungranted node is EPERM, an offline one EINVAL, in that order" {
	cg_make u
	policy u bind bind 1 EPERM
	policy u set bind 1 EPERM
	policy u bind bind 1,2 EPERM
	policy u bind bind 5 EINVAL
	policy u bind bind 1,5 EINVAL
	granted 1
	policy g bind bind 1,5 EINVAL
	policy g bind bind 2 EPERM
}

@test "policy: hint faults on private nodes alone are EINVAL" {
	granted 1
	policy g bind bind+balancing 1 EINVAL
	policy g set bind+balancing 1 EINVAL
	policy g bind bind+balancing 0 "bind 0"
}

# isolation: row 15
@test "policy: of a partly granted mask the granted part is stored and never grows" {
	granted 1
	policy g bind bind 1,2 "bind 1"
	cg_write g $stem.max "N1 32K"
	paused g half --size=64K --nodes=1,2
	cg_write g $stem 1-2
	resumed half 3
	grep -qx "sigbus 32768 BUS_ADRERR" "$tmp/half.out"
	grep -qx "N1 32768" "$tmp/half.out"
}

# isolation: row 24
@test "policy: the grant is asked for again at every page" {
	granted 1
	paused g half --size=64K
	cg_write g $stem none
	resumed half 3
	grep -qx "sigbus 32768 BUS_ADRERR" "$tmp/half.out"
	grep -qx "N1 32768" "$tmp/half.out"
	[[ $(cg_value g $stem.events N1.denied) == 1 ]]
	[[ $(cg_value g $stem.events N1.fail) == 0 ]]

	cg_write g $stem 1
	paused g soft --size=64K --mode=preferred
	cg_write g $stem none
	resumed soft 0
	grep -qx "N0 32768" "$tmp/soft.out"
	grep -qx "N1 32768" "$tmp/soft.out"
	[[ $(cg_value g $stem.events N1.denied) == 1 ]]
}

# isolation: row 4
# isolation: row 20
@test "policy: bind stays on its nodes, preferred and interleave fall back" {
	granted 1-2
	cg_write g $stem.max "N1 1M\nN2 1M"
	run -3 cg_exec g privmem-touch --catch --nodes=1,2 --size=3M
	[[ $output == *"sigbus 2097152 BUS_ADRERR"* && $output == *"N1 1048576"* && $output == *"N2 1048576"* ]]
	for mode in preferred many; do
		run -0 cg_exec g privmem-touch --mode=$mode --nodes=1 --size=3M
		[[ $output == *"N0 2097152"* && $output == *"N1 1048576"* ]]
	done
	for mode in interleave weighted; do
		run -0 cg_exec g privmem-touch --mode=$mode --nodes=1,2 --size=3M
		[[ $output == *"N0 1048576"* && $output == *"N1 1048576"* && $output == *"N2 1048576"* ]]
	done
}

@test "policy: interleave spreads evenly over private nodes" {
	granted 1-2
	run -0 cg_exec g privmem-touch --mode=interleave --nodes=1,2 --size=2M
	[[ $output == *"N1 1048576"* && $output == *"N2 1048576"* ]]
}

@test "policy: the home node is tried first, and must be one's own" {
	granted 1-2
	policy g home bind 1,2 2 "N2 2"
	policy g home bind 1,2 1 "N1 2"
	policy g home many 1,2 2 "N2 2"
	policy g home bind 0 1 EINVAL
	cg_write g $stem 1
	policy g home bind 1 2 EPERM
	policy g home bind 1 5 EINVAL
}

@test "policy: what is allowed includes what is granted, and nothing else" {
	cg_make u
	policy u allowed 0
	granted 2
	policy g allowed 0,2
	run -0 cg_exec g grep Mems_allowed_list /proc/self/status
	[[ $output == *$'\t'0,2 ]]
	run -0 cg_exec u grep Mems_allowed_list /proc/self/status
	[[ $output == *$'\t'0 ]]
}

# isolation: row 16
@test "policy: unmodified numactl binds the granted and refuses the rest" {
	granted 1
	run -0 cg_exec g numactl --membind=1 privmem-touch --bind=none --size=8M
	[[ $output == *"N1 8388608"* ]]
	run -0 cg_exec g numactl --preferred=1 privmem-touch --bind=none --size=8M
	[[ $output == *"N1 8388608"* ]]
	run -0 cg_exec g numactl --interleave=all privmem-touch --bind=none --size=8M
	[[ $output == *"N0 8388608"* ]]
	run -0 cg_exec g numactl --show
	[[ $output == *"membind: 0 1"* ]]
	cg_make u
	run ! cg_exec u numactl --membind=1 true
	run -0 cg_exec u numactl --interleave=all true
	cg_expect g $stem.current "N1 0\nN2 0"
}

# isolation: row 8
@test "policy: a shared object takes it through a writable shared mapping only" {
	local file=/dev/shm/privmem-policy

	granted 1
	truncate -s 1M $file
	policy g mapped bind 1 $file ro-shared EACCES
	policy g mapped bind 1 $file ro-private EACCES
	policy g mapped bind 1 $file rw-private EACCES
	policy g mapped bind 0 $file ro-private "bind 0"
	policy g mapped bind 1 $file rw-shared "bind 1"
	rm $file
}

# isolation: row 8
@test "policy: a shared object's policy binds the granted and not the rest" {
	local file=/dev/shm/privmem-policy

	granted 1
	cg_make u
	truncate -s 1M $file
	policy g mapped bind 1 $file rw-shared "bind 1"
	run -0 cg_exec u privmem-touch --bind=none --type=file --path=$file --size=4K
	[[ $output == *"N0 4096"* ]]
	rm $file
	[[ $(cg_value u $stem.events N1.denied) == 0 ]]

	truncate -s 1M $file
	policy g mapped bind 1 $file rw-shared "bind 1"
	run -0 cg_exec g privmem-touch --bind=none --type=file --path=$file --size=4K
	[[ $output == *"N1 4096"* ]]
	[[ $(cg_value g $stem.current N1) == 4096 ]]
	rm $file
	[[ $(cg_value g $stem.current N1) == 0 ]]
}

# isolation: row 8
# Seen red without mpol_ordinary() in shmem_get_pgoff_policy().
@test "policy: files of a mounted tmpfs follow mbind, not the task" {
	local file=/dev/shm/privmem-policy

	granted 1
	run -0 cg_exec g numactl --membind=1 privmem-touch --bind=none --type=file --path=$file --size=64K
	[[ $output == *"N0 65536"* ]]
	rm $file
	for type in memfd shm sysv; do
		run -0 cg_exec g numactl --membind=1 privmem-touch --bind=none --type=$type --size=64K
		[[ $output == *"N1 65536"* ]]
	done
}

# isolation: row 7
# structural: private zones are for movable pages alone, and what is not movable heeds no
# policy that names only such. It stays green with every mpol_ordinary() gone.
@test "policy: page tables and slab of a bound task are ordinary memory" {
	local free

	free=$(node_free 1)
	granted 1
	cg_hold g bound --bind=set --size=64M
	# its stack and heap are there, too
	(($(cg_value g $stem.current N1) >= 64 << 20))
	[[ $(node_kb 1 AnonPages) == $(($(cg_value g $stem.current N1) / 1024)) ]]
	wait_for 10 node_has_free 1 $((free - $(cg_value g $stem.current N1) / 4096))
	[[ $(node_kb 1 PageTables) == 0 && $(node_kb 1 Slab) == 0 && $(node_kb 1 KernelStack) == 0 ]]
	[[ $(node_kb 1 FilePages) == 0 ]]
	cg_release bound
	cg_expect g $stem.current "N1 0\nN2 0"
}

@test "policy: a cpuset change leaves a private policy alone" {
	granted 1
	echo +cpuset >/sys/fs/cgroup/cgroup.subtree_control
	echo +cpuset >"$cg_top/cgroup.subtree_control"
	cg_exec g numactl --membind=1 bash -c '
		echo 0 >"$0/cpuset.mems"
		privmem-touch --bind=none --size=64K' "$cg_top/g" >"$tmp/out"
	grep -qx "N1 65536" "$tmp/out"
	policy g allowed 0,1
	policy g bind bind 1 "bind 1"
	echo -cpuset >"$cg_top/cgroup.subtree_control"
	echo -cpuset >/sys/fs/cgroup/cgroup.subtree_control
}

# isolation: row 28
@test "policy: a node that went and came back is not reached by an old policy" {
	granted 1-2
	paused g old --size=64K
	paused g other --size=64K --nodes=2
	dax_write 1 state offline
	policy g bind bind 1 EINVAL
	dax_write 1 state online
	policy g bind bind 1 "bind 1"
	resumed old 3
	grep -qx "sigbus 32768 BUS_ADRERR" "$tmp/old.out"
	grep -qx "N0 32768" "$tmp/old.out"
	resumed other 0
	grep -qx "N2 65536" "$tmp/other.out"
	cg_expect g $stem.current "N1 0\nN2 0"
}
