// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bringup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device.h"
#include "journal.h"
#include "wholefile.h"

struct bringup {
	int sysfs_fd;
	const struct device *device;
	const char *ops;
	struct bringup_result *result;
};

__attribute__((format(printf, 3, 4)))
static int fail(struct bringup *bringup, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(bringup->result->text, sizeof(bringup->result->text), format, args);
	va_end(args);
	return error;
}

/* @path is relative to /sys. The kernel takes a value in one write or not at all. */
static int write_file(const struct bringup *bringup, const char *path, const char *value)
{
	int fd = openat(bringup->sysfs_fd, path, O_WRONLY | O_CLOEXEC);
	int r = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		r = -errno;
	close(fd);
	return r;
}

static int write_driver(const struct bringup *bringup, const char *driver, const char *file)
{
	char path[256];

	snprintf(path, sizeof(path), "bus/dax/drivers/%s/%s", driver, file);
	return write_file(bringup, path, bringup->device->name);
}

static int write_attribute(const struct bringup *bringup, const char *file, const char *value)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", bringup->device->path + 1, file);
	return write_file(bringup, path, value);
}

static int read_attribute(const struct bringup *bringup, const char *file, char *ret, size_t size)
{
	char path[4096];
	int r;

	snprintf(path, sizeof(path), "%s/%s", bringup->device->path + 1, file);
	r = wholefile_read(bringup->sysfs_fd, path, ret, size);
	if (r >= 0)
		ret[strcspn(ret, "\n")] = '\0';
	return r;
}

/* Is every name of the one list in the other? */
static bool ops_are_subset(const char *part, const char *whole)
{
	char copy[strlen(part) + 1], *rest = NULL, padded[strlen(whole) + 3], word[64];

	strcpy(copy, part);
	snprintf(padded, sizeof(padded), " %s ", whole);
	for (char *c = padded; *c; c++)
		if (*c == ',' || *c == '\t')
			*c = ' ';
	for (char *op = strtok_r(copy, " ,\t", &rest); op; op = strtok_r(NULL, " ,\t", &rest)) {
		snprintf(word, sizeof(word), " %.60s ", op);
		if (!strstr(padded, word))
			return false;
	}
	return true;
}

/* The opt-ins of a device in use cannot change under it. */
static int compare_ops(struct bringup *bringup)
{
	char is[512];

	if (read_attribute(bringup, "private_ops", is, sizeof(is)) < 0 ||
	    (ops_are_subset(is, bringup->ops) && ops_are_subset(bringup->ops, is)))
		return 0;
	return fail(bringup, 0, "is private with the opt-ins \"%s\"; \"%s\" would take effect after"
		    " it was unbound from kmem", is, bringup->ops);
}

static bool has_ordinary_memory(const struct bringup *bringup)
{
	struct nodelist nodes;
	const char *reason;
	char text[4096];

	return wholefile_read(bringup->sysfs_fd, "devices/system/node/has_memory", text,
			      sizeof(text)) >= 0 &&
	       nodelist_parse(text, &nodes, &reason) >= 0 &&
	       nodelist_is_set(&nodes, bringup->device->nid);
}

static int release(struct bringup *bringup)
{
	const char *driver = bringup->device->driver;
	int r;

	if (has_ordinary_memory(bringup))
		return fail(bringup, -EBUSY, "node %u has ordinary memory; take that offline first, or"
			    " boot with private_nodes=%u:mempolicy+migration", bringup->device->nid,
			    bringup->device->nid);
	r = driver ? write_driver(bringup, driver, "unbind") : 0;
	if (r < 0)
		return fail(bringup, r, "cannot unbind it from %s: %s", driver, strerror(-r));
	bringup->result->is_changed = driver;
	return 0;
}

/* A driver that is told of a new device by its name takes all that wait for it, so ask first. */
static int bind_kmem(struct bringup *bringup)
{
	char state[64];
	int r = write_driver(bringup, "kmem", "bind");

	if (r == -ENODEV)
		r = write_driver(bringup, "kmem", "new_id");
	if (r == -ENOENT)
		return fail(bringup, r, "the kernel's driver kmem is not loaded");
	if (r >= 0)
		r = read_attribute(bringup, "state", state, sizeof(state));
	if (r < 0)
		return fail(bringup, r, "kmem does not take it: %s", strerror(-r));
	bringup->result->is_changed = true;
	return 0;
}

/**
 * bringup_device() - make a private node of one device
 * @sysfs_fd: of /sys
 * @ops: names of opt-ins, as the configuration has them
 * @ret: always set
 *
 * A device whose opt-ins the kernel refuses stays out of use, as one whose
 * private_nodes= it refuses does: as ordinary memory it would be open to all.
 *
 * Return: 0 or -Exxx
 */
int bringup_device(int sysfs_fd, const struct device *device, const char *ops,
		   struct bringup_result *ret)
{
	struct bringup bringup = { sysfs_fd, device, ops, ret };
	bool is_kmem = device->driver && strcmp(device->driver, "kmem") == 0;
	char private[16];
	int r;

	*ret = (struct bringup_result){};
	r = read_attribute(&bringup, "private", private, sizeof(private));
	if (r < 0)
		return fail(&bringup, r, "this kernel has no private memory nodes");
	if (is_kmem && strcmp(private, "1") == 0)
		return compare_ops(&bringup);
	r = release(&bringup);
	if (r < 0)
		return r;
	r = write_attribute(&bringup, "private", "1");
	if (r < 0)
		return fail(&bringup, r, "cannot make it private: %s", strerror(-r));
	r = write_attribute(&bringup, "private_ops", ops);
	if (r < 0)
		return fail(&bringup, r, "the kernel refuses the opt-ins \"%s\": %s", ops,
			    strerror(-r));
	return bind_kmem(&bringup);
}

static void bringup_report(const struct device *device, const struct config_node *node,
			   int sysfs_fd)
{
	struct bringup_result result;
	int r = bringup_device(sysfs_fd, device, node->private_ops ?: BRINGUP_OPS_DEFAULT, &result);

	if (r < 0)
		journal(LOG_ERR, "%s (%s) cannot become a private node: %s", device->name,
			node->name, result.text);
	else if (*result.text)
		journal(LOG_WARNING, "%s (%s) %s", device->name, node->name, result.text);
	else if (result.is_changed)
		journal(LOG_NOTICE, "%s (%s) is the private node %u now", device->name, node->name,
			device->nid);
}

/**
 * bringup_all() - make private nodes of all devices that shall be some
 */
void bringup_all(const struct settings *settings)
{
	struct device *devices;
	int sysfs_fd;
	size_t count;

	sysfs_fd = open("/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (sysfs_fd < 0 || device_list(&devices, &count) < 0) {
		if (sysfs_fd >= 0)
			close(sysfs_fd);
		return;
	}
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < settings->config.n_nodes; k++)
			if (settings->config.nodes[k].is_private &&
			    config_node_matches(&settings->config.nodes[k], &devices[i])) {
				bringup_report(&devices[i], &settings->config.nodes[k], sysfs_fd);
				break;
			}
	device_list_free(devices, count);
	close(sysfs_fd);
}
