/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Starting and stopping single queues of a started port. A queue that waits for its first start is
 * live and empty: the device may know it, and finds no buffer there. One that was stopped was reset
 * (spec 2.6.1, VIRTIO_F_RING_RESET), which is the one way to get its buffers back while the device
 * is at work; it is set up anew at its next start (spec 2.6.1.2).
 *
 * While the port recovers, its gates are closed and its device is not to be asked: what the
 * application wants is noted, and comes true with the restart.
 */
#include <errno.h>

#include "coalesce.h"
#include "log.h"
#include "port.h"
#include "refuse.h"
#include "rx.h"
#include "tx.h"

/* Both kinds of queue, as far as this file cares. */
struct subject {
	struct vio_port *port;
	const char *kind;
	uint16_t id;
	uint16_t index; /* of the virtqueue */
	uint16_t vector;
	struct vio_rxq *rx; /* NULL of a transmit queue */
	struct vio_txq *tx; /* NULL of a receive queue */
	struct vio_ring *ring;
	struct vio_gate *gate;
	bool *stopped;
	uint8_t *state; /* ethdev's */
};

static struct subject
rx_subject(struct rte_eth_dev *dev, uint16_t id)
{
	struct vio_rxq *q = dev->data->rx_queues[id];

	return (struct subject){
		.port = q->port,
		.kind = "rx",
		.id = id,
		.index = VIO_NET_RXQ(id),
		.vector = vio_rx_intr_vector(q->port, id),
		.rx = q,
		.ring = &q->ring,
		.gate = &q->gate,
		.stopped = &q->stopped,
		.state = &dev->data->rx_queue_state[id],
	};
}

static struct subject
tx_subject(struct rte_eth_dev *dev, uint16_t id)
{
	struct vio_txq *q = dev->data->tx_queues[id];

	return (struct subject){
		.port = q->port,
		.kind = "tx",
		.id = id,
		.index = VIO_NET_TXQ(id),
		.vector = VIO_NO_VECTOR,
		.tx = q,
		.ring = &q->ring,
		.gate = &q->gate,
		.stopped = &q->stopped,
		.state = &dev->data->tx_queue_state[id],
	};
}

static void
note(const struct subject *s, bool started)
{
	*s->stopped = !started;
	*s->state = started ? RTE_ETH_QUEUE_STATE_STARTED : RTE_ETH_QUEUE_STATE_STOPPED;
}

static bool
is_well(const struct subject *s)
{
	return s->port->recovery.health == VIO_HEALTH_WELL;
}

/* Not while the application holds the link down. */
static void
open_gate(const struct subject *s)
{
	if (!s->port->link_held)
		vio_gate_open(s->gate);
}

/* Takes the queue from its polling thread and from the device. */
static int
silence(const struct subject *s)
{
	struct vio_transport *t = s->port->transport;
	int ret;

	ret = vio_gate_close(s->gate, s->port->args.timeout_ms);
	if (ret < 0) {
		PORT_LOG(s->port, ERR, "%s queue %u: a thread does not return from its burst",
			 s->kind, s->id);
		open_gate(s);
		return ret;
	}
	note(s, false);
	ret = t->ops->queue_reset(t, s->index);
	s->ring->stuck = ret < 0;
	if (ret < 0)
		PORT_LOG(s->port, ERR,
			 "%s queue %u: the device does not let go of its buffers (%s); restart the "
			 "port",
			 s->kind, s->id, strerror(-ret));
	return ret;
}

static int
stop(const struct subject *s)
{
	int ret;

	if (!vio_has(s->port->features, VIRTIO_F_RING_RESET))
		return vio_refuse(s->port->dev, VIO_NO_QUEUE_RESET);
	if (!is_well(s)) {
		note(s, false);
		return 0;
	}
	ret = silence(s);
	if (ret < 0)
		return ret;
	if (s->rx != NULL)
		vio_rx_drain(s->rx);
	else
		vio_tx_drain(s->tx);
	return 0;
}

/* The ring is live, and empty, where the queue was never started; or it is set up. Where that fails
 * half-way, the device may have the ring or not: only a restart of the port tells. */
static int
revive(const struct subject *s)
{
	int ret;

	if (s->ring->vq != NULL)
		return s->ring->stuck ? -EBUSY : 0;
	ret = vio_ring_start(s->ring, s->port, s->index, s->vector);
	if (ret == 0)
		ret = vio_coalesce_restore_queue(s->port, s->index);
	s->ring->stuck = ret < 0;
	return ret;
}

static int
start(const struct subject *s)
{
	int ret;

	if (!is_well(s)) {
		note(s, true);
		return 0;
	}
	ret = revive(s);
	if (ret < 0)
		PORT_LOG(s->port, ERR, "%s queue %u cannot be started: %s; restart the port",
			 s->kind, s->id, strerror(-ret));
	if (ret == 0 && s->rx != NULL)
		ret = vio_rx_fill(s->rx);
	if (ret < 0)
		return ret;
	if (s->rx != NULL)
		vio_rx_kick(s->rx);
	note(s, true);
	open_gate(s);
	/* Who armed the queue's interrupt while it was closed is seen by vio_rx_intr_wake(). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (s->rx != NULL)
		vio_rx_intr_wake(s->port);
	return 0;
}

static int
locked(int (*change)(const struct subject *), struct subject s)
{
	int ret;

	pthread_mutex_lock(&s.port->lock);
	ret = change(&s);
	pthread_mutex_unlock(&s.port->lock);
	return ret;
}

int
vio_rx_queue_stop(struct rte_eth_dev *dev, uint16_t id)
{
	return locked(stop, rx_subject(dev, id));
}

int
vio_tx_queue_stop(struct rte_eth_dev *dev, uint16_t id)
{
	return locked(stop, tx_subject(dev, id));
}

int
vio_rx_queue_start(struct rte_eth_dev *dev, uint16_t id)
{
	return locked(start, rx_subject(dev, id));
}

int
vio_tx_queue_start(struct rte_eth_dev *dev, uint16_t id)
{
	return locked(start, tx_subject(dev, id));
}
