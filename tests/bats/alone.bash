# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the guest tests share, for a script in the guest that bats does not run.

bats_require_minimum_version() {
	:
}

BATS_TEST_TMPDIR=$(mktemp -d)
# shellcheck source=tests/bats/lib.bash
. "${BASH_SOURCE[0]%/*}/lib.bash"
