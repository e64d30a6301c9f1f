/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receive and transmit queues: what the polling thread needs, and the memory behind it. Their
 * fields are written by the polling thread while the gate is open, by the control thread while it
 * is closed; the counters are read by anyone.
 */
#ifndef VIO_PMD_QUEUE_H
#define VIO_PMD_QUEUE_H

#include <rte_mbuf.h>

#include "virtio/net.h"
#include "device_stats.h"
#include "gate.h"
#include "ring.h"
#include "rx_offload.h"
#include "tx_offload.h"

struct vio_port;

/* Descriptors that are handled in one go: arrays of this size stand on the stack. */
#define VIO_BATCH 64
/* Reclaims wait for this many sent ones, unless the queue is too small for it. */
#define VIO_FREE_BATCH 32
/* Refills wait for a quarter of the ring, but for this many at least, unless the queue is too small
 * for it, and at most. */
#define VIO_REFILL_LEAST 64
#define VIO_REFILL_MOST  256
/* Why a received packet was dropped, or a queue stopped: one counter and one xstat each. */
struct vio_rx_stats {
	uint64_t packets;
	uint64_t bytes;
	uint64_t kicks;
	uint64_t multi_segment;    /* packets of several buffers */
	uint64_t no_mbuf;          /* mbufs that the pool could not give, each time it was asked */
	uint64_t drop_short;       /* used length below header and Ethernet header */
	uint64_t drop_length;      /* used length beyond the buffer */
	uint64_t drop_num_buffers; /* num_buffers 0, or more than the queue holds */
	uint64_t drop_header[VIO_RX_VERDICTS]; /* headers that cannot be meant, by what is wrong */
	uint64_t lro;                          /* packets that stand for several */
	uint64_t vlan_stripped;
	uint64_t bad_hash; /* packets with a hash of a type that the device does not have */
	uint64_t errors;   /* frames dropped for any of these */
	/* Frames that the device had received, and a recovery found in the ring. */
	uint64_t drop_recovery;
	uint64_t broken; /* times the queue broke, */
	uint64_t broken_by[VQ_ERR_COUNT];
};

struct vio_tx_stats {
	uint64_t packets;
	uint64_t bytes;
	uint64_t kicks;
	uint64_t full;          /* bursts that found no room for all packets */
	uint64_t multi_segment; /* packets of several buffers */
	uint64_t header_apart;  /* packets whose header did not fit before their data */
	uint64_t drop_segments; /* packets of more segments than the queue has descriptors */
	uint64_t drop_mtu;      /* packets longer than the device's MTU */
	uint64_t drop_offload;  /* packets that ask for what is off, or cannot be meant */
	/* Packets that the device had at a recovery: it may have sent them, or not. They are among
	 * the packets sent, too: a counter never goes back. */
	uint64_t drop_recovery;
	uint64_t broken;
	uint64_t broken_by[VQ_ERR_COUNT];
};

/* What every received packet begins with: two words of the mbuf, side by side, written as one. */
struct vio_mbuf_begin {
	uint64_t rearm_data;
	uint64_t ol_flags;
};

struct vio_rxq {
	struct vio_gate gate;
	struct vio_ring ring;
	struct rte_mempool *pool;
	struct vio_mbuf_begin begin;
	struct vq_view view;  /* of an mbuf as a receive buffer, header included */
	uint32_t hdr_at;      /* from an mbuf to its header; 0: where buf_addr says */
	uint16_t refill_at;   /* free descriptors that make a refill worth while */
	uint16_t chain;       /* descriptors of a buffer: its mbufs', and one for an apart header */
	uint16_t unpublished; /* buffers of several mbufs that were added and not published */
	uint16_t unkicked;    /* buffers published since the device was asked whether to kick it */
	/* A packet of several buffers of which not all have come yet. */
	struct rte_mbuf *partial;
	struct rte_mbuf *partial_last;
	uint16_t partial_missing;
	bool partial_bad; /* to be dropped when complete */
	bool told_broken;
	bool deferred; /* not started with the port, */
	bool stopped;  /* and not started now */
	bool armed;    /* the application may sleep on the queue's interrupt */
	bool apart;    /* headers take descriptors of their own (vio_header_is_apart()) */
	struct vio_rx_wants wants;
	struct vio_rx_stats stats;
	struct vio_port *port;
	uint32_t room;    /* bytes of a frame that a buffer holds */
	uint16_t hdr_len; /* of the header before each frame (vio_rx_set_header()) */
	uint16_t id;
	uint32_t hash_types; /* that the device may report */
	struct vio_device_counters device_counters;
} __rte_cache_aligned;

struct vio_txq {
	struct vio_gate gate;
	struct vio_ring ring;
	uint8_t *hdrs; /* [size] of hdr_room bytes, by buffer id: headers that stand apart */
	uint64_t hdrs_iova;
	uint16_t hdr_room;
	struct vq_view view; /* of an mbuf as a packet with its header before it */
	uint16_t hdr_len;    /* of the header before each frame (vio_tx_set_header()) */
	uint16_t free_at;    /* free descriptors below which used ones are reclaimed */
	uint32_t frame_max;  /* bytes of a frame that the device sends as it is (MTU) */
	uint16_t chains;     /* packets of several segments in flight */
	bool deferred;       /* as in struct vio_rxq */
	bool stopped;
	bool fast_free; /* RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE */
	bool told_broken;
	bool apart; /* as in struct vio_rxq */
	struct vio_tx_offer offer;
	struct vio_tx_stats stats;
	struct vio_port *port;
	uint16_t id;
	bool asked_fast_free; /* for this queue, whatever the port is configured for */
	struct vio_device_counters device_counters;
} __rte_cache_aligned;

/* The ethdev operations. Start and stop of one queue are in queue_state.c. */
struct rte_eth_dev;
struct rte_eth_rxconf;
struct rte_eth_txconf;
int vio_rx_queue_setup(struct rte_eth_dev *dev, uint16_t id, uint16_t nb_desc, unsigned socket,
		       const struct rte_eth_rxconf *conf, struct rte_mempool *pool);
int vio_tx_queue_setup(struct rte_eth_dev *dev, uint16_t id, uint16_t nb_desc, unsigned socket,
		       const struct rte_eth_txconf *conf);
int vio_rx_queue_start(struct rte_eth_dev *dev, uint16_t id);
int vio_rx_queue_stop(struct rte_eth_dev *dev, uint16_t id);
int vio_tx_queue_start(struct rte_eth_dev *dev, uint16_t id);
int vio_tx_queue_stop(struct rte_eth_dev *dev, uint16_t id);
void vio_rx_queue_release(struct rte_eth_dev *dev, uint16_t id);
void vio_tx_queue_release(struct rte_eth_dev *dev, uint16_t id);

/* Says how long headers are (vio_net_hdr_len()): at each start, while the queue is empty. */
void vio_rx_set_header(struct vio_rxq *q, uint16_t hdr_len);
void vio_tx_set_header(struct vio_txq *q, uint16_t hdr_len);

#endif
