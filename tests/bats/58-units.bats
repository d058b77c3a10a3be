# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Units as systemd.unit(5), systemd.service(5) and systemd.exec(5) have them: whatever kind a unit is
# of and however it is put together, its first instruction finds the grant. All are started by
# setup_file, at once; each test looks what became of its own.

load units
load dax

readonly conf=/run/privmem/privmemd.conf.d

# asking NAME [LINE]...: binds and touches as its first act, then stays
asking() {
	unit_put "$1" '[Service]' Type=exec 'TimeoutStopSec=20' \
		"ExecStart=$touch --nodes=1 --size=4K --hold=/never" "${@:2}"
}

readonly grant=(PrivateMemoryNodes=1 'PrivateMemoryMax=1 1M')

put_names() {
	mkdir -p $conf
	printf '%s\n' '[Node guest]' Device=dax0.0 >$conf/t-units.conf
	asking t-host.service PrivateMemoryNodes=%H 'PrivateMemoryMax=%l 1M'
	asking 't-inst@.service' PrivateMemoryNodes=%i 'PrivateMemoryMax=%I 1M'
	asking 't-last-1.service' PrivateMemoryNodes=%j 'PrivateMemoryMax=%j 1M'
	asking 't-es\x2dcaped.service' "${grant[@]}"
	asking t-real.service "${grant[@]}"
	ln -sf t-real.service "$units/t-other.service"
	unit_put memory.slice '[Slice]' PrivateMemoryNodes=1 'PrivateMemoryMax=1 2M'
	asking io.service Slice=memory.slice "${grant[@]}"
	asking t-a-b-c.service
	unit_put t-a-.service.d/a.conf '[Service]' "${grant[@]}"
	unit_put t-a-b-.service.d/b.conf '[Service]' 'PrivateMemoryMax=1 2M'
	asking t-quoted.service '; a comment' "PrivateMemoryNodes = \\" '# inside' '  "1"' "PrivateMemoryMax='1' \"1M\""
}

put_types() {
	asking t-simple.service Type=simple "${grant[@]}"
	asking t-idle.service Type=idle "${grant[@]}"
	unit_put t-oneshot.service '[Service]' Type=oneshot RemainAfterExit=yes "ExecStart=$touch --nodes=1" "${grant[@]}"
	unit_put t-forking.service '[Service]' Type=forking \
		"ExecStart=/bin/sh -c '$touch --nodes=1 --hold=/never & exec $touch --nodes=1'" "${grant[@]}"
	unit_put t-notify.service '[Service]' Type=notify NotifyAccess=all \
		"ExecStart=/bin/sh -c '$touch --nodes=1 && systemd-notify --ready && exec sleep infinity'" "${grant[@]}"
	unit_put t-restart.service '[Service]' Restart=on-failure RestartSec=50ms \
		"ExecStart=/bin/sh -c '$touch --nodes=1 || exit 9; [ -e /run/t-once ] || { touch /run/t-once; exit 1; }; exec sleep infinity'" \
		"${grant[@]}"
	unit_put t-activated.socket '[Socket]' ListenFIFO=/run/t-activated
	unit_put t-activated.service '[Service]' "ExecStart=$touch --nodes=1 --hold=/never" "${grant[@]}"
}

put_execs() {
	asking t-dynamic.service DynamicUser=yes "${grant[@]}"
	asking t-delegate.service Delegate=yes "${grant[@]}"
	asking t-subgroup.service Delegate=yes DelegateSubgroup=inner "${grant[@]}"
	asking t-sandbox.service User=nobody NoNewPrivileges=yes ProtectSystem=strict ProtectHome=yes PrivateTmp=yes \
		PrivateDevices=yes PrivateNetwork=yes PrivateUsers=yes PrivateIPC=yes ProtectKernelTunables=yes \
		ProtectKernelModules=yes ProtectKernelLogs=yes ProtectControlGroups=yes ProtectProc=invisible \
		ProtectClock=yes ProtectHostname=yes RestrictNamespaces=yes RestrictRealtime=yes RestrictSUIDSGID=yes \
		LockPersonality=yes MemoryDenyWriteExecute=yes RestrictAddressFamilies=none CapabilityBoundingSet= \
		SystemCallArchitectures=native 'SystemCallFilter=@system-service mbind' IPAddressDeny=any UMask=0777 \
		InaccessiblePaths=/run/privmem RemoveIPC=yes KeyringMode=private "${grant[@]}"
}

