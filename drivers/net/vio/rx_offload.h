/* SPDX-License-Identifier: BSD-3-Clause */
/* What is done to a received packet where the application asked for offloads and the packet needs
 * it. Most need nothing, so none of this is in the burst functions. */
#ifndef VIO_PMD_RX_OFFLOAD_H
#define VIO_PMD_RX_OFFLOAD_H

#include <rte_mbuf.h>

#include "virtio/net.h"

/* What of the header's flags concerns a receiver. */
#define VIO_RX_FLAGS (VIO_NET_HDR_F_NEEDS_CSUM | VIO_NET_HDR_F_DATA_VALID)

/* The layers that packet types are told of. */
#define VIO_RX_PTYPES (RTE_PTYPE_L2_MASK | RTE_PTYPE_L3_MASK | RTE_PTYPE_L4_MASK)

/* What is to be done for a queue's packets. Written by the control thread, some of it while packets
 * come. */
struct vio_rx_wants {
	bool header;     /* headers may say something: GUEST_CSUM is negotiated */
	bool l4_marks;   /* checksums may be missing, if marked; else they are completed */
	bool ip_cksum;   /* IPv4 checksums are looked at */
	bool vlan_strip; /* tags are taken out */
	bool ecn;        /* GUEST_ECN is negotiated */
	uint8_t gso;     /* bit N: packets of gso_type N may come */
	uint32_t ptypes; /* layers to be told of, of VIO_RX_PTYPES */
};

/* What became of a packet. */
enum vio_rx_verdict {
	VIO_RX_GOOD,
	VIO_RX_BAD_CSUM,     /* the checksum's place is outside */
	VIO_RX_BAD_GSO_TYPE, /* unknown, or not negotiated */
	VIO_RX_BAD_GSO_SIZE, /* 0 */
	VIO_RX_BAD_HDR_LEN,  /* the header disagrees with the packet's own headers */
	VIO_RX_VERDICTS
};

/*
 * Does what the header says, of which the caller has loaded flags (of VIO_RX_FLAGS) and gso_type:
 * marks or completes the checksum, and tells the segments' size of a packet that stands for
 * several. Any verdict but VIO_RX_GOOD means that the packet is to be dropped.
 */
enum vio_rx_verdict vio_rx_header(struct rte_mbuf *mbuf, const struct vio_net_hdr *hdr,
				  uint8_t flags, uint8_t gso_type,
				  const struct vio_rx_wants *wants);

/* Marks an IPv4 packet's header checksum as good or bad; leaves all others. */
void vio_rx_ip_checksum(struct rte_mbuf *mbuf);

/*
 * Takes over the hash that a header of HASH_REPORT has. types: VIO_NET_HASH_TYPE_* that the device
 * may name. false where it names another: then the packet has no hash.
 */
bool vio_rx_hash(struct rte_mbuf *mbuf, const struct vio_net_hdr_hash *hdr, uint32_t types);

/* Takes the tag out of a frame that has one, and puts it into vlan_tci. false, with nothing done,
 * where its first segment ends before the tag does. */
bool vio_rx_vlan_strip(struct rte_mbuf *mbuf);

#endif
