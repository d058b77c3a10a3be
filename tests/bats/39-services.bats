#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Design 3.5 and 3.2: services of mm that look for memory by themselves, made to look at
# private pages for certain; and moves, pins and poison that people ask for.

load lib

stem=memory.private_nodes
thp=/sys/kernel/mm/transparent_hugepage
damon=/sys/kernel/mm/damon/admin/kdamonds
sched=/sys/kernel/debug/sched/numa_balancing
poison=/sys/kernel/debug/hwpoison

setup() {
	cg_start
	cg_make g u
	echo 1 >"$cg_top/g/$stem"
	free="131072 131072"
}

teardown() {
	echo 511 >$thp/khugepaged/max_ptes_none
	echo 10000 >$thp/khugepaged/scan_sleep_millisecs
	echo 4096 >$thp/khugepaged/pages_to_scan
	[[ ! -e $damon/0/state ]] || echo off >$damon/0/state 2>/dev/null || :
	echo 0 >$damon/nr_kdamonds
	echo 0 >/sys/kernel/mm/numa/demotion_enabled
	echo 2 >/sys/kernel/mm/ksm/run
	echo 0 >/sys/kernel/mm/ksm/run
	swap_off
	cg_remove .
	nodes_restore
}

# given_back: every page of both nodes that was free when the test began is free again
given_back() {
	wait_for 10 nodes_have_free "$free" || { echo "free: $(nodes_free), want $free"; return 1; }
}

# in_use BYTES: that much of node 1 is in use, charged to g, and no page more
in_use() {
	local want=$((${free% *} - $1 / 4096))

	[[ $(cg_value g $stem.current N1) == "$1" ]] || { echo "charged: $(cg_read g $stem.current)"; return 1; }
	wait_for 10 nodes_have_free "$want ${free#* }" || { echo "free: $(nodes_free), want $want"; return 1; }
}

# answers WANT COMMAND...: from the root cgroup, with every capability
answers() {
	local got

	got=$("${@:2}" 2>&1) || :
	[[ $got == "$1" ]] || { printf '%s\ngot:  %s\nwant: %s\n' "${*:2}" "$got" "$1"; return 1; }
}

# held NAME: the process that cg_hold or poisoned started under that name
held() {
	local pid=pid_$1

	pgrep -P "${!pid}" -x 'privmem-(touch|policy)' || echo "${!pid}"
}

