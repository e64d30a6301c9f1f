/* SPDX-License-Identifier: BSD-3-Clause */
#include "look.h"

#include <rte_cycles.h>

#include "port.h"

/* Most operations are over sooner; whoever asks holds up others meanwhile (ports.h). */
#define PATIENCE_US 10000
#define STEP_US     100

bool
vio_look_begin(struct vio_port *port)
{
	if (vio_in_secondary)
		return true;
	for (unsigned us = 0; us < PATIENCE_US; us += STEP_US) {
		if (pthread_mutex_trylock(&port->lock) == 0)
			return true;
		rte_delay_us_sleep(STEP_US);
	}
	return false;
}

void
vio_look_end(struct vio_port *port)
{
	if (!vio_in_secondary)
		pthread_mutex_unlock(&port->lock);
}

const char *
vio_look_state(const struct vio_port *port)
{
	static const char *const healths[] = {
		[VIO_HEALTH_WELL] = "started",
		[VIO_HEALTH_RECOVERING] = "recovering",
		[VIO_HEALTH_WAITS] = "waits for rte_eth_dev_reset()",
		[VIO_HEALTH_GIVEN_UP] = "given up",
	};
	unsigned health = port->recovery.health;

	if (port->gone)
		return "gone";
	if (!port->data->dev_started)
		return "stopped";
	if (health == VIO_HEALTH_WELL && port->link_held)
		return "started, its link set down";
	return health < RTE_DIM(healths) ? healths[health] : "unknown";
}

const char *
vio_look_fault(const struct vio_port *port, uint64_t *ms_ago)
{
	const struct vio_recovery *r = &port->recovery;

	if (r->began == 0)
		return NULL;
	*ms_ago = (rte_get_timer_cycles() - r->began) * 1000 / rte_get_timer_hz();
	return r->words;
}

static void
look_at_ring(const struct vio_ring *ring, struct vio_queue_look *look)
{
	const struct vq *vq = ring->vq;

	if (vq == NULL)
		return;
	look->layout = ring->flags & VQ_PACKED ? "packed" : "split";
	look->error = vq_error_text(vq_error(vq));
	look->free = vq_free_count(vq);
	look->in_flight = vq_in_flight(vq);
	look->used = vq_used_count(vq, ring->size);
}

bool
vio_look_at_queue(const struct rte_eth_dev *dev, bool rx, uint16_t id, struct vio_queue_look *look)
{
	const struct vio_port *port = vio_port(dev);
	struct vio_rxq *rxq = NULL;
	struct vio_txq *txq = NULL;
	const struct vio_ring *ring;
	struct vio_gate *gate;
	bool stopped, inside;

	/* In a secondary process either may go at any time: one load. */
	if (rx && id < RTE_DIM(port->known_rx))
		rxq = __atomic_load_n(&port->known_rx[id], __ATOMIC_ACQUIRE);
	if (!rx && id < RTE_DIM(port->known_tx))
		txq = __atomic_load_n(&port->known_tx[id], __ATOMIC_ACQUIRE);
	if (rxq == NULL && txq == NULL)
		return false;
	ring = rx ? &rxq->ring : &txq->ring;
	gate = rx ? &rxq->gate : &txq->gate;
	stopped = !dev->data->dev_started || (rx ? rxq->stopped : txq->stopped);
	*look = (struct vio_queue_look){
		.layout = "none",
		.error = vq_error_text(VQ_OK),
		.size = ring->size,
	};
	inside = vio_gate_visit(gate);
	look->state = inside ? "started" : stopped ? "stopped" : "closed";
	if (inside || !vio_in_secondary)
		look_at_ring(ring, look);
	if (inside)
		vio_gate_end_visit(gate);
	return true;
}
