/* SPDX-License-Identifier: BSD-3-Clause */
/* PCI devices that are taken out while they are used: told by the bus, or found by asking. */
#ifndef VIO_PMD_PCI_REMOVAL_H
#define VIO_PMD_PCI_REMOVAL_H

#include <stdbool.h>

struct rte_pci_device;
struct vio_port;

/* Listens for the bus's word that the port's device is to go, from here to vio_pci_unwatch().
 * Returns 0 or a negative errno value. */
int vio_pci_watch(struct vio_port *port);
/* No removal is noticed after this. Harmless where nothing listens. */
void vio_pci_unwatch(struct vio_port *port);

/* Does the function still answer in its configuration space? */
bool vio_pci_is_there(struct rte_pci_device *pci);

#endif
