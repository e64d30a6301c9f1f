/* SPDX-License-Identifier: BSD-3-Clause */
/* What a port and its queues are doing, for people to read (dump.c, telemetry.c). */
#ifndef VIO_PMD_LOOK_H
#define VIO_PMD_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rte_eth_dev;
struct vio_port;

/*
 * All that is asked here is asked between these two: in the primary process they are the port's
 * lock; in a secondary, where there is none, each queue is visited instead. A recovery or a command
 * can hold the lock for seconds: false, after a few milliseconds, where somebody does. Then only
 * vio_look_state() may be asked, and there is nothing to end.
 */
bool vio_look_begin(struct vio_port *port);
void vio_look_end(struct vio_port *port);

/* What to say then. */
#define VIO_LOOK_BUSY "at work: a recovery or a control operation is under way; ask again"

/* "started", "stopped", "recovering", ... At any time. */
const char *vio_look_state(const struct vio_port *port);

/* The last fault in words, and how many ms ago it was found; NULL: there was none. */
const char *vio_look_fault(const struct vio_port *port, uint64_t *ms_ago);

/* Receive offers and transmit wishes of a queue, as they are at this moment. */
struct vio_queue_look {
	const char *state;  /* "started", "stopped", or "closed", while the port recovers */
	const char *layout; /* "split", "packed", or "none": the device does not have the ring */
	const char *error;  /* "no error", or why the queue is broken */
	uint16_t size;      /* descriptors, */
	uint16_t free;      /* of which so many are the driver's */
	uint16_t in_flight; /* buffers that the device has, */
	uint16_t used;      /* of which it has used so many */
};

/* False where there is no such queue, or it is not set up. */
bool vio_look_at_queue(const struct rte_eth_dev *dev, bool rx, uint16_t id,
		       struct vio_queue_look *look);

/* Of a queue that vio_look_at_queue() has found:
 * the counters that xstats have, one after the other: the name of the i-th without rx_qN_ or
 * tx_qN_, and its value; NULL: there are no more, or the primary process has released the queue
 * since. */
const char *vio_rx_counter(const struct rte_eth_dev *dev, uint16_t id, size_t i, uint64_t *value);
const char *vio_tx_counter(const struct rte_eth_dev *dev, uint16_t id, size_t i, uint64_t *value);
const char *vio_port_counter(const struct rte_eth_dev *dev, size_t i, uint64_t *value);

#endif
