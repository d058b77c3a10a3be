# SPDX-License-Identifier: LGPL-2.1-or-later
#
# privmemd.conf: names for nodes, overcommit, and devices that privmemd brings up.

load units
load dax

readonly conf=/run/privmem/privmemd.conf.d

setup_file() {
	local most rest

	most=$(($(capacity 1) / 4096 * 3 / 4 * 4096))
	rest=$(($(capacity 1) / 100 * 150 + $(capacity 1) % 100 * 150 / 100 - most))
	rest=$((rest / 4096 * 4096))
	service_put t-named.service PrivateMemoryNodes=hbm0 'PrivateMemoryMax=hbm0 16M'
	service_put t-mixed.service 'PrivateMemoryNodes=hbm1, 1' 'PrivateMemoryMax=hbm1 8M' 'PrivateMemoryMax=1 4M'
	service_put t-inst@.service PrivateMemoryNodes=%i 'PrivateMemoryMax=%i 16M'
	service_put t-unknown.service PrivateMemoryNodes=hbm7
	service_put t-gone.service PrivateMemoryNodes=gone
	service_put t-vague.service PrivateMemoryNodes=vague
	service_put t-number.service PrivateMemoryNodes=1 'PrivateMemoryMax=1 1M'
	service_put t-most.service PrivateMemoryNodes=1 "PrivateMemoryMax=1 $most"
	service_put t-rest.service PrivateMemoryNodes=1 "PrivateMemoryMax=1 $rest"
	service_put t-page.service PrivateMemoryNodes=1 'PrivateMemoryMax=1 4K'
	service_put t-all.service PrivateMemoryNodes=1
	unit_put tnamed.slice '[Slice]' PrivateMemoryNodes=hbm1 'PrivateMemoryMax=hbm1 32M'
	service_put t-inside.service Slice=tnamed.slice
	systemctl daemon-reload
	mkdir -p $conf
	systemctl start privmemd.service
}

setup() {
	conf_put names '[Node hbm0]' Device=dax0.0 '[Node hbm1]' 'Path=hmem.1' Capacity=512M \
		'[Node gone]' Device=dax9.0 '[Node vague]' 'Device=dax*'
	conf_reload
}

