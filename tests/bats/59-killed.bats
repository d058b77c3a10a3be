#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# privmemd is killed as it is about to make a system call, by strace, while a unit starts,
# changes or stops; the next privmemd has to make it right. Here it is each call that writes
# something; with PRIVMEM_KILLS=1 (make test-kills) it is each call, with 10 each tenth.

load units

readonly unit=t-killed.service dir=/run/privmem/units
# Calls that leave something behind; the journal's and PID 1's are sendmsg(). And those that
# nobody else can tell: of a clock, which elsewhere are no calls at all, and of oneself.
writes='^(write|fsetxattr|fremovexattr|renameat|unlinkat|sendto)\('
readonly silent='^(clock_gettime|gettid|geteuid|getsockopt|uname|getrandom|brk|mmap|munmap)\('

setup_file() {
	unit_put $unit.d/a.conf '[Service]'
	service_put $unit 'PrivateMemoryNodes=1 2' 'PrivateMemoryMax=1 8M' 'PrivateMemoryMax=2 4M'
	systemctl daemon-reload
	systemctl start privmemd.service
}

teardown() {
	[[ ! ${tracer:-} ]] || kill "$tracer" 2>/dev/null || :
	units_stop
}

teardown_file() {
	rm -rf "$units"/t-killed*
}

# trace STRACE-OPTION...: privmemd's calls go to $log from now on
trace() {
	pid=$(pidof privmemd)
	log=$BATS_TEST_TMPDIR/log
	strace -p "$pid" -o "$log" "$@" 2>"$log.err" 3>&- &
	tracer=$!
	wait_for 20 grep -qs attached "$log.err"
}

# Nothing has been called for a quarter of a second, or there is nobody to call any more.
is_quiet() {
	local before after

	before=$(<"$log")
	read -r -t 0.25 <> <(:) || :
	after=$(<"$log")
	[[ ${#before} == "${#after}" ]]
}

trace_end() {
	wait_for 20 is_quiet
	kill "$tracer" 2>/dev/null || :
	wait "$tracer" || :
	tracer=''
}

# calls_of COMMAND...: what privmemd calls while COMMAND runs, as "NAME N" a line: the Nth of
# that name
calls_of() {
	trace
	"$@"
	trace_end
	awk -v each="${PRIVMEM_KILLS:-0}" -v writes="$writes" -v silent="$silent" '/^[a-z_0-9]+\(/ {
		name = substr($0, 1, index($0, "(") - 1)
		n[name]++
		if (each ? $0 !~ silent && ++calls % each == 0 : $0 ~ writes)
			print name, n[name]
	}' "$log"
}

# kill_at NAME N COMMAND...: returns 1 if privmemd came through COMMAND without that call
kill_at() {
	trace -e inject="$1:signal=KILL:when=$2"
	"${@:3}"
	trace_end
	grep -q '^+++ killed' "$log"
}

# What is kept of the unit says BYTES of each node: the ledger, and what is in its cgroup.
holds() {
	local got cgroup=/sys/fs/cgroup/system.slice/$unit

	got=$(privmemctl --json=short nodes | jq -c '[.nodes[].reserved_bytes]')
	[[ $got == "[$1,$2]" ]] || { echo "reserved: $got, want $1 and $2"; return 1; }
	if [[ $1 == 0 ]]; then
		[[ ! -e $dir/$unit ]] || { echo "it is remembered"; return 1; }
		[[ -d $cgroup ]] || return 0
		line_expect $cgroup/memory.private_nodes '' && line_expect $cgroup/memory.private_nodes.max 'N1 max' &&
			line_expect $cgroup/memory.private_nodes.max 'N2 max' && has_no_mark $cgroup
	else
		[[ -e $dir/$unit ]] || { echo "it is not remembered"; return 1; }
		line_expect $cgroup/memory.private_nodes 1-2 && line_expect $cgroup/memory.private_nodes.effective 1-2 &&
			line_expect $cgroup/memory.private_nodes.max "N1 $1" &&
			line_expect $cgroup/memory.private_nodes.max "N2 $2"
	fi
}

# has_no_mark CGROUP: there is no getfattr in the guest
has_no_mark() {
	perl -e 'my ($path, $name, $mark) = ($ARGV[0], "user.privmem", "\0" x 4096);
		exit(syscall(191, $path, $name, $mark, 4096) >= 0)' "$1" ||
		{ echo "it is marked"; return 1; }
}

starts() {
	systemctl start $unit || echo "# the unit did not start"
}

stops() {
	systemctl stop $unit
}

# From now on the unit's files ask for something else.
asks() {
	unit_put $unit.d/a.conf '[Service]' "$@"
	privmemctl apply $unit || :
}

asks_as_ever() {
	asks
}

asks_more() {
	asks 'PrivateMemoryMax=2 8M'
}

asks_nothing() {
	asks PrivateMemoryNodes=
}

# killed_at_each COMMAND BYTES BYTES COMMAND BYTES BYTES: one after the other, again and
# again, until privmemd was killed at all these calls of both. Each leaves what stands behind it.
killed_at_each() {
	local first second i failed='' missed=''

	# What is written but once, since nobody takes it back, is written by now.
	$1
	$4
	mapfile -t first < <(calls_of "$1")
	mapfile -t second < <(calls_of "$4")
	echo "# $1: ${#first[@]} calls, $4: ${#second[@]} calls" >&3
	((${#first[@]} > 0 && ${#second[@]} > 0))
	for ((i = 0; i < ${#first[@]} || i < ${#second[@]}; i++)); do
		step "${first[i]:-}" "$1" "$2" "$3"
		step "${second[i]:-}" "$4" "$5" "$6"
	done
	# What is called for the clock's or the bus' sake varies, what is written does not.
	[[ $missed && ! ${PRIVMEM_KILLS:-} ]] && failed+=$missed
	[[ ! $failed ]] || { printf '%b' "$failed"; return 1; }
}

# step "NAME N" COMMAND BYTES BYTES
step() {
	local text

	if [[ $1 ]]; then
		# shellcheck disable=SC2086 # words
		kill_at $1 "$2" || missed+="$2 came through without $1\n"
	else
		$2
	fi
	text=$(wait_for 10 holds "$3" "$4") ||
		failed+="$2, killed at $1: $(tail -n 2 "$log" | head -n 1)\n$(tail -n 2 <<<"$text")\n"
}

@test "killed: at each write of a start and of a stop" {
	killed_at_each starts $((8 * MIB)) $((4 * MIB)) stops 0 0
}

# The marks and the order of writes are those of the other tests.
@test "killed: at each write of a change of limits" {
	writes='^write\('
	systemctl start $unit
	killed_at_each asks_more $((8 * MIB)) $((8 * MIB)) asks_as_ever $((8 * MIB)) $((4 * MIB))
}

@test "killed: at each write of a revocation and of a grant that is late" {
	systemctl start $unit
	killed_at_each asks_nothing 0 0 asks_as_ever $((8 * MIB)) $((4 * MIB))
}
