/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch.h"

#include <rte_alarm.h>

#include "log.h"
#include "port.h"

static void look(void *arg);

static void
arm(struct vio_port *port)
{
	int ret = rte_eal_alarm_set(VIO_WATCH_S * 1000000u, look, port);

	port->watch.armed = ret == 0;
	if (ret != 0)
		PORT_LOG(port, WARNING,
			 "no memory for an alarm; going without questions for the device's status");
}

/* The counters are the polling threads': a look that is a little late does no harm. */
static bool
stands_still(struct vio_port *port)
{
	const struct rte_eth_dev_data *data = port->dev->data;
	struct vio_watch *w = &port->watch;
	uint64_t sent = 0, full = 0;
	bool still;

	for (uint16_t i = 0; i < data->nb_tx_queues; i++) {
		const struct vio_txq *q = data->tx_queues[i];

		sent += q->stats.packets;
		full += q->stats.full;
	}
	still = sent == w->sent && full != w->full;
	w->sent = sent;
	w->full = full;
	return still;
}

static bool
is_due(struct vio_port *port)
{
	struct vio_watch *w = &port->watch;

	if (stands_still(port))
		return true;
	if (--w->left > 0)
		return false;
	w->wait = RTE_MIN(2 * w->wait, (unsigned)VIO_WATCH_MOST_S / VIO_WATCH_S);
	w->left = w->wait;
	return true;
}

static bool
is_asked(const struct vio_port *port)
{
	bool interrupts = !port->intr_is_socket && port->dev->data->dev_conf.intr_conf.lsc;

	return !interrupts && port->args.recover != VIO_RECOVER_NEVER;
}

/* On the interrupt thread. */
static void
look(void *arg)
{
	struct vio_port *port = arg;

	pthread_mutex_lock(&port->lock);
	port->watch.armed = false;
	if (port->recovery.on && !port->gone && is_asked(port)) {
		if (is_due(port))
			vio_link_look(port);
		arm(port);
	}
	pthread_mutex_unlock(&port->lock);
}

void
vio_watch_start(struct vio_port *port)
{
	struct vio_watch *w = &port->watch;

	if (!is_asked(port))
		return;
	w->wait = w->left = 1;
	if (!w->armed)
		arm(port);
}

void
vio_watch_fini(struct vio_port *port)
{
	rte_eal_alarm_cancel(look, port);
}
