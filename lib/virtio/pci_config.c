/* SPDX-License-Identifier: BSD-3-Clause */
#include "pci_config.h"

#include <endian.h>
#include <string.h>

/* The width that the field at offset is accessed by, going by its length. */
static uint32_t
field_width(uint32_t offset, uint32_t len)
{
	if ((len == 8 || len == 4) && offset % 4 == 0)
		return 4;
	if (len == 2 && offset % 2 == 0)
		return 2;
	return 1;
}

bool
vio_pci_config_get(vio_pci_config_load load, void *ctx, uint32_t offset, void *buf, uint32_t len)
{
	uint32_t width = field_width(offset, len);
	bool all_ones = true;

	for (uint32_t i = 0; i < len; i += width) {
		uint32_t value = load(ctx, offset + i, width);

		all_ones &= value == UINT32_MAX >> (32 - 8 * width);
		value = htole32(value);
		memcpy((uint8_t *)buf + i, &value, width);
	}
	return all_ones;
}

void
vio_pci_config_put(vio_pci_config_store store, void *ctx, uint32_t offset, const void *buf,
		   uint32_t len)
{
	uint32_t width = field_width(offset, len);

	for (uint32_t i = 0; i < len; i += width) {
		uint32_t value = 0;

		memcpy(&value, (const uint8_t *)buf + i, width);
		store(ctx, offset + i, le32toh(value), width);
	}
}
