#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# boot: --append "private_nodes=1:migration private_nodes=2:longterm_pin kunit.enable=1"
# What the kernel's own tests said at boot, with one private node online.

# suite NAME: it ran, and nothing in it failed or was skipped
suite() {
	local log

	log=$(dmesg | sed -n "/KTAP version 1\$/,\$p" | sed 's/^\[[^]]*\] //' |
		awk -v name="$1" '/^    # Subtest: / { on = $0 ~ ": " name "$" } on')
	grep -qE "^ok [0-9]+ $1\$" <<<"$log" || { echo "$log"; return 1; }
	! grep -E "not ok|# SKIP" <<<"$log"
}

@test "KUnit: opt-ins in every combination, and zonelists" {
	suite node_private
}

@test "KUnit: the formula of grants, for all masks" {
	suite privmem-grant
}

@test "KUnit: the edges of the counters" {
	suite privmem-counter
}
