# SPDX-License-Identifier: LGPL-2.1-or-later
#
# privmemctl grant, set-limit, revoke and revert: units by a drop-in, other cgroups by their files.

load units

readonly made=/sys/fs/cgroup/t-made

setup_file() {
	service_put t-asks.service PrivateMemoryNodes=1 'PrivateMemoryMax=1 64M'
	service_put t-plain.service
	service_put t-down.service
	unit_put t-user.service '[Service]' Type=exec \
		"ExecStart=$touch --nodes=1 --size=4M --hold=/run/t-release" \
		PrivateMemoryNodes=1 'PrivateMemoryMax=1 64M'
	systemctl daemon-reload
	echo +memory >/sys/fs/cgroup/cgroup.subtree_control
}

setup() {
	mkdir -p "$made/inner"
	rm -f /run/t-release
}

teardown() {
	units_stop
	echo 1 >"$made/cgroup.kill"
	wait_for 10 grep -q 'populated 0' "$made/cgroup.events"
	find "$made" -depth -type d -exec rmdir {} +
	rm -rf "$units"/t-*.d
	systemctl daemon-reload
}

teardown_file() {
	rm -rf "$units"/t-*
	systemctl daemon-reload
}

daemon_kill() {
	kill -KILL "$(systemctl show -P MainPID privmemd.service)"
	systemctl restart privmemd.service
}

# made_granted NODES LIMITS: what the files of the cgroup say
made_granted() {
	local nodes max

	nodes=$(<"$made/memory.private_nodes") max=$(grep -v ' max$' "$made/memory.private_nodes.max" || :)
	[[ $nodes == "$1" && $max == "$2" ]] && return
	printf 'got: "%s" "%s"\n' "$nodes" "$max"
	return 1
}

# runs_in CGROUP COMMAND...: in the background, as $pid; its output is in $BATS_TEST_TMPDIR/out
runs_in() {
	bash -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$@" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	pid=$!
	wait_for 30 grep -qx ready "$BATS_TEST_TMPDIR/out"
}

@test "grant: a running unit gets a node by a drop-in, and has it again after a restart of either" {
	systemctl start t-plain.service
	run -0 privmemctl grant t-plain 2 --max=32M
	output_is ''
	granted_expect t-plain.service 2 $((32 * MIB))
	[[ -s $units/t-plain.service.d/zzz-privmemctl.conf ]]
	daemon_kill
	granted_expect t-plain.service 2 $((32 * MIB))
	reserved_is 2 $((32 * MIB))
	systemctl restart t-plain.service
	granted_expect t-plain.service 2 $((32 * MIB))
}

@test "grant and set-limit: they add to what the files say, and revert takes that back" {
	systemctl start t-asks.service
	privmemctl grant t-asks.service 2 16M
	granted_expect t-asks.service 1-2 $((16 * MIB)) || cg_expect t-asks.service memory.private_nodes.max "N2 $((16 * MIB))"
	cg_expect t-asks.service memory.private_nodes.max "N1 $((64 * MIB))"
	privmemctl set-limit t-asks.service 1 96M
	cg_expect t-asks.service memory.private_nodes.max "N1 $((96 * MIB))"
	privmemctl revert t-asks.service
	granted_expect t-asks.service 1 $((64 * MIB))
	reserved_is 2 0
	[[ ! -e $units/t-asks.service.d ]]
}

@test "grant: what does not fit is 8, says who holds it, and leaves the unit and its files alone" {
	systemctl start t-asks.service t-plain.service
	run -8 privmemctl grant t-plain 1 --max='1 500M'
	output_has 'node1: 500M asked for, 446.9M of 510.9M left; 64M reserved by t-asks.service'
	[[ ! -e $units/t-plain.service.d ]]
	[[ $(systemctl show -P DropInPaths t-plain.service) != *privmemctl* ]]
	cg_expect t-plain.service memory.private_nodes.effective ''
	run -8 privmemctl set-limit t-asks 1 4T
	granted_expect t-asks.service 1 $((64 * MIB))
	reserved_is 1 $((64 * MIB))
}

@test "revoke: an asking unit loses its node without a restart, and gets it back" {
	systemctl start t-asks.service
	privmemctl revoke t-asks 1
	cg_expect t-asks.service memory.private_nodes.effective ''
	reserved_is 1 0
	run -9 privmemctl revoke t-asks 1
	output_is 'privmemctl: t-asks: nothing is granted'
	run -9 privmemctl set-limit t-asks 1 8M
	privmemctl revert t-asks
	granted_expect t-asks.service 1 $((64 * MIB))
}

@test "grant: a unit that is down gets it when it starts" {
	run -0 privmemctl grant t-down 1 --max=8M
	output_is 'privmemctl: t-down.service: not active, so this holds from its next start'
	systemctl start t-down.service
	granted_expect t-down.service 1 $((8 * MIB))
	log_has t-down.service late && return 1
	privmemctl revoke t-down
	cg_expect t-down.service memory.private_nodes.effective ''
}

