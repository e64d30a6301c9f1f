/* SPDX-License-Identifier: BSD-3-Clause */
/* net_vio: virtio-net devices on the PCI bus. */
#include <errno.h>

#include <ethdev_pci.h>
#include <rte_bus_pci.h>
#include <bus_pci_driver.h>

#include "virtio/pci_legacy.h"
#include "virtio/pci_modern.h"
#include "log.h"
#include "pci_ports.h"
#include "pci_removal.h"
#include "port.h"

/* Decimal, as pmd_info below can only have them: 1af4:1041, 1af4:1000 (PCI-DISC-01, PCI-DISC-02).
 */
#define VENDOR_VIRTIO           6900
#define DEVICE_NET              4161
#define DEVICE_NET_TRANSITIONAL 4096
#define ANY_ID                  65535
#define KMODS                   "* vfio-pci | uio_pci_generic"

static int
read_pci_config(void *ctx, uint32_t offset, void *buf, uint32_t len)
{
	int ret = rte_pci_read_config(ctx, buf, len, offset);

	return ret == (int)len ? 0 : -EIO;
}

static int
find_bar(void *ctx, unsigned bar, void **addr, uint64_t *len)
{
	const struct rte_pci_device *pci = ctx;

	if (bar >= PCI_MAX_RESOURCE || pci->mem_resource[bar].addr == NULL)
		return -ENOENT;
	*addr = pci->mem_resource[bar].addr;
	*len = pci->mem_resource[bar].len;
	return 0;
}

static bool
is_there(void *ctx)
{
	return vio_pci_is_there(ctx);
}

static const struct vio_pci_access pci_access = {
	.read_config = read_pci_config,
	.bar = find_bar,
	.is_there = is_there,
};

/* Where the device ignores the IOMMU, addresses that only the IOMMU understands would let it write
 * anywhere. */
static int
check_iommu(const struct vio_port *port)
{
	if (vio_has(port->offered, VIRTIO_F_ACCESS_PLATFORM) || rte_eal_iova_mode() == RTE_IOVA_PA)
		return 0;
	PORT_LOG(port, ERR,
		 "the device bypasses the IOMMU (no ACCESS_PLATFORM), but EAL uses virtual "
		 "addresses; run with --iova-mode=pa, or set iommu_platform=on in QEMU");
	return -ENOTSUP;
}

static void
release_ports(struct vio_port *port)
{
	if (port->ports != NULL)
		vio_pci_ports_unmap(port->ports);
	port->ports = NULL;
}

/* No more accesses to memory, if the device is there after all. Without them it is of no use, so
 * that the port does not start again; a new probe switches them on. */
static void
isolate(struct vio_port *port)
{
	rte_pci_set_bus_master(RTE_ETH_DEV_TO_PCI(port->dev), false);
	vio_port_gone(port);
}

/* Virtual functions may only be spoken of where there can be some (RSVD-09). */
static uint64_t
features_possible(struct rte_pci_device *pci, const struct vio_pci_ports *ports)
{
	/* A legacy device has no bit for it, nor a configuration space long enough. */
	return ports != NULL || rte_pci_find_ext_capability(pci, RTE_PCI_EXT_CAP_ID_SRIOV) > 0
		       ? UINT64_MAX
		       : ~VIO_BIT(VIRTIO_F_SR_IOV);
}

static int
make_port(struct rte_pci_device *pci, struct vio_transport *transport, uint16_t vectors,
	  struct vio_pci_ports *ports, const struct vio_args *args)
{
	struct rte_eth_dev *dev = rte_eth_dev_pci_allocate(pci, sizeof(struct vio_port));
	struct vio_port *port;
	int ret;

	if (dev == NULL) {
		VIO_LOG(ERR, "%s: no ethdev port or no memory for one", pci->name);
		transport->ops->close(transport);
		return -ENOMEM;
	}
	port = vio_port(dev);
	port->addr_at = offsetof(struct rte_mbuf, buf_iova);
	port->intr = pci->intr_handle;
	port->doorbells = ports == NULL ? VIO_DOORBELLS_MODERN : VIO_DOORBELLS_PRIVATE;
	port->vectors = vectors;
	port->ports = ports;
	port->release = release_ports;
	port->unwatch = vio_pci_unwatch;
	port->isolate = isolate;
	ret = vio_port_init(dev, transport, args, features_possible(pci, ports));
	if (ret == 0)
		ret = check_iommu(port);
	if (ret == 0)
		ret = vio_pci_watch(port);
	if (ret < 0) {
		vio_port_fini(port);
		rte_eth_dev_release_port(dev);
		return ret;
	}
	rte_eth_dev_probing_finish(dev);
	return 0;
}

/* Was the device asked for by name (-a)? Then the user wants to know why it is not taken. */
static bool
is_asked_for(const struct rte_pci_device *pci)
{
	return pci->device.devargs != NULL && pci->device.devargs->policy == RTE_DEV_ALLOWED;
}

