/* SPDX-License-Identifier: BSD-3-Clause */
/* Included before the driver's PCI files, as seams.h before all others: the bus and the device's
 * registers go by way of pci_function.c. */
#ifndef PMD_SEAMS_PCI_H
#define PMD_SEAMS_PCI_H

#include "seams.h"

#include <ethdev_pci.h>
#include <rte_bus_pci.h>
#include <rte_dev.h>

#include "virtio/pci_modern.h"

void seam_pci_register(struct rte_pci_driver *driver);
int seam_pci_map(struct rte_pci_device *pci);
void seam_pci_unmap(struct rte_pci_device *pci);
int seam_pci_read_config(const struct rte_pci_device *pci, void *buf, size_t len, off_t offset);
off_t seam_pci_find_ext_capability(struct rte_pci_device *pci, uint32_t id);
int seam_pci_set_bus_master(struct rte_pci_device *pci, bool on);
int seam_pci_ioport_map(struct rte_pci_device *pci, int bar, struct rte_pci_ioport *io);
int seam_pci_ioport_unmap(struct rte_pci_ioport *io);
void seam_pci_ioport_read(struct rte_pci_ioport *io, void *data, size_t len, off_t at);
void seam_pci_ioport_write(struct rte_pci_ioport *io, const void *data, size_t len, off_t at);
const char *seam_pci_sysfs(void);
struct rte_eth_dev *seam_pci_allocate(struct rte_pci_device *pci, size_t size);
int seam_dev_event_register(const char *name, rte_dev_event_cb_fn callback, void *arg);
int seam_dev_event_unregister(const char *name, rte_dev_event_cb_fn callback, void *arg);
enum rte_iova_mode seam_iova_mode(void);
int seam_modern_open(const struct vio_pci_access *access, void *ctx, const char *name,
		     struct vio_transport **out);

#ifndef SEAMS_BEHIND
#define rte_pci_register(driver)                  seam_pci_register(driver)
#define rte_pci_map_device(pci)                   seam_pci_map(pci)
#define rte_pci_unmap_device(pci)                 seam_pci_unmap(pci)
#define rte_pci_read_config(pci, buf, len, at)    seam_pci_read_config(pci, buf, len, at)
#define rte_pci_find_ext_capability(pci, id)      seam_pci_find_ext_capability(pci, id)
#define rte_pci_set_bus_master(pci, on)           seam_pci_set_bus_master(pci, on)
#define rte_pci_ioport_map(pci, bar, io)          seam_pci_ioport_map(pci, bar, io)
#define rte_pci_ioport_unmap(io)                  seam_pci_ioport_unmap(io)
#define rte_pci_ioport_read(io, data, len, at)    seam_pci_ioport_read(io, data, len, at)
#define rte_pci_ioport_write(io, data, len, at)   seam_pci_ioport_write(io, data, len, at)
#define rte_pci_get_sysfs_path()                  seam_pci_sysfs()
#define rte_eth_dev_pci_allocate(pci, size)       seam_pci_allocate(pci, size)
#define rte_eal_iova_mode()                       seam_iova_mode()
#define vio_pci_modern_open(access, ctx, name, t) seam_modern_open(access, ctx, name, t)
#define rte_dev_event_callback_register(name, callback, arg) \
	seam_dev_event_register(name, callback, arg)
#define rte_dev_event_callback_unregister(name, callback, arg) \
	seam_dev_event_unregister(name, callback, arg)
#endif

#endif
