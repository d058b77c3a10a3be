#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# make install and uninstall, tested from the host: what they put where for each PREFIX, and that what
# is below another prefix than the guest's own works.

bats_require_minimum_version 1.5.0

setup_file() {
	local prefix

	export TOP=$BATS_TEST_DIRNAME/../..
	# The build is for the last of them, as the image has it.
	for prefix in /opt/x /usr/local /usr; do
		make -s -C "$TOP" install DESTDIR="$(tree_of $prefix)" PREFIX=$prefix
	done
}

# tree_of PREFIX: the place that was installed into with it
tree_of() {
	echo "$BATS_FILE_TMPDIR/${1//\//_}"
}

# files_of PREFIX: what is there
files_of() {
	(cd "$(tree_of "$1")" && find . ! -type d -printf '/%P\n' | LC_ALL=C sort)
}

@test "install: with another PREFIX the same files are below it, or where they are looked for" {
	local prefix want

	for prefix in /usr/local /opt/x; do
		want=$(files_of /usr | sed -E "s|^/usr/share/dbus-1/system.d/|/etc/dbus-1/system.d/|
			s|^/usr/(lib/(systemd\|udev)\|share/dbus-1)/|/usr/local/\1/|; t; s|^/usr/|$prefix/|" | LC_ALL=C sort)
		diff <(echo "$want") <(files_of $prefix)
	done
	[[ $(files_of /usr | wc -l) -gt 20 ]]
}

# Seen red with a generator that is not built anew for another PREFIX.
@test "install: programs are named by the path they are installed at, and by no other" {
	local prefix lib

	for prefix in /usr/local /opt/x; do
		lib=$(tree_of $prefix)/usr/local/lib/systemd
		run -1 grep -r /usr/libexec "$(tree_of $prefix)"
		grep -q "$prefix/libexec/privmem-hook %n" "$lib/system-generators/privmem-generator"
		grep -qx "ExecStart=$prefix/libexec/privmemd" "$lib/system/privmemd.service"
	done
	grep -q '/usr/libexec/privmem-hook %n' "$(tree_of /usr)/usr/lib/systemd/system-generators/privmem-generator"
}

@test "install: man finds a page beside the programs, by both names" {
	local there page

	there=$(tree_of /opt/x)/opt/x
	for page in privmemctl.1 privmem.resource-control.5 privmemd.8 privmemd.service.8; do
		run -0 env -u MANPATH PATH="$there/bin:$PATH" man -w "${page##*.}" "${page%.*}"
		[[ $(realpath "$output") == "$(realpath "$there/share/man/man${page##*.}/$page")" ]]
	done
}

# page_has PAGE WORD...: the manual page names each of them
page_has() {
	local page=$1 word text

	shift
	text=$(sed 's/\\f.//g; s/\\//g' "$TOP/docs/$page")
	(($# > 1))
	for word; do
		grep -qE -- "(^|[^[:alnum:]_-])$word([^[:alnum:]_-]|\$)" <<<"$text" ||
			{ echo "$page says nothing of $word"; return 1; }
	done
}

# quoted_in FILE...: words in quotes that begin with a capital letter, as keys and members do
quoted_in() {
	(cd "$TOP/userspace" && grep -ohE '"[A-Z][A-Za-z]+"' "$@") | tr -d '"' | sort -u
}

# Seen red with each of these lists, by a word more in the source.
@test "manual pages: every verb, option, exit status, key and member is named" {
	local help

	help=$("$(tree_of /usr)/usr/bin/privmemctl" --help | sed 's/drop-ins//')
	mapfile -t words < <(grep -oE '^  [a-z-]+|--?[a-z]+|[0-9] [a-z]+' <<<"$help" | sed 's/ *//')
	page_has privmemctl.1 "${words[@]}"
	mapfile -t words < <(grep -ohE 'object_add\([a-z]+, "[a-z_]+' "$TOP"/userspace/privmemctl/*.c | sed 's/.*"//')
	page_has privmemctl.1 "${words[@]}"
	mapfile -t words < <(quoted_in privmemd/config.c)
	page_has privmemd.conf.5 "${words[@]}"
	mapfile -t words < <(quoted_in privmemd/rows.c)
	page_has org.privmem1.5 "${words[@]}"
	mapfile -t words < <(grep -oE '\{ "[a-z]+"' "$TOP/userspace/hook/privmem-hook.c" | tr -d '{ "')
	page_has privmemd.8 "${words[@]/#/--}"
}

# Both ways: nothing of ours stays, and nothing else goes.
@test "uninstall: takes away what was installed, with its directories, and nothing else" {
	local prefix tree

	for prefix in /opt/x /usr/local /usr; do
		tree=$BATS_TEST_TMPDIR/${prefix//\//_}
		cp -a "$(tree_of $prefix)" "$tree"
		touch "$tree$prefix/libexec/other"
		make -s -C "$TOP" uninstall DESTDIR="$tree" PREFIX=$prefix
		run -0 find "$tree" ! -type d
		[[ $output == "$tree$prefix/libexec/other" ]]
		rm "$output"
		rmdir "$tree$prefix/libexec"
		run -0 find "$tree" -mindepth 1 -printf '%P\n'
		echo "left: $output"
		run ! grep -vxE 'usr|usr/local(/(bin|lib|share|share/man))?|opt(/x)?|etc(/dbus-1(/system.d)?)?' <<<"$output"
	done
}

# The guest's own installation, which is in /usr, makes room.
@test "install: below /usr/local everything is found by systemd, udev, D-Bus and the journal" {
	local share

	share=$(tree_of /usr/local)
	files_of /usr >"$share/own"
	cat >"$share/inside" <<-'END'
		set -eux
		systemctl stop privmemd.socket privmemd-private.socket privmemd.service
		xargs rm </mnt/share/own
		cp -a /mnt/share/usr /mnt/share/etc /
		mkdir -p /etc/systemd/system
		printf '%s\n' '[Slice]' PrivateMemoryNodes=2 'PrivateMemoryMax=2 8M' >/etc/systemd/system/t.slice
		printf '%s\n' '[Service]' Type=exec 'ExecStart=sleep infinity' Slice=t.slice PrivateMemoryNodes=1 \
			'PrivateMemoryMax=1 4M' >/etc/systemd/system/t.service
		systemctl daemon-reload
		systemctl reload dbus.service
		journalctl --update-catalog
		systemctl start privmemd.socket privmemd-private.socket t.service
		grep -x 2 /sys/fs/cgroup/t.slice/memory.private_nodes
		grep -x 'N1 4194304' /sys/fs/cgroup/t.slice/t.service/memory.private_nodes.max
		systemctl cat t.service | grep -x 'ExecStartPre=+/usr/local/libexec/privmem-hook %n'
		[ "$(command -v privmemctl)" = /usr/local/bin/privmemctl ]
		setpriv --reuid=65534 --clear-groups privmemctl list | grep '^t.service  *1 .* 4M '
		journalctl -b -x -u t.service | grep 'Subject: Private memory was granted'
		systemctl stop privmemd.socket privmemd-private.socket privmemd.service
		setpriv --reuid=65534 --clear-groups busctl call org.privmem1 /org/privmem1 org.privmem1.Manager ListNodes
		udevadm trigger --action=add --settle /sys/bus/dax/devices/dax1.0
		udevadm info --query=property /sys/bus/dax/devices/dax1.0 | grep "^SYSTEMD_WANTS=.*privmemd.service$"
	END
	"$BATS_TEST_DIRNAME/run" --share "$share" -- bash /mnt/share/inside 2>&1
}
