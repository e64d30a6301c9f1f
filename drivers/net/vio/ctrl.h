/* SPDX-License-Identifier: BSD-3-Clause */
/* The control virtqueue (spec 5.1.6.5): one command at a time, each wait bounded. */
#ifndef VIO_PMD_CTRL_H
#define VIO_PMD_CTRL_H

#include "queue.h"

/* Descriptors of the control queue, at most; the longest command data and the longest result, in
 * bytes: that of the MAC tables, and of a queue's statistics. */
#define VIO_CTRL_SIZE       64
#define VIO_CTRL_DATA_MAX   2048
#define VIO_CTRL_RESULT_MAX 1024

struct vio_ctrl {
	struct vio_ring ring;
	bool live;   /* the device has one, and it is set up */
	bool broken; /* a command was not answered: nothing more is sent before the next start */
	uint64_t many_end; /* when many commands must have ended, in timer cycles; 0: not many */
};

/* Allocates and sets up the control queue of a device that is being started, where it has one. */
int vio_ctrl_start(struct vio_port *port);
/* Frees it, once the device was reset or is gone. */
void vio_ctrl_stop(struct vio_port *port);

/* The queue after the last pair that the device could have, used or not (spec 5.1.2). */
uint16_t vio_ctrl_index(const struct vio_port *port);

/* A command. Whatever is not named is 0. */
struct vio_ctrl_command {
	const char *what; /* names it in messages */
	uint8_t class;
	uint8_t command;
	const void *data;
	uint16_t len;
	uint16_t cut; /* where data goes on in a descriptor of its own; 0: nowhere */
	void *result; /* copied here when the ack says OK; zeroes where the device wrote nothing */
	uint16_t result_len;
	bool *told; /* of what a device can ask for at any rate: that a refusal was told; or NULL */
};

/*
 * Sends one command and waits for its ack, with the port's lock held. Returns 0; -ENOTSUP: the
 * device has no control queue, or is stopped; -EIO: it refused; -ETIMEDOUT: no answer in time, or
 * nonsense (then no further command is sent); -EINVAL: data or result longer than there is room.
 */
int vio_ctrl_run(struct vio_port *port, const struct vio_ctrl_command *c);
/* The same for a command without a result. */
int vio_ctrl_send(struct vio_port *port, const char *what, uint8_t class, uint8_t command,
		  const void *data, uint16_t len);

/*
 * Between these two, all commands together take no longer than VIO_MANY of them may: however
 * punctual a device is with each, thousands (VLANs, queues) must not hold the port's lock for
 * hours. What comes too late ends like a command without an answer.
 */
void vio_ctrl_begin_many(struct vio_port *port);
void vio_ctrl_end_many(struct vio_port *port);

#endif
