/* SPDX-License-Identifier: BSD-3-Clause */
#include "offload.h"

#include <errno.h>

#include "log.h"
#include "port.h"
#include "rx_chain.h"

#define TSO (VIO_BIT(VIRTIO_NET_F_HOST_TSO4) | VIO_BIT(VIRTIO_NET_F_HOST_TSO6))
#define USO VIO_BIT(VIRTIO_NET_F_HOST_USO)
/* Of a device that segments, what makes that better. */
#define SEGMENTS (VIO_BIT(VIRTIO_NET_F_GUEST_HDRLEN))

#define LRO     (VIO_BIT(VIRTIO_NET_F_GUEST_TSO4) | VIO_BIT(VIRTIO_NET_F_GUEST_TSO6))
#define LRO_UDP (VIO_BIT(VIRTIO_NET_F_GUEST_USO4) | VIO_BIT(VIRTIO_NET_F_GUEST_USO6))

/* An offload needs all of these features, and one of those; others come along where they are
 * offered. */
struct need {
	uint64_t offloads;
	uint64_t needs;
	uint64_t any;
	uint64_t likes;
};

static const struct need rx_needs[] = {
	/* Every packet may come without its checksum. */
	{ VIO_RX_OFFLOADS_L4, VIO_BIT(VIRTIO_NET_F_GUEST_CSUM), 0, 0 },
	{ RTE_ETH_RX_OFFLOAD_RSS_HASH, VIO_BIT(VIRTIO_NET_F_HASH_REPORT), 0, 0 },
	/* Packets with a tag do not come at all, but of VLANs that were named. */
	{ RTE_ETH_RX_OFFLOAD_VLAN_FILTER, VIO_BIT(VIRTIO_NET_F_CTRL_VLAN), 0, 0 },
	{ RTE_ETH_RX_OFFLOAD_TCP_LRO, VIO_BIT(VIRTIO_NET_F_GUEST_CSUM), LRO,
	  LRO | VIO_BIT(VIRTIO_NET_F_GUEST_ECN) | LRO_UDP |
		  VIO_BIT(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS) },
};

static const struct need tx_needs[] = {
	{ RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM, VIO_BIT(VIRTIO_NET_F_CSUM),
	  0, 0 },
	/* One bit of ethdev stands for both versions of IP: packets of one that the device lacks
	 * are refused (VIO_TX_TSO4, VIO_TX_TSO6). */
	{ RTE_ETH_TX_OFFLOAD_TCP_TSO, VIO_BIT(VIRTIO_NET_F_CSUM), TSO,
	  TSO | SEGMENTS | VIO_BIT(VIRTIO_NET_F_HOST_ECN) },
	{ RTE_ETH_TX_OFFLOAD_UDP_TSO, VIO_BIT(VIRTIO_NET_F_CSUM) | USO, 0, SEGMENTS },
};

/* What packets may come of, by feature. */
static const struct {
	enum vio_feature feature;
	uint8_t type;
} gso_types[] = {
	{ VIRTIO_NET_F_GUEST_TSO4, VIO_NET_HDR_GSO_TCPV4 },
	{ VIRTIO_NET_F_GUEST_TSO6, VIO_NET_HDR_GSO_TCPV6 },
	{ VIRTIO_NET_F_GUEST_USO4, VIO_NET_HDR_GSO_UDP_L4 },
	{ VIRTIO_NET_F_GUEST_USO6, VIO_NET_HDR_GSO_UDP_L4 },
};

static uint64_t
capa(const struct need *needs, size_t n, uint64_t usable)
{
	uint64_t offloads = 0;

	for (size_t i = 0; i < n; i++)
		if ((usable & needs[i].needs) == needs[i].needs &&
		    (needs[i].any == 0 || (usable & needs[i].any) != 0))
			offloads |= needs[i].offloads;
	return offloads;
}

/* Those features of the table that no offload asked for needs. */
static uint64_t
unasked(const struct need *needs, size_t n, uint64_t offloads)
{
	uint64_t all = 0, asked = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t features = needs[i].needs | needs[i].likes;

		all |= features;
		if (offloads & needs[i].offloads)
			asked |= features;
	}
	return all & ~asked;
}

uint64_t
vio_rx_offload_capa(const struct vio_port *port)
{
	return RTE_ETH_RX_OFFLOAD_SCATTER | VIO_RX_OFFLOADS_DRIVER |
	       capa(rx_needs, RTE_DIM(rx_needs), port->usable);
}

