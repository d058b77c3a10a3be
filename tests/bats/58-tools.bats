# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What privmemctl has for monitoring: metrics, monitor, top, node; its completion; and what the
# journal says with the catalog.

load units

setup_file() {
	service_put t-asks.service PrivateMemoryNodes=1 'PrivateMemoryMax=1 64M'
	service_put 't-back\x2dslash.service' PrivateMemoryNodes=2
	service_put t-greedy.service PrivateMemoryNodes=1 'PrivateMemoryMax=1 4T'
	service_put t-bad.service PrivateMemoryNodes=2-1
	service_put t-plain.service
	systemctl daemon-reload
	journalctl --update-catalog
}

setup() {
	systemctl start dbus.socket privmemd.service
	wait_for 20 busctl status org.privmem1
}

teardown() {
	units_stop
	privmemctl node online dax1.0
}

teardown_file() {
	rm -rf "$units"/t-*
	systemctl daemon-reload
}

# heard FILTER: a line of privmemctl monitor passes the jq filter
heard() {
	jq -e -s "any(.[]; $1)" "$BATS_TEST_TMPDIR/heard" >/dev/null 2>&1
}

# The grammar of https://prometheus.io/docs/specs/om/open_metrics_spec, as far as gauges go.
@test "metrics: valid OpenMetrics, and what privmemctl list says" {
	systemctl start t-asks.service 't-back\x2dslash.service'
	privmemctl metrics >"$BATS_TEST_TMPDIR/metrics"
	perl -e '
		my ($family, %seen, %sample, $end);
		while (<>) {
			die "line $.: after the end\n" if $end;
			if (/^# (TYPE|UNIT|HELP) (privmem_[a-z_]+) (.+)\n$/) {
				if ($1 eq "TYPE") {
					die "line $.: $2 twice\n" if $seen{$2}++;
					$family = $2;
					die "line $.: type $3\n" if $3 ne "gauge";
				}
				die "line $.: $2 inside $family\n" if $2 ne $family;
				die "line $.: unit\n" if $1 eq "UNIT" && $2 !~ /_$3$/;
			} elsif (/^# EOF\n$/) {
				$end = 1;
			} elsif (/^(\w+)(\{(\w+="([^"\\\n]|\\[\\n"])*",?)*\})? ([0-9]+|\+Inf)\n$/) {
				die "line $.: $1 outside its family\n" if $1 ne $family;
				die "line $.: twice\n" if $sample{$1 . ($2 // "")}++;
			} else {
				die "line $.: $_";
			}
		}
		die "no end\n" if !$end;' "$BATS_TEST_TMPDIR/metrics"
	line_expect "$BATS_TEST_TMPDIR/metrics" "privmem_node_reserved_bytes{node=\"1\",device=\"dax0.0\",owner=\"kmem\"} $((64 * MIB))"
	line_expect "$BATS_TEST_TMPDIR/metrics" "privmem_grant_limit_bytes{unit=\"t-asks.service\",control_group=\"/system.slice/t-asks.service\",node=\"1\"} $((64 * MIB))"
	line_expect "$BATS_TEST_TMPDIR/metrics" 'privmem_grant_requested_bytes{unit="t-back\\x2dslash.service",control_group="/system.slice/t-back\\x2dslash.service",node="2"} +Inf'
	line_expect "$BATS_TEST_TMPDIR/metrics" 'privmem_kernel_support 1'
}

@test "monitor: a line of JSON for what happens, until it is interrupted" {
	privmemctl monitor >"$BATS_TEST_TMPDIR/heard" 3>&- &
	pid=$!
	wait_for 20 heard '.event == "listening"'
	systemctl start t-asks.service
	wait_for 10 heard ".event == \"granted\" and .unit == \"t-asks.service\" and .late == false and
		.nodes == [{node: 1, bytes: $((64 * MIB))}] and .version == 1"
	wait_for 10 heard '.event == "nodes" and (.reserved[0] == {node: 1, bytes: 67108864})'
	systemctl start t-greedy.service && return 1
	wait_for 10 heard '.event == "refused" and .error == "org.privmem1.Error.NoRoom" and (.reason | contains("4T"))'
	systemctl stop t-asks.service
	wait_for 10 heard '.event == "released" and .unit == "t-asks.service"'
	systemctl restart privmemd.service
	wait_for 10 heard '.event == "privmemd" and .running'
	kill -INT "$pid"
	wait "$pid"
	run ! grep -v '^{"version":1,.*}$' "$BATS_TEST_TMPDIR/heard"
}

@test "monitor: it ends well as soon as nobody reads any more" {
	timeout $((20 * patience)) bash -c 'set -o pipefail; privmemctl monitor | head -n 1' >"$BATS_TEST_TMPDIR/heard"
	heard '.event == "listening"'
	run -2 privmemctl --json=pretty monitor
}

@test "top: in batches, as often as told, whoever uses most first" {
	systemctl start t-asks.service
	run -0 privmemctl top --batch -n 2
	[[ $(grep -c '^UNIT ' <<<"$output") == 2 && $(grep -c '^NODE ' <<<"$output") == 2 ]]
	[[ $(grep -c '^t-asks.service ' <<<"$output") == 2 ]]
	run -2 privmemctl top -b -n 0
	run -2 privmemctl list -b
	run -1 privmemctl top
	output_is 'privmemctl: top: no terminal to draw on; use --batch'
}

@test "top: on a terminal it draws the screen, and q ends it" {
	systemctl start t-asks.service
	mkfifo "$BATS_TEST_TMPDIR/keys"
	TERM=linux timeout $((20 * patience)) script -qefc 'stty rows 24 cols 100; privmemctl top' \
		"$BATS_TEST_TMPDIR/screen" <>"$BATS_TEST_TMPDIR/keys" >/dev/null 3>&- &
	wait_for 20 grep -aqs t-asks.service "$BATS_TEST_TMPDIR/screen"
	printf q >"$BATS_TEST_TMPDIR/keys"
	wait $!
	grep -aq 'CAPACITY' "$BATS_TEST_TMPDIR/screen"
}

@test "node: its memory goes and comes, and who is in the way is told" {
	run -0 privmemctl node offline dax1.0
	[[ $(</sys/devices/system/node/has_private_memory) == 1 ]]
	run -9 privmemctl grant t-plain 2
	privmemctl node online dax1.0
	[[ $(</sys/devices/system/node/has_private_memory) == 1-2 ]]
	run -9 privmemctl node offline dax9.0
	output_is 'privmemctl: dax9.0: no such dax device'
	run -2 privmemctl node away dax1.0
	run -2 privmemctl node offline ../../x
	run -4 setpriv --reuid=65534 --clear-groups privmemctl node offline dax1.0
}

# complete_words WORD...: what the completion offers for the last one
complete_words() {
	bash -c '. /usr/share/bash-completion/completions/privmemctl
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		_privmemctl
		printf "%s\n" "${COMPREPLY[@]}"' bash privmemctl "$@"
}

@test "completion: it knows verbs, units, nodes by number and name, cgroups and devices" {
	mkdir -p /run/privmem/privmemd.conf.d
	printf '%s\n' '[Node hbm0]' Device=dax0.0 >/run/privmem/privmemd.conf.d/t-tools.conf
	systemctl reload privmemd.service
	systemctl start t-asks.service
	run -0 complete_words mon
	output_is monitor
	run -0 complete_words grant t-pl
	output_is t-plain.service
	run -0 complete_words grant 't-back'
	output_is 't-back\\x2dslash.service'
	run -0 complete_words show t-
	output_is t-asks.service
	run -0 complete_words grant t-plain.service ''
	output_is $'1\nhbm0\n2'
	run -0 complete_words revoke t-asks.service h
	output_is hbm0
	rm /run/privmem/privmemd.conf.d/t-tools.conf
	systemctl reload privmemd.service
	run -0 complete_words grant /system.s
	output_is /system.slice/
	run -0 complete_words node offline ''
	output_is $'dax0.0\ndax1.0'
	run -0 complete_words revoke --e
	output_is --evict
}

# catalog_has UNIT TEXT
catalog_has() {
	journalctl -q -x -b -u "$1" | grep -qF -- "$2"
}

@test "journal: each line about a unit has an identifier, its node, and what to do" {
	systemctl start t-asks.service
	wait_for 10 catalog_has t-asks.service 'Subject: Private memory was granted'
	[[ $(journalctl -q -b -o json -t privmemd OBJECT_SYSTEMD_UNIT=t-asks.service | tail -n 1 |
		jq -r '.PRIVMEM_NODE + .PRIORITY') == 16 ]]
	start_fails t-greedy.service '4T asked for'
	catalog_has t-greedy.service 'Then start the unit again, or "privmemctl apply" it if it runs.'
	[[ $(journalctl -q -b -o json PRIVMEM_NODE=1 -p err | jq -r .OBJECT_SYSTEMD_UNIT | tail -n 1) == t-greedy.service ]]
	start_fails t-bad.service 'range runs backwards'
	catalog_has t-bad.service 'Correct it, check it, and have the system manager read it'
	systemctl start t-plain.service
	unit_put t-plain.service.d/a.conf '[Service]' PrivateMemoryNodes=1 'PrivateMemoryMax=1 4M'
	systemctl daemon-reload
	wait_for 10 catalog_has t-plain.service 'Subject: Private memory was granted after the unit had started'
	rm -r "$units/t-plain.service.d"
	systemctl daemon-reload
	wait_for 10 catalog_has t-plain.service 'Subject: A grant of private memory was revoked'
	echo none >"$(cg_path t-asks.service)/memory.private_nodes"
	wait_for 10 catalog_has t-asks.service 'Subject: Somebody else wrote to files of a grant'
	systemctl stop t-asks.service
	wait_for 10 catalog_has t-asks.service 'Subject: Private memory was released'
}

# A grant that was raised while privmemd was down is taken over as it is found.
@test "journal: a node with less than is reserved of it is told, with what to do" {
	local over=/sys/fs/cgroup/t-over

	mkdir $over
	privmemctl grant /t-over 1 --max=64M
	systemctl stop privmemd.socket privmemd-private.socket privmemd.service
	echo 'N1 1T' >$over/memory.private_nodes.max
	systemctl start privmemd.socket privmemd-private.socket privmemd.service
	wait_for 10 catalog_has privmemd.service 'Subject: More of a private node is reserved than it has'
	catalog_has privmemd.service 'Node 1 has become smaller than what is reserved of it.'
	privmemctl set-limit /t-over 1 64M
	reserved_is 1 $((64 * MIB))
	rmdir $over
}

@test "journal: every identifier that privmemd uses is in the catalog" {
	local id

	for id in $(grep -oE '"[0-9a-f]{32}"' /mnt/share/userspace/privmemd/news.c); do
		journalctl --list-catalog "${id//\"/}" | grep -q ' privmem: ' || { echo "not in the catalog: $id"; return 1; }
	done
	[[ $(grep -cE '"[0-9a-f]{32}"' /mnt/share/userspace/privmemd/news.c) == 11 ]]
}
