# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the files share that boot without the memory controller of cgroup v2: there
# are no grants and no limits, and only CAP_SYS_NICE may name a private node.

setup() {
	wait_for 10 node_has_free 1 131072
	wait_for 10 node_has_free 2 131072
}

teardown() {
	stop_holders
	swap_off
	nodes_restore
	wait_for 10 node_has_free 1 131072
	wait_for 10 node_has_free 2 131072
}

# stop_holders: what a test that failed left running holds the node, and bats' output
stop_holders() {
	pkill -KILL -x privmem-touch || :
	wait
}

# without COMMAND...: as root that lacks the one capability
without() {
	setpriv --bounding-set -sys_nice --inh-caps -sys_nice "$@"
}

# says WANT COMMAND...
says() {
	local got

	got=$("${@:2}" 2>&1)
	[[ $got == "$1" ]] || { printf '%s\ngot:  %s\nwant: %s\n' "${*:2}" "$got" "$1"; return 1; }
}

capability_decides() {
	local call

	for call in set bind; do
		says "bind 1" privmem-policy $call bind 1
		says "interleave 1,2" privmem-policy $call interleave 1,2
		says EPERM without privmem-policy $call bind 1
		says EPERM setpriv --reuid=1000 --clear-groups privmem-policy $call bind 1
		says "interleave 0" without privmem-policy $call interleave 0,1,2
	done
	says "0,1,2" privmem-policy allowed
	says "0" without privmem-policy allowed
	says "N1 N2 N0" privmem-policy move default - 1 2 0
	says "EACCES EACCES N0" without privmem-policy move default - 1 2 0
	says "EPERM N0 4" without privmem-policy migrate default - 0 1
}

memory_comes_and_goes() {
	local type

	for type in anon shm memfd sysv; do
		run -0 privmem-touch --type=$type --size=1M
		[[ $output == *"N1 1048576"* ]]
	done
	run -0 privmem-touch --huge --size=4M --fork=2
	[[ $output == *"N1 4194304"* && $output != *N0* ]]
	says "N2 4" privmem-policy remap bind 1 bind 2
	says "N0 4" privmem-policy remap bind 1 bind 0
}

node_can_go() {
	local pid

	privmem-touch --size=1M --hold="$tmp/stop" >"$tmp/out" 3>&- &
	pid=$!
	wait_for 30 grep -qx ready "$tmp/out"
	dax_write 1 state offline
	dax_write 1 state online
	touch "$tmp/stop"
	wait "$pid"
}

node_fills_up() {
	run -3 privmem-touch --catch --huge --size=520M
	[[ $output == *"sigbus 536870912 BUS_ADRERR"* && $output != *N0* && $output != *N2* ]]
}

nothing_leaks() {
	without privmem-touch --bind=none --size=64M >"$tmp/out"
	grep -qx "N0 67108864" "$tmp/out"
	without privmem-touch --mode=interleave --nodes=0,1,2 --size=16M >"$tmp/out"
	grep -qx "N0 16777216" "$tmp/out"
	dd if=/dev/vda of=/dev/null bs=1M count=64 status=none
	echo 8 >/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages
	[[ $(</sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages) == 0 ]]
	node_has_free 1 131072
	node_has_free 2 131072
}
