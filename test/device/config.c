/* SPDX-License-Identifier: BSD-3-Clause */
/* struct virtio_net_config (spec 5.1.4) and which feature each field needs. */
#include <errno.h>
#include <string.h>

#include "internal.h"

struct field {
	const char *name;
	uint8_t offset, size;
	uint64_t any_of; /* features one of which must have been offered */
};

static const struct field fields[] = {
	{ "mac", 0, 6, DEVICE_BIT(DEVICE_F_MAC) },
	{ "status", 6, 2, DEVICE_BIT(DEVICE_F_STATUS) },
	{ "max_virtqueue_pairs", 8, 2, DEVICE_BIT(DEVICE_F_MQ) | DEVICE_BIT(DEVICE_F_RSS) },
	{ "mtu", 10, 2, DEVICE_BIT(DEVICE_F_MTU) },
	{ "speed", 12, 4, DEVICE_BIT(DEVICE_F_SPEED_DUPLEX) },
	{ "duplex", 16, 1, DEVICE_BIT(DEVICE_F_SPEED_DUPLEX) },
	{ "rss_max_key_size", 17, 1, DEVICE_BIT(DEVICE_F_RSS) | DEVICE_BIT(DEVICE_F_HASH_REPORT) },
	{ "rss_max_indirection_table_length", 18, 2, DEVICE_BIT(DEVICE_F_RSS) },
	{ "supported_hash_types", 20, 4,
	  DEVICE_BIT(DEVICE_F_RSS) | DEVICE_BIT(DEVICE_F_HASH_REPORT) },
};

void
config_init(struct device *dev)
{
	static const uint8_t mac[6] = { 0x52, 0x54, 0x00, 0x76, 0x69, 0x6f };

	dev->config_size = CONFIG_BYTES;
	memcpy(dev->config, mac, sizeof(mac));
	device_config_set(dev, 6, 1, 2); /* link up */
	device_config_set(dev, 8, dev->options.pairs, 2);
	device_config_set(dev, 10, 1500, 2);
	device_config_set(dev, 12, 10000, 4);
	device_config_set(dev, 16, 1, 1);
	device_config_set(dev, 17, 40, 1);
	device_config_set(dev, 18, 128, 2);
	device_config_set(dev, 20, 0x1ff, 4);
}

void
device_config_set(struct device *dev, uint32_t offset, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size && offset + i < CONFIG_BYTES; i++)
		dev->config[offset + i] = (uint8_t)(value >> 8 * i);
	dev->generation++;
}

void
device_config_size(struct device *dev, uint32_t size)
{
	dev->config_size = size < CONFIG_BYTES ? size : CONFIG_BYTES;
}

void
device_config_hook(struct device *dev, void (*hook)(struct device *dev, void *arg), void *arg)
{
	dev->config_hook = hook;
	dev->config_hook_arg = arg;
}

bool
config_read_allowed(struct device *dev, uint32_t offset, uint32_t len)
{
	if (offset > dev->config_size || len > dev->config_size - offset)
		return false;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const struct field *f = &fields[i];

		if (offset < (uint32_t)f->offset + f->size && f->offset < offset + len &&
		    !(dev->options.features & f->any_of))
			fault(dev, -1, "CFG-04",
			      "config field %s was read; its feature is not offered", f->name);
	}
	return true;
}

void
device_set_link(struct device *dev, bool up)
{
	device_config_set(dev, 6, (dev->config[6] & ~1u) | up, 1);
}

void
device_ask_announce(struct device *dev)
{
	device_config_set(dev, 6, dev->config[6] | 2u, 1);
}