# Like podman's, which is kept away where there is one (see 59-podman.bats), a generator of its own
# makes a unit of each container.
put_container() {
	mkdir -p /etc/containers/systemd /run/systemd/system-generators
	ln -s /dev/null /run/systemd/system-generators/podman-system-generator
	printf '%s\n' '[Container]' Image=none '[Service]' "${grant[@]}" >/etc/containers/systemd/t-web.container
	cat >/run/systemd/system-generators/t-quadlet <<-END
		#!/bin/sh
		printf '%s\n' '[Service]' Type=exec 'ExecStart=$touch --nodes=1 --hold=/never' '${grant[0]}' \
			'${grant[1]}' >"\$1/t-web.service"
	END
	chmod +x /run/systemd/system-generators/t-quadlet
}

put_large() {
	asking t-large.service "${grant[@]}"
	yes '# Nothing that matters to anybody, many times over.' | head -c 1M >>"$units/t-large.service"
}

setup_file() {
	put_names
	put_types
	put_execs
	put_container
	put_large
	systemctl daemon-reload
	systemctl start privmemd.service
	pkill -HUP -x privmemd
	systemctl start t-host.service t-inst@{1,guest}.service t-last-1.service 't-es\x2dcaped.service' t-other.service \
		t-a-b-c.service t-quoted.service t-{simple,idle,oneshot,forking,notify,restart,dynamic,delegate}.service \
		t-subgroup.service t-sandbox.service t-web.service t-activated.socket t-large.service || :
}

teardown_file() {
	systemctl stop t-activated.socket io.service memory.slice
	units_stop
	[[ ! -d /sys/fs/cgroup/memory.slice ]] || rmdir /sys/fs/cgroup/memory.slice
	rm -rf "$units"/{t-*,io.service,memory.slice} /etc/containers/systemd/t-web.container /run/systemd/system-generators/{t-quadlet,podman-system-generator} \
		$conf /run/t-once
	systemctl daemon-reload
}

@test "unit: %H and %l stand for the machine, by which a node can be called" {
	granted t-host.service
}

@test "unit: %i and %I stand for the instance, a number or a name" {
	granted t-inst@1.service
	granted t-inst@guest.service
}

@test "unit: %j stands for the last part of the name" {
	granted t-last-1.service
}

@test "unit: a name with an escaped dash" {
	granted 't-es\x2dcaped.service'
}

@test "unit: started by an alias" {
	granted t-real.service
}

@test "unit: drop-ins for prefixes count, the longer one last" {
	granted t-a-b-c.service $((2 * MIB))
}

@test "unit: quotes, comments and continued lines" {
	granted t-quoted.service
}

# Seen red with is_starting from ActiveState= alone: the idle one was told that it was granted late.
@test "unit: Type=simple, idle, forking and notify" {
	granted t-simple.service
	granted t-idle.service
	granted t-forking.service
	granted t-notify.service
}

@test "unit: Type=oneshot" {
	[[ $(systemctl show -P Result t-oneshot.service) == success ]]
	unit_log t-oneshot.service | grep -q '^touched 4096'
}

@test "unit: Restart= finds the grant each time" {
	wait_for 10 granted t-restart.service
	[[ $(systemctl show -P NRestarts t-restart.service) == 1 ]]
}

@test "unit: started by its socket" {
	[[ $(systemctl show -P ActiveState t-activated.service) == inactive ]]
	echo >/run/t-activated
	wait_for 10 granted t-activated.service
}

