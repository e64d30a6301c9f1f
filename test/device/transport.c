/* SPDX-License-Identifier: BSD-3-Clause */
/* The device model behind the driver's transport table. */
#include <errno.h>
#include <string.h>

#include "internal.h"

static struct device *
of(struct vio_transport *t)
{
	return (struct device *)t; /* its first member */
}

/* What nothing may be done to before a reset has been seen to end (spec 2.4.2). */
static int
gone_or_resetting(struct device *dev, const char *what)
{
	if (dev->unplugged)
		return -ENODEV;
	if (dev->resetting)
		fault(dev, -1, "RESET-01", "%s before the reset was seen to end", what);
	return 0;
}

/* A device in its first state has nothing to wait for, unless it lies. */
static bool
reset_goes_on(struct device *dev)
{
	if (lie_on(dev, -1, DEVICE_LIE_RESET, NULL))
		return true;
	if (dev->status == 0 || dev->reset_reads == 0)
		return false;
	dev->reset_reads--;
	return true;
}

static int
get_status(struct vio_transport *t, uint8_t *status)
{
	struct device *dev = of(t);

	if (dev->unplugged)
		return -ENODEV;
	if (dev->resetting && reset_goes_on(dev)) {
		*status = dev->status ? dev->status : DEVICE_S_ACKNOWLEDGE;
		return 0;
	}
	if (dev->resetting)
		device_do_reset(dev);
	dev->resetting = false;
	if (dev->status & DEVICE_S_FEATURES_OK)
		dev->features_ok_read = true;
	*status = dev->status;
	if (lie_on(dev, -1, DEVICE_LIE_FEATURES_OK, NULL)) {
		dev->status &= (uint8_t)~DEVICE_S_FEATURES_OK;
		*status = dev->status;
	}
	return 0;
}

static void
begin_reset(struct device *dev)
{
	dev->resets++;
	dev->resetting = true;
	dev->reset_reads = dev->reset_takes;
}

/* The order of the steps (spec 3.1.1). */
static void
check_order(struct device *dev, uint8_t status, uint8_t fresh)
{
	if (fresh & (fresh - 1))
		fault(dev, -1, "INIT-01", "several steps at once: 0x%x after 0x%x", status,
		      dev->status);
	if ((fresh & DEVICE_S_DRIVER) && !(dev->status & DEVICE_S_ACKNOWLEDGE))
		fault(dev, -1, "INIT-03", "DRIVER before ACKNOWLEDGE");
	if ((fresh & DEVICE_S_FEATURES_OK) && !(dev->status & DEVICE_S_DRIVER))
		fault(dev, -1, "INIT-04", "FEATURES_OK before DRIVER");
	if ((fresh & DEVICE_S_FEATURES_OK) && !dev->features_written)
		fault(dev, -1, "INIT-05", "FEATURES_OK before the features were written");
	if ((fresh & DEVICE_S_DRIVER_OK) && !(dev->status & DEVICE_S_FEATURES_OK))
		fault(dev, -1, "INIT-08", "DRIVER_OK before FEATURES_OK");
	if ((fresh & DEVICE_S_DRIVER_OK) && !dev->features_ok_read)
		fault(dev, -1, "INIT-10", "FEATURES_OK was not read back");
}

static int
set_status(struct vio_transport *t, uint8_t status)
{
	struct device *dev = of(t);
	uint8_t fresh;

	if (dev->unplugged)
		return -ENODEV;
	if (dev->status_write_count < MAX_STATUS_WRITES)
		dev->status_writes[dev->status_write_count++] = status;
	if (status == 0) {
		begin_reset(dev);
		return 0;
	}
	gone_or_resetting(dev, "a status was written");
	if (dev->resets == 0)
		fault(dev, -1, "INIT-02", "no reset at the beginning");
	if (dev->status & ~status & ~DEVICE_S_NEEDS_RESET)
		fault(dev, -1, "GEN-STATUS-02", "status bits cleared: 0x%x after 0x%x", status,
		      dev->status);
	if (dev->status & DEVICE_S_FAILED && status != dev->status)
		fault(dev, -1, "GEN-STATUS-03", "status 0x%x after FAILED without a reset", status);
	fresh = (uint8_t)(status & ~dev->status);
	check_order(dev, status, fresh & (uint8_t)~DEVICE_S_FAILED);
	dev->status |= status;
	if (lie_on(dev, -1, DEVICE_LIE_FEATURES_OK, NULL))
		dev->status &= (uint8_t)~DEVICE_S_FEATURES_OK;
	return 0;
}

static int
get_features(struct vio_transport *t, uint64_t *features)
{
	struct device *dev = of(t);
	uint64_t toggle = 0;

	if (gone_or_resetting(dev, "features were read") != 0)
		return -ENODEV;
	if (dev->feature_reads++ % 2 == 1)
		lie_on(dev, -1, DEVICE_LIE_FEATURES_CHANGE, &toggle);
	*features = dev->options.features ^ toggle;
	return 0;
}

static int
set_features(struct vio_transport *t, uint64_t features)
{
	struct device *dev = of(t);

	if (gone_or_resetting(dev, "features were written") != 0)
		return -ENODEV;
	if (dev->status & DEVICE_S_FEATURES_OK) {
		fault(dev, -1, "INIT-09", "features written after FEATURES_OK");
		return 0;
	}
	if (!(dev->status & DEVICE_S_DRIVER))
		fault(dev, -1, "INIT-04", "features written before DRIVER");
	features_check(dev, features);
	dev->driver_features = features;
	dev->features_written = true;
	return 0;
}

