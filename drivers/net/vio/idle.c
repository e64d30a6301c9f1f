/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Half pairs. A device counts queue pairs, an application may want more queues one way than the
 * other. The missing halves get an empty ring (NETCTRL-MQ-01: all queues of the pairs in use must
 * be set up): what the device would put there finds no buffer and is dropped by it.
 */
#include <errno.h>
#include <stdlib.h>

#include "log.h"
#include "port.h"

/* Enough for any layout; nothing is ever added. */
#define IDLE_SIZE 2

static int
start_idle(struct vio_port *port, uint16_t index)
{
	char name[RTE_MEMZONE_NAMESIZE];
	struct vio_ring *ring = &port->idle[port->nb_idle];
	uint16_t size = RTE_MIN(IDLE_SIZE, RTE_MIN(port->max_rx_size, port->max_tx_size));
	int ret = vio_ring_size(port, index, size, &size);

	if (ret < 0)
		return ret;
	snprintf(name, sizeof(name), "vio_p%u_idle%u", port->dev->data->port_id, index);
	ret = vio_ring_alloc(ring, port, name, size, 0, false, port->dev->data->numa_node);
	if (ret < 0)
		return ret;
	port->nb_idle++;
	return vio_ring_start(ring, port, index, VIO_NO_VECTOR);
}

int
vio_idle_start(struct vio_port *port)
{
	uint16_t rx = port->dev->data->nb_rx_queues, tx = port->dev->data->nb_tx_queues;
	uint16_t pairs = RTE_MAX(rx, tx);
	int ret = 0;

	if (rx == tx)
		return 0;
	port->idle = calloc(pairs, sizeof(*port->idle));
	if (port->idle == NULL)
		return -ENOMEM;
	for (uint16_t i = RTE_MIN(rx, tx); i < pairs && ret == 0; i++)
		ret = start_idle(port, i < tx ? VIO_NET_RXQ(i) : VIO_NET_TXQ(i));
	return ret;
}

void
vio_idle_stop(struct vio_port *port)
{
	for (uint16_t i = 0; i < port->nb_idle; i++) {
		vio_ring_drain(&port->idle[i]);
		vio_ring_release(&port->idle[i], port);
	}
	free(port->idle);
	port->idle = NULL;
	port->nb_idle = 0;
}
