/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Notification coalescing (spec 5.1.6.5.9), as the devarg coalesce=usecs:packets asks for it:
 * ethdev has no operation for that. For all queues at once where the device can, else one by one.
 */
#include "coalesce.h"

#include <endian.h>
#include <errno.h>

#include "log.h"
#include "port.h"

static struct vio_net_ctrl_coal
asked(const struct vio_port *port)
{
	return (struct vio_net_ctrl_coal){
		.max_packets = htole32(port->args.coalesce.packets),
		.max_usecs = htole32(port->args.coalesce.usecs),
	};
}

static int
set_all(struct vio_port *port)
{
	struct vio_net_ctrl_coal coal = asked(port);
	int ret;

	ret = vio_ctrl_send(port, "receive coalescing", VIO_NET_CTRL_NOTF_COAL,
			    VIO_NET_CTRL_NOTF_COAL_RX_SET, &coal, sizeof(coal));
	if (ret == 0)
		ret = vio_ctrl_send(port, "transmit coalescing", VIO_NET_CTRL_NOTF_COAL,
				    VIO_NET_CTRL_NOTF_COAL_TX_SET, &coal, sizeof(coal));
	return ret;
}

static int
set_queue(struct vio_port *port, uint16_t index)
{
	struct vio_net_ctrl_coal_vq data = { .vq_index = htole16(index), .coal = asked(port) };

	return vio_ctrl_send(port, "coalescing of a queue", VIO_NET_CTRL_NOTF_COAL,
			     VIO_NET_CTRL_NOTF_COAL_VQ_SET, &data, sizeof(data));
}

static int
set_each(struct vio_port *port)
{
	const struct rte_eth_dev_data *data = port->dev->data;
	int ret = 0;

	for (uint16_t i = 0; i < data->nb_rx_queues && ret == 0; i++)
		ret = set_queue(port, VIO_NET_RXQ(i));
	for (uint16_t i = 0; i < data->nb_tx_queues && ret == 0; i++)
		ret = set_queue(port, VIO_NET_TXQ(i));
	return ret;
}

/* With NOTF_COAL a queue gets back what was said of all (spec 5.1.6.5.9.3), else 0. */
int
vio_coalesce_restore_queue(struct vio_port *port, uint16_t index)
{
	if (!port->args.coalesce.given || vio_has(port->features, VIRTIO_NET_F_NOTF_COAL) ||
	    !vio_has(port->features, VIRTIO_NET_F_VQ_NOTF_COAL))
		return 0;
	return set_queue(port, index);
}

int
vio_coalesce_restore(struct vio_port *port)
{
	if (!port->args.coalesce.given)
		return 0;
	if (vio_has(port->features, VIRTIO_NET_F_NOTF_COAL))
		return set_all(port);
	if (vio_has(port->features, VIRTIO_NET_F_VQ_NOTF_COAL))
		return set_each(port);
	if (!port->args.coalesce.told)
		PORT_LOG(port, WARNING,
			 "coalesce=%u:%u has no effect: the device offers neither NOTF_COAL nor "
			 "VQ_NOTF_COAL",
			 port->args.coalesce.usecs, port->args.coalesce.packets);
	port->args.coalesce.told = true;
	return 0;
}
