/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device's own configuration, as both PCI transports access it: each field by accesses of one
 * width, which goes by its length (spec 4.1.3.1, 4.1.4.10), and little-endian.
 */
#ifndef VIO_PCI_CONFIG_H
#define VIO_PCI_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

/* One access of 1, 2 or 4 bytes, in CPU byte order, at offset in the configuration. */
typedef uint32_t (*vio_pci_config_load)(void *ctx, uint32_t offset, unsigned width);
typedef void (*vio_pci_config_store)(void *ctx, uint32_t offset, uint32_t value, unsigned width);

/* Reads the field of len bytes at offset, which the caller has checked. Returns whether all of it
 * are ones, as where there is no device. */
bool vio_pci_config_get(vio_pci_config_load load, void *ctx, uint32_t offset, void *buf,
			uint32_t len);
/* Writes it, first byte to last: how a MAC address has to be written (NET-LEG-03). */
void vio_pci_config_put(vio_pci_config_store store, void *ctx, uint32_t offset, const void *buf,
			uint32_t len);

#endif
