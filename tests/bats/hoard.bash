# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154 # cg_top and pid
#
# Memory that a test can have checked after it was moved about, and where it is.
# $stem is the stem of the files, as in every test of them.

mib=1048576

hoard_end() {
	[[ -z ${pid:-} ]] || kill "$pid" 2>/dev/null || :
}

# holds PATH NODES BYTES [WORD...]: privmem-swap there, all of it touched; sets $pid and $got
holds() {
	local path=$1

	shift
	coproc SWAP { cg_exec "$path" privmem-swap "$@" 2>&1; }
	pid=$SWAP_PID
	read -r -t 60 got <&"${SWAP[0]}" && [[ $got != *privmem-swap* ]]
}

# intact: all that it holds is as it was written; sets $got
intact() {
	echo read >&"${SWAP[1]}"
	read -r -t 60 got <&"${SWAP[0]}"
	[[ $got == *N* && $got != *CORRUPT* ]] || { echo "read: $got"; return 1; }
}

ended() {
	exec {SWAP[1]}>&-
	wait "$pid"
	pid=
}

# anon PATH NODE: bytes of anonymous memory of that cgroup on a node
anon() {
	awk -v key="N$2" 'BEGIN { FS = "[ =]" } $1 == "anon" { for (i = 2; i < NF; i += 2) if ($i == key) print $(i + 1) }' \
		"$cg_top/$1/memory.numa_stat"
}

# stat PATH KEY: of memory.stat
stat() {
	awk -v key="$2" '$1 == key { print $2 }' "$cg_top/$1/memory.stat"
}

vmstat() {
	awk -v key="$1" '$1 == key { print $2 }' /proc/vmstat
}

# event PATH KEY
event() {
	cg_value "$1" $stem.events "$2"
}
