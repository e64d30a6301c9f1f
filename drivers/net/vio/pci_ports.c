/* SPDX-License-Identifier: BSD-3-Clause */
#include "pci_ports.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include <bus_pci_driver.h>
#include <rte_bus_pci.h>

#include "virtio/pci_legacy.h"
#include "log.h"

/* BAR 0 in the configuration space, and the bit that tells ports from memory (PCI Local Bus 3.0,
 * 6.2.5.1). */
#define CFG_BAR0     0x10
#define BAR_IS_PORTS 1
/* The kernel's IORESOURCE_IO, in its list of a function's BARs: first, last, flags. */
#define RESOURCE_IS_PORTS 0x100

static int
read_pci_config(void *ctx, uint32_t offset, void *buf, uint32_t len)
{
	const struct vio_pci_ports *ports = ctx;
	int ret = rte_pci_read_config(ports->pci, buf, len, offset);

	return ret == (int)len ? 0 : -EIO;
}

/* The legacy interface needs none. */
static int
find_no_bar(void *ctx, unsigned bar, void **addr, uint64_t *len)
{
	RTE_SET_USED(ctx);
	RTE_SET_USED(bar);
	RTE_SET_USED(addr);
	RTE_SET_USED(len);
	return -ENOENT;
}

static uint32_t
in(void *ctx, uint32_t port, unsigned width)
{
	struct vio_pci_ports *ports = ctx;
	uint32_t value32 = UINT32_MAX;
	uint16_t value16 = UINT16_MAX;
	uint8_t value8 = UINT8_MAX;

	/* EAL logs an error, and leaves the value alone. */
	if (width == 4) {
		rte_pci_ioport_read(&ports->io, &value32, sizeof(value32), port);
		return rte_le_to_cpu_32(value32);
	}
	if (width == 2) {
		rte_pci_ioport_read(&ports->io, &value16, sizeof(value16), port);
		return rte_le_to_cpu_16(value16);
	}
	rte_pci_ioport_read(&ports->io, &value8, sizeof(value8), port);
	return value8;
}

static void
out(void *ctx, uint32_t port, uint32_t value, unsigned width)
{
	struct vio_pci_ports *ports = ctx;
	uint32_t bytes = rte_cpu_to_le_32(value);

	rte_pci_ioport_write(&ports->io, &bytes, width, port);
}

const struct vio_pci_access vio_pci_ports_access = {
	.read_config = read_pci_config,
	.bar = find_no_bar,
	.in = in,
	.out = out,
};

/* EAL knows only the length of BARs of memory; of a function that the kernel does not show, the
 * most that there can be. */
static uint32_t
bar0_len(const struct rte_pci_device *pci)
{
	uint64_t first, last, flags;
	char path[PATH_MAX];
	FILE *file;
	int n;

	snprintf(path, sizeof(path), "%s/" PCI_PRI_FMT "/resource", rte_pci_get_sysfs_path(),
		 pci->addr.domain, pci->addr.bus, pci->addr.devid, pci->addr.function);
	file = fopen(path, "r");
	if (file == NULL)
		return VIO_PCI_PORTS_MAX;
	n = fscanf(file, "%" SCNx64 " %" SCNx64 " %" SCNx64, &first, &last, &flags);
	fclose(file);
	if (n != 3 || !(flags & RESOURCE_IS_PORTS) || last < first ||
	    last - first >= VIO_PCI_PORTS_MAX)
		return VIO_PCI_PORTS_MAX;
	return (uint32_t)(last - first + 1);
}

struct vio_pci_ports *
vio_pci_ports_map(struct rte_pci_device *pci)
{
	struct vio_pci_ports *ports;
	uint32_t bar0 = 0;

	if (rte_pci_read_config(pci, &bar0, sizeof(bar0), CFG_BAR0) != sizeof(bar0) ||
	    !(rte_le_to_cpu_32(bar0) & BAR_IS_PORTS)) {
		VIO_LOG(ERR, "%s: no I/O ports at BAR 0, so no legacy interface; not usable",
			pci->name);
		return NULL;
	}
	ports = calloc(1, sizeof(*ports));
	if (ports == NULL) {
		VIO_LOG(ERR, "%s: no memory for the device's I/O ports", pci->name);
		return NULL;
	}
	ports->pci = pci;
	ports->len = bar0_len(pci);
	if (rte_pci_ioport_map(pci, 0, &ports->io) == 0)
		return ports;
	VIO_LOG(ERR,
		"%s: the I/O ports of this legacy device cannot be reached; bind it to vfio-pci "
		"or uio_pci_generic, and run as root",
		pci->name);
	free(ports);
	return NULL;
}

void
vio_pci_ports_unmap(struct vio_pci_ports *ports)
{
	/* EAL's VFIO has nothing to undo, and says so by an error. */
	rte_pci_ioport_unmap(&ports->io);
	free(ports);
}
