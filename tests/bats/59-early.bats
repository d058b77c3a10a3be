#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# boot: --append "systemd.unit=privmem-early.target"
# Units that are granted before sysinit.target, and so before D-Bus, udev and the journal.
# Seen red with After=sysinit.target in privmemd.service: the units fail.

load units

# is_before UNIT UNIT: the one was up when the other was not yet
is_before() {
	local first second

	first=$(systemctl show -P ActiveEnterTimestampMonotonic "$1")
	second=$(systemctl show -P ActiveEnterTimestampMonotonic "$2")
	echo "$1: $first, $2: $second"
	((first > 0 && first <= second))
}

@test "early: a service and a slice are granted before anything else is up, and the boot ends" {
	[[ $(systemctl is-system-running --wait) == running ]] || { systemctl --failed; return 1; }
	is_before privmem-early.service sysinit.target
	is_before privmem-early-inside.service sysinit.target
	is_before privmemd.service sysinit.target
	is_before privmemd.service dbus.service
	reserved_is 1 $((8 * MIB))
	reserved_is 2 $((4 * MIB))
	granted_expect privmemearly.slice 2 $((4 * MIB))
}

@test "early: privmemd joins the bus that came after it, and hears what ends" {
	wait_for 20 busctl status org.privmem1
	reserved_is 1 $((8 * MIB))
	systemctl stop privmem-early.service
	wait_for 10 reserved_is 1 0
}
