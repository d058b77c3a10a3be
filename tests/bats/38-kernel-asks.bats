#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Design 3.2: kernel code that names a private node gets ordinary memory or nothing.
#
# privmem_test (kernel/cgroup-privmem/privmem_test.c) asks in the name of a driver. The tests
# of slab, vmalloc, pages and __GFP_PRIVATE were seen red with the zones of a private node in
# its FALLBACK and NOFALLBACK lists, as those of others are, and its memory online in
# ZONE_NORMAL; small objects of slab stay ordinary even then, slub keeps no node that its
# notifier was not told of.

load lib

asks=/sys/kernel/debug/privmem_test

setup_file() {
	dax_write 1 state offline
	dax_write 1 state online
}

teardown() {
	echo 0 >$asks/held
	echo 0 >/proc/sys/vm/nr_overcommit_hugepages
	cg_remove .
	nodes_restore
}

# asks_expect NID WANT NAME...: what each way to ask for node NID came to; WANT is a pattern
# for its lines, joined by blanks
asks_expect() {
	local want=$2 name got status=0

	echo "$1" >$asks/nid
	for name in "${@:3}"; do
		got=$(paste -sd' ' "$asks/$name")
		[[ $got =~ ^$want$ ]] || { echo "$name: $got"; status=1; }
	done
	return $status
}

# lacks PAGES: of node 1 as many are in use, of node 2 none, to one page, once what is on
# its way has arrived
lacks() {
	wait_for 10 nodes_have_free "$((131072 - $1)) 131072" || { echo "free: $(nodes_free)"; return 1; }
}

# isolation: row 2
# Seen red with its memory in ZONE_NORMAL and its zones in others' lists: it could not go.
@test "kernel: a node that just came back has every page free: nothing of mm's own was made there" {
	lacks 0
	[[ $(node_kb 1 Slab) == 0 && $(node_kb 1 SUnreclaim) == 0 ]]
}

# isolation: row 2
@test "kernel: slab that names a private node is of ordinary memory, from new and from partial slabs" {
	lacks 0
	asks_expect 1 "N0 [0-9]+" kmalloc_plain kmalloc_thisnode kmalloc_private \
		cache_plain cache_thisnode cache_bulk
	lacks 0
}

# isolation: row 2
@test "kernel: vmalloc, percpu, exact and a device's memory near a private node are ordinary" {
	lacks 0
	asks_expect 1 "N0 [0-9]+" vmalloc_plain vmalloc_private exact_nid percpu dma_coherent
	lacks 0
}

# isolation: row 2
@test "kernel: pages that name a private node are ordinary, and none with __GFP_THISNODE" {
	lacks 0
	asks_expect 1 "N0 [0-9]+" pages_plain pages_order3 bulk_plain folio_plain
	asks_expect 1 "error -12" pages_thisnode pages_thisnode_order9 pages_thisnode_atomic \
		bulk_thisnode folio_thisnode
	asks_expect 0 "N0 [0-9]+" pages_thisnode pages_thisnode_order9 pages_thisnode_atomic \
		bulk_thisnode folio_thisnode
	lacks 0
}

# isolation: row 2
@test "kernel: __GFP_PRIVATE alone means nothing, and GFP_PRIVATE only to folios" {
	lacks 0
	asks_expect 1 "N0 [0-9]+" pages_bare_private bulk_bare_private folio_bare_private \
		get_free_pages_bare_private get_free_pages_private
	asks_expect 1 "error -12" pages_private bulk_private
	asks_expect 0 "N0 [0-9]+" pages_private bulk_private get_free_pages_private
	asks_expect 0 "error -12" folio_private
	lacks 0
}

# isolation: row 2
# isolation: row 7
# seen red with the scope in shmem_read_folio_gfp() taken out: a driver's file was on node 1
@test "kernel: a task bound to a private node makes the kernel allocate ordinary memory" {
	lacks 0
	cg_make g
	cg_write g memory.private_nodes 1
	echo 0 >$asks/nid
	cd $asks
	cg_exec g numactl --membind=1 grep -H '' folio_of_task get_free_pages_private \
		get_free_pages_bare_private cache_bulk vmalloc_plain percpu kmalloc_private \
		shmem_of_driver >"$tmp/asked"
	cat "$tmp/asked"
	(($(grep -cE ':N0 [0-9]+$' "$tmp/asked") == 8 && $(wc -l <"$tmp/asked") == 8))
	lacks 0
}

