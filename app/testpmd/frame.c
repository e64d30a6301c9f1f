/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "frame.h"

#define UDP_PORT_DISCARD 9
#define TTL              64

static const rte_be32_t source_ip = RTE_BE32(RTE_IPV4(198, 18, 0, 1));
static const rte_be32_t destination_ip = RTE_BE32(RTE_IPV4(198, 18, 0, 2));

void
frame_make(struct frame *frame, const struct tx_segments *segments,
	   const struct rte_ether_addr *source, const struct rte_ether_addr *destination,
	   struct rte_mempool *pool)
{
	uint32_t length = tx_segments_total(segments);
	uint16_t ip_length = length - sizeof(struct rte_ether_hdr);
	struct rte_ether_hdr ether = {
		.dst_addr = *destination,
		.src_addr = *source,
		.ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4),
	};
	struct rte_ipv4_hdr ip = {
		.version_ihl = RTE_IPV4_VHL_DEF,
		.total_length = rte_cpu_to_be_16(ip_length),
		.time_to_live = TTL,
		.next_proto_id = IPPROTO_UDP,
		.src_addr = source_ip,
		.dst_addr = destination_ip,
	};
	struct rte_udp_hdr udp = {
		.src_port = RTE_BE16(UDP_PORT_DISCARD),
		.dst_port = RTE_BE16(UDP_PORT_DISCARD),
		.dgram_len = rte_cpu_to_be_16(ip_length - sizeof(ip)),
	};

	ip.hdr_checksum = rte_ipv4_cksum(&ip);
	memcpy(frame->header, &ether, sizeof(ether));
	memcpy(frame->header + sizeof(ether), &ip, sizeof(ip));
	memcpy(frame->header + sizeof(ether) + sizeof(ip), &udp, sizeof(udp));
	frame->length = length;
	frame->segments = *segments;
	frame->pool = pool;
}

/* The headers may lie across any number of segments. */
static void
write_header(const struct frame *frame, struct rte_mbuf *packet)
{
	const uint8_t *from = frame->header;
	size_t left = sizeof(frame->header);

	for (struct rte_mbuf *segment = packet; left > 0; segment = segment->next) {
		size_t part = RTE_MIN(left, segment->data_len);

		memcpy(rte_pktmbuf_mtod(segment, void *), from, part);
		from += part;
		left -= part;
	}
}

static bool
make_chain(const struct frame *frame, struct rte_mbuf **packet)
{
	struct rte_mbuf *segments[MAX_TX_SEGS];
	uint16_t count = frame->segments.count;

	if (rte_pktmbuf_alloc_bulk(frame->pool, segments, count) != 0)
		return false;
	for (uint16_t i = 0; i < count; i++) {
		segments[i]->data_len = frame->segments.length[i];
		segments[i]->next = i + 1 < count ? segments[i + 1] : NULL;
	}
	segments[0]->pkt_len = frame->length;
	segments[0]->nb_segs = count;
	write_header(frame, segments[0]);
	*packet = segments[0];
	return true;
}

static uint16_t
burst_of_chains(const struct frame *frame, struct rte_mbuf **packets, uint16_t count)
{
	uint16_t made = 0;

	while (made < count && make_chain(frame, &packets[made]))
		made++;
	return made;
}

uint16_t
frame_burst(const struct frame *frame, struct rte_mbuf **packets, uint16_t count)
{
	/* Fewer mbufs than a burst: the other branch takes them one by one. */
	if (unlikely(frame->segments.count > 1) ||
	    unlikely(rte_pktmbuf_alloc_bulk(frame->pool, packets, count) != 0))
		return burst_of_chains(frame, packets, count);
	for (uint16_t i = 0; i < count; i++) {
		packets[i]->data_len = frame->length;
		packets[i]->pkt_len = frame->length;
		memcpy(rte_pktmbuf_mtod(packets[i], void *), frame->header, sizeof(frame->header));
	}
	return count;
}

static struct rte_ipv4_hdr *
ip_of(struct rte_mbuf *packet)
{
	return rte_pktmbuf_mtod_offset(packet, struct rte_ipv4_hdr *, sizeof(struct rte_ether_hdr));
}

static void
renew_checksum(struct rte_ipv4_hdr *ip)
{
	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
}

void
frame_vary_source(struct rte_mbuf **packets, uint16_t count, uint32_t *flow)
{
	for (uint16_t i = 0; i < count; i++) {
		struct rte_ipv4_hdr *ip = ip_of(packets[i]);

		ip->src_addr = source_ip + rte_cpu_to_be_32((*flow)++ % 256 << 8);
		renew_checksum(ip);
	}
}

void
frame_vary_destination(struct rte_mbuf **packets, uint16_t count, uint32_t first, uint32_t flows)
{
	for (uint16_t i = 0; i < count; i++) {
		struct rte_ipv4_hdr *ip = ip_of(packets[i]);
		uint32_t flow = (first + i) % flows;

		ip->dst_addr = rte_cpu_to_be_32(rte_be_to_cpu_32(destination_ip) + flow);
		renew_checksum(ip);
	}
}
