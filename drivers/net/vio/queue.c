/* SPDX-License-Identifier: BSD-3-Clause */
#include "queue.h"

#include <errno.h>

#include <rte_malloc.h>

#include "log.h"
#include "port.h"

/* Bytes of one indirect table. */
#define INDIRECT_BYTES (VIO_INDIRECT_MAX * 16)

int
vio_ring_alloc(struct vio_ring *ring, const char *name, uint16_t size, size_t hdr_bytes,
	       bool indirect, unsigned flags, int socket)
{
	size_t bytes = vq_ring_bytes(size, flags);
	const size_t align = VQ_ALIGN;

	ring->size = size;
	ring->hdrs_at = bytes;
	bytes = RTE_ALIGN_CEIL(bytes + hdr_bytes, align);
	ring->indirect_at = indirect ? bytes : 0;
	bytes += indirect ? (size_t)size * INDIRECT_BYTES : 0;
	ring->state = rte_zmalloc_socket(name, vq_state_bytes(size), align, socket);
	ring->mz = rte_memzone_reserve_aligned(name, bytes, socket, RTE_MEMZONE_IOVA_CONTIG, align);
	if (ring->state != NULL && ring->mz != NULL)
		return 0;
	VIO_LOG(ERR,
		"%s: no memory for %zu bytes of ring on NUMA node %d (%s); give EAL more hugepages",
		name, bytes, socket, rte_strerror(rte_errno));
	vio_ring_free(ring);
	return -ENOMEM;
}

void
vio_ring_free(struct vio_ring *ring)
{
	/* Not drained: the device could still write here. Lost memory is the lesser harm. */
	if (ring->vq != NULL)
		return;
	rte_memzone_free(ring->mz);
	rte_free(ring->state);
	ring->mz = NULL;
	ring->state = NULL;
}

/* What the ring library needs to know of the features. */
static unsigned
ring_flags(uint64_t features)
{
	unsigned flags = 0;

	flags |= vio_has(features, VIRTIO_F_RING_PACKED) ? VQ_PACKED : 0;
	flags |= vio_has(features, VIRTIO_F_IN_ORDER) ? VQ_IN_ORDER : 0;
	flags |= vio_has(features, VIRTIO_F_EVENT_IDX) ? VQ_EVENT_IDX : 0;
	flags |= vio_has(features, VIRTIO_F_ORDER_PLATFORM) ? VQ_ORDER_PLATFORM : 0;
	return flags;
}

/* The device address of ring memory: what the device is told about mbufs decides which kind. */
static uint64_t
ring_iova(const struct vio_port *port, const struct rte_memzone *mz)
{
	return port->addr_at == offsetof(struct rte_mbuf, buf_addr) ? (uintptr_t)mz->addr
								    : mz->iova;
}

static int
ring_init(struct vio_ring *ring, const struct vio_port *port)
{
	uint64_t iova = ring_iova(port, ring->mz);
	struct vq_params params = {
		.size = ring->size,
		.flags = ring_flags(port->features),
		.ring = ring->mz->addr,
		.ring_iova = iova,
		.state = ring->state,
	};

	if (ring->indirect_at != 0 && vio_has(port->features, VIRTIO_F_INDIRECT_DESC)) {
		params.flags |= VQ_INDIRECT;
		params.indirect = RTE_PTR_ADD(ring->mz->addr, ring->indirect_at);
		params.indirect_iova = iova + ring->indirect_at;
		params.indirect_max = VIO_INDIRECT_MAX;
	}
	ring->vq = vq_init(&params);
	if (ring->vq != NULL)
		return 0;
	PORT_LOG(port, ERR, "queue %u cannot have %u descriptors%s", ring->index, ring->size,
		 params.flags & VQ_PACKED ? "" : ": split rings need a power of two");
	return -EINVAL;
}

