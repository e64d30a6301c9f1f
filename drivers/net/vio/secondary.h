/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Secondary processes. The port, its queues and rings lie in memory that all processes share, at
 * the same addresses; code, file descriptors and what the bus mapped do not. So a secondary goes by
 * functions of its own, and by its own copies of descriptors. It polls queues and reads; what
 * changes the port is for the primary, and the secondary's end leaves the port as it is.
 */
#ifndef VIO_PMD_SECONDARY_H
#define VIO_PMD_SECONDARY_H

#include <stdbool.h>
#include <stdint.h>

#include <ethdev_driver.h>

#include "ring.h"

/* How the processes of a port ring the device's doorbells. */
enum vio_doorbells {
	VIO_DOORBELLS_PRIVATE, /* the primary alone can */
	VIO_DOORBELLS_MODERN,  /* where every process has the notify BAR mapped */
	VIO_DOORBELLS_EVENTFD, /* by descriptors that the primary passes on */
};

/* Is this a secondary process? */
extern bool vio_in_secondary;

/* In the primary, with each port: answers secondaries, and hears of their faults. Errors are no
 * harm but to them. */
void vio_primary_init(void);

/* Which one this process is in; 0: not known. */
uint64_t vio_pid_namespace(void);

/* Makes dev, attached to its shared data by ethdev, a port of this process. Returns 0, or a
 * negative errno value with a line in the log. */
int vio_secondary_attach(struct rte_eth_dev *dev);
/* Forgets it. */
void vio_secondary_detach(struct rte_eth_dev *dev);

/* Tells the primary, which recovers the port, of something wrong (enum vio_cause). */
void vio_secondary_notice(const struct vio_port *port, unsigned cause);

/* The doorbell of a virtqueue, rung from a secondary. */
void vio_secondary_kick(const struct vio_ring *ring, const struct vio_port *port, uint16_t next);

#endif
