# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The ledger where nodes go, come back, grow and shrink, and where memory stays behind.

load units
load dax

setup_file() {
	service_put t-most.service PrivateMemoryNodes=2 'PrivateMemoryMax=2 384M'
	service_put t-more.service PrivateMemoryNodes=2 'PrivateMemoryMax=2 96M'
	service_put t-full.service PrivateMemoryNodes=1 "PrivateMemoryMax=1 $(capacity 1)"
	service_put t-less.service PrivateMemoryNodes=1 "PrivateMemoryMax=1 $(($(capacity 1) - MIB))"
	unit_put t-leaves.service '[Service]' Type=oneshot PrivateMemoryNodes=1 'PrivateMemoryMax=1 4M' \
		"ExecStart=$touch --nodes=1 --type=file --path=/run/t-left --size=1M"
	systemctl daemon-reload
}

teardown() {
	units_stop
	rm -f /run/t-left
	[[ $(<"$(dax_of 2)/size") == $((512 * MIB)) ]] || node_resize $((512 * MIB))
	nodes_restore
}

teardown_file() {
	rm -rf "$units"/t-*
}

# node_resize BYTES: node 2's device, for the time being nobody's
node_resize() {
	dax_write 2 state offline
	kmem_unbind 2
	dax_write 2 size 0
	dax_write 2 size "$1"
	kmem_bind 2
}

daemon_log_has() {
	journalctl -q -o cat -b -u privmemd.service | grep -qF -- "$1"
}

# shown KEY UNIT: of its first row
shown() {
	privmemctl --json=short show "$2" | jq -r ".grants[0].$1"
}

@test "capacity: an offline node keeps its reservations and is shown absent; nothing more is had of it" {
	systemctl start t-most.service
	dax_write 2 state offline
	run -0 privmemctl --json=short nodes
	[[ $(jq -c '.nodes[] | select(.node == 2) | [.online, .reserved_bytes]' <<<"$output") == "[false,$((384 * MIB))]" ]]
	[[ $(shown reason t-most.service) == 'the node is offline' ]]
	[[ $(systemctl show -P ActiveState t-most.service) == active ]]
	start_fails t-more.service 'node2: private node is offline'
	dax_write 2 state online
	granted_expect t-most.service 2 $((384 * MIB))
	systemctl start t-more.service
}

# Seen red with a ledger that keeps the first capacity it was told.
@test "capacity: a node that shrinks below what is reserved is reported, and no unit is touched" {
	local pid

	systemctl start t-most.service
	pid=$(systemctl show -P MainPID t-most.service)
	node_resize $((256 * MIB))
	wait_for 20 daemon_log_has 'node2: more is reserved than there is: 0B of 2'
	[[ $(systemctl show -P MainPID t-most.service) == "$pid" ]]
	granted_expect t-most.service 2 $((384 * MIB))
	reserved_is 2 $((384 * MIB))
	start_fails t-more.service 'reserved by t-most.service'
	systemctl restart t-most.service
	granted_expect t-most.service 2 $((384 * MIB))
	node_resize $((512 * MIB))
	wait_for 20 daemon_log_has 'node2: has room again for all that is reserved'
	systemctl start t-more.service
}

# Seen red with strays that are not counted: the unit started, short of 1 MiB.
@test "capacity: what a unit that is gone left behind is promised to nobody" {
	systemctl start t-leaves.service
	[[ $(stat -c %s /run/t-left) == $MIB ]]
	start_fails t-full.service '1M still in use by units that were granted it before'
	systemctl start t-less.service
	systemctl stop t-less.service
	rm /run/t-left
	systemctl start t-full.service
}
