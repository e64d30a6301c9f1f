/* SPDX-License-Identifier: BSD-3-Clause */
/* The legacy PCI transport (spec 4.1.4.10): a device reached through the I/O ports of BAR 0. */
#ifndef VIO_PCI_LEGACY_H
#define VIO_PCI_LEGACY_H

#include "pci_caps.h"
#include "transport.h"

/* The most that a BAR of ports has (PCI Local Bus 3.0, 6.2.5.1). */
#define VIO_PCI_PORTS_MAX 256

/*
 * Makes a transport of a legacy device, or of a transitional one's legacy interface; writes nothing
 * to the device. name is the PCI address that messages show; it, access and ctx must outlive the
 * transport. The caller maps the ports before, and unmaps them after the transport's close(); len
 * is how many there are, at most VIO_PCI_PORTS_MAX: none behind them is touched, as it may be
 * another device's.
 *
 * Returns 0, or:
 *   -ENOTSUP  access has no ports, or this CPU is big-endian
 *   -EINVAL   a list of capabilities that makes no sense, or fewer ports than the header has; the
 *             log says what was found
 *   -ENODEV   the device does not answer: unplugged
 *   -ENOMEM   or what access->read_config() returned
 */
int vio_pci_legacy_open(const struct vio_pci_access *access, void *ctx, uint32_t len,
			const char *name, struct vio_transport **out);

/* How many MSI-X vectors the device has, 0..2048: vectors for queue_setup() and config_vector() are
 * below that, and count only while MSI-X is on. */
uint16_t vio_pci_legacy_vectors(const struct vio_transport *t);

#endif
