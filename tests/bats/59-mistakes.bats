# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A unit that somebody writes from the manual page alone, wrong: what is wrong, where, and what to
# do stands where that somebody looks.

load units

setup_file() {
	service_put t-key.service X-PrivateMemoryNode=1
	unit_put t-section.service '[Unit]' PrivateMemoryNodes=1 '[Service]' Type=exec 'ExecStart=/bin/sleep infinity'
	service_put t-percent.service PrivateMemoryNodes=1 'PrivateMemoryMax=1 120%'
	service_put t-comment.service 'PrivateMemoryNodes=1 # mine'
	service_put t-quote.service 'PrivateMemoryNodes="1'
	service_put t-only.service 'PrivateMemoryMax=1 64M'
	service_put t-none.service PrivateMemoryNodes=7
	service_put t-word.service PrivateMemoryNodes=node1
	service_put t-twice.service MemoryAccounting=no PrivateMemoryNodes=1 PrivateMemoryNodes=1 \
		'PrivateMemoryMax=1 64M' 'PrivateMemoryMax=1 32M'
	unit_put tsmall.slice '[Slice]' PrivateMemoryNodes=1 'PrivateMemoryMax=1 32M'
	service_put t-large.service Slice=tsmall.slice PrivateMemoryNodes=1 'PrivateMemoryMax=1 64M'
	service_put t-member.service Slice=tplain.slice
	systemctl daemon-reload
}

teardown() {
	units_stop
}

teardown_file() {
	rm -rf "$units"/t-* "$units"/tsmall.slice "$units"/tplain.slice /run/systemd/generator/t-made.service
	systemctl daemon-reload
}

@test "mistake: a key misspelt or in another section: verify fails, and show says that nothing is asked for" {
	systemctl start t-key.service t-section.service
	log_has t-section.service "t-section.service:2: Unknown key 'PrivateMemoryNodes' in section [Unit], ignoring"
	run -1 privmemctl verify "$units/t-key.service" "$units/t-section.service"
	output_has 't-key.service:5: error: X-PrivateMemoryNode= is not known; there are PrivateMemoryNodes= and'
	output_has 't-section.service:2: error: PrivateMemoryNodes= is not read in [Unit], only in [Service]'
	run -9 privmemctl show t-key.service
	output_is 'privmemctl: t-key.service has no grant of private memory; no file of it asks for any; if one should, see privmemctl verify'
}

# The ledger is as before, and list has nothing where nothing is known.
@test "mistake: values that cannot be read: the start and verify say the same, and nothing changes" {
	local unit text

	while read -r unit text; do
		start_fails "$unit.service" "private memory refused: $units/$unit.service:$text"
		run -1 privmemctl verify "$units/$unit.service"
		output_has "$units/$unit.service:${text/: /: error: }"
	done <<-'END'
		t-percent 6: PrivateMemoryMax=1 120%: percentage is above 100%
		t-comment 5: PrivateMemoryNodes=1 # mine: expected a node number; a comment needs a line of its own
		t-quote 5: PrivateMemoryNodes="1: a quote does not end
		t-only 5: PrivateMemoryMax= for node 1, but there is no PrivateMemoryNodes=
	END
	run -0 privmemctl show t-only
	[[ ${lines[1]} =~ ^t-only\.service\ +-\ +-\ +-\ +no\ +-\ +0B\ +0B\ +/.*:5:\  ]]
	reserved_is 1 0
}

@test "mistake: a node that is none, or written as messages have it: what there is is told" {
	start_fails t-none.service 'private memory refused: node7: no such private node; there is 1-2'
	run -9 privmemctl verify "$units/t-none.service"
	output_has "$units/t-none.service:5: error: node7: not a private node of this machine; there is 1-2"
	start_fails t-word.service 'no node has this name in privmemd.conf; a number stands alone, as in "1"'
}

@test "mistake: accounting switched off and lines given twice do no harm" {
	systemctl start t-twice.service
	granted_expect t-twice.service 1 $((32 * MIB))
}

# Seen red without verify_add_slices(): it found nothing wrong, as only privmemd's slices counted.
@test "mistake: more than the slice has, which does not run: verify knows its files" {
	run -8 privmemctl verify "$units/t-large.service"
	output_has 't-large.service:7: error: node1: 64M asked for in all, 32M left of the 32M of tsmall.slice'
	[[ $(systemctl show -P ActiveState tsmall.slice) == inactive && $output != *$'\n'tsmall.slice* ]]
	start_fails t-large.service 'node1: 64M asked for, 32M of 32M left in tsmall.slice'
}

# Seen red without why_nothing().
@test "mistake: no daemon-reload: show says to do it, before and after the start" {
	unit_put t-fresh.service '[Service]' Type=oneshot "ExecStart=$touch --nodes=1" PrivateMemoryNodes=1 'PrivateMemoryMax=1 1M'
	start_fails t-fresh.service 'Operation not permitted'
	run -9 privmemctl show t-fresh.service
	output_has 'which systemd has not been told of; run systemctl daemon-reload and start it again'
	systemctl daemon-reload
	run -9 privmemctl show t-fresh.service
	output_has 'its files ask for some when it starts'
	systemctl start t-fresh.service
}

@test "mistake: what comes late is warned about: a slice that runs, another generator's file" {
	systemctl start t-member.service
	unit_put tplain.slice '[Slice]' PrivateMemoryNodes=1 'PrivateMemoryMax=1 1M'
	run -0 privmemctl verify "$units/tplain.slice"
	output_has 'tplain.slice:3: warning: node1: the slice is active already, so it is granted late'
	cp "$units/t-twice.service" /run/systemd/generator/t-made.service
	run -0 privmemctl verify /run/systemd/generator/t-made.service
	output_has 'warning: made by another generator, so t-made.service is granted late'
}
