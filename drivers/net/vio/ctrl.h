/* SPDX-License-Identifier: BSD-3-Clause */
/* The control virtqueue (spec 5.1.6.5): one command at a time, each wait bounded. */
#ifndef VIO_PMD_CTRL_H
#define VIO_PMD_CTRL_H

#include "queue.h"

/* Descriptors of the control queue, at most, and the longest command data in bytes. */
#define VIO_CTRL_SIZE     64
#define VIO_CTRL_DATA_MAX 512

struct vio_ctrl {
	struct vio_ring ring;
	bool live;   /* the device has one, and it is set up */
	bool broken; /* a command was not answered: nothing more is sent before the next start */
};

/* Allocates and sets up the control queue of a device that is being started, where it has one. */
int vio_ctrl_start(struct vio_port *port);
/* Frees it, once the device was reset or is gone. */
void vio_ctrl_stop(struct vio_port *port);

/*
 * Sends one command and waits for its ack. what names it in messages. Returns 0; -ENOTSUP: the
 * device has no control queue; -EIO: it refused; -ETIMEDOUT: no answer in time, or nonsense (then
 * no further command is sent); -EINVAL: len beyond VIO_CTRL_DATA_MAX.
 */
int vio_ctrl_send(struct vio_port *port, const char *what, uint8_t class, uint8_t command,
		  const void *data, uint16_t len);

#endif
