/* SPDX-License-Identifier: BSD-3-Clause */
#include "queue.h"

#include <errno.h>

#include <rte_malloc.h>

#include "log.h"
#include "offload.h"
#include "port.h"

/* ethdev itself asks for one at least, but its drivers are called by others, too. */
static int
check_size(const struct vio_port *port, const char *kind, uint16_t id, uint16_t nb_desc,
	   uint16_t most)
{
	if (nb_desc > 0 && nb_desc <= most)
		return 0;
	PORT_LOG(port, ERR, "%s queue %u: %u descriptors asked for, the device offers 1 to %u",
		 kind, id, nb_desc, most);
	return -EINVAL;
}

/* The legacy interface leaves no choice of the size, so what was asked for is only told. That all
 * queues of a kind have the same is checked at start, when they exist: MQ is negotiated then.
 * ethdev's limits have no word for powers of two, so that rte_eth_dev_adjust_nb_rx_tx_desc() leaves
 * other numbers. */
static uint16_t
choose_size(const struct vio_port *port, const char *kind, uint16_t id, uint16_t asked,
	    uint16_t own)
{
	uint16_t size = asked;

	if (port->transport->ops->legacy)
		size = own;
	else if (!vio_has(port->features, VIRTIO_F_RING_PACKED))
		size = (uint16_t)rte_align32prevpow2(asked);
	if (size != asked)
		PORT_LOG(port, NOTICE, "%s queue %u: %u descriptors asked for; it has %u, as %s",
			 kind, id, asked, size,
			 port->transport->ops->legacy ? "a legacy device's queue has its own number"
						      : "a split ring has a power of two");
	return size;
}

/* A queue whose last stop the device did not acknowledge is still its own, name and all: it is
 * asked once more to let go. */
static int
check_orphans(struct vio_port *port, const char *kind, uint16_t id)
{
	int ret;

	if (port->orphans == NULL)
		return 0;
	pthread_mutex_lock(&port->lock);
	ret = vio_port_stop(port);
	pthread_mutex_unlock(&port->lock);
	if (ret == 0)
		return 0;
	PORT_LOG(port, ERR,
		 "%s queue %u: the device has not let go of the queues that it had; close the port "
		 "and "
		 "probe it again",
		 kind, id);
	return -EBUSY;
}

/* The longest frame that a receive buffer must hold where frames may not span buffers, as the
 * device or the application has it: an Ethernet header, a VLAN tag and the MTU. */
static uint32_t
frame_max(const struct vio_port *port)
{
	return port->dev->data->mtu + RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN;
}

static int
check_pool(const struct vio_port *port, uint16_t id, const struct rte_mempool *pool)
{
	uint32_t room = rte_pktmbuf_data_room_size((struct rte_mempool *)pool);
	bool several = vio_may_span(port);
	uint32_t least = several ? RTE_ETHER_MIN_LEN : frame_max(port);

	if (room >= RTE_PKTMBUF_HEADROOM + least)
		return 0;
	PORT_LOG(port, ERR,
		 "rx queue %u: mbufs of pool %s have room for %u bytes, %s needs %u: create the "
		 "pool "
		 "with a data room of at least %u%s",
		 id, pool->name, room, several ? "a buffer" : "a frame in one buffer",
		 RTE_PKTMBUF_HEADROOM + least, RTE_PKTMBUF_HEADROOM + least,
		 several ? "" : ", or turn scatter on, or lower the MTU");
	return -EINVAL;
}

/* A recovery and an announcement take mbufs and give them back on EAL's interrupt thread, while the
 * application's threads work. */
