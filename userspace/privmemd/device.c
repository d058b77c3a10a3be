// SPDX-License-Identifier: LGPL-2.1-or-later
#include "device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-device.h>

static void device_done(struct device *device)
{
	free(device->path);
	free(device->driver);
	free(device->owners);
}

/* Drivers from the device upwards. */
static char *read_owners(sd_device *device)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		return NULL;
	for (sd_device *at = device; at; at = sd_device_get_parent(at, &at) < 0 ? NULL : at) {
		const char *driver;

		if (sd_device_get_driver(at, &driver) >= 0)
			fprintf(out, "%s ", driver);
	}
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

/* Returns -ENODEV for a device that says nothing of its node, or has just gone. */
static int device_read(sd_device *from, struct device *ret)
{
	const char *name, *path, *target, *bytes, *driver = NULL;
	struct device device = {};

	if (sd_device_get_sysname(from, &name) < 0 || sd_device_get_devpath(from, &path) < 0 ||
	    sd_device_get_sysattr_value(from, "target_node", &target) < 0 ||
	    sd_device_get_sysattr_value(from, "size", &bytes) < 0 ||
	    *target < '0' || *target > '9' || strlen(name) >= sizeof(device.name))
		return -ENODEV;
	(void)sd_device_get_driver(from, &driver);
	strcpy(device.name, name);
	device.path = strdup(path);
	device.driver = driver ? strdup(driver) : NULL;
	device.owners = read_owners(from);
	device.bytes = strtoull(bytes, NULL, 10);
	device.nid = (unsigned int)strtoul(target, NULL, 10);
	if (!device.path || (driver && !device.driver) || !device.owners) {
		device_done(&device);
		return -ENOMEM;
	}
	*ret = device;
	return 0;
}

static int list_read(sd_device_enumerator *all, struct device **devices, size_t *count)
{
	for (sd_device *device = sd_device_enumerator_get_device_first(all); device;
	     device = sd_device_enumerator_get_device_next(all)) {
		struct device *grown = reallocarray(*devices, *count + 1, sizeof(*grown));
		int r;

		if (!grown)
			return -ENOMEM;
		*devices = grown;
		r = device_read(device, &grown[*count]);
		if (r == -ENOMEM)
			return r;
		if (r >= 0)
			(*count)++;
	}
	return 0;
}

/**
 * device_list() - all dax devices whose memory is or would be a node's
 * @ret: set only on success; see device_list_free()
 * @ret_count: set only on success
 *
 * Return: 0 or -Exxx
 */
int device_list(struct device **ret, size_t *ret_count)
{
	sd_device_enumerator *all = NULL;
	struct device *devices = NULL;
	size_t count = 0;
	int r = sd_device_enumerator_new(&all);

	if (r >= 0)
		r = sd_device_enumerator_allow_uninitialized(all);
	if (r >= 0)
		r = sd_device_enumerator_add_match_subsystem(all, "dax", true);
	if (r >= 0)
		r = list_read(all, &devices, &count);
	sd_device_enumerator_unref(all);
	if (r < 0) {
		device_list_free(devices, count);
		return r;
	}
	*ret = devices;
	*ret_count = count;
	return 0;
}

/**
 * device_list_free() - free what device_list() gave
 */
void device_list_free(struct device *devices, size_t count)
{
	for (size_t i = 0; i < count; i++)
		device_done(&devices[i]);
	free(devices);
}
