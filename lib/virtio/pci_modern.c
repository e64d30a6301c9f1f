/* SPDX-License-Identifier: BSD-3-Clause */
/* A modern PCI device as a transport: status, features and configuration. */
#include "pci_modern.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "features.h"
#include "log.h"
#include "pci_config.h"
#include "pci_modern_regs.h"

#define STATUS_GONE 0xff
#define WAIT_MS     1000 /* for the reset of a queue, unless the upper side says else */

static uint32_t
load_memory(void *ctx, const volatile void *addr, unsigned width)
{
	(void)ctx;
	if (width == 1)
		return *(const volatile uint8_t *)addr;
	if (width == 2)
		return le16toh(*(const volatile uint16_t *)addr);
	return le32toh(*(const volatile uint32_t *)addr);
}

static void
store_memory(void *ctx, volatile void *addr, uint32_t value, unsigned width)
{
	(void)ctx;
	if (width == 1)
		*(volatile uint8_t *)addr = (uint8_t)value;
	else if (width == 2)
		*(volatile uint16_t *)addr = htole16((uint16_t)value);
	else
		*(volatile uint32_t *)addr = htole32(value);
}

/* Is this the answer of a device that is gone? 0 is that of one that was reset, and of memory that
 * was put in the place of its registers. */
static bool
is_no_status(const struct modern *m, uint8_t status)
{
	return status == STATUS_GONE ||
	       (status == 0 && m->is_there != NULL && !m->is_there(m->ctx));
}

bool
vio_pci_gone(const struct modern *m)
{
	return is_no_status(m, get8(m, DEVICE_STATUS));
}

/* What an operation returns after the device gave an answer that fails it: a device that is gone
 * gives every wrong answer. */
int
vio_pci_failed(const struct modern *m, int error)
{
	return vio_pci_gone(m) ? -ENODEV : error;
}

static int
get_status(struct vio_transport *t, uint8_t *status)
{
	*status = get8(of(t), DEVICE_STATUS);
	return is_no_status(of(t), *status) ? -ENODEV : 0;
}

static int
set_status(struct vio_transport *t, uint8_t status)
{
	put8(of(t), DEVICE_STATUS, status);
	if (status == 0)
		of(t)->features = 0;
	return 0;
}

/* Features whose registers the device's structures are too short for (PCI-COMMON-16). */
static uint64_t
features_without_registers(const struct modern *m)
{
	uint64_t without = 0;

	if (m->caps.notify.len < 4)
		without |= VIO_BIT(VIRTIO_F_NOTIFICATION_DATA);
	if (m->caps.common.len < QUEUE_NOTIF_CONFIG_DATA + 2)
		without |= VIO_BIT(VIRTIO_F_NOTIF_CONFIG_DATA);
	if (m->caps.common.len < QUEUE_RESET + 2)
		without |= VIO_BIT(VIRTIO_F_RING_RESET);
	return without;
}

static int
get_features(struct vio_transport *t, uint64_t *features)
{
	struct modern *m = of(t);
	uint64_t offered, without;

	put32(m, DEVICE_FEATURE_SELECT, 0);
	offered = get32(m, DEVICE_FEATURE);
	put32(m, DEVICE_FEATURE_SELECT, 1);
	offered |= (uint64_t)get32(m, DEVICE_FEATURE) << 32;
	if (offered == UINT64_MAX && vio_pci_gone(m))
		return -ENODEV;

	without = offered & features_without_registers(m);
	if (without != 0)
		vio_warn("%s: the device offers features 0x%" PRIx64
			 " but its structures have no room for their registers: not used",
			 t->name, without);
	*features = offered & ~without;
	return 0;
}

static int
read_num_queues(struct modern *m)
{
	uint16_t n = get16(m, NUM_QUEUES);
	uint32_t *more;

	if (n > m->notify_offs) {
		more = realloc(m->notify_off, n * sizeof(*more));
		if (more == NULL) {
			vio_err("%s: no memory for what to know of %u queues", m->base.name, n);
			return -ENOMEM;
		}
		for (unsigned i = m->notify_offs; i < n; i++)
			more[i] = VIO_PCI_NOTIFY_OFF_UNKNOWN;
		m->notify_off = more;
		m->notify_offs = n;
	}
	m->num_queues = n;
	return 0;
}

