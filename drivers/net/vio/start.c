/* SPDX-License-Identifier: BSD-3-Clause */
/* A port's device brought to life at start, silenced at stop, looked at anew at reset. */
#include "port.h"

#include <errno.h>

#include <rte_cycles.h>

#include "announce.h"
#include "deadline.h"
#include "log.h"
#include "offload.h"
#include "rx.h"
#include "tx.h"

static int
start_queues(struct vio_port *port)
{
	struct rte_eth_dev_data *data = port->dev->data;
	int ret;

	for (uint16_t i = 0; i < data->nb_rx_queues; i++) {
		struct vio_rxq *q = data->rx_queues[i];

		vio_rx_set_header(q, vio_net_hdr_len(port->features));
		q->hash_types = port->rss.supported;
		ret = vio_ring_start(&q->ring, port, VIO_NET_RXQ(i), vio_rx_intr_vector(port, i));
		if (ret == 0 && !q->stopped)
			ret = vio_rx_fill(q);
		if (ret < 0)
			return ret;
	}
	for (uint16_t i = 0; i < data->nb_tx_queues; i++) {
		struct vio_txq *q = data->tx_queues[i];

		vio_tx_set_header(q, vio_net_hdr_len(port->features));
		ret = vio_ring_start(&q->ring, port, VIO_NET_TXQ(i), VIO_NO_VECTOR);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* The device looks at buffers that were made available before it was live only when told so. */
static void
kick_receive_queues(struct vio_port *port)
{
	struct rte_eth_dev_data *data = port->dev->data;

	for (uint16_t i = 0; i < data->nb_rx_queues; i++) {
		struct vio_rxq *q = data->rx_queues[i];

		if (!q->stopped)
			vio_rx_kick(q);
	}
}

void
vio_port_take_back(struct vio_port *port)
{
	struct rte_eth_dev_data *data = port->dev->data;

	if (port->recovery.ill)
		vio_losses_count(port);
	for (uint16_t i = 0; i < data->nb_rx_queues; i++)
		if (data->rx_queues[i] != NULL)
			vio_rx_drain(data->rx_queues[i]);
	for (uint16_t i = 0; i < data->nb_tx_queues; i++)
		if (data->tx_queues[i] != NULL)
			vio_tx_drain(data->tx_queues[i]);
	vio_idle_stop(port);
	vio_ctrl_stop(port);
	vio_ring_drain_orphans(port);
}

/* ethdev starts ports whose queues were never set up, or whose setup failed. */
static int
check_queues_set_up(struct vio_port *port)
{
	struct rte_eth_dev_data *data = port->dev->data;

	for (uint16_t i = 0; i < RTE_MAX(data->nb_rx_queues, data->nb_tx_queues); i++) {
		bool rx = i < data->nb_rx_queues && data->rx_queues[i] == NULL;
		bool tx = i < data->nb_tx_queues && data->tx_queues[i] == NULL;

		if (!rx && !tx)
			continue;
		PORT_LOG(port, ERR, "%s queue %u is not set up", rx ? "rx" : "tx", i);
		return -EINVAL;
	}
	return 0;
}

/* Steps 4 to 8 of spec 3.1.1, and what can only be said to a live device. */
static int
say_all(struct vio_port *port)
{
	int ret = vio_port_renegotiate(port);

	if (ret < 0)
		return ret;
	/* What an earlier reset, which did not finish, left with the device. */
	vio_port_take_back(port);
	ret = vio_offloads_start(port);
	if (ret == 0)
		ret = vio_intr_start(port);
	if (ret == 0)
		ret = start_queues(port);
	if (ret == 0)
		ret = vio_idle_start(port);
	if (ret == 0)
		ret = vio_ctrl_start(port);
	if (ret == 0)
		ret = vio_device_go(&port->device);
	if (ret == 0)
		ret = vio_restore(port);
	return ret;
}

static int
bring_up(struct vio_port *port)
{
	int ret;

	vio_device_begin_many(&port->device);
	ret = say_all(port);
	vio_device_end_many(&port->device);
	return ret;
}

int
vio_port_silence(struct vio_port *port)
{
	int ret;

	vio_device_begin_many(&port->device);
	ret = vio_device_reset(&port->device);
	vio_device_end_many(&port->device);
	port->ctrl.live = false;
	if (ret < 0 && ret != -ENODEV) {
		PORT_LOG(port, ERR,
			 "the device did not let go of its buffers (%s); for safety they and the "
			 "rings "
			 "stay out of use",
			 strerror(-ret));
		return ret;
	}
	/* A device that only pretends to be gone must not reach memory that is used for other
	 * things next. */
	if (ret == -ENODEV)
		port->isolate(port);
	return 0;
}

int
vio_port_stop(struct vio_port *port)
{
	int inside = vio_port_close_gates(port, port->args.timeout_ms);
	int ret = vio_port_silence(port);

	/* Whoever is in a burst still goes on with its queue. */
	if (ret == 0)
		ret = inside;
	if (ret == 0)
		vio_port_take_back(port);
	return ret;
}

static int
could_not_start(struct vio_port *port, int error)
{
	PORT_LOG(port, ERR, "could not be started: %s", strerror(-error));
	/* Nothing is written before a reset has been seen to end (RESET-01). */
	if (port->device.status != 0)
		vio_device_fail(&port->device);
	vio_port_stop(port);
	return error;
}

int
vio_port_start(struct vio_port *port)
{
	int ret;

	if (port->gone) {
		PORT_LOG(port, ERR, "the device is gone; close the port and probe it again");
		return -ENODEV;
	}
	ret = check_queues_set_up(port);
	/* A thread that did not come out before the last stop may be there still. */
	if (ret == 0)
		ret = vio_port_close_gates(port, port->args.timeout_ms);
	if (ret < 0)
		return ret;
	ret = bring_up(port);
	if (ret < 0)
		return could_not_start(port, ret);
	vio_port_choose_paths(port);
	kick_receive_queues(port);
	vio_port_open_gates(port);
	vio_rx_intr_wake(port);
	return 0;
}

int
vio_port_restart(struct vio_port *port)
{
	int ret = bring_up(port);

	if (ret < 0)
		return could_not_start(port, ret);
	kick_receive_queues(port);
	vio_port_open_gates(port);
	vio_rx_intr_wake(port);
	vio_announce_late(port);
	return 0;
}

static int
await_peer(struct vio_port *port)
{
	uint64_t end = vio_deadline(port->args.timeout_ms);
	bool late;
	int ret;

	if (port->reconnect == NULL)
		return -ENODEV;
	do {
		late = rte_get_timer_cycles() >= end;
		ret = port->reconnect(port);
		if (ret != -EAGAIN)
			return ret;
		rte_delay_us_sleep(1000);
	} while (!late);
	PORT_LOG(port, ERR, "no vhost-user back-end came in %u ms", port->args.timeout_ms);
	return -ETIMEDOUT;
}

int
vio_port_reset(struct vio_port *port)
{
	int ret = vio_port_stop(port);

	if (ret == 0 && vio_device_needs_reset(&port->device) == -ENODEV)
		ret = await_peer(port);
	if (ret == 0)
		ret = vio_port_inspect(port);
	if (ret < 0)
		PORT_LOG(port, ERR, "could not be reset: %s", strerror(-ret));
	return ret;
}