int
vio_ring_start(struct vio_ring *ring, struct vio_port *port, uint16_t index, uint16_t vector)
{
	struct vio_transport *t = port->transport;
	struct vio_queue_conf conf;
	struct vq_areas areas;
	uint16_t most;
	int ret;

	ring->index = index;
	ret = t->ops->queue_max_size(t, index, &most);
	if (ret < 0)
		return ret;
	if (ring->size > most) {
		PORT_LOG(port, ERR, "queue %u is to have %u descriptors, but the device offers %u",
			 index, ring->size, most);
		return -EINVAL;
	}
	ret = ring_init(ring, port);
	if (ret < 0)
		return ret;
	vq_get_areas(ring->vq, &areas);
	conf = (struct vio_queue_conf){
		.size = ring->size,
		.vector = vector,
		.desc = areas.desc,
		.driver = areas.driver,
		.device = areas.device,
		.desc_iova = areas.desc_iova,
		.driver_iova = areas.driver_iova,
		.device_iova = areas.device_iova,
	};
	/* Nobody sleeps on a queue unless receive interrupts are asked for. */
	vq_disable_cb(ring->vq);
	return t->ops->queue_setup(t, index, &conf, &ring->notifier);
}

/* Refuses a number of descriptors that no ring of the negotiated layout can have. */
static int
check_size(const struct vio_port *port, const char *kind, uint16_t id, uint16_t nb_desc)
{
	bool packed = vio_has(port->features, VIRTIO_F_RING_PACKED);

	if (nb_desc > port->max_size) {
		PORT_LOG(port, ERR, "%s queue %u: %u descriptors asked for, the device offers %u",
			 kind, id, nb_desc, port->max_size);
		return -EINVAL;
	}
	if (vq_ring_bytes(nb_desc, packed ? VQ_PACKED : 0) == 0) {
		PORT_LOG(port, ERR,
			 "%s queue %u: %u descriptors asked for, a split ring has a power of two; "
			 "use %u",
			 kind, id, nb_desc,
			 nb_desc == 0 ? port->default_size : rte_align32prevpow2(nb_desc));
		return -EINVAL;
	}
	return 0;
}

/* The longest frame that a receive buffer must hold where frames cannot span buffers: an Ethernet
 * header, a VLAN tag and the MTU. */
static uint32_t
frame_max(const struct vio_port *port)
{
	return port->dev->data->mtu + RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN;
}

static int
check_pool(const struct vio_port *port, uint16_t id, const struct rte_mempool *pool)
{
	bool mergeable = vio_has(port->features, VIRTIO_NET_F_MRG_RXBUF);
	uint32_t room = rte_pktmbuf_data_room_size((struct rte_mempool *)pool);
	uint32_t least = mergeable ? RTE_ETHER_MIN_LEN : frame_max(port);

	/* The header is written before the data, into the headroom. */
	RTE_BUILD_BUG_ON(RTE_PKTMBUF_HEADROOM < sizeof(struct vio_net_hdr));
	if (room >= RTE_PKTMBUF_HEADROOM + least)
		return 0;
	PORT_LOG(port, ERR,
		 "rx queue %u: mbufs of pool %s have room for %u bytes, %s needs %u: create the "
		 "pool "
		 "with a data room of at least %u%s",
		 id, pool->name, room, mergeable ? "a buffer" : "a frame in one buffer",
		 RTE_PKTMBUF_HEADROOM + least, RTE_PKTMBUF_HEADROOM + least,
		 mergeable ? "" : ", or lower the MTU, or use a device with mergeable buffers");
	return -EINVAL;
}

static void
queue_name(char *name, size_t size, const struct vio_port *port, const char *kind, uint16_t id)
{
	snprintf(name, size, "vio_p%u_%s%u", port->dev->data->port_id, kind, id);
}

/* rearm_data of a packet that begins at the usual headroom, in the one word that mbufs keep it in.
 */
static uint64_t
rearm_word(uint16_t port_id)
{
	struct rte_mbuf mbuf = {
		.data_off = RTE_PKTMBUF_HEADROOM,
		.nb_segs = 1,
		.port = port_id,
	};
	uint64_t word;

	rte_mbuf_refcnt_set(&mbuf, 1);
	memcpy(&word, &mbuf.rearm_data, sizeof(word));
	return word;
}

