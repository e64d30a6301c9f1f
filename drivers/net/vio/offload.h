/* SPDX-License-Identifier: BSD-3-Clause */
/* Which offloads a port has, which features each of them needs, and what follows for its queues. */
#ifndef VIO_PMD_OFFLOAD_H
#define VIO_PMD_OFFLOAD_H

#include <stdbool.h>
#include <stdint.h>

struct rte_eth_dev;
struct vio_port;

/* RTE_ETH_RX_OFFLOAD_* and RTE_ETH_TX_OFFLOAD_* that the device and the driver have. */
uint64_t vio_rx_offload_capa(const struct vio_port *port);
uint64_t vio_tx_offload_capa(const struct vio_port *port);

/* Usable features that nobody has asked for by an offload: they would cost the device or the driver
 * something, or oblige the application to look at marks. */
uint64_t vio_features_unasked(const struct vio_port *port);

/* Tells every queue which offloads are on, after negotiation. Returns 0; -EINVAL after a message
 * where a receive queue has not the descriptors for a frame. */
int vio_offloads_start(struct vio_port *port);

/* May a frame come in several mbufs, as far as the application is concerned? */
bool vio_may_span(const struct vio_port *port);
/* May one that fits the MTU need several, by the queues' buffers? What ethdev calls scattered_rx.
 */
bool vio_may_scatter(const struct rte_eth_dev *dev, uint16_t mtu);

/* ethdev operations: packet types, told where the devarg ptypes=1 asks for it. */
const uint32_t *vio_supported_ptypes_get(struct rte_eth_dev *dev);
int vio_ptypes_set(struct rte_eth_dev *dev, uint32_t mask);

#endif
