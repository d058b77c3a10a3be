#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# tests/vm/run itself, tested from the host. Boots are what takes time here, so a
# test that needs one looks at as much as it can. They are of the stock kernel, so
# that a change of ours is no reason to test the harness again.

bats_require_minimum_version 1.5.0

setup() {
	run_vm=$BATS_TEST_DIRNAME/run
	image=${PRIVMEM_BUILD:-$BATS_TEST_DIRNAME/../../build}/image/debian12/root.ext4
}

crash='mountpoint -q /sys/kernel/debug || mount -t debugfs debugfs /sys/kernel/debug
	cd /sys/kernel/debug/provoke-crash'

# refuses STATUS PROGRAM TEXT ARG...: one line that holds TEXT
refuses() {
	local status_wanted=$1 program=$2 text=$3

	shift 3
	run -"$status_wanted" "$program" "$@"
	echo "got: $output"
	[[ ${#lines[@]} -eq 1 && $output == *"$text"* ]]
}

refused() {
	refuses 2 "$run_vm" "$@"
}

@test "run: bad usage is told in one line, with a status of its own" {
	refused "no COMMAND"
	refused "no COMMAND" --
	refused "unknown option '--nonsense'" --nonsense -- true
	refused "--smp needs a value" --smp
	refused "--smp: '0'" --smp 0 -- true
	refused "--smp: '17'" --smp 17 -- true
	refused "--smp: ''" --smp '' -- true
	refused "--mem: '2T'" --mem 2T -- true
	refused "--mem: '100M'" --mem 100M -- true
	refused "--nodes: '0'" --nodes 0 -- true
	refused "--nodes: '64'" --nodes 64 -- true
	refused "--guest: 'debian11'" --guest debian11 -- true
	refused "--kernel: 'new'" --kernel new -- true
	refused "--timeout: 'soon'" --timeout soon -- true
	refused "--share: '/nonexistent'" --share /nonexistent -- true
	refused "--icount counts for one CPU" --icount --smp 2 -- true
	refused "--icount counts for one CPU" --icount --parallel -- true
	# What stands behind the options is the command's.
	refused "--share: '/nonexistent'" --icount --share /nonexistent -- echo --smp 2
}

soak_refused() {
	refuses 1 "$BATS_TEST_DIRNAME/../soak/run" "$@"
}

@test "soak: bad usage is told in one line" {
	soak_refused "--seed needs a value" --seed
	soak_refused "--seed: 'x'" --seed x
	soak_refused "--seed: '99999999999999999999'" --seed 99999999999999999999
	soak_refused "'0' is not a number of minutes" 0
	soak_refused "'10000' is not a number of minutes" 10000
	soak_refused "usage:" 1 2
}

@test "run: bytes, both streams and the status pass through a stock guest; share and image stay as they are" {
	local before i status=0

	mkdir "$BATS_TEST_TMPDIR/share"
	for ((i = 0; i < 256; i++)); do
		printf "\\x$(printf %02x "$i")"
	done >"$BATS_TEST_TMPDIR/share/bytes"
	before=$(stat -c '%s %b %Y' "$image")
	"$run_vm" --kernel stock --share "$BATS_TEST_TMPDIR/share" -- sh -c '
		cat /mnt/share/bytes
		touch /mnt/share/new 2>/dev/null && exit 1
		[ "$(findmnt -no FSTYPE /mnt/share)" = 9p ] || exit 2
		[ "$(systemctl is-system-running --wait)" = running ] || { systemctl --failed >&2; exit 3; }
		[ ! -e /sys/fs/cgroup/memory.private_nodes.effective ] || exit 4
		grep -q private_nodes= /proc/cmdline && exit 5
		touch /marker && sync
		echo told >&2
		exit 7' >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" || status=$?
	echo "got: status $status, $(<"$BATS_TEST_TMPDIR/err")"
	[[ $status -eq 7 && $(<"$BATS_TEST_TMPDIR/err") == told ]]
	cmp "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/share/bytes"
	"$run_vm" --kernel stock --nodes 4 -- sh -c \
		'test ! -e /marker && grep -qx 0-4 /sys/devices/system/node/possible'
	[[ $(stat -c '%s %b %Y' "$image") == "$before" ]]
	[[ ! -e $BATS_TEST_TMPDIR/share/new ]]
}

@test "run: an argument reaches the command as it is; a killed command gives 128 + N" {
	run -137 --separate-stderr "$run_vm" --kernel stock -- bash -c 'printf "<%s>" "$@"; kill -9 $$' - 'a  b' '' '$(c)' "'d'" $'e\nf'
	echo "got: $output"
	[[ $output == "<a  b><><\$(c)><'d'><e"$'\n'"f>" ]]
}

@test "run: a WARNING in the kernel log gives 70, and is shown" {
	run -70 "$run_vm" --kernel stock -- sh -c "$crash; echo WARNING >DIRECT; exit 0"
	echo "got: $output"
	[[ $output == *"WARNING: CPU: "*lkdtm* ]]
}

@test "run: a kernel that dies gives 70 from the console" {
	run -70 "$run_vm" --kernel stock -- sh -c "$crash; echo PANIC >DIRECT"
	echo "got: $output"
	[[ $output == *"Kernel panic"* ]]
}

@test "run: words like those of a report in other people's lines are no report" {
	run -0 "$run_vm" --kernel stock -- sh -c 'echo "WARNING: CPU: 0 PID: 1 at nothing" >/dev/kmsg; echo "BUG: none"'
	[[ $output == "BUG: none" ]]
}

@test "run: a guest that ends without a status gives 71" {
	run -71 "$run_vm" --kernel stock -- sh -c 'echo b >/proc/sysrq-trigger; sleep 60'
	echo "got: $output"
	[[ ${#lines[@]} -eq 1 && $output == *"without giving a status"* ]]
}

@test "run: a command that takes too long gives 124, and what it said before is there" {
	run -124 "$run_vm" --kernel stock --timeout 40 -- sh -c 'echo early; exec sleep 1000'
	echo "got: $output"
	[[ ${lines[0]} == early && ${lines[1]} == *"no answer within 40 s"* ]]
}

# Does the same work six times, a line each: how long it took in ns. The first of them
# reads programs from the disk.
loop='for i in 1 2 3 4 5 6; do
		s=$(date +%s%N); n=0; while [ $n -lt 20000 ]; do n=$((n + 1)); done
		echo $(($(date +%s%N) - s))
	done'

@test "run: with --icount the same work takes the same time on the guest's clock" {
	local least most

	run -0 "$run_vm" --kernel stock --icount -- sh -c "nproc; $loop"
	echo "got: $output"
	[[ ${lines[0]} == 1 && ${#lines[@]} -eq 7 ]]
	least=$(printf '%s\n' "${lines[@]:2}" | sort -n | head -n 1)
	most=$(printf '%s\n' "${lines[@]:2}" | sort -n | tail -n 1)
	((most - least < least / 200))
}

# guest_of PID: the QEMU whose parent PID is
guest_of() {
	pgrep -P "$1" -x 'qemu-system-.*'
}

@test "run: SIGKILL to run ends its guest" {
	local pid guest='' deadline=$((SECONDS + 30))

	"$run_vm" --kernel stock -- sleep 1000 >/dev/null 2>&1 3>&- &
	pid=$!
	until guest=$(guest_of "$pid"); do
		((SECONDS < deadline))
	done
	kill -KILL "$pid"
	while [[ -e /proc/$guest ]] && ! grep -q '^State:.*Z' "/proc/$guest/status" 2>/dev/null; do
		((SECONDS < deadline))
	done
}

@test "guest: its bats-preprocess makes of our tests what bats' own makes" {
	local file own

	[[ $BATS_VERSION == 1.8.* ]] || skip "the guest's bats is 1.8"
	for file in "$BATS_TEST_DIRNAME"/../bats/*.bats; do
		own=$("$BATS_LIBEXEC/bats-preprocess" "$file")
		[[ $("$BATS_TEST_DIRNAME/guest/bats-preprocess" "$file") == "$own" ]]
	done
}
