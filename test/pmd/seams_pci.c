/* SPDX-License-Identifier: BSD-3-Clause */
/* The other side of seams_pci.h: EAL's PCI bus, with one function on it. */
#define SEAMS_BEHIND
#include "seams_pci.h"

#include <errno.h>
#include <stdio.h>

#include "inject.h"
#include "pci_function.h"
#include "pci_function_parts.h"

enum { BAR = 4, SILENT = 0xffff };

struct function function;

static struct rte_pci_driver *driver;
static struct rte_devargs devargs = { .policy = RTE_DEV_ALLOWED };
static struct rte_pci_device pci = {
	.name = FUNCTION_NAME,
	.device = { .name = FUNCTION_NAME, .devargs = &devargs, .numa_node = SOCKET_ID_ANY },
};
static uint8_t config[256];
/* Ports of a legacy device (spec 4.1.4.10). */
enum {
	PORT_QUEUE_ADDRESS = 8,
	PORT_QUEUE_SIZE = 12,
	PORT_QUEUE_SELECT = 14,
	PORT_STATUS = 18,
};

static uint8_t ports[64];
static uint32_t ring_pages[8]; /* of each queue: where its ring is */
static unsigned ports_mapped;
static struct {
	rte_dev_event_cb_fn callback;
	void *arg;
} watcher;

/* --- configuration space ------------------------------------------------------------------------
 */

static void
put32(uint8_t *to, uint32_t value)
{
	value = rte_cpu_to_le_32(value);
	memcpy(to, &value, sizeof(value));
}

static unsigned
add_structure(unsigned at, uint8_t type, uint32_t offset)
{
	uint8_t len = type == 2 ? 20 : 16;
	uint8_t *cap = config + at;

	cap[0] = 0x09;
	cap[1] = (uint8_t)(at + len);
	cap[2] = len;
	cap[3] = type;
	cap[4] = BAR;
	put32(cap + 8, offset);
	put32(cap + 12, FUNCTION_STRUCTURE);
	if (type == 2)
		put32(cap + 16, FUNCTION_DOORBELL);
	return at + len;
}

static void
make_config(void)
{
	unsigned at = 0x40;

	memset(config, 0, sizeof(config));
	put32(config, 0x10411af4);
	config[6] = 0x10; /* there is a list of capabilities */
	config[0x34] = (uint8_t)at;
	if (function.has_ports) {
		config[0x10] = 0x01;
	} else {
		at = add_structure(at, 1, 0);
		at = add_structure(at, 2, FUNCTION_NOTIFY);
		at = add_structure(at, 4, FUNCTION_CONFIG);
	}
	config[at] = 0x11;
	config[at + 2] = FUNCTION_VECTORS - 1;
}

int
seam_pci_read_config(const struct rte_pci_device *of, void *buf, size_t len, off_t offset)
{
	if (of != &pci || offset < 0 || offset + len > sizeof(config))
		abort();
	if (inject_now("rte_pci_read_config"))
		return -1;
	if (function.state != FUNCTION_THERE)
		memset(buf, 0xff, len);
	else
		memcpy(buf, config + offset, len);
	return (int)len;
}

/* EAL cannot look on a bus that is not PCI Express. */
off_t
seam_pci_find_ext_capability(struct rte_pci_device *of, uint32_t id)
{
	(void)of;
	if (inject_now("rte_pci_find_ext_capability"))
		return -1;
	return function.has_functions && id == RTE_PCI_EXT_CAP_ID_SRIOV ? 0x100 : 0;
}

int
seam_pci_set_bus_master(struct rte_pci_device *of, bool on)
{
	(void)of;
	if (inject_now("rte_pci_set_bus_master"))
		return -1;
	function.bus_master = on;
	return 0;
}

/* --- the BAR ------------------------------------------------------------------------------------
 */

unsigned
function_mapped(void)
{
	return pci.mem_resource[BAR].addr != NULL;
}

int
seam_pci_map(struct rte_pci_device *of)
{
	struct rte_mem_resource *bar = &of->mem_resource[BAR];

	if (inject_now("rte_pci_map_device"))
		return -1;
	if (function.not_bound)
		return 1;
	if (of != &pci || bar->addr != NULL || posix_memalign(&bar->addr, 4096, FUNCTION_BAR) != 0)
		abort(); /* mapped twice */
	bar->len = FUNCTION_BAR;
	memset(bar->addr, 0xff, FUNCTION_BAR); /* all doorbells SILENT */
	function.bus_master = true;
	return 0;
}

void
seam_pci_unmap(struct rte_pci_device *of)
{
	struct rte_mem_resource *bar = &of->mem_resource[BAR];

	if (of != &pci || bar->addr == NULL)
		abort(); /* was not mapped */
	free(bar->addr);
	bar->addr = NULL;
}

unsigned
function_offset(const void *of, const volatile void *addr)
{
	const volatile uint8_t *bar = pci.mem_resource[BAR].addr;
	size_t at = (size_t)((const volatile uint8_t *)addr - bar);

	if (of != &pci || bar == NULL || at >= FUNCTION_NOTIFY)
		abort();
	return (unsigned)at;
}

