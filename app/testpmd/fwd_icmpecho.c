/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_arp.h>
#include <rte_ether.h>
#include <rte_icmp.h>

#include "fwd.h"
#include "headers.h"
#include "stream.h"

static bool
is_multicast(rte_be32_t address)
{
	return RTE_IS_IPV4_MCAST(rte_be_to_cpu_32(address));
}

/* This end says that the address asked for is its own, whichever it is. */
static bool
answer_arp(const struct stream *stream, struct rte_mbuf *packet, struct headers *headers)
{
	struct rte_arp_hdr *arp;
	rte_be32_t asked_for;

	if (packet->data_len < headers->l2_length + sizeof(*arp))
		return false;
	arp = rte_pktmbuf_mtod_offset(packet, struct rte_arp_hdr *, headers->l2_length);
	if (arp->arp_opcode != RTE_BE16(RTE_ARP_OP_REQUEST) ||
	    arp->arp_hardware != RTE_BE16(RTE_ARP_HRD_ETHER) ||
	    arp->arp_protocol != RTE_BE16(RTE_ETHER_TYPE_IPV4) ||
	    arp->arp_hlen != RTE_ETHER_ADDR_LEN || arp->arp_plen != sizeof(asked_for))
		return false;
	headers->ether->dst_addr = headers->ether->src_addr;
	headers->ether->src_addr = stream->mac;
	asked_for = arp->arp_data.arp_tip;
	arp->arp_opcode = RTE_BE16(RTE_ARP_OP_REPLY);
	arp->arp_data.arp_tha = arp->arp_data.arp_sha;
	arp->arp_data.arp_tip = arp->arp_data.arp_sip;
	arp->arp_data.arp_sha = stream->mac;
	arp->arp_data.arp_sip = asked_for;
	return true;
}

/* As no packet may have a multicast source: a neighbour of the asker, as stock testpmd does. */
static void
answer_multicast(const struct stream *stream, struct headers *headers)
{
	uint32_t asker = rte_be_to_cpu_32(headers->ipv4->dst_addr);

	headers->ether->src_addr = stream->mac;
	headers->ipv4->src_addr = rte_cpu_to_be_32((asker & ~3U) | ((asker & 3) == 1 ? 2 : 1));
	headers->ipv4->hdr_checksum = 0;
	headers->ipv4->hdr_checksum = rte_ipv4_cksum(headers->ipv4);
}

/* The type changes from 8 to 0: the checksum grows by 0x0800 in ones' complement (RFC 1624). */
static bool
answer_echo(const struct stream *stream, struct rte_mbuf *packet, struct headers *headers)
{
	struct rte_ipv4_hdr *ip = headers->ipv4;
	struct rte_ether_addr ether = headers->ether->src_addr;
	rte_be32_t asker = ip->src_addr;
	struct rte_icmp_hdr *icmp;
	uint32_t sum;

	if (ip->next_proto_id != IPPROTO_ICMP || ipv4_is_fragment(ip) ||
	    packet->data_len < headers->l2_length + headers->l3_length + sizeof(*icmp))
		return false;
	icmp = rte_pktmbuf_mtod_offset(packet, struct rte_icmp_hdr *,
				       headers->l2_length + headers->l3_length);
	if (icmp->icmp_type != RTE_IP_ICMP_ECHO_REQUEST || icmp->icmp_code != 0)
		return false;
	headers->ether->src_addr = headers->ether->dst_addr;
	headers->ether->dst_addr = ether;
	ip->src_addr = ip->dst_addr;
	ip->dst_addr = asker;
	if (is_multicast(ip->src_addr))
		answer_multicast(stream, headers);
	icmp->icmp_type = RTE_IP_ICMP_ECHO_REPLY;
	sum = rte_be_to_cpu_16(icmp->icmp_cksum) + (RTE_IP_ICMP_ECHO_REQUEST << 8);
	icmp->icmp_cksum = rte_cpu_to_be_16((sum & UINT16_MAX) + (sum >> 16));
	return true;
}

/* Turns a request into its answer where it lies; false when the packet is none. */
static bool
answer(const struct stream *stream, struct rte_mbuf *packet)
{
	struct headers headers;

	headers_parse(&headers, packet);
	if (headers.ipv4 != NULL)
		return answer_echo(stream, packet, &headers);
	if (headers.ether != NULL && headers.ether->ether_type == RTE_BE16(RTE_ETHER_TYPE_ARP))
		return answer_arp(stream, packet, &headers);
	return false;
}

static uint16_t
run(struct stream *stream)
{
	struct burst received, answers;

	if (stream_receive(stream, &received) == 0)
		return 0;
	answers.count = 0;
	for (uint16_t i = 0; i < received.count; i++) {
		if (answer(stream, received.packets[i]))
			answers.packets[answers.count++] = received.packets[i];
		else
			rte_pktmbuf_free(received.packets[i]);
	}
	answers.bytes = packets_bytes(answers.packets, answers.count);
	if (answers.count > 0)
		stream_send(stream, &answers);
	return received.count;
}

const struct fwd_mode fwd_icmpecho = {
	.name = "icmpecho",
	.help = "answer ARP requests and ICMP echo requests, free everything else",
	.receives = true,
	.sends = true,
	.answers = true,
	.run = run,
};
