# SPDX-License-Identifier: LGPL-2.1-or-later
# guest: debian13
#
# What Debian 12 has not got: settings that its systemd does not know, and a podman that makes units
# of containers.

load units

readonly hook=/usr/libexec/privmem-hook
readonly quadlets=/etc/containers/systemd
readonly grant=(PrivateMemoryNodes=1 'PrivateMemoryMax=1 1M')
# The profile that containers get lets them bind memory, but not ask where it is. The guest's
# kernel has no IP, so there is no loopback device to set up.
readonly podman=(podman run --rm --network=host --security-opt=seccomp=unconfined)

put_services() {
	local stay="ExecStart=$touch --nodes=1 --size=4K --hold=/never"

	unit_put t-subgroup.service '[Service]' Type=exec Delegate=yes DelegateSubgroup=inner User=nobody \
		"ExecStartPre=/bin/sh -c 'exec cat /proc/self/cgroup'" "$stay" "${grant[@]}"
	unit_put t-reload.service '[Service]' Type=notify-reload NotifyAccess=all \
		"ExecStart=/bin/sh -c '$touch --nodes=1 && systemd-notify --ready && exec sleep infinity'" "${grant[@]}"
	unit_put t-direct.service '[Service]' Restart=on-failure RestartMode=direct RestartSec=50ms \
		"ExecStart=/bin/sh -c '$touch --nodes=1 || exit 9; [ -e /run/t-once ] || { touch /run/t-once; exit 1; }; exec sleep infinity'" \
		"${grant[@]}"
	unit_put t-sandbox.service '[Service]' Type=exec User=nobody PrivatePIDs=yes PrivateUsers=identity \
		PrivateTmp=disconnected ProtectControlGroups=strict "$stay" "${grant[@]}"
	unit_put taccel.slice '[Slice]' PrivateMemoryNodes=1 'PrivateMemoryMax=1 16M'
}

# quadlet_put NAME [LINE]...: a container that binds and touches as its first act, then stays
quadlet_put() {
	mkdir -p "$quadlets/$(dirname "$1")"
	printf '%s\n' '[Container]' Rootfs=/run/t-root Network=host SeccompProfile=unconfined StopTimeout=0 \
		'Exec=/bin/touch --nodes=1 --size=64K --hold=/never' "${@:2}" >"$quadlets/$1"
}

put_containers() {
	mkdir -p /run/t-root/bin
	cp "$touch" /run/t-root/bin/touch
	quadlet_put t-web.container '[Service]' "${grant[@]}"
	quadlet_put t-below/deeper/t-deep.container '[Service]' "${grant[@]}"
	quadlet_put t-name.container ServiceName=t-other '[Service]' "${grant[@]}"
	quadlet_put t-inst@.container '[Service]' "${grant[@]}"
	quadlet_put t-pre-fix.container
	mkdir -p $quadlets/t-pre-.container.d
	printf '%s\n' '[Service]' "${grant[@]}" >$quadlets/t-pre-.container.d/a.conf
	printf '%s\n' '[Pod]' '[Service]' "${grant[@]}" >$quadlets/t-box.pod
	quadlet_put t-plain.container
}

setup_file() {
	put_services
	put_containers
	systemctl daemon-reload
	systemctl start t-{subgroup,reload,direct,sandbox,web}.service || :
}

teardown_file() {
	podman rm -f -t 0 t-held
	units_stop
	rm -rf "$units"/{t-*,taccel.slice} $quadlets/t-* /run/t-root /run/t-once
	systemctl daemon-reload
}

@test "unit: DelegateSubgroup=, where the hook runs in a group of its own" {
	granted t-subgroup.service
	log_has t-subgroup.service 0::/system.slice/t-subgroup.service/.control
	cg_expect t-subgroup.service memory.private_nodes.current 'N1 4096'
	[[ $(<"$(cg_path t-subgroup.service)/inner/cgroup.procs") == "$(systemctl show -P MainPID t-subgroup.service)" ]]
	run -0 systemd-run -q --wait --pipe -p Delegate=yes -p DelegateSubgroup=inner \
		-p ExecStartPre="+$hook --nodes=1 --max=1M" "$touch" --nodes=1 --size=64K
	output_has 'touched 65536'
}

@test "unit: Type=notify-reload" {
	granted t-reload.service
}

@test "unit: RestartMode=direct" {
	wait_for 20 granted t-direct.service
	[[ $(systemctl show -P NRestarts t-direct.service) == 1 ]]
}

@test "unit: newer switches of the sandbox" {
	granted t-sandbox.service
}

# Seen red without Quadlet's directories in the generator: mbind: Operation not permitted.
@test "quadlet: a container's first instruction finds the grant, and its memory is the unit's" {
	local before

	granted t-web.service
	wait_for 20 log_has t-web.service 'N1 65536'
	cg_expect t-web.service memory.private_nodes.current 'N1 65536'
	line_expect "$(cg_path t-web.service)"/libpod-payload-*/memory.private_nodes.current 'N1 65536'
	before=$(reserved 1)
	systemctl stop t-web.service
	wait_for 20 reserved_is 1 $((before - MIB))
}

# The services are podman's own work, so what it calls them is what it does.
# Seen red with the generator that looked at no directory below and at no ServiceName=.
@test "quadlet: whatever podman makes a unit of, and calls it, the unit asks" {
	local -A dropins=()
	local unit key value

	while IFS== read -r key value; do
		[[ $key != Id ]] || unit=$value
		[[ $key != DropInPaths ]] || dropins[$unit]=$value
	done < <(systemctl show -p Id -p DropInPaths t-{deep,other,inst@1,pre-fix,box-pod,plain}.service)
	for unit in t-{deep,other,inst@1,pre-fix,box-pod}.service; do
		[[ -e /run/systemd/generator/${unit/@1/@} ]]
		[[ ${dropins[$unit]} == *zzz-privmem.conf* ]] || { echo "$unit does not ask"; return 1; }
	done
	[[ -e /run/systemd/generator/t-plain.service && ! ${dropins[t-plain.service]} ]]
}

@test "podman: a container in a granted slice inherits, and --cgroup-conf= limits it" {
	local group

	systemctl start taccel.slice
	"${podman[@]}" -d --name t-held --cgroup-parent=taccel.slice --rootfs /run/t-root \
		/bin/touch --nodes=1 --size=64K --hold=/never
	group=$(echo /sys/fs/cgroup/taccel.slice/libpod-*.scope)
	wait_for 20 line_expect "$group/memory.private_nodes.current" 'N1 65536'
	cg_expect taccel.slice memory.private_nodes.current 'N1 65536'
	# As a SIGBUS ends it.
	run -135 "${podman[@]}" --cgroup-parent=taccel.slice --cgroup-conf='memory.private_nodes.max=N1 32K' \
		--rootfs /run/t-root /bin/touch --nodes=1 --size=64K
}