@test "unit: DynamicUser=" {
	granted t-dynamic.service
}

@test "unit: Delegate=, whose cgroup is the user's, and DelegateSubgroup=" {
	granted t-delegate.service
	granted t-subgroup.service
}

@test "unit: every switch of the sandbox" {
	granted t-sandbox.service
}

@test "unit: made of a container by another generator" {
	granted t-web.service
}

@test "unit: a file too large to be read fails the start, and says so" {
	[[ $(systemctl show -P ActiveState t-large.service) == failed ]]
	log_has t-large.service 't-large.service: cannot read: File too large'
}

@test "unit: drop-ins for all services and for all slices" {
	asking t-any.service Slice=tany.slice
	unit_put tany.slice '[Slice]'
	unit_put service.d/t.conf '[Service]' PrivateMemoryNodes=1 'PrivateMemoryMax=1 64K'
	unit_put slice.d/t.conf '[Slice]' PrivateMemoryNodes=1 'PrivateMemoryMax=1 8M'
	systemctl daemon-reload
	systemctl start t-any.service
	rm -rf "$units"/{service.d,slice.d}
	granted_expect tany.slice 1 $((8 * MIB))
	granted t-any.service $((64 << 10))
	[[ $(systemctl show -P ActiveState privmemd.service) == active ]]
	systemctl stop t-any.service tany.slice
	rm "$units/tany.slice"
	systemctl daemon-reload
	wait_for 20 cg_expect dbus.service memory.private_nodes.effective ''
}

# PID 1 puts an underscore before the name, and the cgroup is made and asked about before it does.
@test "unit: a slice and a service that are called like controllers" {
	local before

	before=$(reserved 1)
	systemctl start io.service
	granted_expect _memory.slice 1 $((2 * MIB))
	granted_expect _io.service 1 $MIB
	[[ $(privmemctl --json=short show io.service | jq -r '.grants[0].draws_from') == memory.slice ]]
	[[ ! -e /sys/fs/cgroup/memory.slice ]]
	systemctl stop io.service memory.slice
	wait_for 20 reserved_is 1 "$before"
}

@test "unit: a mask takes the grant of what runs, and keeps the rest from starting" {
	asking t-masked.service "${grant[@]}"
	systemctl daemon-reload
	systemctl start t-masked.service
	rm "$units/t-masked.service"
	systemctl mask --runtime t-masked.service
	wait_for 20 cg_expect t-masked.service memory.private_nodes.effective ''
	systemctl stop t-masked.service
	run ! systemctl start t-masked.service
	output_has masked
	systemctl unmask --runtime t-masked.service
}

@test "unit: one that appeared since the last daemon-reload is granted late, with a warning" {
	service_put t-new.service "${grant[@]}"
	systemctl start t-new.service
	wait_for 10 granted_expect t-new.service 1 $MIB
	wait_for 10 log_has t-new.service 'granted late'
	log_has t-new.service 'was the system manager reloaded since the directive appeared?'
}

# Seen red with a verify that draws from system.slice, which was refused a grant in a test above.
@test "unit: NUMAMask= of a private node fails in the service that is granted, and works by its slice" {
	unit_put tmask.slice '[Slice]' "${grant[@]}"
	unit_put t-numa.service '[Service]' Type=oneshot RemainAfterExit=yes NUMAPolicy=bind NUMAMask=1 \
		ExecStart=/bin/true "${grant[@]}"
	unit_put t-numa-in.service '[Service]' Type=oneshot RemainAfterExit=yes Slice=tmask.slice NUMAPolicy=preferred \
		NUMAMask=1 ExecStart=/bin/true
	systemctl daemon-reload
	systemctl start t-numa-in.service
	run ! systemctl start t-numa.service
	run privmemctl verify "$units/t-numa.service"
	[[ $status == 0 ]] || { echo "$output"; privmemctl list; return 1; }
	output_has 'NUMAMask= of a private node needs the grant on the slice'
	rm "$units/tmask.slice"
}
