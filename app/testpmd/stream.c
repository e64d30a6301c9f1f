/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include <rte_ether.h>

#include "stream.h"

static void
print_packet(const struct rte_mbuf *packet)
{
	const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(packet, const struct rte_ether_hdr *);
	char source[RTE_ETHER_ADDR_FMT_SIZE], destination[RTE_ETHER_ADDR_FMT_SIZE];
	char flags[256], type[256];

	rte_ether_format_addr(source, sizeof(source), &ether->src_addr);
	rte_ether_format_addr(destination, sizeof(destination), &ether->dst_addr);
	rte_get_ptype_name(packet->packet_type, type, sizeof(type));
	if (rte_get_rx_ol_flag_list(packet->ol_flags, flags, sizeof(flags)) != 0)
		flags[0] = '\0';
	printf("  src=%s - dst=%s - type=0x%04x - length=%u - nb_segs=%u", source, destination,
	       rte_be_to_cpu_16(ether->ether_type), packet->pkt_len, packet->nb_segs);
	if (packet->ol_flags & RTE_MBUF_F_RX_RSS_HASH)
		printf(" - RSS hash=0x%x", packet->hash.rss);
	if (packet->ol_flags & RTE_MBUF_F_RX_VLAN)
		printf(" - VLAN tci=0x%x", packet->vlan_tci);
	printf(" - ptype: %s - ol_flags: %s\n", type, flags);
}

void
stream_print_burst(const struct stream *stream, const char *way, struct rte_mbuf **packets,
		   uint16_t count)
{
	bool sends = way[0] == 't';

	flockfile(stdout);
	printf("port %u/queue %u: %s %u packets\n", sends ? stream->tx_port : stream->rx_port,
	       sends ? stream->tx_queue : stream->rx_queue, way, count);
	for (uint16_t i = 0; i < count; i++)
		print_packet(packets[i]);
	fflush(stdout);
	funlockfile(stdout);
}

void
stream_insert_vlan(const struct stream *stream, struct rte_mbuf **packets, uint16_t count)
{
	for (uint16_t i = 0; i < count; i++) {
		packets[i]->ol_flags |= RTE_MBUF_F_TX_VLAN;
		packets[i]->vlan_tci = stream->vlan_tci;
	}
}
