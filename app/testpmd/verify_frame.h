/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_VERIFY_FRAME_H
#define TESTPMD_VERIFY_FRAME_H

#include "frame.h"

/*
 * A frame of mode verify: Ethernet, IPv4 and UDP header as those of txonly, but from and to port
 * 862; then these 18 bytes, little-endian; then the payload, which differs from frame to frame.
 */
struct verify_header {
	uint32_t sequence;    /* low bits of the frame's number in its flow, from 0 */
	uint16_t flow;        /* VERIFY_END: no frame of the flow, its `sequence` is their number */
	uint64_t sender : 24; /* drawn at random by each run */
	uint64_t stamp : 40;  /* the sender's TSC */
	uint32_t checksum;    /* CRC-32C of payload, headers and all fields before */
} __attribute__((packed));

#define VERIFY_END         0x8000U
#define VERIFY_STAMP_MASK  ((UINT64_C(1) << 40) - 1)
#define VERIFY_SENDER_MASK 0xffffffU
#define VERIFY_MIN_LENGTH  (FRAME_HEADER_LENGTH + (int)sizeof(struct verify_header))

/* What a received frame turned out to be. */
enum verify_kind {
	VERIFY_FOREIGN, /* of another program: ARP, IPv6 neighbours, ... */
	VERIFY_GOOD,
	VERIFY_CORRUPTED, /* its header can be told all the same */
	VERIFY_LOST_NAME, /* corrupted so that flow and sequence cannot be told */
};

/* Turns the headers of txonly's frame into those of verify's. */
void verify_frame_make(struct frame *frame, uint16_t flow);

/* Fills in everything but stamp and checksum. */
void verify_frame_fill(const struct frame *frame, struct rte_mbuf *packet,
		       const struct verify_header *header, bool any_mac, uint32_t *sum);

/* Writes the stamp and the checksum; `sum` is what verify_frame_fill() gave. */
void verify_frame_stamp(struct rte_mbuf *packet, const struct verify_header *header, uint32_t sum);

/*
 * Reads a received frame. One flipped bit anywhere is always found; if it is in *header, it is
 * put right there. `any_mac`: the Ethernet addresses do not count.
 */
enum verify_kind verify_frame_read(const struct rte_mbuf *packet, bool any_mac,
				   struct verify_header *header);

#endif
