# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Directives: what PID 1 merges is what a unit gets.

load units

setup_file() {
	service_put t-plain.service PrivateMemoryNodes=1 'PrivateMemoryMax=1 64M'
	service_put t-twin.service X-PrivateMemoryNodes=1 'X-PrivateMemoryMax=1 32M'
	service_put t-add.service PrivateMemoryNodes=1 'X-PrivateMemoryNodes=2' \
		'PrivateMemoryMax=1 \' '# a comment' '64M' 'PrivateMemoryMax=2 32M'
	service_put t-reset.service 'PrivateMemoryNodes=1 2' 'PrivateMemoryMax=1 8M' \
		PrivateMemoryNodes= PrivateMemoryMax= PrivateMemoryNodes=2 'PrivateMemoryMax=2 16M'
	service_put t-inst@.service PrivateMemoryNodes=%i 'PrivateMemoryMax=%i 16M'
	service_put t-real.service PrivateMemoryNodes=1 'PrivateMemoryMax=1 24M'
	ln -sf t-real.service "$units/t-alias.service"
	put_order
	service_put t-prefix-a.service
	unit_put t-prefix-.service.d/a.conf '[Service]' PrivateMemoryNodes=1 'PrivateMemoryMax=1 16M'
	service_put t-share.service PrivateMemoryNodes=1 'PrivateMemoryMax=1 12.5%'
	service_put t-all.service PrivateMemoryNodes=2
	service_put t-infinity.service PrivateMemoryNodes=2 'PrivateMemoryMax=2 infinity'
	service_put t-off.service PrivateMemoryNodes=1 'PrivateMemoryMax=1 16M'
	unit_put t-off.service.d/off.conf '[Service]' PrivateMemoryNodes=
	unit_put t-wrong.service '[Unit]' PrivateMemoryNodes=1 '[Service]' Type=exec \
		'ExecStart=/bin/sleep infinity' '[Slice]' PrivateMemoryNodes=1
	unit_put taccel.slice '[Slice]' PrivateMemoryNodes=1 'PrivateMemoryMax=1 96M'
	service_put t-inside.service Slice=taccel.slice
	put_malformed
	systemctl daemon-reload
}

# The same drop-in in three places, and one that a mask takes away.
put_order() {
	service_put t-order.service PrivateMemoryNodes=1 'PrivateMemoryMax=1 16M'
	unit_put t-order.service.d/50.conf '[Service]' 'PrivateMemoryMax=1 24M'
	unit_put t-order.service.d/60.conf '[Service]' 'PrivateMemoryMax=1 32M'
	mkdir -p /etc/systemd/system/t-order.service.d /usr/lib/systemd/system/t-order.service.d
	printf '%s\n' '[Service]' 'PrivateMemoryMax=1 40M' >/etc/systemd/system/t-order.service.d/50.conf
	printf '%s\n' '[Service]' 'PrivateMemoryMax=1 48M' >/usr/lib/systemd/system/t-order.service.d/50.conf
	ln -sf /dev/null /etc/systemd/system/t-order.service.d/60.conf
}

# Each of them names its own mistake in the fifth line and after.
put_malformed() {
	service_put t-bad-nodes.service 'PrivateMemoryNodes=1 !2'
	service_put t-bad-range.service PrivateMemoryNodes=2-1
	service_put t-bad-size.service PrivateMemoryNodes=1 'PrivateMemoryMax=1 -64M'
	service_put t-bad-huge.service PrivateMemoryNodes=1 'PrivateMemoryMax=1 99999999T'
	service_put t-bad-max.service PrivateMemoryNodes=1 'PrivateMemoryMax=64M'
	service_put t-bad-bytes.service
	unit_put t-bad-bytes.service.d/10.conf '[Service]' $'PrivateMemoryNodes=1 \xff\x1b[31m'
	service_put t-bad-other.service PrivateMemoryNodes=1 'PrivateMemoryMax=2 64M'
	service_put t-bad-dropin.service PrivateMemoryNodes=1
	unit_put t-bad-dropin.service.d/10.conf '[Service]' '' PrivateMemoryNodes=all
}

teardown() {
	units_stop
}

@test "directive: a service gets its node and its limit" {
	systemctl start t-plain.service
	granted_expect t-plain.service 1 $((64 * MIB))
}

@test "directive: the X- twins mean the same, and systemd says nothing about them" {
	systemctl start t-twin.service
	granted_expect t-twin.service 1 $((32 * MIB))
	run -0 journalctl -q -b -o cat _PID=1
	output_has "Unknown key 'PrivateMemoryNodes' in section [Service]"
	[[ $output != *X-PrivateMemory* ]]
}

