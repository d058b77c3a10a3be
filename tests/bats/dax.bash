# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The devices that nodes are made of, and which nodes there are.

# nodes_expect STATE WANT: such as has_private_memory 1-2
nodes_expect() {
	local got

	got=$(<"/sys/devices/system/node/$1")
	[[ $got == "$2" ]] || { echo "$1: got '$got', want '$2'"; return 1; }
}

# dax_of NID: the sysfs directory of the dax device whose memory the node has
dax_of() {
	local file

	for file in /sys/bus/dax/devices/*/target_node; do
		[[ $(<"$file") != "$1" ]] || echo "${file%/*}"
	done
}

# dax_write NID FILE VALUE: in one write(2), by a process that no signal of a child
# interrupts
dax_write() {
	(printf '%s\n' "$3" 2>&1 >"$(dax_of "$1")/$2")
}

# dax_expect NID FILE WANT
dax_expect() {
	local got

	got=$(<"$(dax_of "$1")/$2") || return
	[[ $got == "$3" ]] || { echo "$2 of node $1: got '$got', want '$3'"; return 1; }
}

# kmem_bind NID, kmem_unbind NID
kmem_bind() {
	kmem_write "$1" bind
}

kmem_unbind() {
	kmem_write "$1" unbind
}

kmem_write() {
	local dax

	dax=$(dax_of "$1")
	(echo "${dax##*/}" 2>&1 >"/sys/bus/dax/drivers/kmem/$2")
}

# node_ops NID OPS: take the node away and bring it back with these opt-ins
node_ops() {
	kmem_unbind "$1"
	dax_write "$1" private_ops "$2"
	kmem_bind "$1"
}

# nodes_restore: both nodes private and online again, whatever a test did
nodes_restore() {
	local nid dax

	for nid in 1 2; do
		dax=$(dax_of $nid)
		[[ ! -e $dax/driver || "$(<"$dax/private") $(<"$dax/private_ops")" == "1 migration mempolicy reclaim" ]] ||
			kmem_unbind $nid
		if [[ ! -e $dax/driver ]]; then
			dax_write $nid private 1
			dax_write $nid private_ops "mempolicy migration reclaim"
			kmem_bind $nid
		fi
		[[ $(<"$dax/state") == online ]] || dax_write $nid state online
	done
}
