# SPDX-License-Identifier: LGPL-2.1-or-later
#
# org.privmem1: what it is documented to be, heard when something happens, and unmoved by clients
# that ask too much.

load units

readonly bus='org.privmem1 /org/privmem1 org.privmem1.Manager'
readonly ask=/usr/lib/privmem-tests/privmem-ask

setup_file() {
	service_put t-asks.service PrivateMemoryNodes=1 'PrivateMemoryMax=1 64M'
	service_put t-greedy.service PrivateMemoryNodes=1 'PrivateMemoryMax=1 4T'
	service_put t-bad.service PrivateMemoryNodes=2-1
	systemctl daemon-reload
}

setup() {
	systemctl start dbus.socket privmemd.service
	wait_for 20 busctl status org.privmem1
}

teardown() {
	units_stop
	[[ ! ${monitor:-} ]] || kill "$monitor" 2>/dev/null || :
}

teardown_file() {
	rm -rf "$units"/t-*
	systemctl daemon-reload
}

# listen: signals go to $BATS_TEST_TMPDIR/heard, a line of JSON each
listen() {
	busctl --json=short monitor --match "type='signal',path='/org/privmem1'" \
		>"$BATS_TEST_TMPDIR/heard" 3>&- &
	monitor=$!
	wait_for 20 listens
}

listens() {
	busctl emit /org/privmem1 org.privmem1.Test Ready
	heard '.member == "Ready"'
}

# heard FILTER: a signal passes the jq filter
heard() {
	jq -e -s "any(.[]; $1)" "$BATS_TEST_TMPDIR/heard" >/dev/null 2>&1
}

# error_of ARGS...: the name of the error a call is answered with
error_of() {
	dbus-send --system --print-reply --dest=org.privmem1 /org/privmem1 "org.privmem1.Manager.$1" "${@:2}" 2>&1 |
		sed -n 's/^Error \([^:]*\):.*/\1/p'
}

@test "bus: every method, signal and property is in the manual page, as it is introspected" {
	local name type signature flags page=/mnt/share/docs/org.privmem1.5

	# shellcheck disable=SC2086
	busctl --no-legend introspect $bus >"$BATS_TEST_TMPDIR/members"
	while read -r name type signature _ flags; do
		case $type in
		method | signal) grep -qE "^ +${name#.}\((in|out|s)" $page ;;
		property) grep -qF " readonly $signature ${name#.} =" $page ;;
		esac || { echo "not in the page: $name $type $signature"; return 1; }
	done <"$BATS_TEST_TMPDIR/members"
	grep -qE '^\.Reserved +property +a\(ut\) .* emits-change$' "$BATS_TEST_TMPDIR/members"
	grep -qE '^\.Version +property +s .* const$' "$BATS_TEST_TMPDIR/members"
	grep -c . "$BATS_TEST_TMPDIR/members"
	[[ $(grep -cE ' (method|signal|property) ' "$BATS_TEST_TMPDIR/members") == 18 ]]
}

