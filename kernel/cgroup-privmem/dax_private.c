// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private memory nodes out of dax devices.
 *
 * The attributes `private` and `private_ops` say what kmem shall make of a
 * device's memory, while kmem is not bound to it; the kernel parameter
 * private_nodes= gives them their first values.  `state` is there while kmem
 * is bound to a private device: it takes the memory away and brings it back,
 * and unlike an unbind it can say no.
 *
 * Which of its memory a device brought online is kept in the device, but the
 * truth is mm's: memory that an unbind had to leave behind is adopted by the
 * next bind (-EEXIST of add_private_memory_driver_managed()).
 */
#include <linux/device.h>
#include <linux/memory.h>
#include <linux/memory_hotplug.h>
#include <linux/mutex.h>
#include <linux/node_private.h>
#include <linux/range.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include "dax-private.h"
#include "bus.h"

/* Guards private_online; taken before device_hotplug_lock. */
static DEFINE_MUTEX(dax_private_lock);

/**
 * dax_private_init() - preset a new device from private_nodes=
 * @dev_dax: not registered yet, with its target node
 */
void dax_private_init(struct dev_dax *dev_dax)
{
	dev_dax->private = node_private_param(dev_dax->target_node, &dev_dax->private_ops);
}

/* The parts of the device that make up whole memory blocks; free with kfree(). */
static int dax_private_ranges(struct dev_dax *dev_dax, struct range **ret_ranges)
{
	u64 block = memory_block_size_bytes();
	struct range *ranges;
	int nr = 0;

	ranges = kcalloc(dev_dax->nr_range, sizeof(*ranges), GFP_KERNEL);
	if (!ranges)
		return -ENOMEM;
	for (int i = 0; i < dev_dax->nr_range; i++) {
		struct range *range = &dev_dax->ranges[i].range;
		u64 start = ALIGN(range->start, block);
		u64 end = ALIGN_DOWN(range->end + 1, block);

		if (start < end)
			ranges[nr++] = (struct range){ .start = start, .end = end - 1 };
		else
			dev_info(&dev_dax->dev, "mapping%d: %#llx-%#llx too small after alignment\n",
				 i, range->start, range->end);
	}
	if (!nr) {
		kfree(ranges);
		return -EINVAL;
	}
	*ret_ranges = ranges;
	return nr;
}

/* Add @ranges, or none of them; sorts those it added to the front. */
static int dax_private_add(struct dev_dax *dev_dax, struct range *ranges, int nr)
{
	struct node_private_ops ops = { .flags = dev_dax->private_ops };
	mhp_t mhp_flags = dev_dax->memmap_on_memory && mhp_supports_memmap_on_memory() ?
			  MHP_MEMMAP_ON_MEMORY : MHP_NONE;
	int nid = dev_dax->target_node;
	int i, rc, added = 0;

	for (i = 0; i < nr; i++) {
		rc = add_private_memory_driver_managed(nid, ranges[i].start, range_len(&ranges[i]),
						       "System RAM (kmem)", mhp_flags,
						       MMOP_ONLINE_MOVABLE, &ops);
		if (rc == -EEXIST)
			dev_info(&dev_dax->dev, "adopted %#llx-%#llx, private memory of node %d\n",
				 ranges[i].start, ranges[i].end, nid);
		else if (rc)
			goto remove_added;
		else if (added++ != i)
			swap(ranges[i], ranges[added - 1]);
	}
	return 0;

remove_added:
	dev_err(&dev_dax->dev, "%#llx-%#llx cannot be private memory of node %d: %d\n",
		ranges[i].start, ranges[i].end, nid, rc);
	if (added && offline_and_remove_private_memory(nid, ranges, added))
		dev_err(&dev_dax->dev, "part of the memory stays on node %d, in use\n", nid);
	return rc;
}

static int dax_private_online(struct dev_dax *dev_dax)
{
	struct range *ranges __free(kfree) = NULL;
	int nr, rc;

	guard(mutex)(&dax_private_lock);
	if (dev_dax->private_online)
		return 0;
	nr = dax_private_ranges(dev_dax, &ranges);
	if (nr < 0)
		return nr;
	rc = dax_private_add(dev_dax, ranges, nr);
	if (!rc)
		dev_dax->private_online = true;
	return rc;
}

static int dax_private_offline(struct dev_dax *dev_dax)
{
	struct range *ranges __free(kfree) = NULL;
	int nr, rc;

	guard(mutex)(&dax_private_lock);
	if (!dev_dax->private_online)
		return 0;
	nr = dax_private_ranges(dev_dax, &ranges);
	if (nr < 0)
		return nr;
	rc = offline_and_remove_private_memory(dev_dax->target_node, ranges, nr);
	if (!rc)
		dev_dax->private_online = false;
	return rc;
}

