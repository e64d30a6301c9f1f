/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "headers.h"

#define MAX_VLAN_TAGS 2

/* The header at that offset, or NULL when the first segment ends before it does. */
static void *
header_at(struct rte_mbuf *packet, uint32_t offset, uint32_t length)
{
	if (offset + length > packet->data_len)
		return NULL;
	return rte_pktmbuf_mtod_offset(packet, void *, offset);
}

static uint16_t
parse_l2(struct headers *headers, struct rte_mbuf *packet)
{
	uint16_t type;

	headers->ether = header_at(packet, 0, sizeof(*headers->ether));
	if (headers->ether == NULL)
		return 0;
	type = rte_be_to_cpu_16(headers->ether->ether_type);
	headers->l2_length = sizeof(*headers->ether);
	for (int tag = 0; tag < MAX_VLAN_TAGS; tag++) {
		const struct rte_vlan_hdr *vlan;

		if (type != RTE_ETHER_TYPE_VLAN && type != RTE_ETHER_TYPE_QINQ)
			break;
		vlan = header_at(packet, headers->l2_length, sizeof(*vlan));
		if (vlan == NULL)
			return 0;
		type = rte_be_to_cpu_16(vlan->eth_proto);
		headers->l2_length += sizeof(*vlan);
	}
	return type;
}

/* Returns the L4 protocol, or -1 when there is none to be read. */
static int
parse_ipv4(struct headers *headers, struct rte_mbuf *packet)
{
	struct rte_ipv4_hdr *ip = header_at(packet, headers->l2_length, sizeof(*ip));
	uint32_t length, total;

	if (ip == NULL || ip->version != 4)
		return -1;
	length = rte_ipv4_hdr_len(ip);
	if (length < sizeof(*ip) || header_at(packet, headers->l2_length, length) == NULL)
		return -1;
	headers->ipv4 = ip;
	headers->l3_length = length;
	total = rte_be_to_cpu_16(ip->total_length);
	if (total >= length && headers->l2_length + total <= packet->pkt_len)
		headers->l4_bytes = total - length;
	if (ipv4_is_fragment(ip))
		return -1;
	return ip->next_proto_id;
}

static int
parse_ipv6(struct headers *headers, struct rte_mbuf *packet)
{
	struct rte_ipv6_hdr *ip = header_at(packet, headers->l2_length, sizeof(*ip));
	uint32_t payload;

	if (ip == NULL)
		return -1;
	headers->ipv6 = ip;
	headers->l3_length = sizeof(*ip);
	payload = rte_be_to_cpu_16(ip->payload_len);
	if (headers->l2_length + sizeof(*ip) + payload <= packet->pkt_len)
		headers->l4_bytes = payload;
	return ip->proto;
}

static void
parse_l4(struct headers *headers, struct rte_mbuf *packet, int protocol)
{
	uint32_t offset = headers->l2_length + headers->l3_length;

	if (protocol == IPPROTO_UDP) {
		headers->udp = header_at(packet, offset, sizeof(*headers->udp));
		headers->l4_length = sizeof(*headers->udp);
	} else if (protocol == IPPROTO_TCP) {
		headers->tcp = header_at(packet, offset, sizeof(*headers->tcp));
		if (headers->tcp != NULL)
			headers->l4_length = (headers->tcp->data_off >> 4) * 4;
	} else if (protocol == IPPROTO_SCTP) {
		headers->sctp = header_at(packet, offset, sizeof(*headers->sctp));
		headers->l4_length = sizeof(*headers->sctp);
	}
}

void
headers_parse(struct headers *headers, struct rte_mbuf *packet)
{
	int protocol = -1;

	memset(headers, 0, sizeof(*headers));
	switch (parse_l2(headers, packet)) {
	case RTE_ETHER_TYPE_IPV4:
		protocol = parse_ipv4(headers, packet);
		break;
	case RTE_ETHER_TYPE_IPV6:
		protocol = parse_ipv6(headers, packet);
		break;
	}
	parse_l4(headers, packet, protocol);
}