bool
function_doorbell(uint16_t queue)
{
	uint8_t *bar = pci.mem_resource[BAR].addr;
	uint16_t *bell, value;

	if (bar == NULL)
		return false;
	bell = (uint16_t *)(bar + FUNCTION_NOTIFY + queue * FUNCTION_DOORBELL);
	value = rte_le_to_cpu_16(*bell);
	*bell = SILENT;
	if (value != SILENT && value != queue)
		abort();
	return value == queue;
}

/* --- ports --------------------------------------------------------------------------------------
 */

unsigned
function_ports_mapped(void)
{
	return ports_mapped;
}

int
seam_pci_ioport_map(struct rte_pci_device *of, int bar, struct rte_pci_ioport *io)
{
	if (inject_now("rte_pci_ioport_map"))
		return -1;
	if (of != &pci || bar != 0)
		abort();
	io->dev = of;
	memset(ports, 0, sizeof(ports));
	memset(ring_pages, 0, sizeof(ring_pages));
	put32(ports, function.headers_apart ? 0 : 1 << 27); /* ANY_LAYOUT */
	ports[PORT_QUEUE_SIZE] = 64;                        /* descriptors of each queue */
	ports_mapped++;
	return 0;
}

int
seam_pci_ioport_unmap(struct rte_pci_ioport *io)
{
	if (io->dev != &pci || ports_mapped == 0)
		abort();
	ports_mapped--;
	return 0;
}

const char *
seam_pci_sysfs(void)
{
	return function.sysfs != NULL ? function.sysfs : "/nonexistent";
}

static uint32_t *
selected_page(void)
{
	if (ports[PORT_QUEUE_SELECT] >= RTE_DIM(ring_pages))
		abort();
	return &ring_pages[ports[PORT_QUEUE_SELECT]];
}

/* Enough of a legacy device to be looked at and started, not more: what was written stands there,
 * a ring's address for each queue, until the reset (spec 4.1.4.10). */
void
seam_pci_ioport_read(struct rte_pci_ioport *io, void *data, size_t len, off_t at)
{
	if (io->dev != &pci || ports_mapped == 0 || at + len > sizeof(ports))
		abort();
	if (at == PORT_QUEUE_ADDRESS)
		memcpy(data, selected_page(), len);
	else
		memcpy(data, ports + at, len);
}

void
seam_pci_ioport_write(struct rte_pci_ioport *io, const void *data, size_t len, off_t at)
{
	if (io->dev != &pci || ports_mapped == 0 || at + len > sizeof(ports))
		abort();
	memcpy(ports + at, data, len);
	if (at == PORT_QUEUE_ADDRESS)
		memcpy(selected_page(), data, len);
	if (at == PORT_STATUS && ports[at] == 0)
		memset(ring_pages, 0, sizeof(ring_pages));
}

unsigned
function_port_rings(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < RTE_DIM(ring_pages); i++)
		n += ring_pages[i] != 0;
	return n;
}

/* --- the rest of EAL ----------------------------------------------------------------------------
 */

struct rte_eth_dev *
seam_pci_allocate(struct rte_pci_device *of, size_t size)
{
	return inject_now("rte_eth_dev_pci_allocate") ? NULL : rte_eth_dev_pci_allocate(of, size);
}

enum rte_iova_mode
seam_iova_mode(void)
{
	return function.virtual_addresses ? RTE_IOVA_VA : RTE_IOVA_PA;
}

unsigned
function_watched(void)
{
	return watcher.callback != NULL;
}

int
seam_dev_event_register(const char *name, rte_dev_event_cb_fn callback, void *arg)
{
	if (inject_now("rte_dev_event_callback_register"))
		return -ENOMEM;
	if (name != NULL || watcher.callback != NULL)
		abort(); /* registered twice */
	watcher.callback = callback;
	watcher.arg = arg;
	return 0;
}

/* EAL refuses while the callback runs, on its own thread. */
int
seam_dev_event_unregister(const char *name, rte_dev_event_cb_fn callback, void *arg)
{
	(void)name;
	if (watcher.callback != callback || watcher.arg != arg)
		return -ENOENT;
	if (inject_now("rte_dev_event_callback_unregister"))
		return -EAGAIN;
	watcher.callback = NULL;
	return 1;
}

void
function_ask_back(void)
{
	if (watcher.callback != NULL)
		watcher.callback(FUNCTION_NAME, RTE_DEV_EVENT_REMOVE, watcher.arg);
}

void
seam_pci_register(struct rte_pci_driver *of)
{
	driver = of;
}

void
function_plug(struct device *dev)
{
	if (function_mapped() || function_watched() || ports_mapped > 0)
		abort();
	function = (struct function){ .dev = dev };
	registers_reset();
}

int
function_probe(const char *args)
{
	int ret;

	make_config();
	devargs.args = (char *)(uintptr_t)args;
	if (pci.intr_handle == NULL) {
		pci.intr_handle = rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE);
		if (pci.intr_handle == NULL ||
		    rte_intr_type_set(pci.intr_handle, RTE_INTR_HANDLE_VFIO_MSIX) != 0)
			abort();
	}
	pci.driver = driver;
	ret = driver->probe(driver, &pci);
	if (ret != 0)
		pci.driver = NULL;
	else
		pci.device.driver = &driver->driver;
	return ret;
}

int
function_remove(void)
{
	int ret = driver->remove(&pci);

	if (ret == 0) {
		pci.driver = NULL;
		pci.device.driver = NULL;
	}
	return ret;
}
