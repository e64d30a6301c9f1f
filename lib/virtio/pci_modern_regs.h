/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of the modern PCI transport share: the common configuration structure, and its
 * state. The registers are little-endian and each has one width, which is the width of every access
 * to it (PCI-ACC-01..05). A device that was unplugged reads as all ones; where that is no answer,
 * or a doubtful one, the status register decides (0xff is no status).
 */
#ifndef VIO_PCI_MODERN_REGS_H
#define VIO_PCI_MODERN_REGS_H

#include <stdbool.h>

#include "pci_modern.h"

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

#define VIO_PCI_NOTIFY_OFF_UNKNOWN UINT32_MAX

struct modern {
	struct vio_transport base;
	struct vio_pci_caps caps;
	uint32_t (*load)(void *ctx, const volatile void *addr, unsigned width);
	void (*store)(void *ctx, volatile void *addr, uint32_t value, unsigned width);
	bool (*is_there)(void *ctx);
	void *ctx;
	uint64_t features;   /* negotiated */
	uint16_t num_queues; /* read at open, and after each choice of features */
	/* Per queue what queue_notify_off was at its first setup, or VIO_PCI_NOTIFY_OFF_UNKNOWN. */
	uint32_t *notify_off;
	uint16_t notify_offs; /* queues that notify_off has room for */
};

static inline struct modern *
of(struct vio_transport *t)
{
	return (struct modern *)t;
}

static inline uint8_t
get8(const struct modern *m, unsigned reg)
{
	return (uint8_t)m->load(m->ctx, m->caps.common.addr + reg, 1);
}

static inline uint16_t
get16(const struct modern *m, unsigned reg)
{
	return (uint16_t)m->load(m->ctx, m->caps.common.addr + reg, 2);
}

static inline uint32_t
get32(const struct modern *m, unsigned reg)
{
	return m->load(m->ctx, m->caps.common.addr + reg, 4);
}

static inline void
put8(const struct modern *m, unsigned reg, uint8_t value)
{
	m->store(m->ctx, m->caps.common.addr + reg, value, 1);
}

static inline void
put16(const struct modern *m, unsigned reg, uint16_t value)
{
	m->store(m->ctx, m->caps.common.addr + reg, value, 2);
}

static inline void
put32(const struct modern *m, unsigned reg, uint32_t value)
{
	m->store(m->ctx, m->caps.common.addr + reg, value, 4);
}

/* PCI-ACC-03: a 64-bit field is two of 32 bits, the low one first. */
static inline void
put64(const struct modern *m, unsigned reg, uint64_t value)
{
	put32(m, reg, (uint32_t)value);
	put32(m, reg + 4, (uint32_t)(value >> 32));
}

/* What an operation returns after the device gave an answer that fails it: error, but -ENODEV where
 * the device is gone, which gives every wrong answer. */
int vio_pci_failed(const struct modern *m, int error);

bool vio_pci_gone(const struct modern *m);

/* The operations on queues and vectors. */
int vio_pci_queue_max_size(struct vio_transport *t, uint16_t queue, uint16_t *size);
int vio_pci_queue_setup(struct vio_transport *t, uint16_t queue, const struct vio_queue_conf *conf,
			struct vio_notifier *notifier);
int vio_pci_queue_reset(struct vio_transport *t, uint16_t queue);
int vio_pci_config_vector(struct vio_transport *t, uint16_t vector);

#endif
