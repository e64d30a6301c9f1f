/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The registers are little-endian and each has one width, which is the width of every access to it
 * (PCI-ACC-01..05). A device that was unplugged reads as all ones; where that is no answer, or a
 * doubtful one, the status register decides (0xff is no status).
 */
#include "pci_modern.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "features.h"
#include "log.h"

/* struct virtio_pci_common_cfg (spec 4.1.4.3). */
enum {
	DEVICE_FEATURE_SELECT = 0x00,
	DEVICE_FEATURE = 0x04,
	DRIVER_FEATURE_SELECT = 0x08,
	DRIVER_FEATURE = 0x0c,
	CONFIG_MSIX_VECTOR = 0x10,
	NUM_QUEUES = 0x12,
	DEVICE_STATUS = 0x14,
	CONFIG_GENERATION = 0x15,
	QUEUE_SELECT = 0x16,
	QUEUE_SIZE = 0x18,
	QUEUE_MSIX_VECTOR = 0x1a,
	QUEUE_ENABLE = 0x1c,
	QUEUE_NOTIFY_OFF = 0x1e,
	QUEUE_DESC = 0x20,
	QUEUE_DRIVER = 0x28,
	QUEUE_DEVICE = 0x30,
	QUEUE_NOTIF_CONFIG_DATA = 0x38,
	QUEUE_RESET = 0x3a,
};

#define QUEUE_SIZE_MAX     32768
#define STATUS_GONE        0xff
#define WAIT_MS            1000 /* for the reset of a queue, unless the upper side says else */
#define POLL_NS            100000
#define NOTIFY_OFF_UNKNOWN UINT32_MAX

struct modern {
	struct vio_transport base;
	struct vio_pci_caps caps;
	uint32_t (*load)(void *ctx, const volatile void *addr, unsigned width);
	void (*store)(void *ctx, volatile void *addr, uint32_t value, unsigned width);
	bool (*is_there)(void *ctx);
	void *ctx;
	uint64_t features;   /* negotiated */
	uint16_t num_queues; /* read at open, and after each choice of features */
	/* Per queue what queue_notify_off was at its first setup, or NOTIFY_OFF_UNKNOWN. */
	uint32_t *notify_off;
	uint16_t notify_offs; /* queues that notify_off has room for */
};

static struct modern *
of(struct vio_transport *t)
{
	return (struct modern *)t;
}

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

static uint8_t
get8(const struct modern *m, unsigned reg)
{
	return (uint8_t)m->load(m->ctx, m->caps.common.addr + reg, 1);
}

static uint16_t
get16(const struct modern *m, unsigned reg)
{
	return (uint16_t)m->load(m->ctx, m->caps.common.addr + reg, 2);
}

static uint32_t
get32(const struct modern *m, unsigned reg)
{
	return m->load(m->ctx, m->caps.common.addr + reg, 4);
}

static void
put8(const struct modern *m, unsigned reg, uint8_t value)
{
	m->store(m->ctx, m->caps.common.addr + reg, value, 1);
}

static void
put16(const struct modern *m, unsigned reg, uint16_t value)
{
	m->store(m->ctx, m->caps.common.addr + reg, value, 2);
}

static void
put32(const struct modern *m, unsigned reg, uint32_t value)
{
	m->store(m->ctx, m->caps.common.addr + reg, value, 4);
}

/* PCI-ACC-03: a 64-bit field is two of 32 bits, the low one first. */
static void
put64(const struct modern *m, unsigned reg, uint64_t value)
{
	put32(m, reg, (uint32_t)value);
	put32(m, reg + 4, (uint32_t)(value >> 32));
}

/* Is this the answer of a device that is gone? 0 is that of one that was reset, and of memory that
 * was put in the place of its registers. */
static bool
is_no_status(const struct modern *m, uint8_t status)
{
	return status == STATUS_GONE ||
	       (status == 0 && m->is_there != NULL && !m->is_there(m->ctx));
}

static bool
gone(const struct modern *m)
{
	return is_no_status(m, get8(m, DEVICE_STATUS));
}

/* What an operation returns after the device gave an answer that fails it: a device that is gone
 * gives every wrong answer. */
