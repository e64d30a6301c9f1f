/* SPDX-License-Identifier: BSD-3-Clause */
/* What a port tells about itself. */
#include <errno.h>
#include <inttypes.h>

#include "offload.h"
#include "paths.h"
#include "port.h"
#include "rx.h"
#include "rx_chain.h"
#include "tx.h"

int
vio_infos_get(struct rte_eth_dev *dev, struct rte_eth_dev_info *info)
{
	const struct vio_port *port = vio_port(dev);
	struct rte_eth_desc_lim lim = {
		/* A split ring gets the next lower power of two; queue setup says so. */
		.nb_min = 1,
		.nb_align = 1,
		.nb_seg_max = VIO_TX_SEGMENTS_MAX,
		.nb_mtu_seg_max = VIO_TX_SEGMENTS_MAX,
	};

	info->err_handle_mode = port->args.recover == VIO_RECOVER_AUTO
					? RTE_ETH_ERROR_HANDLE_MODE_PROACTIVE
					: RTE_ETH_ERROR_HANDLE_MODE_PASSIVE;
	/* The one that it has; no bit stands for speeds that ethdev does not list, or unknown. */
	info->speed_capa = rte_eth_speed_bitflag(
		port->args.speed != 0 ? port->args.speed : port->speed, RTE_ETH_LINK_FULL_DUPLEX);
	info->max_rx_queues = port->max_pairs;
	info->max_tx_queues = port->max_pairs;
	info->min_mtu = RTE_ETHER_MIN_MTU;
	info->max_mtu = port->mtu_max;
	info->max_rx_pktlen = port->mtu_max + RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN;
	info->min_rx_bufsize = RTE_ETHER_MIN_LEN;
	info->max_mac_addrs = vio_mac_addrs_max(port);
	info->rx_offload_capa = vio_rx_offload_capa(port);
	if (info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_TCP_LRO)
		info->max_lro_pkt_size = VIO_FRAME_MAX;
	info->hash_key_size = port->rss.key_max;
	info->reta_size = port->rss.table_size;
	info->flow_type_rss_offloads = vio_rss_offloads(port);
	info->tx_offload_capa = vio_tx_offload_capa(port);
	info->tx_queue_offload_capa = RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
	info->rx_desc_lim = lim;
	info->rx_desc_lim.nb_max = port->max_rx_size;
	info->tx_desc_lim = lim;
	info->tx_desc_lim.nb_max = port->max_tx_size;
	/* 0: by the ring's size. */
	info->default_rxconf.rx_free_thresh = 0;
	info->default_txconf.tx_free_thresh = VIO_FREE_BATCH;
	info->default_rxportconf.ring_size = RTE_MIN(port->default_size, port->max_rx_size);
	info->default_rxportconf.burst_size = 32;
	info->default_rxportconf.nb_queues = 1;
	info->default_txportconf = info->default_rxportconf;
	info->default_txportconf.ring_size = RTE_MIN(port->default_size, port->max_tx_size);
	return 0;
}

void
vio_rxq_info_get(struct rte_eth_dev *dev, uint16_t id, struct rte_eth_rxq_info *info)
{
	const struct vio_rxq *q = dev->data->rx_queues[id];

	info->mp = q->pool;
	info->scattered_rx = dev->data->scattered_rx;
	info->nb_desc = q->ring.size;
	info->rx_buf_size = q->room;
	info->conf.rx_deferred_start = q->deferred;
	info->conf.rx_free_thresh = q->refill_at;
	info->conf.offloads = dev->data->dev_conf.rxmode.offloads;
}

void
vio_txq_info_get(struct rte_eth_dev *dev, uint16_t id, struct rte_eth_txq_info *info)
{
	const struct vio_txq *q = dev->data->tx_queues[id];

	info->nb_desc = q->ring.size;
	info->conf.tx_deferred_start = q->deferred;
	info->conf.tx_free_thresh = q->free_at;
	info->conf.offloads = dev->data->dev_conf.txmode.offloads;
	if (q->asked_fast_free)
		info->conf.offloads |= RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
}

int
vio_rx_burst_mode_get(struct rte_eth_dev *dev, uint16_t id, struct rte_eth_burst_mode *mode)
{
	const struct vio_port *port = vio_port(dev);

	if (id >= dev->data->nb_rx_queues || port->rx_path == NULL)
		return -EINVAL;
	snprintf(mode->info, sizeof(mode->info), "%s", port->rx_text);
	mode->flags = vio_rx_path_at(port->rx_path_at)->flags;
	return 0;
}

int
vio_tx_burst_mode_get(struct rte_eth_dev *dev, uint16_t id, struct rte_eth_burst_mode *mode)
{
	const struct vio_port *port = vio_port(dev);

	if (id >= dev->data->nb_tx_queues || port->tx_path == NULL)
		return -EINVAL;
	snprintf(mode->info, sizeof(mode->info), "%s", port->tx_text);
	mode->flags = vio_tx_path_at(port->tx_path_at)->flags;
	return 0;
}

uint32_t
vio_rx_queue_count(void *queue)
{
	struct vio_rxq *q = queue;
	uint32_t count;

	if (!vio_gate_visit(&q->gate))
		return 0;
	count = vq_used_count(q->ring.vq, q->ring.size);
	vio_gate_end_visit(&q->gate);
	return count;
}

static int
rx_status(const struct vq *vq, uint16_t offset)
{
	if (offset >= vq_in_flight(vq))
		return RTE_ETH_RX_DESC_UNAVAIL;
	if (vq_used_count(vq, offset + 1) > offset)
		return RTE_ETH_RX_DESC_DONE;
	return RTE_ETH_RX_DESC_AVAIL;
}

/* offset counts from the buffer that is received next. */
int
vio_rx_descriptor_status(void *queue, uint16_t offset)
{
	struct vio_rxq *q = queue;
	int status;

	if (offset >= q->ring.size)
		return -EINVAL;
	if (!vio_gate_visit(&q->gate))
		return RTE_ETH_RX_DESC_UNAVAIL;
	status = rx_status(q->ring.vq, offset);
	vio_gate_end_visit(&q->gate);
	return status;
}

/* offset counts from where the next packet goes, so the last offsets are the oldest packets.
 * Counted in buffers: those of several descriptors make the answer a little early. */
int
vio_tx_descriptor_status(void *queue, uint16_t offset)
{
	struct vio_txq *q = queue;
	uint16_t pending;

	if (offset >= q->ring.size)
		return -EINVAL;
	if (!vio_gate_visit(&q->gate))
		return RTE_ETH_TX_DESC_UNAVAIL;
	pending = q->ring.size - vq_free_count(q->ring.vq);
	pending -= RTE_MIN(pending, vq_used_count(q->ring.vq, q->ring.size));
	vio_gate_end_visit(&q->gate);
	return offset < q->ring.size - pending ? RTE_ETH_TX_DESC_DONE : RTE_ETH_TX_DESC_FULL;
}
