/* SPDX-License-Identifier: BSD-3-Clause */
#include "lro.h"

#include <endian.h>
#include <errno.h>

#include "log.h"
#include "port.h"

#define SEGMENTS                                                               \
	(VIO_BIT(VIRTIO_NET_F_GUEST_TSO4) | VIO_BIT(VIRTIO_NET_F_GUEST_TSO6) | \
	 VIO_BIT(VIRTIO_NET_F_GUEST_ECN) | VIO_BIT(VIRTIO_NET_F_GUEST_USO4) |  \
	 VIO_BIT(VIRTIO_NET_F_GUEST_USO6))
/* What of the negotiated features the command may switch, as this driver has them. */
#define OFFLOADS (SEGMENTS | VIO_BIT(VIRTIO_NET_F_GUEST_CSUM))

/* By the application. */
static bool
is_asked_for(const struct vio_port *port)
{
	return port->data->dev_conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_TCP_LRO;
}

/* The command names all that is on: what it leaves out is off (spec 5.1.6.5.8). */
static int
send_offloads(struct vio_port *port, bool lro)
{
	uint64_t on = port->features & (lro ? OFFLOADS : OFFLOADS & ~SEGMENTS);
	uint64_t data = htole64(on);

	return vio_ctrl_send(port, lro ? "LRO on" : "LRO off", VIO_NET_CTRL_GUEST_OFFLOADS,
			     VIO_NET_CTRL_GUEST_OFFLOADS_SET, &data, sizeof(data));
}

static int
switch_lro(struct vio_port *port, bool on)
{
	int ret = 0;

	if (!vio_has(port->usable, VIRTIO_NET_F_CTRL_GUEST_OFFLOADS))
		return -ENOTSUP;
	if (port->ctrl.live && port->recovery.health == VIO_HEALTH_WELL &&
	    vio_has(port->features, VIRTIO_NET_F_CTRL_GUEST_OFFLOADS))
		ret = send_offloads(port, on);
	if (ret < 0)
		return ret;
	port->lro_off = !on;
	PORT_LOG(port, NOTICE, "LRO: %s, as asked by telemetry", vio_lro_state(port));
	return 0;
}

int
vio_lro_switch(struct vio_port *port, bool on)
{
	int ret;

	pthread_mutex_lock(&port->lock);
	ret = switch_lro(port, on);
	pthread_mutex_unlock(&port->lock);
	return ret;
}

int
vio_lro_restore(struct vio_port *port)
{
	int ret = -EIO;

	if (!port->lro_off || !is_asked_for(port))
		return 0;
	if (vio_has(port->features, VIRTIO_NET_F_CTRL_GUEST_OFFLOADS))
		ret = send_offloads(port, false);
	if (ret != -EIO)
		return ret;
	/* It is in its first state. */
	port->lro_off = false;
	PORT_LOG(port, WARNING,
		 "LRO is on again: the device refuses, or no longer offers, to switch it off; "
		 "try once more, or let the application not ask for it");
	return 0;
}

const char *
vio_lro_state(const struct vio_port *port)
{
	if (!is_asked_for(port))
		return "not asked for by the application";
	return port->lro_off ? "off" : "on";
}
