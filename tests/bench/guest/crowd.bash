# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Many cgroups side by side.

readonly CROWD=/sys/fs/cgroup/privmem-crowd

# crowd_make COUNT
crowd_make() {
	mkdir $CROWD
	echo +memory >/sys/fs/cgroup/cgroup.subtree_control
	echo +memory >$CROWD/cgroup.subtree_control
	(cd $CROWD && seq "$1" | xargs mkdir)
}

# crowd_grant NODES: to all and to each. To truncate a file of a cgroup costs memory, too.
crowd_grant() {
	local dir

	echo "$1" 1<>$CROWD/memory.private_nodes
	for dir in $CROWD/*/; do
		echo "$1" 1<>"$dir/memory.private_nodes"
	done
}

# crowd_use NODE: each has a page of it, all of them for a moment at the same time
crowd_use() {
	privmem-visit "$1" $CROWD/*/
}
