/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef VIO_PMD_RX_H
#define VIO_PMD_RX_H

#include "queue.h"

/* Burst functions, as rte_eth_rx_burst() calls them: for the usual header of 12 bytes; */
uint16_t vio_rx_mergeable(void *queue, struct rte_mbuf **pkts, uint16_t n);
uint16_t vio_rx_mergeable_offloads(void *queue, struct rte_mbuf **pkts, uint16_t n);
uint16_t vio_rx_chains(void *queue, struct rte_mbuf **pkts, uint16_t n);
uint16_t vio_rx_chains_offloads(void *queue, struct rte_mbuf **pkts, uint16_t n);
uint16_t vio_rx_plain(void *queue, struct rte_mbuf **pkts, uint16_t n);
uint16_t vio_rx_plain_offloads(void *queue, struct rte_mbuf **pkts, uint16_t n);
/* the same without vectors, for queues of VQ_SIMD_WORDS; */
uint16_t vio_rx_mergeable_words(void *queue, struct rte_mbuf **pkts, uint16_t n);
uint16_t vio_rx_mergeable_offloads_words(void *queue, struct rte_mbuf **pkts, uint16_t n);
uint16_t vio_rx_plain_words(void *queue, struct rte_mbuf **pkts, uint16_t n);
uint16_t vio_rx_plain_offloads_words(void *queue, struct rte_mbuf **pkts, uint16_t n);
/* and for one of any length, with whatever offloads there are. */
uint16_t vio_rx_mergeable_other_header(void *queue, struct rte_mbuf **pkts, uint16_t n);
uint16_t vio_rx_plain_other_header(void *queue, struct rte_mbuf **pkts, uint16_t n);

/* Gives the device buffers until the ring is full or the pool is empty. Returns how many. */
uint16_t vio_rx_refill(struct vio_rxq *q);
/*
 * Asks the device to notify of the next used buffer; for the thread that polls the queue. Returns
 * whether there is a reason not to wait for it: a buffer is used already, or the pool is so empty
 * that the device has not even half the ring's buffers left.
 */
bool vio_rx_arm(struct vio_rxq *q);
/* Asks it not to. */
void vio_rx_disarm(struct vio_rxq *q);
/* Where the next used buffer will show, and whether one waits already; for the thread that polls
 * the queue. False where the queue is stopped or broken. */
bool vio_rx_monitor(struct vio_rxq *q, struct vq_monitor *monitor, bool *waits);
/* Gives it its first buffers, and makes them available. Returns 0, or -ENOMEM, with a line in the
 * log, where the pool has none. */
int vio_rx_fill(struct vio_rxq *q);
/* Tells a live device of all that was made available. */
void vio_rx_kick(struct vio_rxq *q);
/* Takes back every buffer, when the device no longer has them. */
void vio_rx_drain(struct vio_rxq *q);

#endif
