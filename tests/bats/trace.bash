# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034
#
# bats notes the place of every command before it runs it, so that it can tell that
# of the one that fails. Emulated, a note takes ten times as long as the commands
# themselves; here the place is looked up when a command has failed. The functions take
# the place of bats' own of the same name.

bats_debug_trap() {
	:
}

bats_error_trap() {
	bats_check_status_from_trap
	[[ $BATS_DEBUG_LAST_STACK_TRACE_IS_VALID ]] || bats_capture_stack_trace
	BATS_DEBUG_LAST_STACK_TRACE_IS_VALID=1
}

# bats' own, without a process; a newer bats names a variable for it.
get_mills_since_epoch() {
	local now=$((${EPOCHREALTIME/./} / 1000))

	if (($#)); then
		printf -v "$1" %s "$now"
	else
		echo "$now"
	fi
}
