# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the scripts beside it share. Each prints lines of a name and a number, a tab between.

# shellcheck source=tests/bats/alone.bash
. "${BASH_SOURCE[0]%/*}/../../bats/alone.bash"

readonly PAGES=2000

# The guest has one CPU, and what still starts would be measured, too.
systemctl is-system-running --wait >/dev/null || :

# has_private: is it our kernel?
has_private() {
	[[ -e /sys/fs/cgroup/memory.private_nodes.effective ]]
}

# top_make: a cgroup below the root, granted node 1 if there is one
top_make() {
	mkdir "$cg_top"
	echo +memory >/sys/fs/cgroup/cgroup.subtree_control
	! has_private || cg_write . memory.private_nodes 1
}

# rows PATH NAME SAMPLES: nanoseconds a page from mmap to munmap, of no policy, bound to an
# ordinary node, and to a private one if there is any
rows() {
	local node

	for node in - 0 1; do
		[[ $node != 1 ]] || has_private || continue
		cg_exec "$1" privmem-bench $node $PAGES "$3" | sed "s/^/$2 node $node\t/"
	done
}
