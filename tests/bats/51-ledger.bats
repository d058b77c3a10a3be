# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The ledger: every grant is backed by capacity, and a refusal says who holds it.

load units

setup_file() {
	local half rest

	half=$(($(capacity 1) / 2 / 4096 * 4096))
	rest=$(($(capacity 1) - half))
	service_put t-half.service PrivateMemoryNodes=1 "PrivateMemoryMax=1 $half"
	service_put t-rest.service PrivateMemoryNodes=1 "PrivateMemoryMax=1 $rest"
	service_put t-page.service PrivateMemoryNodes=1 'PrivateMemoryMax=1 4K'
	service_put t-more.service PrivateMemoryNodes=1 "PrivateMemoryMax=1 $((rest + 4096))"
	service_put t-all.service PrivateMemoryNodes=1
	service_put t-both.service 'PrivateMemoryNodes=1 2' "PrivateMemoryMax=1 $((rest + 4096))" 'PrivateMemoryMax=2 1M'
	# Its restart takes until somebody writes to the pipe.
	service_put t-slow.service 'ExecStartPre=/bin/sh -c "read -r _ </run/t-slow"'
	service_put t-late.service PrivateMemoryNodes=1 "PrivateMemoryMax=1 $half"
	unit_put t-late.service.d/after.conf '[Unit]' After=t-slow.service
	unit_put t-never.service '[Service]' Type=oneshot ExecStart=/bin/false
	unit_put tnever.slice '[Unit]' Requires=t-never.service After=t-never.service '[Slice]' \
		PrivateMemoryNodes=1 'PrivateMemoryMax=1 8M'
	service_put t-nowhere.service PrivateMemoryNodes=7 'PrivateMemoryMax=7 1M'
	unit_put tpool.slice '[Slice]' PrivateMemoryNodes=1 'PrivateMemoryMax=1 128M'
	unit_put tpool-inner.slice '[Slice]' PrivateMemoryNodes=1 'PrivateMemoryMax=1 64M'
	service_put t-in-a.service Slice=tpool.slice PrivateMemoryNodes=1 'PrivateMemoryMax=1 48M'
	service_put t-in-b.service Slice=tpool.slice PrivateMemoryNodes=1 'PrivateMemoryMax=1 96M'
	service_put t-in-c.service Slice=tpool-inner.slice PrivateMemoryNodes=1 'PrivateMemoryMax=1 64M'
	service_put t-in-d.service Slice=tpool-inner.slice PrivateMemoryNodes=1 'PrivateMemoryMax=1 68M'
	systemctl daemon-reload
}

teardown() {
	units_stop
}

teardown_file() {
	rm -rf "$units"/t-* "$units"/tpool* "$units"/tnever* /run/t-slow
}

is_activating() {
	[[ $(systemctl show -P ActiveState "$1") == activating ]]
}

draws_from() {
	privmemctl --json=short show "$1" | jq -r '.grants[0].draws_from'
}

@test "ledger: two halves fit, a page more does not, and nothing changed by that" {
	systemctl start t-half.service t-rest.service
	reserved_is 1 "$(capacity 1)"
	start_fails t-page.service 'node1: 4K asked for, 0B of'
	log_has t-page.service 'reserved by t-half.service'
	log_has t-page.service 'reserved by t-rest.service'
	reserved_is 1 "$(capacity 1)"
}

@test "ledger: a page more than is left does not fit, to the page" {
	systemctl start t-half.service
	start_fails t-more.service 'reserved by t-half.service'
	systemctl start t-rest.service
}

@test "ledger: what a unit held is nobody else's while it waits to be started again" {
	mkfifo /run/t-slow
	systemctl start --no-block t-slow.service t-late.service
	echo >/run/t-slow
	wait_for 20 systemctl is-active -q t-late.service
	systemctl restart --no-block t-slow.service t-late.service
	wait_for 20 is_activating t-slow.service
	[[ $(systemctl show -P ActiveState t-late.service) == inactive ]]
	start_fails t-more.service 'reserved by t-late.service'
	reserved_is 1 $(($(capacity 1) / 2 / 4096 * 4096))
	echo >/run/t-slow
	wait_for 20 systemctl is-active -q t-late.service
	systemctl stop t-late.service
	systemctl start t-more.service
}

@test "ledger: a unit refused on one node holds nothing on the other" {
	systemctl start t-half.service
	start_fails t-both.service 'node1:'
	reserved_is 2 0
}

@test "ledger: without a limit a unit gets all that is left, and a second one nothing" {
	systemctl start t-half.service
	systemctl start t-all.service
	reserved_is 1 "$(capacity 1)"
	run -0 privmemctl --json=short show t-all.service
	[[ $(jq '.grants[0].reserved_bytes' <<<"$output") == $(($(capacity 1) - $(capacity 1) / 2 / 4096 * 4096)) ]]
	start_fails t-page.service 'reserved by t-all.service'
}

@test "ledger: a node that is none is refused by its number" {
	start_fails t-nowhere.service 'node7: no such private node'
}

@test "ledger: a unit in a granted slice draws from the slice, not again from the node" {
	systemctl start t-in-a.service
	reserved_is 1 $((128 * MIB))
	[[ $(draws_from t-in-a.service) == tpool.slice ]]
	start_fails t-in-b.service 'in tpool.slice; 48M reserved by t-in-a.service'
	reserved_is 1 $((128 * MIB))
}

@test "ledger: a slice in a slice draws from it, and its units from the inner one" {
	systemctl start t-in-c.service
	[[ $(draws_from t-in-c.service) == tpool-inner.slice ]]
	[[ $(draws_from tpool-inner.slice) == tpool.slice ]]
	reserved_is 1 $((128 * MIB))
	start_fails t-in-d.service 'in tpool-inner.slice'
	start_fails t-in-b.service '64M reserved by tpool-inner.slice'
}

@test "ledger: a slice's reservation goes with the slice" {
	systemctl start t-in-a.service
	systemctl stop t-in-a.service tpool.slice
	wait_for 10 reserved_is 1 0
	systemctl start t-half.service t-rest.service
}

@test "ledger: a slice that does not come up leaves nothing reserved" {
	run ! systemctl start tnever.slice
	wait_for 20 reserved_is 1 0
}

@test "ledger: a restarted unit finds its own room again" {
	local i

	systemctl start t-half.service t-rest.service
	for i in {1..3}; do
		systemctl restart t-half.service t-rest.service
	done
	reserved_is 1 "$(capacity 1)"
}

@test "ledger: many units that start at once share what there is and no more" {
	local i active

	for i in {1..8}; do
		service_put "t-many-$i.service" PrivateMemoryNodes=1 'PrivateMemoryMax=1 80M'
	done
	systemctl daemon-reload
	systemctl start t-many-{1..8}.service || :
	active=$(systemctl show -P ActiveState t-many-{1..8}.service | grep -cx active)
	[[ $active == $(($(capacity 1) / (80 * MIB))) ]] || { echo "$active units are active"; return 1; }
	reserved_is 1 $((active * 80 * MIB))
}
