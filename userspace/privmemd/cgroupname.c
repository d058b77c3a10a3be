// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cgroupname.h"

#include <string.h>

/* What PID 1 counts as a controller, its own ones of BPF included. */
static const char *const controllers[] = {
	"cpu", "cpuacct", "cpuset", "io", "blkio", "memory", "devices", "pids", "bpf-firewall",
	"bpf-devices", "bpf-foreign", "bpf-socket-bind", "bpf-restrict-network-interfaces",
};

static const char *const kernel_files[] = { "notify_on_release", "release_agent", "tasks" };

/**
 * cgroupname_escape() - what stands before a unit's name in that of its cgroup
 * @unit: "memory.slice"
 *
 * The kernel's files in a cgroup are called after their controllers, so a unit that is called
 * like one has its cgroup elsewhere; so has one that looks like an escaped name.
 *
 * Return: "_" or ""
 */
const char *cgroupname_escape(const char *unit)
{
	if (unit[0] == '_' || unit[0] == '.' || strncmp(unit, "cgroup.", 7) == 0)
		return "_";
	for (size_t i = 0; i < sizeof(kernel_files) / sizeof(*kernel_files); i++)
		if (strcmp(unit, kernel_files[i]) == 0)
			return "_";
	for (size_t i = 0; i < sizeof(controllers) / sizeof(*controllers); i++) {
		size_t length = strlen(controllers[i]);

		if (strncmp(unit, controllers[i], length) == 0 && unit[length] == '.')
			return "_";
	}
	return "";
}
