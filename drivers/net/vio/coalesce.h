/* SPDX-License-Identifier: BSD-3-Clause */
/* How many packets, or how much time, the device lets pass before an interrupt. */
#ifndef VIO_PMD_COALESCE_H
#define VIO_PMD_COALESCE_H

#include <stdint.h>

struct vio_port;

/* Tells a live device what the devarg coalesce= says, with the lock held. Returns 0 or a negative
 * errno value; a device that cannot do it is warned of, once. */
int vio_coalesce_restore(struct vio_port *port);
/* The same of one queue that was reset and is set up anew; by the index of its virtqueue. */
int vio_coalesce_restore_queue(struct vio_port *port, uint16_t index);

#endif
