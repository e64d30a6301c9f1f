/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_HEADERS_H
#define TESTPMD_HEADERS_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_sctp.h>
#include <rte_tcp.h>
#include <rte_udp.h>

/*
 * The headers of a packet, as far as they are known and lie whole within its first segment: what
 * follows a header that is cut short, unknown or a fragment is NULL.
 */
struct headers {
	struct rte_ether_hdr *ether;
	struct rte_ipv4_hdr *ipv4;
	struct rte_ipv6_hdr *ipv6;
	struct rte_udp_hdr *udp;
	struct rte_tcp_hdr *tcp;
	struct rte_sctp_hdr *sctp;
	uint16_t l2_length, l3_length, l4_length; /* bytes; l2 with its VLAN tags */
	uint32_t l4_bytes; /* L4 header and payload by the IP header; 0 when the packet has fewer */
};

/* True when a packet has no whole L4 header and payload of its own. */
static inline bool
ipv4_is_fragment(const struct rte_ipv4_hdr *ip)
{
	const rte_be16_t bits = RTE_BE16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK);

	return (ip->fragment_offset & bits) != 0;
}

/* Reads Ethernet, up to two VLAN tags, IPv4 or IPv6 without extensions, UDP, TCP or SCTP. */
void headers_parse(struct headers *headers, struct rte_mbuf *packet);

#endif
