#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# Design 4: which files exist, what they print, and what they refuse.

load lib

stem=memory.private_nodes

# refuses FILE VALUE...: each is -EINVAL and leaves the file as it was
refuses() {
	privmem-refused "$cg_top/a/$1" "${@:2}"
}

@test "files: below the root all but capacity exist, on the root effective, capacity and reclaim alone" {
	cg_make a
	run -0 bash -c "cd $cg_top/a && ls -d $stem*"
	[[ ${lines[*]} == "$stem $stem.current $stem.effective $stem.events $stem.events.local $stem.max $stem.peak $stem.reclaim $stem.subtree" ]]
	run -0 bash -c "cd /sys/fs/cgroup && ls -d $stem*"
	[[ ${lines[*]} == "$stem.capacity $stem.effective $stem.reclaim" ]]
}

@test "files: defaults" {
	cg_make a
	cg_expect a $stem ""
	cg_expect a $stem.subtree ""
	cg_expect a $stem.effective ""
	cg_expect a $stem.max "N1 max\nN2 max"
	cg_expect a $stem.current "N1 0\nN2 0"
	cg_expect a $stem.peak "N1 0\nN2 0"
	cg_expect a $stem.events "N1.max 0\nN1.fail 0\nN1.denied 0\nN2.max 0\nN2.fail 0\nN2.denied 0"
	cg_expect a $stem.events.local "N1.max 0\nN1.fail 0\nN1.denied 0\nN2.max 0\nN2.fail 0\nN2.denied 0"
}

@test "files: the root lists the online private nodes and what they hold" {
	run -0 cat /sys/fs/cgroup/$stem.effective
	[[ $output == "1-2" ]]
	run -0 cat /sys/fs/cgroup/$stem.capacity
	[[ $output == $'N1 535797760\nN2 535797760' ]]
}

@test "files: a node list is read back, none and newline each in its own way" {
	cg_make a
	cg_write a $stem "1"
	cg_expect a $stem "1"
	cg_write a $stem "1,2\n"
	cg_expect a $stem "1-2"
	cg_write a $stem " 2 1 "
	cg_expect a $stem "1-2"
	cg_write a $stem "none"
	cg_expect a $stem "none"
	cg_write a $stem "\n"
	cg_expect a $stem ""
	cg_write a $stem "1-2"
	cg_write a $stem " \t\n"
	cg_expect a $stem ""
	cg_write a $stem.subtree "0-2"
	cg_expect a $stem.subtree "0-2"
	cg_write a $stem.subtree "none\n"
	cg_expect a $stem.subtree ""
	cg_write a $stem.subtree "1"
	cg_write a $stem.subtree "\n"
	cg_expect a $stem.subtree ""
}

@test "files: a zero-length write changes nothing" {
	cg_make a
	cg_write a $stem "1"
	: >"$cg_top/a/$stem"
	cg_write a $stem ""
	cg_expect a $stem "1"
}

@test "files: a bad node list is refused and the mask stays" {
	cg_make a
	cg_write a $stem "1"
	cg_write a $stem.subtree "2"
	local bad=("x" "1,x" "1-" "-1" "2-1" "1--2" "," "!1" "all" "N" "N1" "0x1" "1:2" "0-2:1/2"
		"63" "64" "1,63" "1024" "4294967297" "99999999999999999999" "+1" "none,1" "none 1"
		"None" "1;2" "1\n,x" "1\0,2" "\0")
	refuses $stem "${bad[@]}"
	refuses $stem.subtree "${bad[@]}"
}

@test "files: sizes are bytes with K M G T, rounded down to pages" {
	cg_make a
	local -A sizes=([0]=0 [1]=0 [4095]=0 [4096]=4096 [8191]=4096 [1K]=0 [4K]=4096 [4k]=4096
		[1M]=1048576 [256m]=268435456 [3G]=3221225472 [1T]=1099511627776 [max]=max
		[18446744073709551615]=max [9223372036854775807]=max)
	local size

	for size in "${!sizes[@]}"; do
		cg_write a $stem.max "N1 $size\n"
		cg_expect a $stem.max "N1 ${sizes[$size]}\nN2 max"
	done
}