uint64_t
vio_tx_offload_capa(const struct vio_port *port)
{
	return RTE_ETH_TX_OFFLOAD_MULTI_SEGS | RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE |
	       VIO_TX_OFFLOADS_DRIVER | capa(tx_needs, RTE_DIM(tx_needs), port->usable);
}

uint64_t
vio_features_unasked(const struct vio_port *port)
{
	const struct rte_eth_conf *conf = &port->dev->data->dev_conf;

	uint64_t rx = conf->rxmode.offloads;

	/* A filter that was switched off on the way must not be missing when it is wanted again. */
	if (port->filter.vlans_open)
		rx |= RTE_ETH_RX_OFFLOAD_VLAN_FILTER;
	return unasked(rx_needs, RTE_DIM(rx_needs), rx) |
	       unasked(tx_needs, RTE_DIM(tx_needs), conf->txmode.offloads);
}

/* What packets may ask for. To ask for segments implies asking for their checksums. */
static struct vio_tx_offer
tx_offer(const struct vio_port *port)
{
	uint64_t offloads = port->dev->data->dev_conf.txmode.offloads & VIO_TX_OFFLOADS;

	if (offloads & RTE_ETH_TX_OFFLOAD_TCP_TSO)
		offloads |= RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_IPV4_CKSUM;
	if (offloads & RTE_ETH_TX_OFFLOAD_UDP_TSO)
		offloads |= RTE_ETH_TX_OFFLOAD_UDP_CKSUM | RTE_ETH_TX_OFFLOAD_IPV4_CKSUM;
	offloads &= vio_tx_offload_capa(port);
	if (offloads & RTE_ETH_TX_OFFLOAD_TCP_TSO) {
		offloads |= vio_has(port->features, VIRTIO_NET_F_HOST_TSO4) ? VIO_TX_TSO4 : 0;
		offloads |= vio_has(port->features, VIRTIO_NET_F_HOST_TSO6) ? VIO_TX_TSO6 : 0;
	}
	return (struct vio_tx_offer){
		.offloads = offloads,
		.ecn = vio_has(port->features, VIRTIO_NET_F_HOST_ECN),
	};
}

static struct vio_rx_wants
rx_wants(const struct vio_port *port)
{
	uint64_t offloads = port->dev->data->dev_conf.rxmode.offloads;
	struct vio_rx_wants wants = {
		.header = vio_has(port->features, VIRTIO_NET_F_GUEST_CSUM),
		.l4_marks = offloads & VIO_RX_OFFLOADS_L4,
		.ip_cksum = offloads & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM,
		.vlan_strip = offloads & RTE_ETH_RX_OFFLOAD_VLAN_STRIP,
		.ecn = vio_has(port->features, VIRTIO_NET_F_GUEST_ECN),
		.ptypes = port->ptypes,
	};

	for (size_t i = 0; i < RTE_DIM(gso_types); i++)
		if (vio_has(port->features, gso_types[i].feature))
			wants.gso |= 1u << gso_types[i].type;
	return wants;
}

bool
vio_may_span(const struct vio_port *port)
{
	return port->dev->data->dev_conf.rxmode.offloads &
	       (RTE_ETH_RX_OFFLOAD_SCATTER | RTE_ETH_RX_OFFLOAD_TCP_LRO);
}

bool
vio_may_scatter(const struct rte_eth_dev *dev, uint16_t mtu)
{
	const struct vio_port *port = vio_port(dev);
	uint32_t frame = mtu + RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN;

	if (!vio_may_span(port))
		return false;
	if (dev->data->dev_conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_TCP_LRO)
		return true;
	for (uint16_t i = 0; i < dev->data->nb_rx_queues; i++) {
		const struct vio_rxq *q = dev->data->rx_queues[i];

		if (q->room < frame)
			return true;
	}
	return false;
}

/* How many mbufs a receive buffer is to be made of. Segments put together by the device can be as
 * long as it likes (NET-RXBUF-01). */
