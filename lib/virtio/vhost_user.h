/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The vhost-user transport, front-end side: the device is another process behind a Unix socket
 * (docs/interop/vhost-user in QEMU's documentation). Rings and buffers are memory shared by file
 * descriptors; doorbells and interrupts are eventfds.
 *
 * A back-end knows rings only. What else a net device has is answered here, from the parameters:
 * the configuration space (VIRTIO_NET_F_MAC, _STATUS, _MQ, _MTU, _SPEED_DUPLEX) and, in place of a
 * control virtqueue, which no back-end has, the operation set_queue_pairs(). So VIRTIO_NET_F_MQ is
 * offered without VIRTIO_NET_F_CTRL_VQ.
 *
 * A peer that closes, stays silent or answers out of turn is gone for good: that call says why
 * (-ENODEV, -ETIMEDOUT, -EPROTO), every later one returns -ENODEV, until
 * vio_vhost_user_reconnect() has found another.
 */
#ifndef VIO_VHOST_USER_H
#define VIO_VHOST_USER_H

#include <stdbool.h>
#include <stdint.h>

#include "transport.h"

/* Most memory regions that a back-end takes, and most queue pairs that messages can name. */
#define VIO_VHOST_USER_REGIONS_MAX 8
#define VIO_VHOST_USER_PAIRS_MAX   128

/* What zeroes in the parameters stand for. */
#define VIO_VHOST_USER_QUEUE_SIZE 256
#define VIO_VHOST_USER_TIMEOUT_MS 5000
#define VIO_VHOST_USER_ACCEPT_MS  60000

/* A piece of shared memory. The file descriptor stays the caller's. */
struct vio_mem_region {
	uint64_t iova;      /* what descriptors say */
	void *addr;         /* where this process has it */
	uint64_t size;      /* bytes */
	int fd;             /* the file behind it, mapped shared */
	uint64_t fd_offset; /* where in the file it begins */
};

/* All of it is copied. */
struct vio_vhost_user_params {
	const char *path;     /* of the socket, at most 107 bytes */
	bool server;          /* listen at path and wait for the back-end to connect */
	uint16_t queue_pairs; /* 1..VIO_VHOST_USER_PAIRS_MAX; 0: 1 */
	uint16_t queue_size;  /* descriptors, 1..32768; 0: the default above */
	bool has_mac;         /* offer VIRTIO_NET_F_MAC with this address */
	uint8_t mac[6];
	uint16_t mtu;   /* offer VIRTIO_NET_F_MTU where the back-end does, 68..65535; 0: don't */
	uint32_t speed; /* offer VIRTIO_NET_F_SPEED_DUPLEX: Mbit/s, full duplex; 0: don't */
	unsigned timeout_ms; /* wait for each answer of the back-end; 0: the default above */
	unsigned accept_ms;  /* server: wait for the back-end to connect; 0: the default above */
};

/*
 * Connects (or, as a server, waits until somebody connects) and agrees on the protocol. A signal
 * that arrives while a server waits ends the wait. The transport's name is the path.
 *
 * Returns 0, or, each with a line in the log:
 *   -EINVAL        a parameter outside its range, or more queue pairs than the back-end has
 *   -ENAMETOOLONG  path
 *   -ENOENT, -ECONNREFUSED, -ENOTSOCK, -EACCES  nobody serves at path, or it is no socket
 *   -EADDRINUSE    server: another process serves at path
 *   -ETIMEDOUT, -EINTR  nobody connected, or a signal came; -ETIMEDOUT also for a silent back-end
 *   -ENODEV, -EPROTO    the back-end closed, or answered nonsense
 *   -ENOMEM, -EMFILE ...
 */
int vio_vhost_user_open(const struct vio_vhost_user_params *params, struct vio_transport **out);

/*
 * Looks for another back-end, once the one before is gone: as a server, whether one has connected
 * meanwhile; else whether one serves at path. Does not wait for it, but agrees with it on the
 * protocol, each answer in timeout_ms. What remains of the one before is closed; so the caller has
 * taken event_fd() out of whatever watches it. Afterwards the device is as after a reset, and knows
 * no memory: vio_vhost_user_set_memory() comes next. Its features may differ from the other's.
 *
 * Returns 0; -EAGAIN, without a line in the log: nobody is there yet; or as vio_vhost_user_open(),
 * and the transport waits for yet another one.
 */
int vio_vhost_user_reconnect(struct vio_transport *t);

/* Ends the connection, where there is one: for a back-end that could not be told all that it must
 * know. vio_vhost_user_reconnect() finds it, or another, again. */
void vio_vhost_user_hang_up(struct vio_transport *t);

/*
 * Tells the back-end what memory is shared, in place of all that it was told before. Call it after
 * open and before the first queue_setup(), then whenever the process's memory changes. Safe at any
 * time and from any thread while the transport is open; it takes only a lock of its own, which no
 * callback is made under, so it may be called with EAL's memory lock held.
 *
 * count pieces are given in any order, as small as memory segments: those of one file that lie as
 * far apart in the file as in memory and in iova become one region. Queue memory set up must stay
 * shared.
 *
 * Returns 0; -E2BIG: more than VIO_VHOST_USER_REGIONS_MAX regions remain, the log says what to do;
 * -EINVAL: no piece, one of size 0, wrapping or without a file; -EIO: the back-end refused;
 * -ENODEV, -ETIMEDOUT, -EPROTO as above.
 */
int vio_vhost_user_set_memory(struct vio_transport *t, const struct vio_mem_region *pieces,
			      unsigned count);

/* The doorbell of this transport's queues: writes to the notifier's eventfd. Another process that
 * was given the descriptor may ring it, too. */
void vio_vhost_user_kick(const struct vio_notifier *notifier, uint16_t next);

#endif