int
vio_rx_queue_setup(struct rte_eth_dev *dev, uint16_t id, uint16_t nb_desc, unsigned socket,
		   const struct rte_eth_rxconf *conf, struct rte_mempool *pool)
{
	struct vio_port *port = vio_port(dev);
	char name[RTE_MEMZONE_NAMESIZE];
	struct vio_rxq *q;
	int ret;

	if (conf->rx_deferred_start) {
		PORT_LOG(port, ERR, "rx queue %u: deferred start is not supported", id);
		return -ENOTSUP;
	}
	ret = check_size(port, "rx", id, nb_desc);
	if (ret == 0)
		ret = check_pool(port, id, pool);
	if (ret < 0)
		return ret;
	queue_name(name, sizeof(name), port, "rx", id);
	q = rte_zmalloc_socket(name, sizeof(*q), RTE_CACHE_LINE_SIZE, socket);
	if (q == NULL) {
		PORT_LOG(port, ERR, "rx queue %u: no memory on NUMA node %u", id, socket);
		return -ENOMEM;
	}
	ret = vio_ring_alloc(&q->ring, name, nb_desc, 0, false, ring_flags(port->features), socket);
	if (ret < 0) {
		rte_free(q);
		return ret;
	}
	q->port = port;
	q->id = id;
	q->pool = pool;
	q->addr_at = port->addr_at;
	q->rearm = rearm_word(dev->data->port_id);
	q->buf_len = rte_pktmbuf_data_room_size(pool) - RTE_PKTMBUF_HEADROOM + VIO_HDR_LEN;
	q->refill_at = conf->rx_free_thresh != 0 ? conf->rx_free_thresh : VIO_REFILL_BATCH;
	q->refill_at = RTE_MIN(q->refill_at, (nb_desc + 1) / 2);
	dev->data->rx_queues[id] = q;
	return 0;
}

int
vio_tx_queue_setup(struct rte_eth_dev *dev, uint16_t id, uint16_t nb_desc, unsigned socket,
		   const struct rte_eth_txconf *conf)
{
	struct vio_port *port = vio_port(dev);
	char name[RTE_MEMZONE_NAMESIZE];
	struct vio_txq *q;
	int ret;

	if (conf->tx_deferred_start) {
		PORT_LOG(port, ERR, "tx queue %u: deferred start is not supported", id);
		return -ENOTSUP;
	}
	ret = check_size(port, "tx", id, nb_desc);
	if (ret < 0)
		return ret;
	queue_name(name, sizeof(name), port, "tx", id);
	q = rte_zmalloc_socket(name, sizeof(*q), RTE_CACHE_LINE_SIZE, socket);
	if (q == NULL) {
		PORT_LOG(port, ERR, "tx queue %u: no memory on NUMA node %u", id, socket);
		return -ENOMEM;
	}
	ret = vio_ring_alloc(&q->ring, name, nb_desc, (size_t)nb_desc * VIO_HDR_LEN, true,
			     ring_flags(port->features), socket);
	if (ret < 0) {
		rte_free(q);
		return ret;
	}
	q->port = port;
	q->id = id;
	q->addr_at = port->addr_at;
	q->hdrs = RTE_PTR_ADD(q->ring.mz->addr, q->ring.hdrs_at);
	q->hdrs_iova = ring_iova(port, q->ring.mz) + q->ring.hdrs_at;
	q->free_at = conf->tx_free_thresh != 0 ? conf->tx_free_thresh : VIO_REFILL_BATCH;
	q->free_at = RTE_MIN(q->free_at, (nb_desc + 1) / 2);
	q->fast_free = (conf->offloads | dev->data->dev_conf.txmode.offloads) &
		       RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
	dev->data->tx_queues[id] = q;
	return 0;
}

void
vio_rx_queue_release(struct rte_eth_dev *dev, uint16_t id)
{
	struct vio_rxq *q = dev->data->rx_queues[id];

	if (q == NULL)
		return;
	vio_ring_free(&q->ring);
	rte_free(q);
	dev->data->rx_queues[id] = NULL;
}

void
vio_tx_queue_release(struct rte_eth_dev *dev, uint16_t id)
{
	struct vio_txq *q = dev->data->tx_queues[id];

	if (q == NULL)
		return;
	vio_ring_free(&q->ring);
	rte_free(q);
	dev->data->tx_queues[id] = NULL;
}
