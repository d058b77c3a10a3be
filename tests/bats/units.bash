# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034,SC2154
#
# Units for tests. They live in /run, so the guest forgets them; their names begin
# with "t-", and units_stop() leaves nothing of them running.

bats_require_minimum_version 1.5.0
# shellcheck source=tests/bats/trace.bash
. "${BASH_SOURCE[0]%/*}/trace.bash"
# shellcheck source=tests/bats/wait.bash
. "${BASH_SOURCE[0]%/*}/wait.bash"

readonly touch=/usr/lib/privmem-tests/privmem-touch
readonly units=/run/systemd/system

# unit_put NAME [LINE]...: writes a unit file or, where NAME has a slash, a drop-in
unit_put() {
	local file=$units/$1

	shift
	mkdir -p "${file%/*}"
	printf '%s\n' "$@" >"$file"
}

# service_put NAME [LINE]...: a service that only stays, with LINEs in [Service]; without
# a process systemd would take its cgroup away
service_put() {
	local name=$1

	shift
	unit_put "$name" '[Service]' 'Type=exec' 'TimeoutStopSec=20' 'ExecStart=/bin/sleep infinity' "$@"
}

# units_stop: stops every unit of ours and forgets its failures
units_stop() {
	systemctl stop 't-*.service' 't*.slice' 2>/dev/null || :
	systemctl reset-failed 2>/dev/null || :
}

# privmemd_mask: away, and nothing can start it. Unlike a stop it costs a daemon-reload.
privmemd_mask() {
	systemctl mask --runtime --now privmemd.socket privmemd-private.socket privmemd.service
}

# privmemd_unmask: back, if it was masked
privmemd_unmask() {
	[[ -L $units/privmemd.socket ]] || return 0
	systemctl unmask --runtime privmemd.socket privmemd-private.socket privmemd.service
	systemctl start privmemd.socket privmemd-private.socket
}

# cg_path UNIT: where the unit's cgroup is; to ask systemctl takes, emulated, a quarter of
# a second
cg_path() {
	local path

	for path in /sys/fs/cgroup/{,*/,*/*/,*/*/*/}"$1"; do
		[[ ! -d $path ]] || { echo "$path"; return; }
	done
	return 1
}

# line_expect FILE LINE: the file holds that line
line_expect() {
	local got

	got=$(<"$1") || return 1
	[[ $'\n'$got$'\n' == *$'\n'"$2"$'\n'* ]] && return 0
	printf '%s: got "%s", want the line "%s"\n' "$1" "$got" "$2"
	return 1
}

# cg_expect UNIT FILE LINE
cg_expect() {
	local path

	path=$(cg_path "$1") || { echo "$1 has no cgroup"; return 1; }
	line_expect "$path/$2" "$3"
}

# granted_expect UNIT NID LIMIT: may use the node, up to LIMIT bytes
granted_expect() {
	local path

	path=$(cg_path "$1") || { echo "$1 has no cgroup"; return 1; }
	line_expect "$path/memory.private_nodes.effective" "$2" &&
		line_expect "$path/memory.private_nodes.max" "N$2 $3"
}

# unit_log UNIT: what was logged by it and about it since it last began to start
unit_log() {
	journalctl -q -o cat -b -u "$1"
}

# start_fails UNIT TEXT: the unit does not start, and its log holds TEXT
start_fails() {
	local state

	if systemctl start "$1"; then
		echo "$1 started"
		return 1
	fi
	state=$(systemctl show -P ActiveState "$1")
	[[ $state == failed ]] || { echo "$1 is $state, not failed"; return 1; }
	wait_for 10 log_has "$1" "$2" && return 0
	printf 'no "%s" in the log of %s:\n%s\n' "$2" "$1" "$(unit_log "$1")"
	return 1
}

log_has() {
	unit_log "$1" | grep -qF -- "$2"
}

# granted UNIT [BYTES]: is up, so that its program had its memory, and was not late; of node 1, a
# mebibyte if nothing else is said
granted() {
	[[ $(systemctl show -P ActiveState "$1") == active ]] || { unit_log "$1"; return 1; }
	granted_expect "$1" 1 "${2-$MIB}" || return 1
	! log_has "$1" 'granted late' || { unit_log "$1"; return 1; }
}

# output_has TEXT: $output of bats' run does
output_has() {
	[[ $output == *"$1"* ]] && return 0
	printf 'got:\n%s\nwant in it:\n%s\n' "$output" "$1"
	return 1
}

# output_is TEXT
output_is() {
	[[ $output == "$1" ]] && return 0
	printf 'got:\n%s\nwant:\n%s\n' "$output" "$1"
	return 1
}

# capacity NID: bytes the node has to hand out
capacity() {
	sed -n "s/^N$1 //p" /sys/fs/cgroup/memory.private_nodes.capacity
}

# reserved NID: bytes of it that the ledger has given away
reserved() {
	privmemctl --json=short nodes | jq ".nodes[] | select(.node == $1) | .reserved_bytes"
}

# reserved_is NID BYTES
reserved_is() {
	[[ $(reserved "$1") == "$2" ]] || { echo "node $1: got $(reserved "$1"), want $2"; return 1; }
}

readonly MIB=$((1 << 20))
