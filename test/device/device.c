/* SPDX-License-Identifier: BSD-3-Clause */
/* The device's life. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

struct device *
device_new(const struct device_options *options)
{
	struct device *dev = calloc(1, sizeof(*dev));

	if (dev == NULL)
		return NULL;
	dev->options = *options;
	if (dev->options.queue_size == 0)
		dev->options.queue_size = 256;
	if (dev->options.pairs == 0)
		dev->options.pairs = 1;
	dev->queue_count = (uint16_t)(2 * dev->options.pairs + 1);
	dev->queues = calloc(dev->queue_count, sizeof(*dev->queues));
	dev->sent = calloc(dev->options.pairs, sizeof(struct device_packet *));
	if (dev->queues == NULL || dev->sent == NULL) {
		free(dev->queues);
		free(dev->sent);
		free(dev);
		return NULL;
	}
	transport_init(dev);
	config_init(dev);
	net_reset(dev);
	return dev;
}

void
device_free(struct device *dev)
{
	if (dev == NULL)
		return;
	device_do_reset(dev);
	free(dev->queues);
	free(dev->sent);
	free(dev);
}

struct vio_transport *
device_transport(struct device *dev)
{
	return &dev->transport;
}

void
device_do_reset(struct device *dev)
{
	for (uint16_t i = 0; i < dev->queue_count; i++)
		queue_stop(&dev->queues[i]);
	dev->status = 0;
	dev->driver_features = 0;
	dev->features_written = false;
	dev->features_ok_read = false;
	net_reset(dev);
}

uint8_t
device_status(const struct device *dev)
{
	return dev->status;
}

uint64_t
device_driver_features(const struct device *dev)
{
	return dev->driver_features;
}

void
device_need_reset(struct device *dev)
{
	dev->status |= DEVICE_S_NEEDS_RESET;
	dev->generation++;
}

void
device_reset_takes(struct device *dev, unsigned reads)
{
	dev->reset_takes = reads;
}

void
device_unplug(struct device *dev)
{
	dev->unplugged = true;
}

unsigned
device_status_writes(const struct device *dev, uint8_t *list, unsigned max)
{
	unsigned n = dev->status_write_count < max ? dev->status_write_count : max;

	memcpy(list, dev->status_writes, n);
	return dev->status_write_count;
}

unsigned
device_resets(const struct device *dev)
{
	return dev->resets;
}
