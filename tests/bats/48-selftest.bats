#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# The selftest that the queue adds to the kernel's own, built by `make kernel`.

load lib

# Seen red where limits or grants are not looked at, freed pages stay charged or bad limits are
# taken, which makes each of its twelve tests red; and without a private node.
@test "selftest: test_privmem says ok to all of its tests and skips none" {
	run "$BATS_TEST_DIRNAME/../../build/kernel/test_privmem"
	echo "$output"
	[[ $status == 0 && ${lines[0]} == 'TAP version 13' && ${lines[1]} =~ ^1\.\.([1-9][0-9]*)$ ]]
	(($(grep -c '^ok ' <<<"$output") == BASH_REMATCH[1]))
	[[ $output != *SKIP* ]]
}