# area PID BYTES: where its mapping of that size begins, as a page number
area() {
	local range mode rest

	while read -r range mode rest; do
		[[ $mode == rw-p && $((16#${range#*-} - 16#${range%-*})) == "$2" ]] || continue
		echo $((16#${range%-*} / 4096))
		return
	done <"/proc/$1/maps"
}

# frames PID BYTES: which page frames that mapping has, in short
frames() {
	local page

	page=$(area "$1" "$2")
	[[ $page ]] || { echo "$1 has no mapping of $2 bytes" >&2; return 1; }
	dd if="/proc/$1/pagemap" bs=8 skip="$page" count=$(($2 / 4096)) status=none | md5sum
}

# frame PID BYTES: of the first page of that mapping
frame() {
	local page

	page=$(area "$1" "$2") || return
	# od would not seek in this file, but read it from its beginning
	echo $(($(dd if="/proc/$1/pagemap" bs=8 skip="$page" count=1 status=none | od -An -tu8) & ((1 << 55) - 1)))
}

# status_kb PID KEY: of /proc/PID/status or smaps_rollup
status_kb() {
	cat "/proc/$1/status" "/proc/$1/smaps_rollup" | awk -v key="$2:" '$1 == key { print $2 }'
}

status_reaches() {
	(($(status_kb "$1" "$2") >= $3))
}

vmstat_of() {
	awk -v key="$1" '$1 == key { print $2 }' /proc/vmstat
}

# at_least FILE NUMBER
at_least() {
	(($(<"$1") >= $2))
}

# isolation: row 12
# seen red with the tests of khugepaged.c and huge_memory.c taken out: it looks for a huge page
# on the private node, finds none and sleeps, and the twin is not collapsed
@test "services: khugepaged collapses an ordinary region and neither moves nor collapses private ones" {
	local bound unbound twin scans before_bound before_unbound

	cg_hold g bound --size=4M --collapsible
	cg_hold g unbound --size=4M --collapsible --unbind
	cg_hold g twin --bind=none --size=4M --collapsible
	bound=$(held bound) unbound=$(held unbound) twin=$(held twin)
	before_bound=$(frames "$bound" 4194304)
	before_unbound=$(frames "$unbound" 4194304)
	in_use 8388608
	echo 20 >$thp/khugepaged/scan_sleep_millisecs
	echo 65536 >$thp/khugepaged/pages_to_scan
	wait_for 30 status_reaches "$twin" AnonHugePages 4096
	scans=$(<$thp/khugepaged/full_scans)
	wait_for 30 at_least $thp/khugepaged/full_scans $((scans + 3))
	[[ $(status_kb "$bound" AnonHugePages) == 0 && $(status_kb "$unbound" AnonHugePages) == 0 ]]
	[[ $(frames "$bound" 4194304) == "$before_bound" ]]
	[[ $(frames "$unbound" 4194304) == "$before_unbound" ]]
	in_use 8388608
	cg_release bound
	cg_release unbound
	cg_release twin
	given_back
}

# isolation: row 12
# seen red with the tests of ksm.c taken out: the frames are others
@test "services: KSM merges ordinary twins while private twins keep each its own page" {
	local pid before

	cg_hold g private --size=1M --mergeable
	pid=$(held private)
	before=$(frames "$pid" 1048576)
	cg_hold g control --bind=none --size=1M --mergeable
	echo 4000 >/sys/kernel/mm/ksm/pages_to_scan
	echo 10 >/sys/kernel/mm/ksm/sleep_millisecs
	echo 1 >/sys/kernel/mm/ksm/run
	wait_for 30 at_least /sys/kernel/mm/ksm/pages_sharing 200
	wait_for 30 at_least /sys/kernel/mm/ksm/full_scans $(($(</sys/kernel/mm/ksm/full_scans) + 2))
	[[ $(frames "$pid" 1048576) == "$before" ]]
	in_use 1048576
	cg_release private
	cg_release control
	given_back
}

numa_updates() {
	cg_value g memory.stat numa_pte_updates
}

updates_reach() {
	(($(numa_updates) >= $1))
}

# How often a task's memory has been scanned to its end.
scans_of() {
	awk '$1 == "mm->numa_scan_seq" { print $3 }' "/proc/$1/sched"
}

scans_reach() {
	(($(scans_of "$1") >= $2))
}

# isolation: row 13
# seen red with folio_node_allows() always true: the pages went to node 0
@test "services: NUMA balancing scans a task's ordinary pages and passes over its private ones" {
	local pid task out word updates scans

	echo 1 >/proc/sys/kernel/numa_balancing
	echo 10 >$sched/scan_delay_ms
	echo 10 >$sched/scan_period_min_ms
	echo 20 >$sched/scan_period_max_ms
	coproc TASK { cg_exec g privmem-policy balance 1 8388608; }
	# Bash forgets a coprocess, and where it writes to, when it ends.
	pid=$TASK_PID
	exec {out}<&"${TASK[0]}"
	read -r -t 30 word <&"$out"
	[[ $word == ready ]]
	wait_for 30 updates_reach 256
	task=$(pgrep -P "$pid")
	wait_for 30 scans_reach "$task" 1
	updates=$(numa_updates)
	scans=$(scans_of "$task")
	in_use 8388608
	exec {TASK[1]}>&-
	read -r -t 30 word <&"$out"
	exec {out}<&-
	wait "$pid"
	[[ $word == "N1 2048" ]]
	# The private pages alone are 2048, the ordinary ones some 300; one more scan has begun.
	((updates < 1024 * (scans + 1))) || { echo "$updates page table entries changed in $scans scans"; return 1; }
	given_back
}

# damon_on OPERATIONS ACTION NODE: one context, one scheme that fits everything; then
# damon_target or damon_range, then damon_go
damon_on() {
	local limit

	echo 1 >$damon/nr_kdamonds
	echo 1 >$damon/0/contexts/nr_contexts
	context=$damon/0/contexts/0
	scheme=$context/schemes/0
	echo "$1" >$context/operations
	echo 5000 >$context/monitoring_attrs/intervals/sample_us
	echo 20000 >$context/monitoring_attrs/intervals/aggr_us
	echo 1 >$context/schemes/nr_schemes
	echo "$2" >$scheme/action
	echo "$3" >$scheme/target_nid
	for limit in sz nr_accesses age; do
		echo 4294967295 >$scheme/access_pattern/$limit/max
	done
	echo 18446744073709551615 >$scheme/access_pattern/sz/max
}

# damon_pids PID...: the tasks to look at
damon_pids() {
	local pid i=0

	echo $# >$context/targets/nr_targets
	for pid; do
		echo "$pid" >$context/targets/$i/pid_target
		i=$((i + 1))
	done
}

# damon_frames PID BYTES: look at the 4 MiB of memory that hold the first page of that mapping
damon_frames() {
	local first

	first=$(frame "$1" "$2") || return
	first=$((first / 1024 * 1024))
	span=4194304
	echo 1 >$context/targets/nr_targets
	echo 1 >$context/targets/0/regions/nr_regions
	echo $((first * 4096)) >$context/targets/0/regions/0/start
	echo $((first * 4096 + span)) >$context/targets/0/regions/0/end
}

# damon_stat NAME
damon_stat() {
	echo update_schemes_stats >$damon/0/state
	echo "$(<"$scheme/stats/$1")"
}

damon_tried() {
	(($(damon_stat sz_tried) >= $1))
}

# isolation: row 13
# seen red with folio_node_allows() always true
@test "services: DAMON pages an ordinary task out and leaves another's private pages" {
	node_ops 1 "mempolicy migration"
	swap_on
	cg_hold g private --size=4M
	cg_hold g twin --bind=none --size=4M
	damon_on vaddr pageout 0
	damon_pids "$(held private)" "$(held twin)"
	echo on >$damon/0/state
	wait_for 30 status_reaches "$(held twin)" VmSwap 4096
	wait_for 30 damon_tried $((16 << 20))
	grep -q 'N1=1024' "/proc/$(held private)/numa_maps"
	in_use 4194304
	echo off >$damon/0/state
	cg_release private
	cg_release twin
	given_back
}

# isolation: row 13
# seen red with folio_node_allows() always true: sz_applied
@test "services: DAMON pages nothing out of a private node and migrates nothing out of or into it" {
	local action pid before

	node_ops 1 "mempolicy migration"
	swap_on
	cg_hold g private --size=4M
	pid=$(held private)
	before=$(frames "$pid" 4194304)
	for action in pageout migrate_cold; do
		damon_on paddr $action 0
		damon_frames "$pid" 4194304
		echo on >$damon/0/state
		wait_for 30 damon_tried $span
		[[ $(damon_stat sz_applied) == 0 ]]
		echo off >$damon/0/state
		echo 0 >$damon/nr_kdamonds
		[[ $(frames "$pid" 4194304) == "$before" ]]
	done
	in_use 4194304

	cg_hold g twin --bind=none --size=4M
	damon_on paddr migrate_cold 1
	damon_frames "$(held twin)" 4194304
	echo on >$damon/0/state
	wait_for 30 damon_tried $span
	[[ $(damon_stat sz_applied) == 0 ]]
	echo off >$damon/0/state
	in_use 4194304
	cg_release private
	cg_release twin
	given_back
}

# isolation: row 14
# structural: targets come of memory tiers, which hold ordinary nodes alone (35-optins)
@test "services: with demotion on, reclaim swaps ordinary memory and never demotes to a private node" {
	local before pid

	swap_on
	echo 1 >/sys/kernel/mm/numa/demotion_enabled
	before=$(grep '^pgdemote' /proc/vmstat)
	cg_hold g twin --bind=none --size=4M
	pid=$(held twin)
	echo 4M >"$cg_top/g/memory.reclaim" || :
	status_reaches "$pid" VmSwap 2048
	[[ $(grep '^pgdemote' /proc/vmstat) == "$before" ]]
	in_use 0
	# and from outside of any cgroup
	echo 16M >/sys/fs/cgroup/memory.reclaim || :
	[[ $(grep '^pgdemote' /proc/vmstat) == "$before" ]]
	in_use 0
	cg_release twin
}

# isolation: row 17
# seen red with the tests and the charge of migrate_private.c taken out
@test "services: another task's pages move by the grant of their own cgroup, whoever asks" {
	answers "N1 N1 EACCES N0" privmem-policy movechild "$cg_top/g" default - 1 1 2 0
	answers "EACCES EACCES N0" privmem-policy movechild "$cg_top/u" default - 1 1 0
	# out of the node; what stays has moved nowhere
	answers "N0 N1" privmem-policy movechild "$cg_top/g" bind 1 0 1
	# from the granted cgroup, for a task in another
	says "EACCES EACCES" movechild "$cg_top/u" default - 1 1
	cg_write g $stem.max "N1 4K"
	answers "N1 EACCES N0" privmem-policy movechild "$cg_top/g" default - 1 1 0
	given_back
}

# isolation: row 17
# seen red with the tests and the charge of migrate_private.c taken out
@test "services: migratepages of another task obeys that task's grant and limit, in and out" {
	cg_hold u stranger --bind=none --size=64K
	run ! cg_exec g migratepages "$(held stranger)" 0 1
	[[ $output == *"Operation not permitted"* ]] || { echo "$output"; return 1; }
	in_use 0
	cg_release stranger

	cg_write g $stem.max "N1 32K"
	cg_hold g ours --bind=none --size=1M
	run cg_exec g migratepages "$(held ours)" 0 1
	in_use 32768
	cg_exec g migratepages "$(held ours)" 1 0
	in_use 0
	cg_release ours
	given_back
}

# isolation: row 18
# seen red with folio_node_allows() always true
@test "services: process_madvise and MADV_FREE followed by PAGEOUT leave private pages and what they hold" {
	local advice

	node_ops 1 "mempolicy migration"
	swap_on
	says "0 absent 64" advise 0 262144 process-pageout
	says "0 absent 64
CORRUPT" advise 0 262144 free+pageout
	for advice in cold pageout free process-cold process-pageout free+pageout cold+process-pageout; do
		says "0 N1 64" advise 1 262144 $advice
	done
	given_back
}

# isolation: row 27
# seen red with every pin of a private page refused
@test "services: O_DIRECT into private memory works in place and the node can go afterwards" {
	dd if=/dev/urandom of=/var/tmp/privmem-direct bs=64K count=1 status=none
	says "0 N1 16" odirect 1 /var/tmp/privmem-direct
	rm /var/tmp/privmem-direct
	given_back
	dax_write 1 state offline
	nodes_expect has_private_memory 2
	dax_write 1 state online
}

# unpoison NAME: the page that the task of that name told, once it is over
unpoison() {
	local pfn

	pfn=$(awk '$1 == "pfn" { print $2 }' "$tmp/$1.out")
	echo "$pfn" >$poison/unpoison-pfn
}

# poisoned NAME ADVICE: start privmem-policy in g, wait until it holds what is left
poisoned() {
	mkfifo "$tmp/$1.in"
	cg_exec g privmem-policy poison 1 "$2" <"$tmp/$1.in" >"$tmp/$1.out" 2>&1 &
	eval "pid_$1=$!"
	exec {stdin}>"$tmp/$1.in"
	wait_for 20 hold_is_over "$tmp/$1.out" "$!"
	grep -qx ready "$tmp/$1.out" || { cat "$tmp/$1.out"; return 1; }
}

# isolation: row 1
# seen red with the test of migrate.c taken out (N1 1: a lowered limit raised SIGBUS where
# there had been memory), the last line with that of thp_underused() taken out
@test "services: a private huge page keeps its empty pages when it is split, and is not split for them" {
	local split

	says "N1 511" splithuge 1 1
	says "N1 512" splithuge 1 0
	echo 0 >$thp/khugepaged/max_ptes_none
	split=$(vmstat_of thp_split_page)
	says "N1 512" splithuge 1 0
	[[ $(vmstat_of thp_split_page) == "$split" ]]
	given_back
}

# isolation: row 37
# seen red with the tests of migrate_device.c taken out: both moved, node 1 stayed charged and
# memory.current fell below zero, with a warning
@test "services: a device driver moves ordinary pages and leaves private ones" {
	says "EBUSY N1 512
EBUSY N1 1" device 1
	says "0 N0 1 absent 511
0 N0 1" device 0
	cg_expect g $stem.current "N1 0\nN2 0"
	given_back
}

# isolation: row 31
# seen red with the uncharge in memory-failure.c taken out
@test "services: hard poison hits the process of that page alone, uncharges it once and takes one page" {
	cg_hold g bystander --size=64K
	poisoned victim hard
	diff - "$tmp/victim.out" < <(
		grep ^pfn "$tmp/victim.out"
		printf '%s\n' "N1 3 absent 1" "page 0: intact" "page 1: intact" \
			"page 2: SIGBUS BUS_MCEERR_AR" "page 3: intact" ready)
	# three of four are charged, and the fourth is neither free nor charged
	[[ $(cg_value g $stem.current N1) == $((65536 + 3 * 4096)) ]]
	wait_for 10 node_has_free 1 $((${free% *} - 16 - 4))
	exec {stdin}>&-
	wait "$pid_victim"
	[[ $(cg_value g $stem.current N1) == 65536 ]]
	wait_for 10 node_has_free 1 $((${free% *} - 16 - 1))
	kill -0 "$(held bystander)"
	cg_release bystander
	cg_expect g $stem.current "N1 0\nN2 0"
	wait_for 10 node_has_free 1 $((${free% *} - 1))
	unpoison victim
	given_back
}

# isolation: row 31
@test "services: a page taken offline softly moves to ordinary memory with its data and charge" {
	poisoned victim soft
	diff - "$tmp/victim.out" < <(
		grep ^pfn "$tmp/victim.out"
		printf '%s\n' "N0 1 N1 3" "page 0: intact" "page 1: intact" "page 2: intact" "page 3: intact" ready)
	[[ $(cg_value g $stem.current N1) == $((3 * 4096)) ]]
	wait_for 10 node_has_free 1 $((${free% *} - 4))
	exec {stdin}>&-
	wait "$pid_victim"
	cg_expect g $stem.current "N1 0\nN2 0"
	wait_for 10 node_has_free 1 $((${free% *} - 1))
	unpoison victim
	given_back
}

# isolation: row 31
# seen red with memory_failure() that leaves free pages alone
@test "services: poison of a free private page takes that page, and unpoison gives it back" {
	local pfn

	cg_exec g privmem-policy poison 1 cold </dev/null >"$tmp/free.out"
	given_back
	pfn=$(awk '$1 == "pfn" { print $2 }' "$tmp/free.out")
	echo "$pfn" >$poison/corrupt-pfn
	wait_for 10 node_has_free 1 $((${free% *} - 1))
	cg_expect g $stem.current "N1 0\nN2 0"
	run -0 cg_exec g privmem-touch --size=1M
	echo "$pfn" >$poison/unpoison-pfn
	given_back
}

# isolation: row 37
@test "services: file pages are not moved to the node by mbind, move_pages or migrate_pages" {
	local file=/var/tmp/privmem-file

	says "N0 4" remapfile $file 1
	says "EACCES
N0 1" movefile $file 1
	says "N0 4" migratefile $file 0 1
	[[ $(node_kb 1 FilePages) == 0 ]]
	rm $file
	given_back
}

# isolation: row 38
@test "services: of a batch the page of a cgroup without the grant is refused, the others move" {
	says "N1 EACCES N1 N1" movebatch "$cg_top/u" 1
	cg_write u $stem 1
	says "N1 N1 N1 N1" movebatch "$cg_top/u" 1
	cg_write g $stem.max "N1 8K"
	says "N1 N1 N1 EACCES" movebatch "$cg_top/u" 1
	given_back
}
