/* SPDX-License-Identifier: BSD-3-Clause */
/* Announcing the port to its network, when the device asks for it. */
#ifndef VIO_PMD_ANNOUNCE_H
#define VIO_PMD_ANNOUNCE_H

struct vio_port;

/* status says ANNOUNCE: EAL's interrupt thread is to send a frame, and the acknowledgement, which
 * takes as long as the device likes. With the port's lock held. */
void vio_announce_soon(struct vio_port *port);
/* Sends the frame of an announcement that was asked for, and acknowledged, while the application
 * held the link down: a device that is reset meanwhile does not ask again. Where there was none, or
 * the link is down still, nothing. With the lock, and the gates as they are to be. */
void vio_announce_late(struct vio_port *port);
/* The port is about to be closed. Without the lock. */
void vio_announce_fini(struct vio_port *port);

#endif
