/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The life of a virtio device (spec 3.1), over any transport:
 *
 *     vio_device_begin      reset, ACKNOWLEDGE, DRIVER, offered features
 *     vio_device_negotiate  features, FEATURES_OK
 *     (queues: transport->ops->queue_setup)
 *     vio_device_go         DRIVER_OK: the device is live
 *     vio_device_reset      the device is silent, and every buffer the driver's again
 *
 * An error in any of them leaves the device with FAILED set, or reset (INIT-13); the way on is
 * vio_device_begin(). Control operations of one device belong to one thread at a time.
 */
#ifndef VIO_DEVICE_H
#define VIO_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "transport.h"

/* Device status bits (spec 2.1). */
enum vio_status {
	VIO_STATUS_ACKNOWLEDGE = 1,
	VIO_STATUS_DRIVER = 2,
	VIO_STATUS_DRIVER_OK = 4,
	VIO_STATUS_FEATURES_OK = 8,
	VIO_STATUS_NEEDS_RESET = 64,
	VIO_STATUS_FAILED = 128,
};

/* How long a device may take to finish a reset, unless the user says otherwise. Milliseconds. */
#define VIO_TIMEOUT_MS 5000
/* How often a config read is tried while the generation changes, before the device is given up. */
#define VIO_CONFIG_TRIES 64
/* The longest field of a legacy device, in bytes: their configurations have no longer one. */
#define VIO_CONFIG_FIELD_MAX 64

struct vio_device {
	struct vio_transport *transport;
	uint64_t offered;          /* features, as read once by vio_device_begin() */
	uint64_t features;         /* negotiated; 0 before */
	uint8_t status;            /* what the driver has set so far */
	uint32_t reset_timeout_ms; /* bound of every wait for a reset */
	bool told_changing;        /* that the configuration never stands still, since the reset */
};

/* Prepares device for the transport; touches nothing. The transport stays the caller's. */
void vio_device_init(struct vio_device *device, struct vio_transport *transport);

/*
 * Resets the device and waits until that is done (RESET-01). Afterwards it accesses no buffer.
 * Returns 0; -ETIMEDOUT: status did not become 0 in reset_timeout_ms; or the transport's error.
 */
int vio_device_reset(struct vio_device *device);

/*
 * Between these two the transport's waits take VIO_MANY times timeout_ms in all at most: however
 * punctual a peer is with each message, a start of many queues must not take hours. Not nested.
 */
void vio_device_begin_many(struct vio_device *device);
void vio_device_end_many(struct vio_device *device);

/* Steps 1 to 3 and the reading half of step 4. Returns 0 or a negative errno value. */
int vio_device_begin(struct vio_device *device);

/*
 * Accepts those of the wanted features that the device offers and whose prerequisites are accepted
 * too. VERSION_1 is among them without being asked for; with the legacy interface it is ANY_LAYOUT,
 * if offered. Returns 0; -ENOTSUP: the device does not offer VIRTIO_F_VERSION_1 where it must;
 * -EPROTO: it refused the choice (FEATURES_OK did not stay); or the transport's error.
 */
int vio_device_negotiate(struct vio_device *device, uint64_t wanted);

/* Sets DRIVER_OK. */
int vio_device_go(struct vio_device *device);

/* Sets FAILED: the driver has given up. Errors are ignored, there is nobody to tell. Does nothing
 * to a device that is, or should be, reset. */
void vio_device_fail(struct vio_device *device);

/* Has the device, or the peer, gone? Costs no more than a read of a register, or a look at a
 * socket. */
bool vio_device_is_gone(struct vio_device *device);

/* Is DEVICE_NEEDS_RESET set? Returns 1, 0 or a negative errno value (-ENODEV: the device is gone).
 */
int vio_device_needs_reset(struct vio_device *device);

/*
 * Reads len bytes of device configuration space at offset such that they belong to one generation
 * (CFG-03), or are the same twice in a row where the device has none (CFG-LEG-02; at most
 * VIO_CONFIG_FIELD_MAX bytes then). Returns 0; -EAGAIN: it changed VIO_CONFIG_TRIES times in a row;
 * or the transport's error. Values are the device's word: check them.
 */
int vio_config_read(struct vio_device *device, uint32_t offset, void *buf, uint32_t len);

#endif