/* Mapping is left to the driver (no RTE_PCI_DRV_NEED_MAPPING) for the sake of this message. */
static int
map_device(struct rte_pci_device *pci)
{
	int ret = rte_pci_map_device(pci);

	if (ret < 0)
		VIO_LOG(ERR,
			"%s: the device's registers could not be mapped; EAL says why above: often "
			"an IOMMU that is off, a group that others use, or missing rights",
			pci->name);
	if (ret <= 0)
		return ret;
	rte_log(is_asked_for(pci) ? RTE_LOG_ERR : RTE_LOG_INFO, vio_logtype,
		"vio: %s: not bound to vfio-pci, so not usable; take its interface down and bind "
		"it: "
		"dpdk-devbind.py --bind=vfio-pci %s\n",
		pci->name, pci->name);
	return ret;
}

static int
open_legacy(struct rte_pci_device *pci, const struct vio_args *args)
{
	struct vio_pci_ports *ports = vio_pci_ports_map(pci);
	struct vio_transport *transport;
	int ret;

	if (ports == NULL)
		return -ENOTSUP;
	ret = vio_pci_legacy_open(&vio_pci_ports_access, ports, ports->len, pci->name, &transport);
	if (ret == 0)
		ret = make_port(pci, transport, vio_pci_legacy_vectors(transport), ports, args);
	if (ret < 0)
		vio_pci_ports_unmap(ports);
	return ret;
}

/* A transitional device has both interfaces; the modern one is better in every way. */
static int
open_mapped(struct rte_pci_device *pci, const struct vio_args *args)
{
	struct vio_transport *transport;
	int ret;

	if (args->legacy)
		return open_legacy(pci, args);
	ret = vio_pci_modern_open(&pci_access, pci, pci->name, &transport);
	if (ret == 0)
		return make_port(pci, transport, vio_pci_modern_vectors(transport), NULL, args);
	return ret == -ENOTSUP ? open_legacy(pci, args) : ret;
}

static int
attach_secondary(struct rte_pci_device *pci)
{
	int ret = map_device(pci);

	if (ret != 0)
		return ret;
	ret = rte_eth_dev_pci_generic_probe(pci, 0, vio_secondary_attach);
	if (ret < 0)
		rte_pci_unmap_device(pci);
	return ret;
}

/* Returns a positive value for a device that is not for this driver, so that EAL asks the next one.
 */
static int
probe(struct rte_pci_driver *driver, struct rte_pci_device *pci)
{
	const struct rte_devargs *devargs = pci->device.devargs;
	struct vio_args args;
	int ret;

	RTE_SET_USED(driver);
	if (rte_eal_process_type() != RTE_PROC_PRIMARY)
		return attach_secondary(pci);
	if (vio_args_parse_pci(pci->name, devargs != NULL ? devargs->args : NULL, &args) < 0)
		return -EINVAL;
	ret = map_device(pci);
	if (ret != 0)
		return ret;
	ret = open_mapped(pci, &args);
	if (ret != 0)
		rte_pci_unmap_device(pci);
	return ret;
}

static int
uninit_port(struct rte_eth_dev *dev)
{
	if (vio_in_secondary) {
		vio_secondary_detach(dev);
		return 0;
	}
	if (dev->data->dev_started)
		rte_eth_dev_stop(dev->data->port_id);
	/* The port is closed even where the device did not let go of its buffers (the log has it),
	 * so nobody could try again. */
	vio_ops.dev_close(dev);
	return 0;
}

static int
remove_device(struct rte_pci_device *pci)
{
	int ret = rte_eth_dev_pci_generic_remove(pci, uninit_port);

	if (ret == 0)
		rte_pci_unmap_device(pci);
	return ret;
}

static const struct rte_pci_id ids[] = {
	{ RTE_PCI_DEVICE(VENDOR_VIRTIO, DEVICE_NET) },
	{ RTE_PCI_DEVICE(VENDOR_VIRTIO, DEVICE_NET_TRANSITIONAL) },
	{ .vendor_id = 0 },
};

static struct rte_pci_driver driver = {
	.driver = { .name = "net_vio" },
	.id_table = ids,
	.drv_flags = RTE_PCI_DRV_INTR_LSC | RTE_PCI_DRV_INTR_RMV,
	.probe = probe,
	.remove = remove_device,
};

RTE_PMD_REGISTER_PCI(net_vio, driver);
RTE_PMD_REGISTER_PCI_TABLE(net_vio, ids);
RTE_PMD_REGISTER_KMOD_DEP(net_vio, KMODS);
RTE_PMD_REGISTER_PARAM_STRING(net_vio, VIO_ARGS_COMMON VIO_ARGS_PCI);

/* What dpdk-pmdinfo.py reads. DPDK's own drivers get it from a build tool that is not installed. */
#define PMD_INFO_ID(device)                                                                \
	"[" RTE_STR(VENDOR_VIRTIO) ", " RTE_STR(device) ", " RTE_STR(ANY_ID) ", " RTE_STR( \
		ANY_ID) "]"

static const char pmd_info[] __rte_used =
	"PMD_INFO_STRING= {\"name\": \"net_vio\", \"params\": \"" VIO_ARGS_COMMON VIO_ARGS_PCI
	"\", \"kmod\": \"" KMODS
	"\", \"pci_ids\": [" PMD_INFO_ID(DEVICE_NET) ", " PMD_INFO_ID(DEVICE_NET_TRANSITIONAL) "]}";
