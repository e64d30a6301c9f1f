/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How lib/virtio reaches a device: a table of operations that each transport fills in (modern PCI,
 * vhost-user, the device model of the tests). Nothing above this table asks which one it is.
 *
 * Every operation that can fail returns 0 or a negative errno value; -ENODEV always means that the
 * device (or the peer behind a socket) is gone for good. No operation blocks without a bound.
 */
#ifndef VIO_TRANSPORT_H
#define VIO_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>

/* No MSI-X vector for this event (VIRTIO_MSI_NO_VECTOR, spec 4.1.5.1.2). */
#define VIO_NO_VECTOR 0xffff
/* How long waits that belong together may take in all, in longest waits for one. */
#define VIO_MANY 10

/* Where a queue's three areas lie (spec 2.6, "Virtqueues"), as virtual addresses and as the device
 * sees them. Filled by the driver from vq_areas(). */
struct vio_queue_conf {
	uint16_t size;      /* descriptors, 1..32768; at most what queue_max_size() said */
	uint16_t vector;    /* MSI-X vector of its used-buffer notifications, or VIO_NO_VECTOR */
	void *desc;         /* Descriptor Area */
	void *driver;       /* Driver Area */
	void *device;       /* Device Area */
	uint64_t desc_iova; /* the same three, as device addresses */
	uint64_t driver_iova;
	uint64_t device_iova;
};

/*
 * A queue's doorbell, filled in by queue_setup() and read by the one thread that polls the queue.
 * kick() tells the device that buffers are available; next is the notification data of the ring
 * (vq_notify_data(): offset in bits 0..14, wrap counter or bit 15 of the index in bit 15), used
 * only where VIRTIO_F_NOTIFICATION_DATA was negotiated. kick() neither blocks nor fails: a doorbell
 * of a device that is gone rings nowhere.
 */
struct vio_notifier {
	void (*kick)(const struct vio_notifier *notifier, uint16_t next);
	volatile void *addr; /* PCI: the doorbell in the notify BAR */
	int fd;              /* vhost-user: the kick eventfd, else -1 */
	uint16_t value;      /* queue index, or queue_notif_config_data */
};

struct vio_transport;

struct vio_transport_ops {
	/* One or two words for people: "modern PCI", "vhost-user". */
	const char *name;
	/* The legacy interface: 32 feature bits and no VERSION_1, no FEATURES_OK, rings laid out by
	 * VQ_LEGACY, each with exactly the descriptors that queue_max_size() says, and a device
	 * that knows no IOMMU. */
	bool legacy;
	/* Every frame reaches the driver, whatever its address: there is no filter to be set. */
	bool filters_nothing;

	/* Device status (spec 2.1). Writing 0 begins a reset; the caller polls get_status() for 0.
	 */
	int (*get_status)(struct vio_transport *t, uint8_t *status);
	int (*set_status)(struct vio_transport *t, uint8_t status);

	/* Feature bits 0..63. set_features() is called once between reset and FEATURES_OK. */
	int (*get_features)(struct vio_transport *t, uint64_t *features);
	int (*set_features)(struct vio_transport *t, uint64_t features);

	/* Device configuration space. get_generation is NULL where the device has none; the
	 * generation is constant where the configuration is.
	 * read_config() does not guard against changes: vio_config_read() does. One field a call: a
	 * len of 1, 2, 4 or 8 at a multiple of itself is one access of that width (8: two of 4),
	 * any other is an array of bytes (spec 4.1.3.1). Bytes come and go as they stand in the
	 * space, numbers little-endian. -EINVAL where the range is outside the space that the
	 * transport can reach; -ENOTSUP without a space. */
	int (*get_generation)(struct vio_transport *t, uint32_t *generation);
	int (*read_config)(struct vio_transport *t, uint32_t offset, void *buf, uint32_t len);
	int (*write_config)(struct vio_transport *t, uint32_t offset, const void *buf,
			    uint32_t len);

	/* How many descriptors the queue may have; 0 where the queue does not exist. */
	int (*queue_max_size)(struct vio_transport *t, uint16_t queue, uint16_t *size);
	/* Gives the queue its memory and vector, enables it, and fills in its doorbell.
	 * Called between FEATURES_OK and DRIVER_OK, or after queue_reset(). */
	int (*queue_setup)(struct vio_transport *t, uint16_t queue,
			   const struct vio_queue_conf *conf, struct vio_notifier *notifier);
	/* NULL where the device has a control virtqueue for this, or one pair only. Else it stands
	 * for VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET (spec 5.1.6.5.5), and VIRTIO_NET_F_MQ is good without
	 * VIRTIO_NET_F_CTRL_VQ: the first pairs queue pairs carry packets, queues beyond are idle.
	 * One pair does after a reset. Any time after FEATURES_OK, before or after queue_setup().
	 * -EINVAL outside 1..max_virtqueue_pairs; -ENOTSUP. */
	int (*set_queue_pairs)(struct vio_transport *t, uint16_t pairs);
	/* VIRTIO_F_RING_RESET: asks for the reset of one queue and waits, bounded, until it is
	 * done. -ETIMEDOUT, -ENOTSUP. */
	int (*queue_reset)(struct vio_transport *t, uint16_t queue);

	/* The vector of configuration changes; -EBUSY where the device has no room for it. */
	int (*config_vector)(struct vio_transport *t, uint16_t vector);

	/* Reads the ISR status (spec 4.1.4.5), which lowers the line of an interrupt that is not
	 * MSI-X: bit 0 a queue, bit 1 the configuration. NULL where there is none. */
	int (*read_isr)(struct vio_transport *t, uint8_t *isr);

	/* A file descriptor that becomes readable when the device has something to say (vhost-user:
	 * the socket), or -1. Then call service(), which handles it and returns 0, or -ENODEV when
	 * the peer has gone. NULL where interrupts arrive otherwise. */
	int (*event_fd)(struct vio_transport *t);
	int (*service)(struct vio_transport *t);
	/* The eventfd of the queue's used-buffer notifications, or -1. NULL where they are MSI-X.
	 */
	int (*queue_event_fd)(struct vio_transport *t, uint16_t queue);

	/* The eventfd that is the queue's doorbell, open as long as the transport, or -1 beyond the
	 * queues. NULL where doorbells are memory. */
	int (*queue_kick_fd)(struct vio_transport *t, uint16_t queue);

	/* Frees what the transport holds. The device must be reset before, or gone. */
	void (*close)(struct vio_transport *t);
};

struct vio_transport {
	const struct vio_transport_ops *ops;
	/* How messages call this device: a PCI address, a socket path. Not owned. */
	const char *name;
	/* Bound of each wait on the device, in milliseconds. The transport sets it at open, the
	 * upper side may change it. */
	unsigned timeout_ms;
	/* When waits that belong together must have ended (device.h), in milliseconds of clock.h;
	 * 0: none do. Only for a transport with many waits: vhost-user. Atomic. */
	uint64_t many_end;
};

#endif
