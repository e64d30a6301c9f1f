/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef VIO_PMD_TX_H
#define VIO_PMD_TX_H

#include "queue.h"

/* Elements of the longest packet that is sent, its header not counted. */
#define VIO_TX_SEGMENTS_MAX 128

/* The burst functions, as rte_eth_tx_burst() calls them: for the usual header of 12 bytes, and for
 * any other. */
uint16_t vio_tx(void *queue, struct rte_mbuf **pkts, uint16_t n);
uint16_t vio_tx_other_header(void *queue, struct rte_mbuf **pkts, uint16_t n);
/* With offloads that packets ask for one by one, and any header. */
uint16_t vio_tx_offloads(void *queue, struct rte_mbuf **pkts, uint16_t n);
/* With any header, in a descriptor of its own; and with offloads. */
uint16_t vio_tx_apart_header(void *queue, struct rte_mbuf **pkts, uint16_t n);
uint16_t vio_tx_apart_header_offloads(void *queue, struct rte_mbuf **pkts, uint16_t n);

/* rte_eth_tx_prepare(): how many of pkts, from the first on, can be sent as they ask. Of the next
 * one, rte_errno tells: ENOTSUP, it asks for what is off; EINVAL, its length, flags or number of
 * segments cannot be sent. Changes nothing: the burst function does all that is to be done. */
uint16_t vio_tx_prepare(void *queue, struct rte_mbuf **pkts, uint16_t n);

/* Sends one packet while the queue's gate is closed. Returns 1, or 0 where there is no room. */
uint16_t vio_tx_behind_gate(struct vio_txq *q, struct rte_mbuf *mbuf);

/* rte_eth_tx_done_cleanup(): frees up to count packets that were sent, 0: all. Returns how many. */
int vio_tx_done_cleanup(void *queue, uint32_t count);

/* Frees every packet that the device has used; returns how many others it has. Control alone may
 * call it, with the gate closed. */
uint16_t vio_tx_unsent(struct vio_txq *q);

/* Frees every packet that the device has not sent, when it no longer has them. */
void vio_tx_drain(struct vio_txq *q);

#endif