# isolation: row 4
@test "kernel: a folio for one private node is never of the other, not even if the first is full" {
	local pages=131072

	lacks 0
	asks_expect 1 "N1 4" folio_private
	asks_expect 2 "N2 4" folio_private
	asks_expect 1 "error -12" folio_private_unmovable
	lacks 0

	echo 1 >$asks/nid
	echo $((pages + 1)) >$asks/held
	[[ $(<$asks/held) == "$pages" ]]
	asks_expect 1 "error -12" folio_private
	asks_expect 2 "N2 4" folio_private
	lacks $pages
	echo 0 >$asks/held
	lacks 0
}

# isolation: row 32
# seen red: held_free() made to leave one folio out
@test "kernel: an owner's pages are nobody's charge and come back once each, one by one and in batches" {
	local count

	cg_make g
	cg_write g memory.private_nodes 1
	lacks 0
	echo 1 >$asks/nid
	for count in 1 31 1000; do
		cg_exec g bash -c "echo $count >$asks/held"
		[[ $(<$asks/held) == "$count" ]]
		lacks $count
		cg_expect g memory.private_nodes.current "N1 0\nN2 0"
		echo 0 >$asks/held
		lacks 0
	done
}

# isolation: row 6
@test "kernel: contiguous memory of a private node is refused, by node and by pfn" {
	lacks 0
	asks_expect 1 "N0 16" contig_pages
	asks_expect 1 "error -12" contig_pages_thisnode
	asks_expect 1 "error -22" contig_range contig_range_cma
	asks_expect 0 "N0 16" contig_pages_thisnode
	lacks 0
}

# isolation: row 5
# structural: mm does not apply a bind policy of which no cpuset allows a node. It stays
# green with every mpol_ordinary() of mempolicy.c and hugetlb.c gone.
@test "kernel: huge pages of hugetlb's overcommit are ordinary, for a task bound to a private node too" {
	lacks 0
	cg_make g
	cg_write g memory.private_nodes 1
	echo 4 >/proc/sys/vm/nr_overcommit_hugepages
	run -0 cg_exec g privmem-policy hugetlb 1
	[[ $output == "N0 1" ]]
	run -0 cg_exec g numactl --membind=1 privmem-policy hugetlb 0
	[[ $output == "N0 1" ]]
	[[ $(</sys/devices/system/node/node1/hugepages/hugepages-2048kB/surplus_hugepages) == 0 ]]
	lacks 0
}

# isolation: row 7
@test "kernel: what the kernel allocates for a bound task is ordinary: the node lost what is charged" {
	local charged pid word

	cg_make g
	cg_write g memory.private_nodes 1
	lacks 0
	coproc TASK { cg_exec g privmem-policy kernelmem 1; }
	pid=$TASK_PID
	read -r -t 30 word <&"${TASK[0]}"
	[[ $word == ready ]]
	charged=$(($(cg_value g memory.private_nodes.current N1) / 4096))
	((charged >= 16 && charged < 400))
	lacks $charged
	[[ $(node_kb 1 AnonPages) == $((charged * 4)) ]]
	[[ $(node_kb 1 PageTables) == 0 && $(node_kb 1 Slab) == 0 && $(node_kb 1 FilePages) == 0 ]]
	exec {TASK[1]}>&-
	wait "$pid"
	lacks 0
}

# isolation: row 19
@test "kernel: a bound fault lands on a node whose kswapd never ran, up to its last page" {
	cg_make g
	cg_write g memory.private_nodes 1
	node_ops 1 "mempolicy migration"
	[[ -z $(pgrep -x kswapd1) ]]
	lacks 0
	cg_hold g first --size=1M
	grep -qx "N1 1048576" "$tmp/first.out"
	lacks 256
	cg_release first
	lacks 0

	# all but 16 pages are the owner's; those 16 can be had, and no other
	echo 1 >$asks/nid
	echo $((131072 - 16)) >$asks/held
	run -3 cg_exec g privmem-touch --catch --size=128K
	[[ $output == *"sigbus 65536 BUS_ADRERR"* && $output == *"N1 65536"* && $output != *N0* ]]
	[[ -z $(pgrep -x kswapd1) ]]
	echo 0 >$asks/held
}
