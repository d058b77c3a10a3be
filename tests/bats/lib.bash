# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the guest tests share. Cgroups are named relative to a top of our own,
# made by setup and removed with all that runs in it by teardown.

bats_require_minimum_version 1.5.0
# shellcheck source=tests/bats/trace.bash
. "${BASH_SOURCE[0]%/*}/trace.bash"
# shellcheck source=tests/bats/wait.bash
. "${BASH_SOURCE[0]%/*}/wait.bash"
# shellcheck source=tests/bats/dax.bash
. "${BASH_SOURCE[0]%/*}/dax.bash"

export PATH=/usr/lib/privmem-tests:$PATH
cg_top=/sys/fs/cgroup/privmem-test
tmp=$BATS_TEST_TMPDIR

# cg_start: the top, from which both nodes can be given
cg_start() {
	mkdir -p "$cg_top"
	echo +memory >/sys/fs/cgroup/cgroup.subtree_control
	echo +memory >"$cg_top/cgroup.subtree_control"
	echo 1-2 >"$cg_top/memory.private_nodes.subtree"
}

setup() {
	cg_start
}

teardown() {
	cg_remove .
}

# cg_make PATH...: cgroups, with the memory controller on in all above them
cg_make() {
	local path parent part

	for path; do
		parent=$cg_top
		for part in ${path//\// }; do
			echo +memory >"$parent/cgroup.subtree_control"
			parent+=/$part
			mkdir -p "$parent"
		done
	done
}

cg_is_empty() {
	[[ $(<"$1/cgroup.events") == *'populated 0'* ]]
}

# cg_remove PATH: with everything below and in it
cg_remove() {
	local path=$cg_top/$1

	path=${path%/.}
	[[ -d $path ]] || return 0
	echo 1 >"$path/cgroup.kill"
	wait_for 20 cg_is_empty "$path"
	find "$path" -type d -delete
}

# cg_write PATH FILE VALUE: in one write(2), VALUE with printf's escapes. The shell's own
# printf writes line by line, and what is longer in pieces.
cg_write() {
	if [[ $3 == *\\* || ${#3} -gt 1000 ]]; then
		printf '%b' "$3" | dd of="$cg_top/$1/$2" bs=64K iflag=fullblock status=none
	else
		printf '%s' "$3" >"$cg_top/$1/$2"
	fi 2>&1
}

cg_read() {
	cat "$cg_top/$1/$2"
}

# cg_expect PATH FILE WANT: the whole content, without the last newline
cg_expect() {
	local got want

	printf -v want '%b' "$3"
	got=$(<"$cg_top/$1/$2") || return
	[[ $got == "${want%$'\n'}" ]] || { printf '%s of %s\ngot:  %s\nwant: %b\n' "$2" "$1" "$got" "$3"; return 1; }
}

# cg_value PATH FILE KEY: the value of one line
cg_value() {
	local key value

	while read -r key value; do
		[[ $key != "$3" ]] || echo "$value"
	done <"$cg_top/$1/$2"
}

# cg_exec PATH COMMAND...: run it there
cg_exec() {
	local path=$1

	shift
	bash -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$cg_top/$path" "$@" 3>&-
}

# says WANT ARGS...: privmem-policy in cgroup g answers so
says() {
	local got

	got=$(cg_exec g privmem-policy "${@:2}" 2>&1)
	[[ $got == "$1" ]] || { printf 'privmem-policy %s\ngot:  %s\nwant: %s\n' "${*:2}" "$got" "$1"; return 1; }
}

# cg_hold PATH NAME ARGS...: start privmem-touch there, wait until it holds its
# memory; its output is $tmp/NAME.out
cg_hold() {
	local path=$1 name=$2

	shift 2
	# What the one before it of this name said is not to be read again.
	rm -f "$tmp/$name.stop" "$tmp/$name.out"
	cg_exec "$path" privmem-touch --hold="$tmp/$name.stop" "$@" >"$tmp/$name.out" 2>&1 &
	eval "pid_$name=$!"
	wait_for 60 hold_is_over "$tmp/$name.out" "$!"
	grep -qx ready "$tmp/$name.out" || { cat "$tmp/$name.out"; return 1; }
}

hold_is_over() {
	grep -qsx ready "$1" || ! kill -0 "$2" 2>/dev/null
}

# cg_release NAME: let it end; its exit status
cg_release() {
	local pid=pid_$1

	touch "$tmp/$1.stop"
	wait "${!pid}"
}

# node_settle NID: pages on their way to or from the node arrive, and every
# counter is exact. Compaction leaves a private node alone, but drains first. A
# refresh may give pages of per-CPU lists back after it has folded the counters.
node_settle() {
	local none

	echo 1 >"/sys/devices/system/node/node$1/compact"
	read -r none </proc/sys/vm/stat_refresh || :
	read -r none </proc/sys/vm/stat_refresh || :
}

# nodes_pcp: pages on the per-CPU lists of nodes 1 and 2
nodes_pcp() {
	awk '$1 == "Node" { nid = $2 + 0 } $1 == "count:" { sum[nid] += $2 }
		END { print sum[1] + 0, sum[2] + 0 }' /proc/zoneinfo
}

# nodes_free: free pages of nodes 1 and 2, those on per-CPU lists included. These lists
# empty by themselves, so what they hold must be the same before and after the rest is
# counted; the counters of zoneinfo hear of it later.
nodes_free() {
	local before='' after free

	node_settle 1
	node_settle 2
	after=$(nodes_pcp)
	until [[ $after == "$before" ]]; do
		before=$after
		free=$(awk -v pcp="$before" '$1 == "Node" { for (i = 5; i <= NF; i++) sum[$2 + 0] += $i * 2 ^ (i - 5) }
			END { split(pcp, n); print sum[1] + n[1], sum[2] + n[2] }' /proc/buddyinfo)
		after=$(nodes_pcp)
	done
	echo "$free"
}

# node_allocated NID: how many pages ever were, those that are free again included
node_allocated() {
	awk '$1 == "numa_hit" || $1 == "numa_miss" { sum += $2 } END { print sum }' \
		"/sys/devices/system/node/node$1/numastat"
}

# nodes_have_free "PAGES PAGES"
nodes_have_free() {
	[[ $(nodes_free) == "$1" ]]
}

# node_free NID
node_free() {
	local free

	read -r -a free < <(nodes_free)
	echo "${free[$1 - 1]}"
}

# node_has_free NID PAGES
node_has_free() {
	[[ $(node_free "$1") == "$2" ]]
}

# node_kb NID KEY: a line of the node's meminfo, such as MemFree
node_kb() {
	node_settle "$1"
	awk -v key="$2:" '$3 == key { print $4 }' "/sys/devices/system/node/node$1/meminfo"
}

# meminfo_kb KEY
meminfo_kb() {
	awk -v key="$1:" '$1 == key { print $2 }' /proc/meminfo
}

# swap_on: 64 MiB of it in a file; swap_off
swap_on() {
	local swap=/var/tmp/privmem-swap

	fallocate -l 64M $swap
	chmod 600 $swap
	mkswap -q $swap
	swapon $swap
}

swap_off() {
	local swap=/var/tmp/privmem-swap

	[[ ! -e $swap ]] || { swapoff $swap && rm $swap; }
}
