/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which frames the device lets through (spec 5.1.6.5.1, 5.1.6.5.2). ethdev remembers what the
 * application asked for, and asks again after each start, so what comes while the port is stopped
 * needs no memory here.
 */
#include <errno.h>

#include "log.h"
#include "port.h"

static int
set_rx_mode(struct rte_eth_dev *dev, const char *what, uint8_t command, uint8_t on)
{
	struct vio_port *port = vio_port(dev);
	int ret = 0;

	if (port->transport->ops->filters_nothing)
		return 0;
	if (!vio_has(port->features, VIRTIO_NET_F_CTRL_RX))
		return -ENOTSUP;
	pthread_mutex_lock(&port->lock);
	if (port->ctrl.live)
		ret = vio_ctrl_send(port, what, VIO_NET_CTRL_RX, command, &on, sizeof(on));
	pthread_mutex_unlock(&port->lock);
	return ret;
}

int
vio_promiscuous_enable(struct rte_eth_dev *dev)
{
	return set_rx_mode(dev, "promiscuous mode on", VIO_NET_CTRL_RX_PROMISC, 1);
}

int
vio_promiscuous_disable(struct rte_eth_dev *dev)
{
	return set_rx_mode(dev, "promiscuous mode off", VIO_NET_CTRL_RX_PROMISC, 0);
}

int
vio_allmulticast_enable(struct rte_eth_dev *dev)
{
	return set_rx_mode(dev, "all-multicast mode on", VIO_NET_CTRL_RX_ALLMULTI, 1);
}

int
vio_allmulticast_disable(struct rte_eth_dev *dev)
{
	return set_rx_mode(dev, "all-multicast mode off", VIO_NET_CTRL_RX_ALLMULTI, 0);
}

int
vio_mac_addr_set(struct rte_eth_dev *dev, struct rte_ether_addr *mac)
{
	struct vio_port *port = vio_port(dev);
	int ret = 0;

	if (port->transport->ops->filters_nothing)
		return 0;
	if (!vio_has(port->features, VIRTIO_NET_F_CTRL_MAC_ADDR)) {
		/* ethdev gives a started device the address that it has anyway. */
		if (rte_is_same_ether_addr(mac, &dev->data->mac_addrs[0]))
			return 0;
		PORT_LOG(port, ERR,
			 "the MAC address cannot be changed: the device lacks CTRL_MAC_ADDR");
		return -ENOTSUP;
	}
	pthread_mutex_lock(&port->lock);
	if (port->ctrl.live)
		ret = vio_ctrl_send(port, "MAC address", VIO_NET_CTRL_MAC,
				    VIO_NET_CTRL_MAC_ADDR_SET, mac, sizeof(*mac));
	pthread_mutex_unlock(&port->lock);
	return ret;
}

/* Tags are taken out by the driver, so this can change while packets come: the queues are told, and
 * the port moves to the burst function that looks for tags, or to the one that does not. */
int
vio_vlan_offload_set(struct rte_eth_dev *dev, int mask)
{
	struct vio_port *port = vio_port(dev);
	bool strip = dev->data->dev_conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_VLAN_STRIP;

	if (!(mask & RTE_ETH_VLAN_STRIP_MASK) || !dev->data->dev_started)
		return 0;
	pthread_mutex_lock(&port->lock);
	for (uint16_t i = 0; i < dev->data->nb_rx_queues; i++) {
		struct vio_rxq *q = dev->data->rx_queues[i];

		__atomic_store_n(&q->vlan_strip, strip, __ATOMIC_RELAXED);
	}
	vio_port_choose_paths(port);
	__atomic_store_n(&rte_eth_fp_ops[dev->data->port_id].rx_pkt_burst, dev->rx_pkt_burst,
			 __ATOMIC_RELEASE);
	pthread_mutex_unlock(&port->lock);
	return 0;
}
