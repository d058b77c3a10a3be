# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# How tests wait: for what they wait for, with a deadline.

# What a deadline for the plain kernel is multiplied by: the debug kernel is that much slower.
patience=1
[[ $(uname -r) != *-debug ]] || patience=20
[[ ! -d /var/log/privmem-sanitizer ]] || patience=4

# plain_programs: the sanitizers need memory and freedom that is not asked for otherwise
plain_programs() {
	[[ ! -d /var/log/privmem-sanitizer ]] || skip "not with the sanitizers in"
}

# wait_for SECONDS COMMAND...: until COMMAND succeeds
wait_for() {
	local deadline=$((SECONDS + $1 * patience))

	shift
	until "$@"; do
		((SECONDS < deadline)) || { echo "gave up waiting for: $*"; return 1; }
		read -r -t 0.05 <> <(:) || :
	done
}
