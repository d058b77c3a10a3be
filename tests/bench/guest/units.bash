# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Units to measure, and what they cost whom.

# shellcheck source=tests/bats/units.bash
. "${BASH_SOURCE[0]%/*}/../../bats/units.bash"

readonly PRIVMEMD_CGROUP=/sys/fs/cgroup/system.slice/privmemd.service

# idle: until everybody has done what they were at. Where instructions are counted, time in
# which nothing happens passes at once.
idle() {
	sleep "${1:-2}"
}

# took COMMAND...: sets $usec
took() {
	local start=${EPOCHREALTIME/./}

	"$@"
	usec=$((${EPOCHREALTIME/./} - start))
}

# cpu_usec: what privmemd has used of the CPU
cpu_usec() {
	sed -n 's/^usage_usec //p' $PRIVMEMD_CGROUP/cpu.stat
}

# privmemd_settles: until it has nothing more to do
privmemd_settles() {
	local before=''

	until [[ $(cpu_usec) == "$before" ]]; do
		before=$(cpu_usec)
		idle
	done
}

# memory_row NAME FIELD SERVICE: KiB that the service's process has (VmRSS) or had (VmHWM) resident
memory_row() {
	local pid

	pid=$(systemctl show -P MainPID "$3.service")
	sed -n "s/^$2:[^0-9]*\([0-9]*\) kB/$1\t\1/p" "/proc/$pid/status"
}
