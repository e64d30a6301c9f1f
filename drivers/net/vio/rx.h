/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef VIO_PMD_RX_H
#define VIO_PMD_RX_H

#include "queue.h"

/* Burst functions, as rte_eth_rx_burst() calls them. */
uint16_t vio_rx_mergeable(void *queue, struct rte_mbuf **pkts, uint16_t n);
uint16_t vio_rx_mergeable_offloads(void *queue, struct rte_mbuf **pkts, uint16_t n);
uint16_t vio_rx_plain(void *queue, struct rte_mbuf **pkts, uint16_t n);
uint16_t vio_rx_plain_offloads(void *queue, struct rte_mbuf **pkts, uint16_t n);

/* Gives the device buffers until the ring is full or the pool is empty. Returns how many. */
uint16_t vio_rx_refill(struct vio_rxq *q);
/* Takes back every buffer, when the device no longer has them. */
void vio_rx_drain(struct vio_rxq *q);

#endif
