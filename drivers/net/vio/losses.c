/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames of which nobody will know what became of them: those that the device may or may not have
 * sent, and those that it had put into the ring and nobody has taken.
 */
#include "port.h"
#include "tx.h"

/* The lie that broke a queue is counted as such. */
static uint16_t
untaken(const struct vq *vq)
{
	uint16_t n = vq_untaken_count(vq);

	return vq_error(vq) == VQ_OK || n == 0 ? n : n - 1;
}

void
vio_losses_count(struct vio_port *port)
{
	struct rte_eth_dev_data *data = port->dev->data;

	for (uint16_t i = 0; i < data->nb_rx_queues; i++) {
		struct vio_rxq *q = data->rx_queues[i];

		if (q == NULL || q->ring.vq == NULL)
			continue;
		q->stats.drop_recovery += untaken(q->ring.vq);
		q->stats.drop_recovery += q->partial != NULL;
	}
	for (uint16_t i = 0; i < data->nb_tx_queues; i++) {
		struct vio_txq *q = data->tx_queues[i];

		if (q != NULL && q->ring.vq != NULL)
			q->stats.drop_recovery += vio_tx_unsent(q);
	}
}
