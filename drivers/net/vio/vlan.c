/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VLANs: the device's filter (spec 5.1.6.5.3), and tags taken out by the driver.
 *
 * With CTRL_VLAN the device begins with an empty filter and drops every frame with a tag. So that
 * feature is negotiated only where the application asks for the filter before the port starts.
 */
#include <endian.h>
#include <errno.h>

#include "filter.h"
#include "log.h"
#include "port.h"
#include "refuse.h"

static int
send_vlan(struct vio_port *port, uint16_t id, bool on)
{
	uint16_t data = htole16(id);

	return vio_ctrl_send(port, on ? "VLAN to receive" : "VLAN not to receive",
			     VIO_NET_CTRL_VLAN, on ? VIO_NET_CTRL_VLAN_ADD : VIO_NET_CTRL_VLAN_DEL,
			     &data, sizeof(data));
}

static bool
is_wanted(const struct vio_filter *filter, uint16_t id)
{
	return filter->vlans[id / 64] & UINT64_C(1) << id % 64;
}

static void
note_vlan(struct vio_filter *filter, uint16_t id, bool on)
{
	uint64_t bit = UINT64_C(1) << id % 64;

	filter->vlans[id / 64] = on ? filter->vlans[id / 64] | bit : filter->vlans[id / 64] & ~bit;
}

int
vio_vlan_filter_set(struct rte_eth_dev *dev, uint16_t id, int on)
{
	struct vio_port *port = vio_port(dev);
	int ret = 0;

	if (!vio_has(port->usable, VIRTIO_NET_F_CTRL_VLAN))
		return vio_refuse(dev, VIO_NO_VLAN_FILTER);
	pthread_mutex_lock(&port->lock);
	if (port->ctrl.live && vio_has(port->features, VIRTIO_NET_F_CTRL_VLAN) &&
	    !port->filter.vlans_open)
		ret = send_vlan(port, id, on);
	if (ret == 0)
		note_vlan(&port->filter, id, on);
	pthread_mutex_unlock(&port->lock);
	return ret;
}

int
vio_vlan_restore(struct vio_port *port)
{
	int ret = 0;

	if (!vio_has(port->features, VIRTIO_NET_F_CTRL_VLAN))
		return 0;
	for (uint16_t id = 0; id <= RTE_ETHER_MAX_VLAN_ID && ret == 0; id++)
		if (port->filter.vlans_open || is_wanted(&port->filter, id))
			ret = send_vlan(port, id, true);
	return ret;
}

/* The filter has no switch: to open it is to name every VLAN to the device, one by one, and to shut
 * it is to take back those that nobody asked for. Refused half-way, it is made what it was. */
static int
name_others(struct vio_port *port, bool open)
{
	const struct vio_filter *filter = &port->filter;
	uint16_t id;
	int ret = 0;

	for (id = 0; id <= RTE_ETHER_MAX_VLAN_ID && ret == 0; id++)
		if (!is_wanted(filter, id))
			ret = send_vlan(port, id, open);
	if (ret == 0) {
		port->filter.vlans_open = open;
		return 0;
	}
	while (id-- > 0)
		if (!is_wanted(filter, id) && send_vlan(port, id, !open) < 0)
			break;
	return ret;
}

static int
open_filter(struct vio_port *port, bool open)
{
	int ret;

	vio_ctrl_begin_many(port);
	ret = name_others(port, open);
	vio_ctrl_end_many(port);
	return ret;
}

/* Of a started port, with the lock. */
static int
switch_filter(struct vio_port *port, bool on)
{
	if (!vio_has(port->features, VIRTIO_NET_F_CTRL_VLAN) && on) {
		PORT_LOG(port, ERR,
			 "the VLAN filter cannot be switched on while the port runs, as it was off "
			 "when the device started; stop the port before");
		return -EBUSY;
	}
	if (!vio_has(port->features, VIRTIO_NET_F_CTRL_VLAN) || on == !port->filter.vlans_open)
		return 0;
	/* While the port recovers, the device is told at the end. */
	if (!port->ctrl.live) {
		port->filter.vlans_open = !on;
		return 0;
	}
	return open_filter(port, !on);
}

/* Tags are taken out by the driver, so this can change while packets come: the queues are told, and
 * the port moves to the burst function that looks for tags, or to the one that does not. */
static void
switch_strip(struct rte_eth_dev *dev, bool strip)
{
	struct vio_port *port = vio_port(dev);

	pthread_mutex_lock(&port->lock);
	for (uint16_t i = 0; i < dev->data->nb_rx_queues; i++) {
		struct vio_rxq *q = dev->data->rx_queues[i];

		__atomic_store_n(&q->wants.vlan_strip, strip, __ATOMIC_RELAXED);
	}
	vio_port_switch_paths(port);
	pthread_mutex_unlock(&port->lock);
}

int
vio_vlan_offload_set(struct rte_eth_dev *dev, int mask)
{
	struct vio_port *port = vio_port(dev);
	uint64_t offloads = dev->data->dev_conf.rxmode.offloads;
	int ret = 0;

	if (!dev->data->dev_started)
		return 0;
	if (mask & RTE_ETH_VLAN_FILTER_MASK) {
		pthread_mutex_lock(&port->lock);
		ret = switch_filter(port, offloads & RTE_ETH_RX_OFFLOAD_VLAN_FILTER);
		pthread_mutex_unlock(&port->lock);
	}
	if (ret == 0 && mask & RTE_ETH_VLAN_STRIP_MASK)
		switch_strip(dev, offloads & RTE_ETH_RX_OFFLOAD_VLAN_STRIP);
	return ret;
}
