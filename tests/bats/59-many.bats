# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Units by the hundred: slices, as they take no process. make bench does it with 10,000 services.

load units

readonly count=200

# granted_list COUNT: so many are listed, with nothing wrong; who and what is in $tmp/list
granted_list() {
	privmemctl --json=short list | jq -r '.grants[] | select(.unit | startswith("tmany-"))
		| select(.reserved_bytes == 4096 and .limit_bytes == 4096 and .effective and (.reason // "") == "")
		| .control_group' >"$BATS_TEST_TMPDIR/list"
	[[ $(wc -l <"$BATS_TEST_TMPDIR/list") == "$1" ]]
}

setup_file() {
	seq -f 'tmany-%g.slice' $count | xargs systemctl start
	unit_put tmany-.slice.d/grant.conf '[Slice]' PrivateMemoryNodes=1 'PrivateMemoryMax=1 4K'
	systemctl daemon-reload
}

teardown_file() {
	systemctl stop 'tmany*.slice' t-unwatched.service
	rm -rf $units/tmany-.slice.d
	systemctl daemon-reload
}

# Seen red with the next check left waiting when one is answered (checks_run in check_answer).
@test "many: a daemon-reload grants two hundred units, and a restart and a reload find them so" {
	wait_for 60 granted_list $count
	sort "$BATS_TEST_TMPDIR/list" >"$BATS_TEST_TMPDIR/before"
	reserved_is 1 $((count * 4096))
	systemctl kill -s KILL --kill-whom=main privmemd.service
	granted_list $count
	sort "$BATS_TEST_TMPDIR/list" | cmp - "$BATS_TEST_TMPDIR/before"
	systemctl daemon-reload
	granted_list $count
	reserved_is 1 $((count * 4096))
}

@test "many: where inotify watches give out a unit is granted all the same, and that is told once" {
	local limit

	limit=$(sysctl -n fs.inotify.max_user_watches)
	service_put t-unwatched.service PrivateMemoryNodes=1 'PrivateMemoryMax=1 4K'
	systemctl daemon-reload
	sysctl -q fs.inotify.max_user_watches=1
	run systemctl start t-unwatched.service
	privmemctl apply t-unwatched.service
	sysctl -q fs.inotify.max_user_watches="$limit"
	[[ $status == 0 ]]
	granted_expect t-unwatched.service 1 4096
	wait_for 10 log_has t-unwatched.service 'cannot watch its cgroup'
	[[ $(unit_log t-unwatched.service | grep -c 'cannot watch its cgroup') == 1 ]]
	systemctl stop t-unwatched.service
	wait_for 20 reserved_is 1 $((count * 4096))
}

@test "many: a daemon-reload takes from all what none asks for any more" {
	rm $units/tmany-.slice.d/grant.conf
	systemctl daemon-reload
	wait_for 60 reserved_is 1 0
	granted_list 0
}