static int
set_chain(const struct vio_port *port, struct vio_rxq *q)
{
	const struct rte_eth_dev_data *data = port->dev->data;
	bool mergeable = vio_has(port->features, VIRTIO_NET_F_MRG_RXBUF);
	uint32_t len = data->mtu + RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN, n = 1;

	if (data->dev_conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_TCP_LRO)
		len = VIO_FRAME_MAX;
	if (!mergeable && vio_may_span(port))
		n = vio_rx_chain_for(q, vio_net_hdr_len(port->features), len);
	if (n + q->apart > q->ring.size || n > VIO_CHAIN_MAX) {
		PORT_LOG(port, ERR,
			 "rx queue %u: a frame of %u bytes needs %u mbufs of %u bytes, and as many "
			 "descriptors: use larger mbufs, more descriptors, or mergeable buffers",
			 q->id, len, n, q->room);
		return -EINVAL;
	}
	if (!vio_may_span(port) && len > q->room) {
		PORT_LOG(port, ERR,
			 "rx queue %u: frames of %u bytes do not fit its buffers of %u bytes, and "
			 "may not span several: use larger mbufs, a lower MTU, or turn scatter on",
			 q->id, len, q->room);
		return -EINVAL;
	}
	q->chain = n + q->apart;
	return 0;
}

/* What rte_net_get_ptype() can say of these layers. */
const uint32_t *
vio_supported_ptypes_get(struct rte_eth_dev *dev)
{
	static const uint32_t ptypes[] = {
		RTE_PTYPE_L2_ETHER,    RTE_PTYPE_L2_ETHER_VLAN, RTE_PTYPE_L2_ETHER_QINQ,
		RTE_PTYPE_L3_IPV4,     RTE_PTYPE_L3_IPV4_EXT,   RTE_PTYPE_L3_IPV6,
		RTE_PTYPE_L3_IPV6_EXT, RTE_PTYPE_L4_TCP,        RTE_PTYPE_L4_UDP,
		RTE_PTYPE_L4_SCTP,     RTE_PTYPE_L4_FRAG,       RTE_PTYPE_UNKNOWN,
	};

	return vio_port(dev)->args.ptypes ? ptypes : NULL;
}

/* The parse is the driver's, so this can change while packets come, like VLAN strip. */
int
vio_ptypes_set(struct rte_eth_dev *dev, uint32_t mask)
{
	struct vio_port *port = vio_port(dev);

	if (!port->args.ptypes)
		return 0;
	pthread_mutex_lock(&port->lock);
	port->ptypes = mask & VIO_RX_PTYPES;
	for (uint16_t i = 0; dev->data->dev_started && i < dev->data->nb_rx_queues; i++) {
		struct vio_rxq *q = dev->data->rx_queues[i];

		__atomic_store_n(&q->wants.ptypes, port->ptypes, __ATOMIC_RELAXED);
	}
	if (dev->data->dev_started)
		vio_port_switch_paths(port);
	pthread_mutex_unlock(&port->lock);
	return 0;
}

/* Queues outlive the configuration that they were set up under, and there is room for packets' own
 * headers only where that had offloads: for all others it would be ten times what they need. */
static int
check_header_room(const struct vio_port *port, const struct vio_txq *q)
{
	if (q->offer.offloads == 0 || q->hdr_room >= VIO_TX_APART_MAX)
		return 0;
	PORT_LOG(port, ERR,
		 "tx queue %u was set up when no transmit offload was configured: set it up again, "
		 "after rte_eth_dev_configure()",
		 q->id);
	return -EINVAL;
}

/* With MTU, a frame that is not segmented has no more than that, its Ethernet header, and maybe two
 * tags (spec 5.1.4.2). */
static uint32_t
frame_max(const struct vio_port *port)
{
	if (!vio_has(port->features, VIRTIO_NET_F_MTU))
		return UINT32_MAX;
	return (uint32_t)port->config.mtu + RTE_ETHER_HDR_LEN + 2 * RTE_VLAN_HLEN;
}

int
vio_offloads_start(struct vio_port *port)
{
	struct rte_eth_dev_data *data = port->dev->data;
	int ret = 0;

	for (uint16_t i = 0; ret == 0 && i < data->nb_rx_queues; i++) {
		struct vio_rxq *q = data->rx_queues[i];

		q->apart = vio_header_is_apart(port);
		ret = set_chain(port, q);
		q->wants = rx_wants(port);
	}
	for (uint16_t i = 0; ret == 0 && i < data->nb_tx_queues; i++) {
		struct vio_txq *q = data->tx_queues[i];

		q->apart = vio_header_is_apart(port);
		q->offer = tx_offer(port);
		q->frame_max = frame_max(port);
		ret = check_header_room(port, q);
		q->fast_free = q->asked_fast_free ||
			       (data->dev_conf.txmode.offloads & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE);
	}
	return ret;
}
