/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The link as the application wants it. No command tells the device (spec 5.1.4), so down is what
 * the driver can do alone: the gates of all queues stay closed, and bursts neither give nor take.
 * The device goes on until its buffers are used up; control operations and recoveries go on, too.
 */
#include <errno.h>

#include <rte_alarm.h>

#include "log.h"
#include "look.h"
#include "port.h"
#include "refuse.h"

/* On the interrupt thread, like every other event. The application may close the port in it. */
static void
tell(void *arg)
{
	struct vio_port *port = arg;

	rte_eth_dev_callback_process(port->dev, RTE_ETH_EVENT_INTR_LSC, NULL);
}

/* Whoever asks for the link sees the change at once. */
static void
update(struct rte_eth_dev *dev)
{
	struct vio_port *port = vio_port(dev);

	if (vio_link_update(dev, 1) != 0)
		return;
	if (rte_eal_alarm_set(1, tell, port) != 0)
		PORT_LOG(port, WARNING,
			 "no memory for an alarm; no event tells that the link is %s",
			 dev->data->dev_link.link_status ? "up" : "down");
}

/* Bursts go on, with frames that come from now on: those that the rings were filled with meanwhile
 * are as old as the link was down, and are counted. */
static int
begin_anew(struct vio_port *port)
{
	int ret = vio_port_silence(port);

	if (ret == 0) {
		if (!port->recovery.ill)
			vio_losses_count(port);
		vio_port_take_back(port);
		ret = vio_port_restart(port);
	}
	if (ret < 0) {
		vio_recover_look(port);
		vio_recover_notice(port, VIO_CAUSE_RESTART);
	}
	return ret;
}

static int
set_up(struct vio_port *port)
{
	bool held = port->link_held;

	port->link_held = false;
	if (port->gone || port->recovery.health == VIO_HEALTH_WAITS ||
	    port->recovery.health == VIO_HEALTH_GIVEN_UP) {
		PORT_LOG(port, ERR,
			 "the link cannot be set up: the port is down (%s); start it again",
			 vio_look_state(port));
		return -EIO;
	}
	/* A recovery brings it up at its end. */
	if (!held || port->recovery.health != VIO_HEALTH_WELL)
		return 0;
	PORT_LOG(port, NOTICE, "the application sets the link up");
	return begin_anew(port);
}

static int
set_down(struct vio_port *port)
{
	int ret;

	if (port->link_held)
		return 0;
	port->link_held = true;
	if (port->recovery.health == VIO_HEALTH_WELL) {
		ret = vio_port_close_gates(port, port->args.timeout_ms);
		if (ret < 0) {
			port->link_held = false;
			vio_port_open_gates(port);
			return ret;
		}
	}
	PORT_LOG(port, NOTICE,
		 "the application sets the link down: nothing is received or sent until it sets it "
		 "up, or starts the port again");
	return 0;
}

static int
set(struct rte_eth_dev *dev, int (*change)(struct vio_port *port))
{
	struct vio_port *port = vio_port(dev);
	int ret;

	pthread_mutex_lock(&port->lock);
	ret = change(port);
	pthread_mutex_unlock(&port->lock);
	update(dev);
	return ret;
}

/* A start brings the link up, so a stopped port has nothing more to do. */
int
vio_set_link_up(struct rte_eth_dev *dev)
{
	return dev->data->dev_started ? set(dev, set_up) : 0;
}

int
vio_set_link_down(struct rte_eth_dev *dev)
{
	return dev->data->dev_started ? set(dev, set_down) : vio_refuse(dev, VIO_NO_LINK);
}

void
vio_link_fini(struct vio_port *port)
{
	rte_eal_alarm_cancel(tell, port);
}
