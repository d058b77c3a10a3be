# SPDX-License-Identifier: LGPL-2.1-or-later
#
# privmemctl: tables for people, JSON for programs, an exit status for scripts.

load units

setup_file() {
	unit_put t-user.service '[Service]' Type=exec \
		"ExecStart=$touch --nodes=1 --size=4M --hold=/run/t-release" \
		PrivateMemoryNodes=1 'PrivateMemoryMax=1 64M'
	unit_put taccel.slice '[Slice]' PrivateMemoryNodes=2 'PrivateMemoryMax=2 128M'
	service_put t-inside.service Slice=taccel.slice PrivateMemoryNodes=2 'PrivateMemoryMax=2 32M'
	service_put t-greedy.service PrivateMemoryNodes=1 'PrivateMemoryMax=1 4T'
	service_put t-plain.service
	systemctl daemon-reload
}

setup() {
	rm -f /run/t-release
}

teardown() {
	units_stop
}

teardown_file() {
	rm -rf "$units"/t-* "$units"/taccel.slice
}

# json_expect FILTER VERB...: privmemctl's JSON passes the jq filter
json_expect() {
	local filter=$1 json

	shift
	json=$(privmemctl --json=short "$@") || return 1
	jq -e "$filter" <<<"$json" >/dev/null && return 0
	printf 'not true: %s\nof: %s\n' "$filter" "$json"
	return 1
}

uses_4m() {
	[[ $(privmemctl --json=short show t-user.service | jq '.grants[0].current_bytes') -ge $((4 * MIB)) ]]
}

@test "nodes: each with its device and what can be handed out" {
	run -0 privmemctl nodes
	[[ ${lines[0]} =~ ^NODE\ +NAME\ +STATE\ +DEVICE\ +OWNER\ +CAPACITY\ +RESERVED\ +USED\ +FREE$ ]]
	output_has dax0.0
	output_has online
	json_expect ".version == 1 and (.nodes | length) == 2" nodes
	json_expect ".nodes[0].node == 1 and .nodes[0].capacity_bytes == $(capacity 1)" nodes
	json_expect '[.nodes[] | .online] == [true, true]' nodes
}

@test "list and show: asked for, effective, limit, current and peak side by side" {
	systemctl start t-user.service
	wait_for 20 uses_4m
	run -0 privmemctl list
	[[ ${lines[0]} =~ ^UNIT\ +NODE\ +DEVICE\ +REQUESTED\ +EFFECTIVE\ +LIMIT\ +CURRENT\ +PEAK\ +REMARK$ ]]
	grep -qE '^t-user\.service +1 +dax0\.0 +64M +yes +64M +4M +4M +-$' <<<"$output"
	json_expect ".grants[0] | .requested_bytes == $((64 * MIB)) and .limit_bytes == $((64 * MIB)) and
		.reserved_bytes == $((64 * MIB)) and .effective and .node == 1" show t-user.service
	json_expect "[.nodes[] | select(.node == 1).reserved_bytes] == [$((64 * MIB))]" nodes
}

@test "show: a cgroup by its path" {
	systemctl start t-user.service
	json_expect '.grants[0].unit == "t-user.service"' show "$(systemctl show -P ControlGroup t-user.service)"
}

@test "show: a unit in a granted slice says whom it draws from" {
	systemctl start t-inside.service
	json_expect '.grants[0].draws_from == "taccel.slice"' show t-inside.service
	run -0 privmemctl show t-inside.service
	output_has 'from taccel.slice'
	json_expect "[.nodes[] | select(.node == 2).reserved_bytes] == [$((128 * MIB))]" nodes
}

@test "status: privmemd, the kernel, nodes and grants" {
	run -0 privmemctl status
	output_has 'kernel support: yes'
	json_expect '.version == 1 and .kernel_support and (.nodes | length) == 2 and .privmemd.version' status
}

# same_json VERB
same_json() {
	local short

	short=$(privmemctl --json=short "$1" | jq .)
	[[ $short && $short == "$(privmemctl --json=pretty "$1" | jq .)" ]]
}

