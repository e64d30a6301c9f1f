/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is done to a packet that asks for offloads: a checksum or a segmentation that the device is
 * to do, an IPv4 checksum or a VLAN tag that the driver puts in. Packets that ask for nothing never
 * come here.
 */
#ifndef VIO_PMD_TX_OFFLOAD_H
#define VIO_PMD_TX_OFFLOAD_H

#include <rte_mbuf.h>

#include "virtio/net.h"

/* Flags by which an mbuf asks for something, supported or not. */
#define VIO_TX_FLAGS                                                              \
	(RTE_MBUF_F_TX_OFFLOAD_MASK & ~(RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IPV6 | \
					RTE_MBUF_F_TX_OUTER_IPV4 | RTE_MBUF_F_TX_OUTER_IPV6))

/* Bytes of headers that a packet may have at most, from its start to behind its transport header:
 * two VLAN tags, 60 bytes of IPv4 or IPv6 with a few extensions, 60 of TCP. */
#define VIO_TX_HEADERS_MAX 160
/* The longest header of the device. */
#define VIO_TX_NET_HDR_MAX 20
/* What a packet's beginning needs that cannot be written in place: both, and a tag. */
#define VIO_TX_APART_MAX 192

/* What stands in an offer for RTE_ETH_TX_OFFLOAD_TCP_TSO: ethdev has one bit for both versions of
 * IP, a device may have either. */
#define VIO_TX_TSO4 (UINT64_C(1) << 62)
#define VIO_TX_TSO6 (UINT64_C(1) << 63)

/* What the packets of a queue may ask for. */
struct vio_tx_offer {
	/* RTE_ETH_TX_OFFLOAD_*, and VIO_TX_TSO*: asked for by the application, and negotiated. */
	uint64_t offloads;
	bool ecn; /* HOST_ECN is negotiated */
};

/*
 * Can this packet be sent as it asks? Returns the bytes of its headers that the answer rests on;
 * -ENOTSUP: it asks for something that is off; -EINVAL: its lengths or flags cannot be meant.
 */
int vio_tx_check(const struct rte_mbuf *mbuf, const struct vio_tx_offer *offer);

/* Is it one that asks for segmentation, and too long for one segment? Looks at no byte of it. */
bool vio_tx_is_segmented(const struct rte_mbuf *mbuf);

/*
 * Writes what the packet asks for into its first segment, which the caller may write to, and the
 * device's header of hdr_len bytes before it. Doing it again changes nothing. false, with nothing
 * changed, where the headroom or the segment is too short for that, or vio_tx_check() fails.
 */
bool vio_tx_in_place(struct rte_mbuf *mbuf, const struct vio_tx_offer *offer, uint16_t hdr_len);

/*
 * Writes the device's header and the packet's beginning, as it asks for, into apart, of
 * VIO_TX_APART_MAX bytes; the packet stays as it is. *len becomes the bytes written. Returns the
 * bytes of the packet that they stand for, or the error of vio_tx_check().
 */
int vio_tx_apart(uint8_t *apart, uint16_t *len, const struct rte_mbuf *mbuf,
		 const struct vio_tx_offer *offer, uint16_t hdr_len);

#endif
