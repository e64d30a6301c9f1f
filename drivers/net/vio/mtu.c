/* SPDX-License-Identifier: BSD-3-Clause */
/* The MTU: what a receive buffer must hold where frames may not span several. */
#include <errno.h>

#include "log.h"
#include "offload.h"
#include "port.h"
#include "rx_chain.h"

/* Bytes of a frame that a buffer holds or, before start, could hold at least. */
static uint32_t
room_of(const struct vio_port *port, const struct vio_rxq *q)
{
	if (vio_may_span(port) && !port->dev->data->dev_started)
		return q->room * RTE_MIN(q->ring.size, VIO_CHAIN_MAX);
	return q->room * (q->chain - q->apart);
}

/* ethdev has checked the bounds that vio_infos_get() tells. */
static int
check_mtu(struct rte_eth_dev *dev, uint16_t mtu)
{
	struct vio_port *port = vio_port(dev);
	uint32_t frame = mtu + RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN;

	if (vio_has(port->features, VIRTIO_NET_F_MRG_RXBUF) && vio_may_span(port))
		return 0;
	for (uint16_t i = 0; i < dev->data->nb_rx_queues; i++) {
		const struct vio_rxq *q = dev->data->rx_queues[i];

		if (q == NULL || room_of(port, q) >= frame)
			continue;
		PORT_LOG(port, ERR,
			 "MTU %u: frames of %u bytes do not fit the buffers of %u bytes of rx "
			 "queue %u, "
			 "and may not span several; %s",
			 mtu, frame, room_of(port, q), i,
			 vio_may_span(port) ? "stop the port first"
					    : "use larger mbufs, or turn scatter on");
		return -EINVAL;
	}
	return 0;
}

int
vio_mtu_set(struct rte_eth_dev *dev, uint16_t mtu)
{
	int ret = check_mtu(dev, mtu);

	/* At other times the start says it. */
	if (ret == 0 && dev->data->dev_started)
		dev->data->scattered_rx = vio_may_scatter(dev, mtu);
	return ret;
}