@test "grant: unknown units, nodes and cgroups are 9, nonsense is 2, a user is 4" {
	run -9 privmemctl grant t-none 1
	output_is 'privmemctl: t-none: no such unit'
	run -9 privmemctl grant t-plain 7
	output_is 'privmemctl: t-plain: node7: not a private node of this machine'
	run -9 privmemctl grant /t-none 1
	run -9 privmemctl grant /t-made 7
	run -9 privmemctl set-limit /t-made 1 8M
	run -9 privmemctl revoke /t-made
	run -2 privmemctl grant t-plain 2-1
	run -2 privmemctl grant /t-made 1 12X
	run -2 privmemctl grant /system.slice/t-plain.service 1
	run -2 privmemctl revert /t-made
	run -4 setpriv --reuid=65534 --clear-groups privmemctl grant t-plain 1
	output_is 'privmemctl: t-plain: only root may change grants'
	run ! setpriv --reuid=65534 --clear-groups busctl call org.privmem1 /org/privmem1 \
		org.privmem1.Manager RevokeControlGroup ss /t-made ''
	made_granted '' ''
}

@test "grant: a cgroup of no unit, limited, changed and revoked" {
	echo +memory >"$made/cgroup.subtree_control"
	privmemctl grant /t-made 1-2 --max=16M --max='2 8M'
	made_granted 1-2 "N1 $((16 * MIB))"$'\n'"N2 $((8 * MIB))"
	[[ $(<"$made/inner/memory.private_nodes.effective") == 1-2 ]]
	reserved_is 1 $((16 * MIB))
	privmemctl set-limit /t-made 2 24M
	privmemctl revoke /t-made 1
	made_granted 2 "N2 $((24 * MIB))"
	run -8 privmemctl set-limit /t-made 2 4T
	output_has 'node2: 4T asked for'
	made_granted 2 "N2 $((24 * MIB))"
	privmemctl --json=short show /t-made | jq -e ".grants[0].reserved_bytes == $((24 * MIB))"
	privmemctl revoke /t-made
	made_granted '' ''
	reserved_is 2 0
}

@test "grant: a cgroup's grant outlives privmemd, and ends with the cgroup" {
	local gone=/sys/fs/cgroup/t-gone

	mkdir $gone
	privmemctl grant /t-gone 1 --max=16M
	daemon_kill
	reserved_is 1 $((16 * MIB))
	run -0 privmemctl list
	output_has /t-gone
	rmdir $gone
	# who needs the room is told nothing of the one that is gone
	systemctl start t-plain.service
	privmemctl grant t-plain 1 --max=500M
	reserved_is 1 $((500 * MIB))
}

@test "grant: a scope, until it ends" {
	systemd-run --scope --unit=t-scope --slice=system.slice sleep infinity 3>&- &
	wait_for 10 systemctl is-active --quiet t-scope.scope
	privmemctl grant t-scope.scope 1 --max=16M
	granted_expect t-scope.scope 1 $((16 * MIB))
	daemon_kill
	reserved_is 1 $((16 * MIB))
	systemctl stop t-scope.scope
	wait_for 10 reserved_is 1 0
}

@test "revoke --evict: the pages move to ordinary memory, and privmemctl says how much" {
	systemctl start t-user.service
	wait_for 20 grep -q "^N1 $((4 * MIB))" "$(cg_path t-user.service)/memory.private_nodes.current"
	# Node 2 is not granted, which is no reason to leave node 1.
	run -0 privmemctl revoke --evict t-user 1,2
	output_has 'evict: /system.slice/t-user.service: 4M moved or freed'
	cg_expect t-user.service memory.private_nodes.current 'N1 0'
	reserved_is 1 0
	systemctl is-active t-user.service
}

# Both sides of memory.max: with room all of it goes, without it stays and is named.
@test "revoke --evict: what memory.max has no room for stays, is told, and moves when there is room" {
	privmemctl grant /t-made 1 --max=16M
	runs_in "$made" "$touch" --nodes=1 --size=4M --hold=/run/t-release
	echo $(($(<"$made/memory.current") + MIB)) >"$made/memory.max"
	run -8 privmemctl revoke /t-made --evict
	output_is 'privmemctl: evict: /t-made: 4M stay: memory.max of /t-made leaves no room for them'
	grep -qx "N1 $((4 * MIB))" "$made/memory.private_nodes.current"
	echo max >"$made/memory.max"
	privmemctl grant /t-made 1 --max=16M
	run -0 privmemctl revoke /t-made --evict 1,2
	[[ $(<"$made/memory.private_nodes.effective") == '' ]]
	output_has '/t-made: 4M moved or freed'
	kill -0 "$pid"
	grep -qx 'N1 0' "$made/memory.private_nodes.current"
}

@test "revoke --evict: a limit of a cgroup below is in the way, too" {
	privmemctl grant /t-made 1 --max=16M
	echo +memory >"$made/cgroup.subtree_control"
	runs_in "$made/inner" "$touch" --nodes=1 --size=4M --hold=/run/t-release
	echo $(($(<"$made/inner/memory.current") + MIB)) >"$made/inner/memory.max"
	run -8 privmemctl revoke /t-made --evict
	output_is 'privmemctl: evict: /t-made: 4M stay: memory.max of /t-made/inner leaves no room for them'
	kill -0 "$pid"
}
