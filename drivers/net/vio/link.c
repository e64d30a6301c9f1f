/* SPDX-License-Identifier: BSD-3-Clause */
/* Link status and MTU. */
#include <endian.h>
#include <errno.h>

#include "log.h"
#include "port.h"

/* Is the link up, as far as the device says? Without STATUS it always is (spec 5.1.5). */
static bool
device_link_is_up(struct vio_port *port)
{
	uint16_t status = 0;
	int ret;

	if (!vio_has(port->features, VIRTIO_NET_F_STATUS))
		return true;
	ret = vio_config_read(&port->device, offsetof(struct vio_net_config, status), &status,
			      sizeof(status));
	return ret == 0 && (le16toh(status) & VIO_NET_S_LINK_UP);
}

static uint32_t
link_speed(const struct vio_port *port)
{
	if (port->args.speed != 0)
		return port->args.speed;
	/* The device's word: a speed that is none counts as unknown (spec 5.1.4). */
	if (port->config.speed == 0 || port->config.speed > INT32_MAX)
		return RTE_ETH_SPEED_NUM_UNKNOWN;
	return port->config.speed;
}

int
vio_link_update(struct rte_eth_dev *dev, int wait)
{
	struct vio_port *port = vio_port(dev);
	struct rte_eth_link link = {
		.link_speed = RTE_ETH_SPEED_NUM_NONE,
		.link_duplex = RTE_ETH_LINK_FULL_DUPLEX,
		.link_autoneg = RTE_ETH_LINK_FIXED,
		.link_status = RTE_ETH_LINK_DOWN,
	};

	RTE_SET_USED(wait);
	pthread_mutex_lock(&port->lock);
	if (!port->gone && (port->device.status & VIO_STATUS_DRIVER_OK) &&
	    device_link_is_up(port)) {
		link.link_status = RTE_ETH_LINK_UP;
		link.link_speed = link_speed(port);
	}
	pthread_mutex_unlock(&port->lock);
	return rte_eth_linkstatus_set(dev, &link);
}

int
vio_mtu_set(struct rte_eth_dev *dev, uint16_t mtu)
{
	struct vio_port *port = vio_port(dev);
	uint32_t frame = mtu + RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN;

	/* ethdev has checked the bounds that vio_infos_get() tells. */
	if (vio_has(port->features, VIRTIO_NET_F_MRG_RXBUF))
		return 0;
	for (uint16_t i = 0; i < dev->data->nb_rx_queues; i++) {
		const struct vio_rxq *q = dev->data->rx_queues[i];

		if (q == NULL || q->buf_len - VIO_HDR_LEN >= frame)
			continue;
		PORT_LOG(port, ERR,
			 "MTU %u: frames of %u bytes do not fit the buffers of %u bytes of rx "
			 "queue %u, "
			 "and cannot span several; use a pool with a data room of at least %u",
			 mtu, frame, q->buf_len - VIO_HDR_LEN, i, frame + RTE_PKTMBUF_HEADROOM);
		return -EINVAL;
	}
	return 0;
}
