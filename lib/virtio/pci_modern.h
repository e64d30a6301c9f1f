/* SPDX-License-Identifier: BSD-3-Clause */
/* The modern PCI transport (spec 4.1): a device reached through its common configuration structure.
 */
#ifndef VIO_PCI_MODERN_H
#define VIO_PCI_MODERN_H

#include <stdint.h>

#include "pci_caps.h"
#include "transport.h"

/*
 * Finds the device's structures and makes a transport of them; writes nothing to the device. name
 * is the PCI address that messages show; it, access and ctx must outlive the transport. The caller
 * maps the BARs before, and unmaps them after the transport's close().
 *
 * Returns 0, or:
 *   -ENOTSUP  a legacy device, which has no modern interface
 *   -EINVAL   capabilities that make no sense; the log says which, and what was found
 *   -ENODEV   the device does not answer: unplugged
 *   -ENOMEM   or what access->read_config() returned
 */
int vio_pci_modern_open(const struct vio_pci_access *access, void *ctx, const char *name,
			struct vio_transport **out);

/* How many MSI-X vectors the device has, 0..2048: vectors for queue_setup() and config_vector() are
 * below that. */
uint16_t vio_pci_modern_vectors(const struct vio_transport *t);

/* Reads, and so clears, the ISR status (spec 4.1.4.5): bit 0 a queue, bit 1 the configuration. For
 * INTx only. 0; -ENOTSUP without that structure; -ENODEV. */
int vio_pci_modern_isr(struct vio_transport *t, uint8_t *isr);

/* The doorbell of a device with these features negotiated: for a process that has its BARs mapped
 * at the same addresses as the one that set the queue up. */
typedef void (*vio_kick_fn)(const struct vio_notifier *notifier, uint16_t next);
vio_kick_fn vio_pci_modern_kicker(uint64_t features);

#endif