static int
get_generation(struct vio_transport *t, uint32_t *generation)
{
	struct device *dev = of(t);

	if (gone_or_resetting(dev, "the generation was read") != 0)
		return -ENODEV;
	if (lie_on(dev, -1, DEVICE_LIE_GENERATION, NULL))
		dev->generation++;
	*generation = dev->generation;
	return 0;
}

static int
read_config(struct vio_transport *t, uint32_t offset, void *buf, uint32_t len)
{
	struct device *dev = of(t);

	if (gone_or_resetting(dev, "config was read") != 0)
		return -ENODEV;
	if (!config_read_allowed(dev, offset, len))
		return -EINVAL;
	if (dev->config_hook != NULL)
		dev->config_hook(dev, dev->config_hook_arg);
	memcpy(buf, dev->config + offset, len);
	return 0;
}

static int
write_config(struct vio_transport *t, uint32_t offset, const void *buf, uint32_t len)
{
	struct device *dev = of(t);

	(void)buf;
	if (gone_or_resetting(dev, "config was written") != 0)
		return -ENODEV;
	fault(dev, -1, "NET-CFG-01", "config was written: %u bytes at %u", len, offset);
	return 0;
}

/* Queues exist in number by what the device offers; the control queue's place by what was accepted.
 */
static bool
queue_exists(const struct device *dev, uint16_t queue)
{
	if (queue == control_index(dev))
		return (dev->options.features & DEVICE_BIT(DEVICE_F_CTRL_VQ)) != 0;
	return queue < 2 * dev->options.pairs;
}

static int
queue_max_size(struct vio_transport *t, uint16_t queue, uint16_t *size)
{
	struct device *dev = of(t);

	if (gone_or_resetting(dev, "a queue's size was read") != 0)
		return -ENODEV;
	*size = queue_exists(dev, queue) ? dev->options.queue_size : 0;
	return 0;
}

static int
setup(struct vio_transport *t, uint16_t queue, const struct vio_queue_conf *conf,
      struct vio_notifier *notifier)
{
	struct device *dev = of(t);

	if (gone_or_resetting(dev, "a queue was set up") != 0)
		return -ENODEV;
	if (!(dev->status & DEVICE_S_FEATURES_OK))
		fault(dev, queue, "INIT-11", "queue set up before FEATURES_OK");
	if (!queue_exists(dev, queue)) {
		fault(dev, queue, "NET-VQ-01", "there is no such queue");
		return -EINVAL;
	}
	if (queue == control_index(dev) && !has_feature(dev, DEVICE_F_CTRL_VQ))
		fault(dev, queue, "NET-VQ-03", "control queue set up without CTRL_VQ");
	if (dev->queues[queue].enabled ||
	    ((dev->status & DEVICE_S_DRIVER_OK) && !has_feature(dev, DEVICE_F_RING_RESET)))
		fault(dev, queue, "INIT-11", "queue set up while it is live");
	if (queue_setup(dev, queue, conf) != 0)
		return -EINVAL;
	*notifier = (struct vio_notifier){
		.kick = queue_kick,
		.addr = (volatile void *)&dev->queues[queue],
		.fd = -1,
		.value = queue,
	};
	return 0;
}

static int
queue_reset(struct vio_transport *t, uint16_t queue)
{
	struct device *dev = of(t);

	if (gone_or_resetting(dev, "a queue was reset") != 0)
		return -ENODEV;
	if (!has_feature(dev, DEVICE_F_RING_RESET)) {
		fault(dev, queue, "RESET-VQ-01", "queue reset without RING_RESET");
		return -ENOTSUP;
	}
	if (lie_on(dev, -1, DEVICE_LIE_QUEUE_RESET, NULL))
		return -ETIMEDOUT;
	queue_stop(queue_at(dev, queue));
	/* What was said of it alone is forgotten (spec 5.1.6.5.9.3). */
	if (queue < sizeof(dev->net.coal_queue) / sizeof(dev->net.coal_queue[0]))
		dev->net.coal_queue[queue] = dev->net.coal[queue % 2 == 0];
	return 0;
}

static int
config_vector(struct vio_transport *t, uint16_t vector)
{
	struct device *dev = of(t);

	if (gone_or_resetting(dev, "the config vector was written") != 0)
		return -ENODEV;
	if (vector != VIO_NO_VECTOR && lie_on(dev, -1, DEVICE_LIE_VECTOR, NULL))
		return -EBUSY;
	return 0;
}

static void
close_transport(struct vio_transport *t)
{
	struct device *dev = of(t);

	if (!dev->unplugged && (dev->status & DEVICE_S_DRIVER_OK) && !dev->resetting)
		fault(dev, -1, "INIT-CLEANUP-02", "transport closed while the device is live");
}

static const struct vio_transport_ops ops = {
	.name = "device model",
	.get_status = get_status,
	.set_status = set_status,
	.get_features = get_features,
	.set_features = set_features,
	.get_generation = get_generation,
	.read_config = read_config,
	.write_config = write_config,
	.queue_max_size = queue_max_size,
	.queue_setup = setup,
	.queue_reset = queue_reset,
	.config_vector = config_vector,
	.close = close_transport,
};

void
transport_init(struct device *dev)
{
	dev->transport.ops = &ops;
	dev->transport.name = "model0";
}