/**
 * dax_private_probe() - bind kmem to a private device
 * @dev_dax: a device with a target node
 *
 * Context: Process context, device lock held.
 * Return: 0, or an error of add_private_memory_driver_managed(); then nothing
 * of the device is in use.
 */
int dax_private_probe(struct dev_dax *dev_dax)
{
	return dax_private_online(dev_dax);
}
EXPORT_SYMBOL_GPL(dax_private_probe);

/**
 * dax_private_remove() - unbind kmem from a private device
 * @dev_dax: a device that dax_private_probe() accepted
 *
 * Cannot fail.  Memory in use stays private and online, for a later bind.
 *
 * Context: Process context, device lock held.
 */
void dax_private_remove(struct dev_dax *dev_dax)
{
	int rc = dax_private_offline(dev_dax);

	if (rc)
		dev_warn(&dev_dax->dev,
			 "unbound with memory in use (%d): node %d stays private and online; bind again to adopt it\n",
			 rc, dev_dax->target_node);
	dev_dax->private_online = false;
}
EXPORT_SYMBOL_GPL(dax_private_remove);

static bool dax_private_is_bound(struct device *dev)
{
	return dev->driver &&
	       container_of(dev->driver, struct dax_device_driver, drv)->type == DAXDRV_KMEM_TYPE;
}

/* Keep kmem from binding while an attribute it reads changes; undo with up_write(). */
static int dax_private_lock_unbound(struct device *dev)
{
	int rc = down_write_killable(&dax_dev_rwsem);

	if (rc)
		return rc;
	if (dax_private_is_bound(dev)) {
		up_write(&dax_dev_rwsem);
		return -EBUSY;
	}
	return 0;
}

static ssize_t private_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", to_dev_dax(dev)->private);
}

static ssize_t private_store(struct device *dev, struct device_attribute *attr,
			     const char *buf, size_t len)
{
	struct dev_dax *dev_dax = to_dev_dax(dev);
	bool private;
	int rc;

	rc = kstrtobool(buf, &private);
	if (rc)
		return rc;

	rc = dax_private_lock_unbound(dev);
	if (rc)
		return rc;
	dev_dax->private = private;
	up_write(&dax_dev_rwsem);
	return len;
}
static DEVICE_ATTR_RW(private);

static ssize_t private_ops_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return node_private_print_ops(buf, to_dev_dax(dev)->private_ops);
}

static ssize_t private_ops_store(struct device *dev, struct device_attribute *attr,
				 const char *buf, size_t len)
{
	struct dev_dax *dev_dax = to_dev_dax(dev);
	unsigned long flags;
	int rc;

	rc = node_private_parse_ops(buf, &flags);
	if (rc)
		return rc;

	rc = dax_private_lock_unbound(dev);
	if (rc)
		return rc;
	dev_dax->private_ops = flags;
	up_write(&dax_dev_rwsem);
	return len;
}
static DEVICE_ATTR_RW(private_ops);

static struct attribute *dax_private_attrs[] = {
	&dev_attr_private.attr,
	&dev_attr_private_ops.attr,
	NULL,
};

const struct attribute_group dax_private_group = {
	.attrs = dax_private_attrs,
};

static ssize_t state_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", to_dev_dax(dev)->private_online ? "online" : "offline");
}

static ssize_t state_store(struct device *dev, struct device_attribute *attr,
			   const char *buf, size_t len)
{
	int rc;

	if (sysfs_streq(buf, "online"))
		rc = dax_private_online(to_dev_dax(dev));
	else if (sysfs_streq(buf, "offline"))
		rc = dax_private_offline(to_dev_dax(dev));
	else
		rc = -EINVAL;
	return rc ?: len;
}
static DEVICE_ATTR_RW(state);

static struct attribute *dax_private_bound_attrs[] = {
	&dev_attr_state.attr,
	NULL,
};

static umode_t dax_private_bound_visible(struct kobject *kobj, struct attribute *a, int n)
{
	return to_dev_dax(kobj_to_dev(kobj))->private ? a->mode : 0;
}

static const struct attribute_group dax_private_bound_group = {
	.attrs = dax_private_bound_attrs,
	.is_visible = dax_private_bound_visible,
};

/* On the device while kmem is bound to it. */
const struct attribute_group *dax_private_bound_groups[] = {
	&dax_private_bound_group,
	NULL,
};
EXPORT_SYMBOL_GPL(dax_private_bound_groups);