@test "bus: grants made, released and refused are signalled, and properties change" {
	listen
	systemctl start t-asks.service
	wait_for 10 heard ".member == \"GrantApplied\" and .payload.data ==
		[\"t-asks.service\", \"/system.slice/t-asks.service\", [[1, $((64 * MIB))]], false]"
	wait_for 10 heard '.member == "PropertiesChanged" and (.payload.data[1].Reserved.data | index([[1, 67108864]])) == 0 and .payload.data[1].NGrants.data == 1'
	systemctl start t-greedy.service && return 1
	wait_for 10 heard '.member == "GrantRefused" and .payload.data[0] == "t-greedy.service" and
		.payload.data[2] == "org.privmem1.Error.NoRoom" and (.payload.data[3] | contains("4T asked for"))'
	systemctl start t-bad.service && return 1
	wait_for 10 heard '.member == "GrantRefused" and .payload.data[2] == "org.privmem1.Error.InvalidDirective"'
	systemctl stop t-asks.service
	wait_for 10 heard '.member == "GrantReleased" and .payload.data[0] == "t-asks.service"'
	wait_for 10 heard '.member == "PropertiesChanged" and .payload.data[1].NGrants.data == 0'
}

@test "bus: errors have the names that the manual page gives them" {
	systemctl start t-asks.service
	[[ $(error_of GetUnit string:t-none.service) == org.privmem1.Error.NoSuchUnit ]]
	[[ $(error_of ApplyUnit string:nonsense) == org.privmem1.Error.NoSuchUnit ]]
	[[ $(error_of GetControlGroup string:/../etc) == org.freedesktop.DBus.Error.InvalidArgs ]]
	[[ $(error_of SetControlGroupLimit string:/system.slice/t-asks.service string:1 string:1M) == \
		org.freedesktop.DBus.Error.InvalidArgs ]]
	mkdir /sys/fs/cgroup/t-error
	[[ $(error_of SetControlGroupLimit string:/t-error string:1 string:1M) == org.privmem1.Error.NoSuchNode ]]
	# shellcheck disable=SC2086
	run ! busctl call $bus GrantControlGroup 'ssa(ss)' /t-error 1 1 1 4T
	output_has '446.9M of 510.9M left; 64M reserved by t-asks.service'
	rmdir /sys/fs/cgroup/t-error
	for name in $(sed -n 's/^\.B \(org\.privmem1\.Error\..*\)/\1/p' /mnt/share/docs/org.privmem1.5); do
		grep -q "\"${name##*.}\"" /mnt/share/userspace/privmemd/*.c || { echo "nobody sends $name"; return 1; }
	done
}

@test "bus: a user may read all of it and change none, and has no private socket" {
	local -a nobody=(setpriv --reuid=65534 --clear-groups)

	systemctl start t-asks.service
	# shellcheck disable=SC2086
	run -0 "${nobody[@]}" busctl get-property $bus NGrants
	output_is 'u 1'
	# shellcheck disable=SC2086
	"${nobody[@]}" busctl introspect $bus >/dev/null
	run -0 "${nobody[@]}" privmemctl show t-asks.service
	for call in 'ApplyUnit s t-asks.service' 'RevokeControlGroup ss / 1' 'SetControlGroupLimit sss / 1 1' \
		'GrantControlGroup ssa(ss) / 1 0'; do
		# shellcheck disable=SC2086
		run ! "${nobody[@]}" busctl call $bus $call
		output_has 'Access denied'
	done
	run ! "${nobody[@]}" perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new("/run/privmem/private") or exit 1'
}

@test "bus: names of megabytes are answered in a line and leave nothing behind" {
	local pid rss

	run -0 "$ask" 3 GetUnit 4000000
	[[ $output =~ answers\ 0\ .*\ others\ ([0-9]+)\ longest\ ([0-9]+)$ ]]
	((BASH_REMATCH[1] > 0 && BASH_REMATCH[2] < 500))
	plain_programs
	pid=$(systemctl show -P MainPID privmemd.service)
	rss=$(awk '$1 == "VmRSS:" { print $2 }' "/proc/$pid/status")
	echo "resident: $rss kB"
	((rss < 8192))
}

owner() {
	busctl call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus GetNameOwner s org.privmem1
}

# Seen red without utf8_clean(): the bus threw privmemd out.
@test "bus: a name that is cut to fit is cut into nothing that the bus would not take" {
	local before path

	before=$(owner)
	path=a$(printf 'é%.0s' {1..120})
	run ! setpriv --reuid=65534 --clear-groups busctl call org.privmem1 /org/privmem1 org.privmem1.Manager \
		GetControlGroup s "$path"
	output_has 'not the path of a cgroup'
	[[ $(owner) == "$before" ]]
}

# Both sides of the bound: who asks now and then is answered, who floods is not.
@test "bus: a client that floods is told so, and neither root nor a starting unit waits for it" {
	run -0 setpriv --reuid=65534 --clear-groups "$ask" 3 ListNodes
	output_is 'answers 3 limits 0 others 0 longest 0'
	setpriv --reuid=65534 --clear-groups "$ask" 400 ListNodes \
		>"$BATS_TEST_TMPDIR/flood" 3>&- &
	systemctl start t-asks.service
	timeout $((20 * patience)) privmemctl list >/dev/null
	wait $!
	run -0 cat "$BATS_TEST_TMPDIR/flood"
	echo "$output"
	[[ $output =~ ^answers\ ([0-9]+)\ limits\ ([0-9]+)\ others\ 0 ]]
	((BASH_REMATCH[1] > 0 && BASH_REMATCH[2] > 100))
}

@test "status: a refusal is shown while its unit has failed, and goes with the unit" {
	start_fails t-greedy.service '4T asked for'
	run -0 privmemctl status
	output_has '4T asked for'
	# shellcheck disable=SC2086
	run -0 busctl get-property $bus NRefusals
	[[ $output != 'u 0' ]]
	systemctl reset-failed
	systemctl daemon-reload
	wait_for 10 refusals_are 0
	run -0 privmemctl status
	[[ $output != *'4T asked for'* ]]
}

refusals_are() {
	# shellcheck disable=SC2086
	[[ $(busctl get-property $bus NRefusals) == "u $1" ]]
}