static void
look_at_pool_threads(const struct vio_port *port, uint16_t id, const struct rte_mempool *pool)
{
	const char *ops = rte_mempool_get_ops(pool->ops_index)->name;
	bool recovers = port->args.recover == VIO_RECOVER_AUTO;
	bool announces = vio_has(port->features, VIRTIO_NET_F_GUEST_ANNOUNCE);

	if ((!recovers && !announces) ||
	    (strncmp(ops, "ring_sp", 7) != 0 && strcmp(ops, "ring_mp_sc") != 0))
		return;
	PORT_LOG(port, WARNING,
		 "rx queue %u: pool %s (%s) is for one thread at a time, but %s use it on another: "
		 "use a pool of ring_mp_mc%s",
		 id, pool->name, ops, recovers ? "recoveries" : "announcements",
		 announces ? "" : ", or recover=manual");
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

void
vio_rx_set_header(struct vio_rxq *q, uint16_t hdr_len)
{
	/* The header is written before the data, into the headroom. */
	RTE_BUILD_BUG_ON(RTE_PKTMBUF_HEADROOM < VIO_NET_HDR_LEN_HASH);
	q->hdr_len = hdr_len;
	q->hdr_at = 0;
	if (!(q->begin.ol_flags & RTE_MBUF_F_EXTERNAL))
		q->hdr_at = sizeof(struct rte_mbuf) + rte_pktmbuf_priv_size(q->pool) +
			    RTE_PKTMBUF_HEADROOM - hdr_len;
	q->view = (struct vq_view){
		.addr_at = q->port->addr_at,
		.in_offset = RTE_PKTMBUF_HEADROOM - hdr_len,
		.in_len = q->room + hdr_len,
	};
}

void
vio_tx_set_header(struct vio_txq *q, uint16_t hdr_len)
{
	q->hdr_len = hdr_len;
	q->view = (struct vq_view){
		.addr_at = q->port->addr_at,
		.offset_at = offsetof(struct rte_mbuf, data_off),
		.len_at = offsetof(struct rte_mbuf, data_len),
		.before = hdr_len,
	};
}

/*
 * Free descriptors that make a refill worth while, unless the application says. Fewer and larger
 * refills, some way behind the device, cost less than small ones right behind it; and three
 * quarters of a ring are still the device's, or half of a small one.
 */
static uint16_t
refill_threshold(uint16_t nb_desc, uint16_t wanted)
{
	if (wanted == 0)
		wanted = RTE_MAX(VIO_REFILL_LEAST, RTE_MIN(nb_desc / 4, VIO_REFILL_MOST));
	return RTE_MIN(wanted, (nb_desc + 1) / 2);
}

int
vio_rx_queue_setup(struct rte_eth_dev *dev, uint16_t id, uint16_t nb_desc, unsigned socket,
		   const struct rte_eth_rxconf *conf, struct rte_mempool *pool)
{
	struct vio_port *port = vio_port(dev);
	char name[RTE_MEMZONE_NAMESIZE];
	struct vio_rxq *q;
	int ret;

	ret = check_orphans(port, "rx", id);
	if (ret == 0)
		ret = check_size(port, "rx", id, nb_desc, port->max_rx_size);
	if (ret == 0)
		ret = check_pool(port, id, pool);
	if (ret < 0)
		return ret;
	look_at_pool_threads(port, id, pool);
	nb_desc = choose_size(port, "rx", id, nb_desc, port->max_rx_size);
	queue_name(name, sizeof(name), port, "rx", id);
	q = rte_zmalloc_socket(name, sizeof(*q), RTE_CACHE_LINE_SIZE, socket);
	if (q == NULL) {
		PORT_LOG(port, ERR, "rx queue %u: no memory on NUMA node %d", id, (int)socket);
		return -ENOMEM;
	}
	ret = vio_ring_alloc(&q->ring, port, name, nb_desc, 0, false, socket);
	if (ret < 0) {
		rte_free(q);
		return ret;
	}
	q->port = port;
	q->id = id;
	q->pool = pool;
	if (rte_pktmbuf_priv_flags(pool) & RTE_PKTMBUF_POOL_F_PINNED_EXT_BUF)
		q->begin.ol_flags = RTE_MBUF_F_EXTERNAL;
	q->begin.rearm_data = rearm_word(dev->data->port_id);
	q->room = rte_pktmbuf_data_room_size(pool) - RTE_PKTMBUF_HEADROOM;
	q->refill_at = refill_threshold(nb_desc, conf->rx_free_thresh);
	q->deferred = conf->rx_deferred_start;
	q->chain = 1;
	dev->data->rx_queues[id] = q;
	pthread_mutex_lock(&port->lock);
	port->known_rx[id] = q;
	pthread_mutex_unlock(&port->lock);
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

	ret = check_orphans(port, "tx", id);
	if (ret == 0)
		ret = check_size(port, "tx", id, nb_desc, port->max_tx_size);
	if (ret < 0)
		return ret;
	nb_desc = choose_size(port, "tx", id, nb_desc, port->max_tx_size);
	queue_name(name, sizeof(name), port, "tx", id);
	q = rte_zmalloc_socket(name, sizeof(*q), RTE_CACHE_LINE_SIZE, socket);
	if (q == NULL) {
		PORT_LOG(port, ERR, "tx queue %u: no memory on NUMA node %d", id, (int)socket);
		return -ENOMEM;
	}
	/* With offloads, packets' own headers may have to stand there too. */
	q->hdr_room = (conf->offloads | dev->data->dev_conf.txmode.offloads) & VIO_TX_OFFLOADS
			      ? VIO_TX_APART_MAX
			      : VIO_NET_HDR_LEN_HASH;
	ret = vio_ring_alloc(&q->ring, port, name, nb_desc, (size_t)nb_desc * q->hdr_room, true,
			     socket);
	if (ret < 0) {
		rte_free(q);
		return ret;
	}
	q->port = port;
	q->id = id;
	q->hdrs = RTE_PTR_ADD(q->ring.mz->addr, q->ring.hdrs_at);
	q->hdrs_iova = vio_ring_iova(&q->ring, port) + q->ring.hdrs_at;
	q->free_at = conf->tx_free_thresh != 0 ? conf->tx_free_thresh : VIO_FREE_BATCH;
	q->free_at = RTE_MIN(q->free_at, (nb_desc + 1) / 2);
	q->asked_fast_free = conf->offloads & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
	q->deferred = conf->tx_deferred_start;
	dev->data->tx_queues[id] = q;
	pthread_mutex_lock(&port->lock);
	port->known_tx[id] = q;
	pthread_mutex_unlock(&port->lock);
	return 0;
}

/* A thread that does not return from its burst goes on with all that the queue has: it is lost,
 * which is the lesser harm. */
static bool
is_lost(const struct vio_port *port, const char *kind, uint16_t id, const struct vio_gate *gate)
{
	if (vio_gate_wait(gate, 0) == 0)
		return false;
	PORT_LOG(port, ERR,
		 "%s queue %u: a thread is in a burst still, so its memory stays out of use", kind,
		 id);
	return true;
}

void
vio_rx_queue_release(struct rte_eth_dev *dev, uint16_t id)
{
	struct vio_rxq *q = dev->data->rx_queues[id];
	struct vio_port *port = vio_port(dev);

	if (q == NULL)
		return;
	dev->data->rx_queues[id] = NULL;
	pthread_mutex_lock(&port->lock);
	port->known_rx[id] = NULL;
	if (!is_lost(port, "rx", id, &q->gate)) {
		rte_pktmbuf_free(q->partial);
		vio_ring_release(&q->ring, port);
		rte_free(q);
	}
	pthread_mutex_unlock(&port->lock);
}

void
vio_tx_queue_release(struct rte_eth_dev *dev, uint16_t id)
{
	struct vio_txq *q = dev->data->tx_queues[id];
	struct vio_port *port = vio_port(dev);

	if (q == NULL)
		return;
	dev->data->tx_queues[id] = NULL;
	pthread_mutex_lock(&port->lock);
	port->known_tx[id] = NULL;
	if (!is_lost(port, "tx", id, &q->gate)) {
		vio_ring_release(&q->ring, port);
		rte_free(q);
	}
	pthread_mutex_unlock(&port->lock);
}