static int
set_features(struct vio_transport *t, uint64_t features)
{
	struct modern *m = of(t);

	if (features & features_without_registers(m))
		return -EINVAL;
	put32(m, DRIVER_FEATURE_SELECT, 0);
	put32(m, DRIVER_FEATURE, (uint32_t)features);
	put32(m, DRIVER_FEATURE_SELECT, 1);
	put32(m, DRIVER_FEATURE, (uint32_t)(features >> 32));
	m->features = features;
	/* How many queues there are can follow from the features: QEMU's pairs come with MQ. */
	return read_num_queues(m);
}

static int
get_generation(struct vio_transport *t, uint32_t *generation)
{
	*generation = get8(of(t), CONFIG_GENERATION);
	if (*generation == UINT8_MAX && vio_pci_gone(of(t)))
		return -ENODEV;
	return 0;
}

static int
check_config_range(const struct modern *m, uint32_t offset, uint32_t len)
{
	if (m->caps.device.addr == NULL)
		return -ENOTSUP;
	if ((uint64_t)offset + len > m->caps.device.len)
		return -EINVAL;
	return 0;
}

static uint32_t
load_config(void *ctx, uint32_t offset, unsigned width)
{
	const struct modern *m = ctx;

	return m->load(m->ctx, m->caps.device.addr + offset, width);
}

static void
store_config(void *ctx, uint32_t offset, uint32_t value, unsigned width)
{
	const struct modern *m = ctx;

	m->store(m->ctx, m->caps.device.addr + offset, value, width);
}

static int
read_config(struct vio_transport *t, uint32_t offset, void *buf, uint32_t len)
{
	struct modern *m = of(t);
	int ret = check_config_range(m, offset, len);

	if (ret < 0)
		return ret;
	if (vio_pci_config_get(load_config, m, offset, buf, len) && vio_pci_gone(m))
		return -ENODEV;
	return 0;
}

static int
write_config(struct vio_transport *t, uint32_t offset, const void *buf, uint32_t len)
{
	struct modern *m = of(t);
	int ret = check_config_range(m, offset, len);

	if (ret == 0)
		vio_pci_config_put(store_config, m, offset, buf, len);
	return ret;
}

static void
close_modern(struct vio_transport *t)
{
	free(of(t)->notify_off);
	free(of(t));
}

static const struct vio_transport_ops modern_ops = {
	.name = "modern PCI",
	.get_status = get_status,
	.set_status = set_status,
	.get_features = get_features,
	.set_features = set_features,
	.get_generation = get_generation,
	.read_config = read_config,
	.write_config = write_config,
	.queue_max_size = vio_pci_queue_max_size,
	.queue_setup = vio_pci_queue_setup,
	.queue_reset = vio_pci_queue_reset,
	.config_vector = vio_pci_config_vector,
	.read_isr = vio_pci_modern_isr,
	.close = close_modern,
};

int
vio_pci_modern_open(const struct vio_pci_access *access, void *ctx, const char *name,
		    struct vio_transport **out)
{
	struct modern probe = { .ctx = ctx };
	struct modern *m;
	int ret;

	ret = vio_pci_caps_read(access, ctx, name, &probe.caps);
	if (ret < 0)
		return ret;
	probe.base = (struct vio_transport){ .ops = &modern_ops,
					     .name = name,
					     .timeout_ms = WAIT_MS };
	probe.load = access->load != NULL ? access->load : load_memory;
	probe.store = access->store != NULL ? access->store : store_memory;
	probe.is_there = access->is_there;
	if (vio_pci_gone(&probe)) {
		vio_err("%s: the device does not answer: unplugged?", name);
		return -ENODEV;
	}
	ret = read_num_queues(&probe);
	if (ret < 0)
		return ret;
	m = malloc(sizeof(*m));
	if (m == NULL) {
		vio_err("%s: no memory for the device", probe.base.name);
		free(probe.notify_off);
		return -ENOMEM;
	}
	*m = probe;
	*out = &m->base;
	return 0;
}

uint16_t
vio_pci_modern_vectors(const struct vio_transport *t)
{
	return ((const struct modern *)t)->caps.msix_entries;
}

int
vio_pci_modern_isr(struct vio_transport *t, uint8_t *isr)
{
	struct modern *m = of(t);

	if (m->caps.isr.addr == NULL)
		return -ENOTSUP;
	*isr = (uint8_t)m->load(m->ctx, m->caps.isr.addr, 1);
	return *isr == UINT8_MAX ? vio_pci_failed(m, 0) : 0;
}
