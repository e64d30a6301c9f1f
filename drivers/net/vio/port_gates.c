/* SPDX-License-Identifier: BSD-3-Clause */
/* The gates of all queues of a port: gate.h tells what one is. */
#include "port.h"

#include <rte_cycles.h>

#include "deadline.h"
#include "log.h"

static int
wait_for_gate(const struct vio_port *port, const char *kind, uint16_t id,
	      const struct vio_gate *gate, uint64_t end)
{
	int ret = vio_gate_wait(gate, end);

	if (ret < 0)
		PORT_LOG(port, ERR, "%s queue %u: a thread does not return from its burst", kind,
			 id);
	return ret;
}

void
vio_port_open_gates(struct vio_port *port)
{
	struct rte_eth_dev_data *data = port->dev->data;
	struct vio_rxq **rx = (struct vio_rxq **)data->rx_queues;
	struct vio_txq **tx = (struct vio_txq **)data->tx_queues;

	if (port->link_held)
		return;
	for (uint16_t i = 0; i < data->nb_rx_queues; i++)
		if (!rx[i]->stopped)
			vio_gate_open(&rx[i]->gate);
	for (uint16_t i = 0; i < data->nb_tx_queues; i++)
		if (!tx[i]->stopped)
			vio_gate_open(&tx[i]->gate);
	/* Who armed a queue's interrupt while it was closed is seen by vio_rx_intr_wake(). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void
vio_port_shut_gates(struct vio_port *port)
{
	struct rte_eth_dev_data *data = port->dev->data;
	struct vio_rxq **rx = (struct vio_rxq **)data->rx_queues;
	struct vio_txq **tx = (struct vio_txq **)data->tx_queues;

	for (uint16_t i = 0; i < data->nb_rx_queues; i++)
		if (rx[i] != NULL)
			vio_gate_shut(&rx[i]->gate);
	for (uint16_t i = 0; i < data->nb_tx_queues; i++)
		if (tx[i] != NULL)
			vio_gate_shut(&tx[i]->gate);
	vio_gates_barrier();
}

int
vio_port_close_gates(struct vio_port *port, unsigned timeout_ms)
{
	uint64_t end = vio_deadline(timeout_ms);
	struct rte_eth_dev_data *data = port->dev->data;
	struct vio_rxq **rx = (struct vio_rxq **)data->rx_queues;
	struct vio_txq **tx = (struct vio_txq **)data->tx_queues;
	int ret = 0;

	vio_port_shut_gates(port);
	for (uint16_t i = 0; i < data->nb_rx_queues && ret == 0; i++)
		if (rx[i] != NULL)
			ret = wait_for_gate(port, "rx", i, &rx[i]->gate, end);
	for (uint16_t i = 0; i < data->nb_tx_queues && ret == 0; i++)
		if (tx[i] != NULL)
			ret = wait_for_gate(port, "tx", i, &tx[i]->gate, end);
	return ret;
}