@test "files: a write to max changes only the nodes it names, several lines at once" {
	cg_make a
	cg_write a $stem.max "N1 1M"
	cg_expect a $stem.max "N1 1048576\nN2 max"
	cg_write a $stem.max "N2 2M\n"
	cg_expect a $stem.max "N1 1048576\nN2 2097152"
	cg_write a $stem.max "N1 3M\nN2 4M\n"
	cg_expect a $stem.max "N1 3145728\nN2 4194304"
	cg_write a $stem.max "\n N2\tmax \n\nN1  4096"
	cg_expect a $stem.max "N1 4096\nN2 max"
	cg_write a $stem.max "N1 1M\nN1 2M"
	cg_expect a $stem.max "N1 2097152\nN2 max"
}

@test "files: a limit may be set for a node that is not private" {
	cg_make a
	cg_write a $stem.max "N0 1M"
	cg_expect a $stem.max "N0 1048576\nN1 max\nN2 max"
	cg_write a $stem.max "N0 max"
	cg_expect a $stem.max "N1 max\nN2 max"
}

@test "files: a bad limit is refused and every limit stays" {
	cg_make a
	cg_write a $stem.max "N1 1M\nN2 2M"
	refuses $stem.max " " "\n" "N1" "N1 " "N1\n" "1 1M" "n1 1M" "N 1M" "N1M" "N1=1M" "Nx 1M" "N-1 1M" \
		"N+1 1M" "N63 1M" "N64 1M" "N4294967297 1M" "N1 -1" "N1 +1" "N1 x" "N1 1X" "N1 1MB" \
		"N1 K" "N1 1 M" "N1 0x1000" "N1 1.5M" "N1 MAX" "N1 maxx" "N1 18446744073709551616" \
		"N1 16777216T" "N1 99999999999999999999G" "N1 1M 2M" "N1 1M N2 2M" "N1 1M,N2 2M" \
		"N1 1M\0" "N1 1M\0N2 3M"
}

@test "files: one bad line of several refuses them all" {
	cg_make a
	cg_write a $stem.max "N1 1M\nN2 2M"
	refuses $stem.max "N1 3M\nN2 x" "N1 3M\nN63 1M" "x\nN1 3M" "N1 3M\nN2" "N1 3M\nN2 4M\nfoo"
}

@test "files: a write of a full page is refused, one byte less is not" {
	cg_make a
	cg_write a $stem "1"
	local pad
	pad=$(printf '%4089s' "")

	cg_write a $stem.max "N1 12M$pad"
	cg_expect a $stem.max "N1 12582912\nN2 max"
	run ! cg_write a $stem.max "N1 34M$pad "
	[[ $output == *"Invalid argument"* ]]
	run ! cg_write a $stem.max "N1 34M$pad$pad"
	[[ $output == *"Argument list too long"* ]]
	cg_expect a $stem.max "N1 12582912\nN2 max"
	run ! cg_write a $stem "1-2$pad$pad"
	cg_expect a $stem "1"
}

@test "files: O_NONBLOCK makes no difference" {
	cg_make a
	printf 'N1 1M' | dd of="$cg_top/a/$stem.max" oflag=nonblock bs=64K status=none
	printf '1' | dd of="$cg_top/a/$stem" oflag=nonblock bs=64K status=none
	cg_expect a $stem.max "N1 1048576\nN2 max"
	cg_expect a $stem "1"
	[[ $(dd if="$cg_top/a/$stem" iflag=nonblock status=none) == 1 ]]
}

@test "files: what only reports cannot be written" {
	cg_make a
	for file in effective current peak events events.local; do
		run ! cg_write a $stem.$file "1"
		[[ $(stat -c %a "$cg_top/a/$stem.$file") == 444 ]]
	done
	[[ $(stat -c %a /sys/fs/cgroup/$stem.capacity) == 444 ]]
}

@test "files: turning the controller off and on returns the defaults" {
	cg_make a
	cg_write a $stem "1"
	cg_write a $stem.subtree "2"
	cg_write a $stem.max "N1 1M"
	echo -memory >"$cg_top/cgroup.subtree_control"
	[[ ! -e $cg_top/a/$stem ]]
	echo +memory >"$cg_top/cgroup.subtree_control"
	cg_expect a $stem ""
	cg_expect a $stem.subtree ""
	cg_expect a $stem.max "N1 max\nN2 max"
}

@test "files: none of them is delegatable" {
	run ! grep -q private_nodes /sys/kernel/cgroup/delegate
}