@test "directive: assignments add up, over continuation lines and comments" {
	systemctl start t-add.service
	cg_expect t-add.service memory.private_nodes 1-2
	cg_expect t-add.service memory.private_nodes.max "N1 $((64 * MIB))"
	cg_expect t-add.service memory.private_nodes.max "N2 $((32 * MIB))"
}

@test "directive: an empty assignment resets" {
	systemctl start t-reset.service
	cg_expect t-reset.service memory.private_nodes 2
	cg_expect t-reset.service memory.private_nodes.max "N2 $((16 * MIB))"
}

@test "directive: each instance of a template gets its own node" {
	systemctl start t-inst@1.service t-inst@2.service
	granted_expect t-inst@1.service 1 $((16 * MIB))
	granted_expect t-inst@2.service 2 $((16 * MIB))
	cg_expect t-inst@2.service memory.private_nodes 2
}

@test "directive: a unit started by its alias gets what its file says" {
	systemctl start t-alias.service
	granted_expect t-real.service 1 $((24 * MIB))
}

@test "directive: /etc wins over /run over /usr/lib, and a masked drop-in does not count" {
	systemctl start t-order.service
	granted_expect t-order.service 1 $((40 * MIB))
}

@test "directive: a drop-in for a prefix counts for the units it covers" {
	systemctl start t-prefix-a.service
	granted_expect t-prefix-a.service 1 $((16 * MIB))
}

@test "directive: a percentage is of the node's capacity" {
	systemctl start t-share.service
	granted_expect t-share.service 1 $(($(capacity 1) / 8 / 4096 * 4096))
}

@test "directive: without an amount, or with infinity, a unit gets all that is left" {
	local unit

	for unit in t-all.service t-infinity.service; do
		systemctl start "$unit"
		granted_expect "$unit" 2 "$(capacity 2)"
		systemctl stop "$unit"
	done
}

@test "directive: a drop-in that empties the list takes the grant away" {
	systemctl start t-off.service
	cg_expect t-off.service memory.private_nodes.effective ''
}

@test "directive: keys in another section are not read" {
	systemctl start t-wrong.service
	cg_expect t-wrong.service memory.private_nodes.effective ''
}

@test "directive: a slice gets its node, and a service in it inherits" {
	systemctl start t-inside.service
	granted_expect taccel.slice 1 $((96 * MIB))
	cg_expect t-inside.service memory.private_nodes.effective 1
}

@test "directive: one that cannot be read fails that start, with place and reason" {
	start_fails t-bad-nodes.service 't-bad-nodes.service:5: PrivateMemoryNodes=1 !2: expected a node number'
	start_fails t-bad-range.service 't-bad-range.service:5: PrivateMemoryNodes=2-1: range runs backwards'
	start_fails t-bad-size.service 't-bad-size.service:6: PrivateMemoryMax=1 -64M: size is negative'
	start_fails t-bad-huge.service 't-bad-huge.service:6: PrivateMemoryMax=1 99999999T: size is too large'
	start_fails t-bad-max.service 't-bad-max.service:6: PrivateMemoryMax=64M: expected a node and a size'
	start_fails t-bad-other.service 't-bad-other.service:6: PrivateMemoryMax= for node 2'
	start_fails t-bad-dropin.service '10.conf:3: PrivateMemoryNodes=all: no node has this name in privmemd.conf'
}

# Seen red when the reason held the bytes as they are: privmemctl list answered "Invalid argument".
@test "directive: bytes that are no text are not repeated to people and programs" {
	start_fails t-bad-bytes.service '10.conf:2: PrivateMemoryNodes=1 ??[31m: expected a node number'
	run -0 privmemctl --json=short list
	output_has '10.conf:2: PrivateMemoryNodes=1 ??[31m: expected'
}

# promised: what there is of the nodes and who has it; what is free changes by itself
promised() {
	privmemctl --json=short status | jq -c '.nodes | map(del(.free_bytes, .used_bytes))'
}

@test "directive: one that cannot be read changes nothing for others" {
	local before

	systemctl start t-plain.service
	before=$(promised)
	start_fails t-bad-other.service 'for node 2'
	granted_expect t-plain.service 1 $((64 * MIB))
	[[ $(promised) == "$before" ]]
}

teardown_file() {
	rm -rf /etc/systemd/system/t-order.service.d /usr/lib/systemd/system/t-order.service.d \
		"$units"/t-* "$units"/taccel.slice
}
