# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034
#
# Sourced by the scripts beside it: where things are.

set -euo pipefail

{
	top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
	build=${PRIVMEM_BUILD:-$top/build}
	# Debian's package and the archive in it: the base of the queue.
	source_package=linux-source-6.12
	source_archive=/usr/src/$source_package.tar.xz
	# The base as Debian has it, and the base with our files and patches.
	stock=$build/linux/stock
	patched=${PRIVMEM_PATCHED:-$build/linux/privmem}
	queue=${PRIVMEM_QUEUE:-$top/mm-patches}
	newfiles=${PRIVMEM_NEWFILES:-$top/kernel/cgroup-privmem}
}

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# The patches of the queue in order, as names relative to $queue.
series() {
	[[ -e $queue/series ]] || return 0
	sed -e 's/[[:space:]]*#.*//' -e '/^[[:space:]]*$/d' "$queue/series"
}

# The files a patch touches, as paths in the kernel tree.
patch_files() {
	sed -n -e '/^--- \/dev\/null/d' -e 's|^--- a/\([^\t]*\).*|\1|p' -e 's|^+++ b/\([^\t]*\).*|\1|p' "$@" |
		LC_ALL=C sort -u
}

# The new files: lines of "<name in $newfiles> <path in the kernel tree>".
new_files() {
	local file path

	[[ -d $newfiles ]] || return 0
	while read -r file path; do
		[[ -e $newfiles/$file ]] || die "kernel/cgroup-privmem/MANIFEST: there is no $file"
	done < <(manifest)
	while read -r file; do
		path=$(manifest | while read -r name where; do [[ $name != "$file" ]] || echo "$where"; done)
		echo "$file ${path:-kernel/cgroup-privmem/$file}"
	done < <(cd "$newfiles" && find . -type f ! -name MANIFEST -printf '%P\n' | LC_ALL=C sort)
}

manifest() {
	[[ ! -e $newfiles/MANIFEST ]] || sed -e 's/[[:space:]]*#.*//' -e '/^[[:space:]]*$/d' "$newfiles/MANIFEST"
}

# new_files_into DIR: copies them; they never replace a file of the base.
new_files_into() {
	local dir=$1 file path

	while read -r file path; do
		[[ ! -e $stock/$path ]] || die "kernel/cgroup-privmem/$file: the base has $path already"
		install -D -m 644 "$newfiles/$file" "$dir/$path"
	done < <(new_files)
}

# put FILE INTO: by rename, so that no build sees half a file, and what INTO
# was a link to stays as it is
put() {
	install -D -m "$(stat -c %a "$1")" "$1" "$2.new"
	mv "$2.new" "$2"
}

# kernel_make SOURCE OUT ARG...: names, dates and the repository around us stay out of
# the image.
kernel_make() {
	local source=$1 out=$2

	shift 2
	make -C "$source" O="$out" ARCH=x86_64 -j"$(nproc)" CC="ccache gcc" LOCALVERSION= \
		KBUILD_BUILD_TIMESTAMP='1970-01-01 00:00:00 UTC' KBUILD_BUILD_VERSION=1 \
		KBUILD_BUILD_USER=privmem KBUILD_BUILD_HOST=privmem "$@"
}

# A miss then costs no run of the preprocessor: kbuild has dependency files anyway.
export CCACHE_DEPEND=1
