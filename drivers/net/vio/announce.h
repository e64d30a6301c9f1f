/* SPDX-License-Identifier: BSD-3-Clause */
/* Announcing the port to its network, when the device asks for it. */
#ifndef VIO_PMD_ANNOUNCE_H
#define VIO_PMD_ANNOUNCE_H

struct vio_port;

/* status says ANNOUNCE: sends a frame, and the acknowledgement. With the port's lock held. */
void vio_announce(struct vio_port *port);

#endif
