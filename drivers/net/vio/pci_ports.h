/* SPDX-License-Identifier: BSD-3-Clause */
/* The I/O ports of a legacy device, as EAL reaches them: through VFIO, or by the CPU's own
 * instructions under uio_pci_generic. */
#ifndef VIO_PMD_PCI_PORTS_H
#define VIO_PMD_PCI_PORTS_H

#include <ethdev_pci.h>

#include "virtio/pci_caps.h"

struct vio_pci_ports {
	struct rte_pci_device *pci;
	struct rte_pci_ioport io;
	uint32_t len; /* ports */
};

/* Reaches them; its ctx is a struct vio_pci_ports. */
extern const struct vio_pci_access vio_pci_ports_access;

/* Maps BAR 0 of a device that is bound to a driver of user space. NULL where it has no ports there,
 * or EAL cannot reach them; the log says why. */
struct vio_pci_ports *vio_pci_ports_map(struct rte_pci_device *pci);
void vio_pci_ports_unmap(struct vio_pci_ports *ports);

#endif
