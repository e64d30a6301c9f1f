/* SPDX-License-Identifier: BSD-3-Clause */
/* What is done to a received packet where the application asked for offloads and the packet needs
 * it. Most need nothing, so none of this is in the burst functions. */
#ifndef VIO_PMD_RX_OFFLOAD_H
#define VIO_PMD_RX_OFFLOAD_H

#include <rte_mbuf.h>

#include "virtio/net.h"

/* What of the header's flags concerns a receiver. */
#define VIO_RX_FLAGS (VIO_NET_HDR_F_NEEDS_CSUM | VIO_NET_HDR_F_DATA_VALID)

/*
 * Marks or completes the checksum of a packet whose header has one of VIO_RX_FLAGS, which the
 * caller loaded. false where the header points outside the packet, which is then to be dropped.
 */
bool vio_rx_checksum(struct rte_mbuf *mbuf, const struct vio_net_hdr *hdr, uint8_t flags);

/*
 * Takes over the hash that a header of HASH_REPORT has. types: VIO_NET_HASH_TYPE_* that the device
 * may name. false where it names another: then the packet has no hash.
 */
bool vio_rx_hash(struct rte_mbuf *mbuf, const struct vio_net_hdr_hash *hdr, uint32_t types);

/* Takes the tag out of a frame that has one, and puts it into vlan_tci. */
void vio_rx_vlan_strip(struct rte_mbuf *mbuf);

#endif
