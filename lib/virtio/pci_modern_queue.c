/* SPDX-License-Identifier: BSD-3-Clause */
/* The queues of a modern PCI device: their registers, their doorbells and their vectors. */
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "clock.h"
#include "features.h"
#include "log.h"
#include "pci_modern_regs.h"

#define QUEUE_SIZE_MAX 32768
#define POLL_NS        100000

/* PCI-COMMON-14: each access to a queue's registers comes after this. */
static int
select_queue(const struct modern *m, uint16_t queue)
{
	if (queue >= m->num_queues)
		return -EINVAL;
	put16(m, QUEUE_SELECT, queue);
	return 0;
}

int
vio_pci_queue_max_size(struct vio_transport *t, uint16_t queue, uint16_t *size)
{
	struct modern *m = of(t);

	*size = 0;
	if (select_queue(m, queue) < 0)
		return 0;
	*size = get16(m, QUEUE_SIZE);
	if (*size <= QUEUE_SIZE_MAX)
		return 0;
	if (vio_pci_gone(m))
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
		return vio_pci_failed(m, -EINVAL);
	}
	addr = m->caps.notify.addr + at;
	if ((uintptr_t)addr % width != 0) {
		vio_err("%s: queue %u: doorbell at 0x%" PRIx64
			" of the notification structure is not "
			"aligned to its %" PRIu32 " bytes",
			m->base.name, queue, at, width);
		return -EINVAL;
	}
	if (m->notify_off[queue] != VIO_PCI_NOTIFY_OFF_UNKNOWN && m->notify_off[queue] != off) {
		vio_err("%s: queue %u: queue_notify_off changed from %" PRIu32 " to %u",
			m->base.name, queue, m->notify_off[queue], off);
		return vio_pci_failed(m, -EINVAL);
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
		return vio_pci_failed(m, -EIO);
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
	if (vio_pci_gone(m))
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
		return vio_pci_failed(m, -EIO);
	}
	return 0;
}

/* Spec 4.1.5.1.3, with all that PCI-COMMON-05 wants before queue_enable. */
int
vio_pci_queue_setup(struct vio_transport *t, uint16_t queue, const struct vio_queue_conf *conf,
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
		return vio_pci_failed(m, -EBUSY);
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

/* PCI-COMMON-08: not done before queue_reset reads 0. */
int
vio_pci_queue_reset(struct vio_transport *t, uint16_t queue)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	struct modern *m = of(t);
	uint64_t end = vio_now_ms() + t->timeout_ms;

	if (!vio_has(m->features, VIRTIO_F_RING_RESET))
		return -ENOTSUP;
	if (select_queue(m, queue) < 0)
		return -EINVAL;
	put16(m, QUEUE_RESET, 1);
	while (get16(m, QUEUE_RESET) != 0) {
		if (vio_pci_gone(m))
			return -ENODEV;
		if (vio_now_ms() > end) {
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

int
vio_pci_config_vector(struct vio_transport *t, uint16_t vector)
{
	return write_vector(of(t), CONFIG_MSIX_VECTOR, vector, "configuration changes");
}
