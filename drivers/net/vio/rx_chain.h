/* SPDX-License-Identifier: BSD-3-Clause */
/* Receive buffers of several mbufs each, for large frames where buffers are not mergeable. */
#ifndef VIO_PMD_RX_CHAIN_H
#define VIO_PMD_RX_CHAIN_H

#include "queue.h"

/* The longest frame that spec 5.1.6.3.1 knows, without its header. More segments are no frame. */
#define VIO_FRAME_MAX 65550
/* Mbufs of a buffer, at most. */
#define VIO_CHAIN_MAX 256

/* How many of the queue's mbufs hold a header of hdr_len and len bytes of frame. */
static inline uint32_t
vio_rx_chain_for(const struct vio_rxq *q, uint16_t hdr_len, uint32_t len)
{
	return (hdr_len + len + hdr_len + q->room - 1) / (hdr_len + q->room);
}

/* Adds buffers of q->chain descriptors each, unpublished, until the ring is full or the pool is
 * empty. Returns how many. */
uint16_t vio_rx_chain_refill(struct vio_rxq *q);

/*
 * Makes a packet of the used buffer that begins with head, of len bytes (the header's, and at least
 * one more; no more than the buffer's room), and at once, unpublished, a new buffer of the mbufs
 * that it does not need.
 */
struct rte_mbuf *vio_rx_chain_receive(struct vio_rxq *q, struct rte_mbuf *head, uint32_t len);

/* Makes the whole of a used buffer a new one, unpublished: its frame was no good. */
void vio_rx_chain_reuse(struct vio_rxq *q, struct rte_mbuf *head);

/* A raw mbuf of the pool, where next is NULL already or a chain's, becomes a segment of len bytes:
 * 32 bytes of it, in few and wide stores. */
static inline void
vio_rx_begin_segment(const struct vio_rxq *q, struct rte_mbuf *mbuf, uint32_t len)
{
	const struct {
		uint32_t packet_type, pkt_len;
		uint16_t data_len, vlan_tci;
		uint32_t rss;
	} fields = { .pkt_len = len, .data_len = len };

	RTE_BUILD_BUG_ON(offsetof(struct rte_mbuf, ol_flags) !=
			 offsetof(struct rte_mbuf, rearm_data) + 8);
	RTE_BUILD_BUG_ON(sizeof(fields) != 16);
	memcpy(&mbuf->rearm_data, &q->begin, sizeof(q->begin));
	memcpy(&mbuf->rx_descriptor_fields1, &fields, sizeof(fields));
}

#endif
