# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the runs of mutants share: their lists, and what is told of each, as TAP.

# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/common.sh"

failed=0

# mutants_each LIST FUNCTION NAME...: calls FUNCTION with the five lines of each entry whose
# name begins as one of the NAMEs, of all if there are none
mutants_each() {
	local list=$1 function=$2 name files edit tests red fd

	shift 2
	exec {fd}< <(sed '/^#/d; /^$/d' "$list")
	while read -r -u "$fd" name; do
		read -r -u "$fd" files
		read -r -u "$fd" edit
		read -r -u "$fd" tests
		read -r -u "$fd" red || die "$list: $name has less than five lines"
		! is_wanted "$name" "$@" || "$function" "$name" "$files" "$edit" "$tests" "$red"
	done
	exec {fd}<&-
}

is_wanted() {
	local name=$1 want

	shift
	(($#)) || return 0
	for want; do
		[[ $name != "$want"* ]] || return 0
	done
	return 1
}

# tests_of DIR RESULT: the names of those that ended so
tests_of() {
	sed -nE "s/^$2 [0-9]+ (.*) in [0-9]+ms\$/\1/p" "$1/tap"
}

# judge_red N DIR: all of its tests have to be red. Bats says nothing of a test that failed and
# whose teardown did; with DIR/lost nothing is proven.
judge_red() {
	local n=$1 dir=$2 red green planned

	red=$(tests_of "$dir" 'not ok')
	green=$(tests_of "$dir" ok)
	planned=$(awk -F '[.][.]' '/^1[.][.]/ { sum += $2 } END { print sum + 0 }' "$dir/tap")
	if [[ ! $green && ! -e $dir/lost ]] && ((planned)); then
		echo "ok $n - $(<"$dir/name")"
	else
		echo "not ok $n - $(<"$dir/name"): see $dir/tap"
		failed=1
	fi
	[[ ! $red ]] || echo "# red: ${red//$'\n'/$'\n# red: '}"
	[[ ! $green ]] || echo "# did not notice: ${green//$'\n'/$'\n# did not notice: '}"
}