static int
failed(const struct modern *m, int error)
{
	return gone(m) ? -ENODEV : error;
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
	if (offered == UINT64_MAX && gone(m))
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
			more[i] = NOTIFY_OFF_UNKNOWN;
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
	if (*generation == UINT8_MAX && gone(of(t)))
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

/* The width that the field at offset is accessed by, going by its length. */
static uint32_t
field_width(uint32_t offset, uint32_t len)
{
	if ((len == 8 || len == 4) && offset % 4 == 0)
		return 4;
	if (len == 2 && offset % 2 == 0)
		return 2;
	return 1;
}

static int
read_config(struct vio_transport *t, uint32_t offset, void *buf, uint32_t len)
{
	struct modern *m = of(t);
	uint32_t width = field_width(offset, len);
	bool all_ones = true;
	uint32_t value;
	int ret;

	ret = check_config_range(m, offset, len);
	if (ret < 0)
		return ret;
	for (uint32_t i = 0; i < len; i += width) {
		value = m->load(m->ctx, m->caps.device.addr + offset + i, width);
		all_ones &= value == UINT32_MAX >> (32 - 8 * width);
		value = htole32(value);
		memcpy((uint8_t *)buf + i, &value, width);
	}
	if (all_ones && gone(m))
		return -ENODEV;
	return 0;
}

static int
write_config(struct vio_transport *t, uint32_t offset, const void *buf, uint32_t len)
{
	struct modern *m = of(t);
	uint32_t width = field_width(offset, len);
	uint32_t value;
	int ret;

	ret = check_config_range(m, offset, len);
	if (ret < 0)
		return ret;
	for (uint32_t i = 0; i < len; i += width) {
		value = 0;
		memcpy(&value, (const uint8_t *)buf + i, width);
		m->store(m->ctx, m->caps.device.addr + offset + i, le32toh(value), width);
	}
	return 0;
}

/* PCI-COMMON-14: each access to a queue's registers comes after this. */
static int
select_queue(const struct modern *m, uint16_t queue)
{
	if (queue >= m->num_queues)
		return -EINVAL;
	put16(m, QUEUE_SELECT, queue);
	return 0;
}

static int
queue_max_size(struct vio_transport *t, uint16_t queue, uint16_t *size)
{
	struct modern *m = of(t);

	*size = 0;
	if (select_queue(m, queue) < 0)
		return 0;
	*size = get16(m, QUEUE_SIZE);
	if (*size <= QUEUE_SIZE_MAX)
		return 0;
	if (gone(m))
		return -ENODEV;
	vio_err("%s: queue %u: the device offers %u descriptors, more than the %u that a queue may "
		"have",
		t->name, queue, *size, QUEUE_SIZE_MAX);
	return -EINVAL;
}

/* Without this a doorbell could overtake the descriptors that it announces: they are in ordinary
 * memory, it is in device memory. vq_publish() orders the ring for another CPU that looks at it
 * unasked; this orders ring before doorbell, for whatever sits behind the BAR. */
static inline void
ring_before_doorbell(void)
{
#if defined(__aarch64__)
	__asm__ volatile("dmb oshst" ::: "memory");
#elif defined(__x86_64__) || defined(__i386__)
	/* Stores are not reordered here, also not one to device memory: only the compiler is. */
	__atomic_signal_fence(__ATOMIC_RELEASE);
#else
	__sync_synchronize();
#endif
}

/* PCI-NOTIF-03, -05, -07 */
static void
kick_16(const struct vio_notifier *n, uint16_t next)
{
	(void)next;
	ring_before_doorbell();
	*(volatile uint16_t *)n->addr = htole16(n->value);
}

/* PCI-NOTIF-04, -06, -08: queue in the low half, next_off and next_wrap in the high one. */
static void
kick_32(const struct vio_notifier *n, uint16_t next)
{
	ring_before_doorbell();
	*(volatile uint32_t *)n->addr = htole32((uint32_t)next << 16 | n->value);
}

vio_kick_fn
vio_pci_modern_kicker(uint64_t features)
{
	return vio_has(features, VIRTIO_F_NOTIFICATION_DATA) ? kick_32 : kick_16;
}

/* queue_notify_off comes from the device: read once, checked, and held to what it was before. */
static int
find_doorbell(struct modern *m, uint16_t queue, struct vio_notifier *notifier)
{
	uint32_t width = vio_has(m->features, VIRTIO_F_NOTIFICATION_DATA) ? 4 : 2;
	uint16_t off = get16(m, QUEUE_NOTIFY_OFF);
	uint64_t at = (uint64_t)off * m->caps.notify_multiplier; /* 48 bits at most */
	volatile uint8_t *addr;

	if (at + width > m->caps.notify.len) {
		vio_err("%s: queue %u: doorbell at 0x%" PRIx64
			" (queue_notify_off %u times %" PRIu32
			") passes the end of the notification structure, which has 0x%" PRIx32
			" bytes",
			m->base.name, queue, at, off, m->caps.notify_multiplier,
			m->caps.notify.len);
		return failed(m, -EINVAL);
	}
	addr = m->caps.notify.addr + at;
	if ((uintptr_t)addr % width != 0) {
		vio_err("%s: queue %u: doorbell at 0x%" PRIx64
			" of the notification structure is not "
			"aligned to its %" PRIu32 " bytes",
			m->base.name, queue, at, width);
		return -EINVAL;
	}
	if (m->notify_off[queue] != NOTIFY_OFF_UNKNOWN && m->notify_off[queue] != off) {
		vio_err("%s: queue %u: queue_notify_off changed from %" PRIu32 " to %u",
			m->base.name, queue, m->notify_off[queue], off);
		return failed(m, -EINVAL);
	}
	m->notify_off[queue] = off;

	notifier->kick = vio_pci_modern_kicker(m->features);
	notifier->addr = addr;
	notifier->fd = -1;
	notifier->value = queue;
	if (vio_has(m->features, VIRTIO_F_NOTIF_CONFIG_DATA))
		notifier->value = get16(m, QUEUE_NOTIF_CONFIG_DATA);
	return 0;
}

/* Reduces the queue to what is asked; never raises it (PCI-COMMON-15). */
static int
write_queue_size(const struct modern *m, uint16_t queue, uint16_t size)
{
	uint16_t offered = get16(m, QUEUE_SIZE);
	uint16_t taken;

	if (size == 0 || size > offered) {
		vio_err("%s: queue %u: %u descriptors asked, where the device offers %u",
			m->base.name, queue, size, offered);
		return -EINVAL;
	}
	if (size < offered)
		put16(m, QUEUE_SIZE, size);
	taken = get16(m, QUEUE_SIZE);
	if (taken != size) {
		vio_err("%s: queue %u: asked for %u descriptors, the device says %u", m->base.name,
			queue, size, taken);
		return failed(m, -EIO);
	}
	return 0;
}

/* PCI-MSIX-04, -05. who is what asks, for messages. */
static int
write_vector(const struct modern *m, unsigned reg, uint16_t vector, const char *who)
{
	uint16_t taken;

	if (vector != VIO_NO_VECTOR && vector >= m->caps.msix_entries) {
		vio_err("%s: %s: vector %u asked, where the device has %u MSI-X vectors",
			m->base.name, who, vector, m->caps.msix_entries);
		return -EINVAL;
	}
	put16(m, reg, vector);
	taken = get16(m, reg);
	if (taken == vector)
		return 0;
	if (gone(m))
		return -ENODEV;
	vio_warn("%s: %s: the device has no room for vector %u (it says 0x%x)", m->base.name, who,
		 vector, taken);
	return -EBUSY;
}

static int
enable_queue(const struct modern *m, uint16_t queue)
{
	uint16_t enabled;

	put16(m, QUEUE_ENABLE, 1);
	enabled = get16(m, QUEUE_ENABLE);
	if (enabled != 1) {
		vio_err("%s: queue %u: the device did not enable it (queue_enable reads %u)",
			m->base.name, queue, enabled);
		return failed(m, -EIO);
	}
	return 0;
}

/* Spec 4.1.5.1.3, with all that PCI-COMMON-05 wants before queue_enable. */
static int
queue_setup(struct vio_transport *t, uint16_t queue, const struct vio_queue_conf *conf,
	    struct vio_notifier *notifier)
{
	struct modern *m = of(t);
	char who[sizeof("queue 65535")];
	int ret;

	if (select_queue(m, queue) < 0) {
		vio_err("%s: queue %u: the device has %u queues", t->name, queue, m->num_queues);
		return -EINVAL;
	}
	if (get16(m, QUEUE_ENABLE) != 0)
		return failed(m, -EBUSY);
	ret = write_queue_size(m, queue, conf->size);
	if (ret < 0)
		return ret;
	snprintf(who, sizeof(who), "queue %u", queue);
	ret = write_vector(m, QUEUE_MSIX_VECTOR, conf->vector, who);
	if (ret < 0)
		return ret;
	put64(m, QUEUE_DESC, conf->desc_iova);
	put64(m, QUEUE_DRIVER, conf->driver_iova);
	put64(m, QUEUE_DEVICE, conf->device_iova);
	ret = find_doorbell(m, queue, notifier);
	if (ret < 0)
		return ret;
	return enable_queue(m, queue);
}

static uint64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* PCI-COMMON-08: not done before queue_reset reads 0. */
static int
queue_reset(struct vio_transport *t, uint16_t queue)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	struct modern *m = of(t);
	uint64_t end = now_ms() + t->timeout_ms;

	if (!vio_has(m->features, VIRTIO_F_RING_RESET))
		return -ENOTSUP;
	if (select_queue(m, queue) < 0)
		return -EINVAL;
	put16(m, QUEUE_RESET, 1);
	while (get16(m, QUEUE_RESET) != 0) {
		if (gone(m))
			return -ENODEV;
		if (now_ms() > end) {
			vio_err("%s: queue %u: the device did not reset it in %u ms", t->name,
				queue, t->timeout_ms);
			return -ETIMEDOUT;
		}
		nanosleep(&pause, NULL);
	}
	if (get16(m, QUEUE_ENABLE) != 0) {
		vio_err("%s: queue %u: still enabled after its reset", t->name, queue);
		return -EIO;
	}
	return 0;
}

static int
config_vector(struct vio_transport *t, uint16_t vector)
{
	return write_vector(of(t), CONFIG_MSIX_VECTOR, vector, "configuration changes");
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
	.queue_max_size = queue_max_size,
	.queue_setup = queue_setup,
	.queue_reset = queue_reset,
	.config_vector = config_vector,
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
	if (gone(&probe)) {
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
	return *isr == UINT8_MAX ? failed(m, 0) : 0;
}
