/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Segments left together (LRO), switched while the port runs: by VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET
 * (spec 5.1.6.5.8). ethdev has no word for it, so whoever looks after the machine says it, by
 * telemetry, of an application that asked for LRO.
 */
#ifndef VIO_PMD_LRO_H
#define VIO_PMD_LRO_H

#include <stdbool.h>

struct vio_port;

/*
 * Tells the device to leave segments together or not; a port that is stopped or recovering tells it
 * when it starts. This stays so until it is switched back or the port is closed. Takes the port's
 * lock. Packets that are on their way come as they are.
 *
 * Returns 0; -ENOTSUP: the device has no CTRL_GUEST_OFFLOADS; -EIO: it refused, and all is as
 * before; -ETIMEDOUT: its control queue does not answer.
 */
int vio_lro_switch(struct vio_port *port, bool on);

/* Tells it to a device that has come to life, with the lock held: with all that was negotiated on
 * (NETCTRL-OFFL-03). Where the device refuses, or is another that has no such command, LRO is on
 * again. Returns 0, or a negative errno
 * value where the control queue fails. */
int vio_lro_restore(struct vio_port *port);

/* What is so now, in words, with the lock held. */
const char *vio_lro_state(const struct vio_port *port);

#endif
