#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: debian12
# Programs that know nothing of private nodes and are used on them: libcgroup's tools,
# numactl --hardware and --show, numastat, systemd-cgtop. What numactl's policies do is
# in 34-policy and 46-masks.
#
# Seen red, in their order: with a child's request not cut to what its parent has; limits
# not looked at; refused writes answered as done (two tests); watermarks in private zones;
# no grant needed to name a node; no limit, and charges never given back (two tests);
# refused writes answered as done; Mems_allowed, and numa_maps, without private nodes; the
# last on a guest with memmap=none.

load lib

stem=memory.private_nodes
# libcgroup's name of our top
group=${cg_top#/sys/fs/cgroup/}

# refused STATUS TEXT COMMAND...: fails so, and says TEXT
refused() {
	run "-$1" "${@:3}"
	[[ $output == *"$2"* ]] || { echo "$output"; return 1; }
}

# prints TEXT COMMAND...: succeeds, with TEXT in what it says
prints() {
	refused 0 "$@"
}

@test "clients: cgset grants a list, none, and what the parent has" {
	cg_make a/b
	cg_write a $stem 1
	cgset -r $stem=1,2 -r $stem.subtree=2 "$group/a/b"
	cg_expect a/b $stem 1-2
	cg_expect a/b $stem.effective 1
	cg_expect a/b $stem.subtree 2
	cgset -r $stem=none "$group/a/b"
	cg_expect a/b $stem none
	cg_expect a/b $stem.effective ""
	cgset -r $stem=' ' "$group/a/b"
	cg_expect a/b $stem ""
	cg_expect a/b $stem.effective 1
}

@test "clients: cgset limits one node or several, and copies a cgroup's grant and limits" {
	cg_make a b
	cg_write a $stem 2
	cgset -r "$stem.max=N1 1M" "$group/a"
	cg_expect a $stem.max "N1 1048576\nN2 max"
	cgset -r $stem.max=$'N1 max\nN2 64K' "$group/a"
	cg_expect a $stem.max "N1 max\nN2 65536"
	cgset --copy-from "$group/a" "$group/b"
	cg_expect b $stem 2
	cg_expect b $stem.max "N1 max\nN2 65536"
	prints "N2 65536" cgexec -g "memory:$group/b" privmem-touch --nodes=2 --size=64K
	refused 3 "sigbus 65536" cgexec -g "memory:$group/b" privmem-touch --catch --nodes=2 --size=68K
}

@test "clients: what the kernel refuses to cgset is an error, and changes nothing" {
	local value

	cg_make a
	cg_write a $stem 1
	cg_write a $stem.max "N1 1M"
	for value in =x =63 =2-1 '.max=N1 x' '.max=N63 1M' .current=0; do
		refused 96 "Invalid argument" cgset -r "$stem$value" "$group/a"
	done
	refused 95 "does not exist" cgset -r $stem.capacity=0 "$group/a"
	refused 95 "does not exist" cgset -r $stem=1 "$group/none"
	refused 95 "does not exist" setpriv --reuid 65534 --clear-groups cgset -r $stem=2 "$group/a"
	cg_expect a $stem 1
	cg_expect a $stem.max "N1 1048576\nN2 max"
}

# As docs/cgroup-privmem.md says.
@test "clients: cgset's own ways with no value, with several lines and with a file named twice" {
	cg_make a
	cg_write a $stem 1
	refused 255 "wrong parameter" cgset -r $stem= "$group/a"
	cgset -r $stem=$'\n' "$group/a"
	cg_expect a $stem 1
	refused 96 "Invalid argument" cgset -r $stem.max=$'N1 64K\nN2 x' "$group/a"
	cg_expect a $stem.max "N1 65536\nN2 max"
	prints "can't be set" cgset -r "$stem.max=N1 1M" -r "$stem.max=N2 1M" "$group/a"
	cg_expect a $stem.max "N1 65536\nN2 max"
}

@test "clients: cgget prints every file as it is" {
	local file value

	cg_make a
	cg_write a $stem 1
	cg_write a $stem.max "N1 64K\nN2 1M"
	cg_hold a one --size=32K
	run -0 cgget -g memory "$group/a"
	cg_release one
	[[ $output == *"$stem.current: N1 32768"$'\n\t'"N2 0"* ]]
	for file in $stem{,.subtree,.effective,.max,.peak,.events,.events.local}; do
		value=$(cg_read a $file)
		[[ $output == *$'\n'"$file: ${value//$'\n'/$'\n\t'}"$'\n'* ]] || { echo "$file: $output"; false; }
	done
	run -0 cgget -n -v -r $stem.effective -r $stem.capacity /
	[[ $output == $'1-2\nN1 535797760\n\tN2 535797760' ]]
}

@test "clients: cgexec starts a task that may use the node, or may not" {
	cg_make g u
	cg_write g $stem 1
	prints "N1 65536" cgexec -g "memory:$group/g" privmem-touch --size=64K
	prints "N1 65536" cgexec -g "memory:$group/g" numactl --membind=1 privmem-touch --bind=none --size=64K
	(($(cg_value g $stem.peak N1) >= 65536))
	refused 1 "Operation not permitted" cgexec -g "memory:$group/u" privmem-touch --size=64K
	cg_expect u $stem.peak "N1 0\nN2 0"
}

@test "clients: a task that cgclassify moves leaves its charge, and takes more by the new grant" {
	local pid

	cg_make a b
	cg_write a $stem 1
	cg_write b $stem 1
	cg_write b $stem.max "N1 32K"
	cg_exec a privmem-touch --catch --size=128K --pause="$tmp/go" --hold="$tmp/stop" >"$tmp/out" &
	pid=$!
	wait_for 20 grep -qx half "$tmp/out"
	cgclassify -g "memory:$group/b" "$(cg_read a cgroup.procs)"
	cg_expect a $stem.current "N1 65536\nN2 0"
	cg_expect b $stem.current "N1 0\nN2 0"
	touch "$tmp/go"
	wait_for 20 grep -qx ready "$tmp/out"
	grep -qx "sigbus 98304 BUS_ADRERR" "$tmp/out"
	cg_expect a $stem.current "N1 65536\nN2 0"
	cg_expect b $stem.current "N1 32768\nN2 0"
	touch "$tmp/stop"
	wait "$pid" || :
	cg_expect a $stem.current "N1 0\nN2 0"
}

@test "clients: what cgcreate makes inherits, and what cgdelete leaves is its parent's" {
	local file=/dev/shm/privmem-clients

	cg_make a
	cg_write a $stem 1
	cgcreate -g "memory:$group/a/new"
	cg_expect a/new $stem.effective 1
	cg_exec a/new privmem-touch --type=file --path=$file --size=64K
	cg_expect a/new $stem.current "N1 65536\nN2 0"
	cgdelete "memory:$group/a/new"
	[[ ! -e $cg_top/a/new ]]
	cg_expect a $stem.current "N1 65536\nN2 0"
	rm $file
	cg_expect a $stem.current "N1 0\nN2 0"
}

# conf VALUE: a cgconfig.conf with that grant
conf() {
	printf 'group %s/conf {\n\tmemory {\n\t\t%s = "%s";\n\t\t%s.max = "N1 64K\nN2 32K";\n\t}\n}\n' \
		"$group" $stem "$1" $stem >"$tmp/conf"
}

@test "clients: cgconfigparser grants and limits, and fails where the kernel refuses" {
	conf 1-2
	cgconfigparser -l "$tmp/conf"
	cg_expect conf $stem 1-2
	cg_expect conf $stem.max "N1 65536\nN2 32768"
	conf 63
	refused 96 "Invalid argument" cgconfigparser -l "$tmp/conf"
	[[ ! -e $cg_top/conf ]]
}

@test "clients: numactl shows private nodes to all, and allows them to the granted" {
	local path

	cg_make g u
	cg_write g $stem 1-2
	for path in g u; do
		run -0 cg_exec $path numactl --hardware
		[[ $output == *"available: 3 nodes (0-2)"*$'\nnode 1 cpus:\nnode 1 size: 512 MB\n'* ]]
	done
	prints "membind: 0 1 2 " cg_exec g numactl --show
	prints "membind: 0 "$'\n' cg_exec u numactl --show
}

# column NODE LINE: of numastat's table in $output
column() {
	awk -v node="$1" -v line="$2" '$1 == line { print $(node + 2) }' <<<"$output"
}

@test "clients: numastat counts private pages as others: of a process, of memory, of allocations" {
	local before

	cg_make g
	cg_write g $stem 1
	run -0 numastat -n
	before=$(column 1 Numa_Hit)
	cg_hold g one --size=8M
	node_settle 1
	run -0 numastat -p "$(cg_read g cgroup.procs)"
	[[ $(column 1 Private) == 8.00 && $(column 2 Private) == 0.00 ]] || { echo "$output"; false; }
	run -0 numastat -m
	[[ $(column 1 MemTotal) == 512.00 && $(column 1 AnonPages) == 8.00 && $(column 2 AnonPages) == 0.00 ]] ||
		{ echo "$output"; false; }
	run -0 numastat -n
	awk -v before="$before" -v after="$(column 1 Numa_Hit)" 'BEGIN { exit after - before < 7.99 }'
	cg_release one
}

@test "clients: systemd-cgtop runs and shows a granted unit" {
	printf '%s\n' '[Service]' Type=exec 'ExecStart=/bin/sleep infinity' PrivateMemoryNodes=1 \
		'PrivateMemoryMax=1 64M' >/run/systemd/system/t-top.service
	systemctl daemon-reload
	systemctl start t-top.service
	run -0 systemd-cgtop -b -n 2 -d 100ms
	systemctl stop t-top.service
	[[ $output == *$'\n'"system.slice/t-top.service "*$'\n'"system.slice/t-top.service "* ]] || { echo "$output"; false; }
}
