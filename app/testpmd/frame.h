/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_FRAME_H
#define TESTPMD_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_udp.h>

#include "options.h"

/* Ethernet, IPv4 and UDP header without options, in bytes. */
#define FRAME_HEADER_LENGTH                                                 \
	((int)(sizeof(struct rte_ether_hdr) + sizeof(struct rte_ipv4_hdr) + \
	       sizeof(struct rte_udp_hdr)))
#define FRAME_MAX_LENGTH ((int)(sizeof(struct rte_ether_hdr) + UINT16_MAX))

/* The UDP frame that one stream sends, made once, copied into mbufs for each burst. */
struct frame {
	uint8_t header[FRAME_HEADER_LENGTH];
	uint32_t length; /* of the whole frame, in bytes */
	struct tx_segments segments;
	struct rte_mempool *pool; /* where its mbufs come from */
	bool multi_flow;          /* the source address changes from frame to frame */
};

/*
 * Makes a frame from 198.18.0.1 to 198.18.0.2 (the benchmarking range of RFC 2544), UDP port 9
 * (discard) both ways, without UDP checksum. The segments sum up to FRAME_HEADER_LENGTH at least
 * and FRAME_MAX_LENGTH at most.
 */
void frame_make(struct frame *frame, const struct tx_segments *segments,
		const struct rte_ether_addr *source, const struct rte_ether_addr *destination,
		struct rte_mempool *pool);

/*
 * Fills packets[] with up to `count` copies of the frame in fresh mbufs. What follows the headers
 * is whatever the mbuf held. Returns how many there were mbufs for, 0 to count.
 */
uint16_t frame_burst(const struct frame *frame, struct rte_mbuf **packets, uint16_t count);

/*
 * Gives frames source addresses in turn, of 256, from *flow on, which is moved on. Their first
 * segments must hold the IP header whole, here and below.
 */
void frame_vary_source(struct rte_mbuf **packets, uint16_t count, uint32_t *flow);

/* Gives frames destination addresses in turn: flow `first` and those after it, of `flows`. */
void frame_vary_destination(struct rte_mbuf **packets, uint16_t count, uint32_t first,
			    uint32_t flows);

#endif
