# SPDX-License-Identifier: LGPL-2.1-or-later
#
# boot: --kernel stock
#
# A kernel without private nodes: who asks for one does not start and is told
# why, and nobody else notices.

load units

setup_file() {
	service_put t-asks.service PrivateMemoryNodes=1 'PrivateMemoryMax=1 64M'
	service_put t-plain.service
	service_put t-off.service PrivateMemoryNodes=1 PrivateMemoryNodes=
	unit_put tasks.slice '[Slice]' PrivateMemoryNodes=1
	service_put t-inside.service Slice=tasks.slice
	systemctl daemon-reload
}

teardown() {
	units_stop
}

@test "stock kernel: the guest boots with privmemd installed" {
	systemctl is-active privmemd.socket
	run systemctl --failed --plain --no-legend
	output_is ''
}

@test "stock kernel: a granted unit fails to start, and status says why" {
	start_fails t-asks.service 'kernel'
	run systemctl status t-asks.service
	output_has 'kernel'
}

@test "stock kernel: a granted slice fails, and so does what is in it" {
	run ! systemctl start t-inside.service
	[[ $(systemctl show -P ActiveState t-inside.service) != active ]]
	log_has privmem-slice@tasks.slice.service 'kernel'
}

@test "stock kernel: a unit that asks for nothing starts" {
	systemctl start t-plain.service
	systemctl start t-off.service
}

@test "stock kernel: privmemctl says so, with a status of its own" {
	run -3 privmemctl status
	output_has 'kernel support: no'
	output_has 'this kernel has no private memory nodes'
	run -3 privmemctl nodes
	run -3 privmemctl apply t-asks.service
}

@test "stock kernel: the hook says so, with a status of its own" {
	run -3 /usr/libexec/privmem-hook t-asks.service
	output_has 'kernel'
}

@test "stock kernel: verify still reads files" {
	run -0 privmemctl verify "$units/t-asks.service"
	output_has '64M'
	printf '%s\n' '[Service]' PrivateMemoryNodes=2-1 >/run/bad.service
	run -1 privmemctl verify /run/bad.service
	output_has '/run/bad.service:2: error: PrivateMemoryNodes=2-1: range runs backwards'
}