@test "json: short is one line, pretty is many, both say the same" {
	run -0 privmemctl --json=short status
	[[ ${#lines[@]} == 1 ]]
	# usage moves on between two calls, so both must agree once, not at the first try
	wait_for 20 same_json status
	run -2 privmemctl --json=xml status
	output_is 'privmemctl: --json=xml: expected short or pretty'
}

@test "anyone may read, only root may apply" {
	systemctl start t-user.service
	run -0 setpriv --reuid=65534 --clear-groups privmemctl list
	output_has t-user.service
	run -4 setpriv --reuid=65534 --clear-groups privmemctl apply t-user.service
	[[ ${#lines[@]} == 1 ]]
	run -0 privmemctl apply t-user.service
	output_is ''
}

@test "apply: a changed directive is applied to the running unit, one that asks too much is refused" {
	systemctl start t-user.service
	unit_put t-user.service.d/more.conf '[Service]' 'PrivateMemoryMax=1 96M'
	systemctl daemon-reload
	run -0 privmemctl apply t-user.service
	granted_expect t-user.service 1 $((96 * MIB))
	unit_put t-user.service.d/more.conf '[Service]' 'PrivateMemoryMax=1 4T'
	systemctl daemon-reload
	run -8 privmemctl apply t-user.service
	output_has 'node1'
	granted_expect t-user.service 1 $((96 * MIB))
	rm -r "$units/t-user.service.d"
	systemctl daemon-reload
	privmemctl apply t-user.service
	granted_expect t-user.service 1 $((64 * MIB))
}

@test "unknown units and cgroups are 9" {
	run -9 privmemctl show t-no-such.service
	output_has 't-no-such.service'
	run -9 privmemctl apply t-no-such.service
	run -9 privmemctl show /no/such/cgroup
}

@test "bad command lines are 2, with one line that says why" {
	run -2 privmemctl
	[[ ${#lines[@]} == 1 ]]
	run -2 privmemctl bogus
	output_is 'privmemctl: unknown verb "bogus"; try privmemctl --help'
	run -2 privmemctl nodes 1
	run -2 privmemctl show
	run -2 privmemctl apply ''
	run -2 privmemctl --bogus
}

@test "verify: a good file, and what it asks for" {
	run -0 privmemctl verify "$units/t-user.service"
	[[ ${lines[1]} =~ ^t-user\.service\ +1\ +64M$ ]]
}

# Seen red when the README had its comments behind the values, where systemd knows none.
@test "verify: the README's example is a unit file" {
	sed -n '/^    \[Service\]$/,/^$/s/^    //p' /mnt/share/README.md >/run/t-readme.service
	run -8 privmemctl verify /run/t-readme.service
	output_has 'node1: 8G asked for in all'
	grep -qE '^t-readme\.service +1 +8G$' <<<"$output"
}

@test "verify: too much is 8, a node that is none is 9, a mistake is 1" {
	run -8 privmemctl verify "$units/t-greedy.service"
	output_has 'node1: 4T asked for in all, 510.9M left of the 510.9M of the node'
	printf '%s\n' '[Slice]' PrivateMemoryNodes=7 >/run/t.slice
	run -9 privmemctl verify /run/t.slice
	output_has 'node7: not a private node of this machine'
	printf '%s\n' '[Service]' '' 'PrivateMemoryMax=1 64X' >/run/t.service
	run -1 privmemctl verify /run/t.service
	output_is '/run/t.service:3: error: PrivateMemoryMax=1 64X: expected a whole number with the suffix K, M, G, T or %'
}

@test "verify: files that systemd has not seen, and late slices, are warned about" {
	service_put t-new.service PrivateMemoryNodes=1 'PrivateMemoryMax=1 1M'
	run -0 privmemctl verify "$units/t-new.service"
	output_has 'warning: not seen by systemd yet; without systemctl daemon-reload t-new.service is granted late'
	rm "$units/t-new.service"
	mkdir -p /run/t-x/system.slice.d
	printf '%s\n' '[Slice]' PrivateMemoryNodes=1 >/run/t-x/system.slice.d/a.conf
	run -0 privmemctl verify /run/t-x/system.slice.d/a.conf
	output_has 'so it is granted late'
}