teardown() {
	units_stop
	rm -f $conf/*.conf
	nodes_restore
}

teardown_file() {
	conf_reload
	rm -rf "$units"/t-* "$units"/tnamed.slice $conf
}

# conf_put NAME [LINE]...: a drop-in
conf_put() {
	printf '%s\n' "${@:2}" >"$conf/$1.conf"
}

# conf_reload: privmemd answers whoever asks next by the new configuration; as systemctl
# reload does it, in a third of the time
conf_reload() {
	pkill -HUP -x privmemd
	privmemctl nodes >/dev/null
}

daemon_log() {
	journalctl -q -o cat -b -u privmemd.service
}

daemon_log_has() {
	daemon_log | grep -qF -- "$1"
}

@test "config: a unit asks for a node by its name" {
	systemctl start t-named.service t-mixed.service
	granted_expect t-named.service 1 $((16 * MIB))
	cg_expect t-mixed.service memory.private_nodes 1-2
	cg_expect t-mixed.service memory.private_nodes.max "N1 $((4 * MIB))"
	cg_expect t-mixed.service memory.private_nodes.max "N2 $((8 * MIB))"
}

@test "config: an instance may be called after the node it gets, and a slice may name one" {
	systemctl start t-inst@hbm1.service t-inside.service
	granted_expect t-inst@hbm1.service 2 $((16 * MIB))
	granted_expect tnamed.slice 2 $((32 * MIB))
	cg_expect t-inside.service memory.private_nodes.effective 2
}

@test "config: a name that stands for no node fails that start and says why" {
	start_fails t-unknown.service 't-unknown.service:5: PrivateMemoryNodes=hbm7: no node has this name in privmemd.conf'
	start_fails t-gone.service 't-gone.service:5: PrivateMemoryNodes=gone: no device is there that its [Node] fits'
	start_fails t-vague.service 'PrivateMemoryNodes=vague: its [Node] fits devices of more than one node'
}

@test "config: the hook and privmemctl know the names" {
	run -0 systemd-run -q --wait --pipe -p ExecStartPre="+/usr/libexec/privmem-hook --nodes=hbm0 --max=1M" \
		"$touch" --nodes=1 --size=64K
	output_has 'touched 65536'
	run -9 /usr/libexec/privmem-hook --nodes=hbm7 t-number.service
	output_is 'privmem-hook: t-number.service: --nodes=hbm7: no node has this name in privmemd.conf'
	run -0 privmemctl nodes
	output_has '1  hbm0  online  dax0.0'
	run -0 privmemctl verify "$units/t-named.service"
	output_has 't-named.service     1  16M'
	run -9 privmemctl verify "$units/t-unknown.service"
	output_has 't-unknown.service:5: error: PrivateMemoryNodes=hbm7: no node has this name'
}

@test "config: privmemctl grants, limits and revokes by name, units as well as cgroups" {
	local made=/sys/fs/cgroup/t-made

	systemctl start t-number.service
	privmemctl grant t-number.service hbm1 8M
	cg_expect t-number.service memory.private_nodes 1-2
	privmemctl set-limit t-number hbm1 16M
	cg_expect t-number.service memory.private_nodes.max "N2 $((16 * MIB))"
	run -9 privmemctl revoke --evict t-number hbm7
	output_is 'privmemctl: t-number: nodes "hbm7": no node has this name in privmemd.conf'
	run -9 privmemctl grant t-number gone
	output_is 'privmemctl: t-number: nodes "gone": no device is there that its [Node] fits'
	run -2 privmemctl set-limit t-number hbm0 99%x
	output_has "percentages have"
	privmemctl revoke --evict t-number hbm1
	granted_expect t-number.service 1 $MIB
	cg_expect t-number.service memory.private_nodes 1
	privmemctl revert t-number
	mkdir $made
	privmemctl grant /t-made 'hbm0 hbm1' --max='hbm1 8M' --max='hbm0 4M'
	privmemctl set-limit /t-made hbm1 16M
	line_expect $made/memory.private_nodes.max "N1 $((4 * MIB))"
	line_expect $made/memory.private_nodes.max "N2 $((16 * MIB))"
	run -9 privmemctl grant /t-made hbm7
	output_is 'privmemctl: /t-made: nodes "hbm7": no node has this name in privmemd.conf'
	privmemctl revoke /t-made hbm0
	line_expect $made/memory.private_nodes 2
	rmdir $made
}

# What a renumbered node looks like to privmemd: the same name, another number.
# Seen red without the round of on_reload().
@test "config: a name that comes to stand for another node takes running units along" {
	systemctl start t-named.service
	conf_put names '[Node hbm0]' Device=dax1.0
	conf_reload
	wait_for 10 granted_expect t-named.service 2 $((16 * MIB))
	cg_expect t-named.service memory.private_nodes 2
	wait_for 10 reserved_is 1 0
}

@test "config: a name that stands for nothing any more leaves running units what they have" {
	systemctl start t-named.service
	conf_put names
	systemctl reload privmemd.service
	wait_for 10 log_has t-named.service 'no node has this name'
	granted_expect t-named.service 1 $((16 * MIB))
	reserved_is 1 $((16 * MIB))
}

# Seen red with settings that are dropped before the new ones are read.
@test "config: with a mistake the former configuration stays, and file, line and reason are told" {
	conf_put zzz '[Node hbm0]' '' Overcomit=150%
	conf_reload
	[[ $(systemctl show -P ActiveState privmemd.service) == active ]]
	[[ $(systemctl show -P StatusText privmemd.service) == *"$conf/zzz.conf:3: Overcomit=150%: this key is not known"* ]]
	daemon_log_has "configuration not taken over: $conf/zzz.conf:3: Overcomit=150%: this key is not known"
	systemctl start t-named.service
	granted_expect t-named.service 1 $((16 * MIB))
	rm $conf/zzz.conf
	conf_reload
	[[ $(systemctl show -P StatusText privmemd.service) == '' ]]
}

@test "config: with a mistake from the start, units that name no names start" {
	conf_put zzz '[Node' Device=dax0.0
	systemctl restart privmemd.service
	systemctl start t-number.service
	granted_expect t-number.service 1 $MIB
	start_fails t-named.service 'no node has this name in privmemd.conf'
}

# Seen red with a ledger that takes the capacity for the room.
@test "config: Overcommit= lets more be promised than there is, to the page" {
	conf_put over '[Node hbm0]' Overcommit=150%
	conf_reload
	systemctl start t-most.service t-rest.service
	start_fails t-page.service 'node1: 4K asked for, 0B of 7'
	rm $conf/over.conf
	conf_reload
	granted_expect t-most.service 1 "$(cg_limit t-most.service)"
	systemctl stop t-most.service
	start_fails t-most.service 'reserved by t-rest.service'
}

cg_limit() {
	sed -n 's/^N1 //p' "$(cg_path "$1")/memory.private_nodes.max"
}

# Seen red without all_that_is_left(): the unit's limit was three times the node.
@test "config: all that is left is never more than there is" {
	conf_put over '[Manager]' DefaultOvercommit=300%
	conf_reload
	systemctl start t-all.service
	granted_expect t-all.service 1 "$(capacity 1)"
	systemctl start t-most.service
	reserved_is 1 $(($(capacity 1) + $(cg_limit t-most.service)))
}

# Seen red without ReadWritePaths=/sys/devices: "cannot unbind it from kmem: Read-only file system".
@test "bring-up: Private=yes makes a private node of a device that is ordinary, or nobody's" {
	conf_put dev '[Node hbm1]' Private=yes
	kmem_unbind 2
	dax_write 2 private 0
	dax_write 2 private_ops ''
	kmem_bind 2
	nodes_expect has_private_memory 1
	conf_reload
	nodes_expect has_private_memory 1-2
	dax_expect 2 private_ops 'migration mempolicy'
	daemon_log_has 'dax1.0 (hbm1) is the private node 2 now'
	kmem_unbind 2
	conf_reload
	nodes_expect has_private_memory 1-2
}

@test "bring-up: PrivateOps= are the opt-ins; ones that the kernel refuses leave the device out of use" {
	kmem_unbind 2
	conf_put dev '[Node hbm1]' Private=yes PrivateOps=migration
	conf_reload
	nodes_expect has_private_memory 1-2
	dax_expect 2 private_ops migration
	conf_put dev '[Node hbm1]' Private=yes 'PrivateOps=migration mempolicy'
	conf_reload
	dax_expect 2 private_ops migration
	daemon_log_has 'dax1.0 (hbm1) is private with the opt-ins "migration"; "migration mempolicy" would take effect'
	kmem_unbind 2
	conf_put dev '[Node hbm1]' Private=yes PrivateOps=mempolicy
	conf_reload
	nodes_expect has_private_memory 1
	nodes_expect has_memory 0
	daemon_log_has 'the kernel refuses the opt-ins "mempolicy": Invalid argument'
}

@test "bring-up: a device of the other driver is taken from it" {
	conf_put dev '[Node hbm1]' Private=yes
	kmem_unbind 2
	echo dax1.0 >/sys/bus/dax/drivers/device_dax/new_id
	[[ $(readlink "$(dax_of 2)/driver") == *device_dax ]]
	conf_reload
	echo dax1.0 >/sys/bus/dax/drivers/device_dax/remove_id
	nodes_expect has_private_memory 1-2
}

# Seen red without has_ordinary_memory(): the device was unbound, its memory stayed behind.
@test "bring-up: ordinary memory that is online stays, and privmemd says what to do" {
	local block

	conf_put dev '[Node hbm1]' Private=yes
	kmem_unbind 2
	dax_write 2 private 0
	kmem_bind 2
	block=$(echo /sys/devices/system/node/node2/memory[0-9]* | cut -d ' ' -f 1)
	echo online_movable >"$block/state"
	conf_reload
	nodes_expect has_memory 0,2
	daemon_log_has 'node 2 has ordinary memory; take that offline first, or boot with private_nodes=2:'
	echo offline >"$block/state"
	conf_reload
	nodes_expect has_private_memory 1-2
}

@test "bring-up: a device that somebody took offline stays so" {
	conf_put dev '[Node hbm1]' Private=yes
	dax_write 2 state offline
	conf_reload
	systemctl restart privmemd.service
	dax_expect 2 state offline
}

# Seen red without the udev rule.
@test "bring-up: a device that comes starts privmemd, or is met by it, and is brought up" {
	conf_put dev '[Node hbm1]' Private=yes
	conf_reload
	kmem_unbind 2
	udevadm trigger --action=add /sys/bus/dax/devices/dax1.0
	wait_for 20 nodes_expect has_private_memory 1-2
	kmem_unbind 2
	systemctl stop privmemd.socket privmemd-private.socket privmemd.service
	udevadm trigger --action=add /sys/bus/dax/devices/dax1.0
	wait_for 20 nodes_expect has_private_memory 1-2
	wait_for 10 systemctl -q is-active privmemd.service
}
