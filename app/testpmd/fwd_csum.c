/* SPDX-License-Identifier: BSD-3-Clause */
#include <stddef.h>
#include <string.h>

#include "crc32c.h"
#include "fwd.h"
#include "fwd_each.h"
#include "headers.h"

/* In what L4 protocols differ. */
struct l4 {
	uint64_t offload, flag; /* of ports, of mbufs */
	uint8_t *checksum;      /* where it lies, on any boundary */
	uint32_t length;        /* bytes */
};

static void
count_bad(struct stream *stream, uint64_t flags)
{
	if ((flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_BAD)
		counter_add(&stream->counters.bad_ip_csum, 1);
	if ((flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_BAD)
		counter_add(&stream->counters.bad_l4_csum, 1);
}

/* Returns the mbuf flags of what is left to the device. */
static uint64_t
fill_l3(const struct stream *stream, struct headers *headers)
{
	if (headers->ipv6 != NULL)
		return RTE_MBUF_F_TX_IPV6;
	if (headers->ipv4 == NULL)
		return 0;
	headers->ipv4->hdr_checksum = 0;
	if (stream->tx_offloads & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM)
		return RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
	headers->ipv4->hdr_checksum = rte_ipv4_cksum(headers->ipv4);
	return RTE_MBUF_F_TX_IPV4;
}

static rte_be16_t
pseudo_header_sum(const struct headers *headers, uint64_t flags)
{
	return headers->ipv4 != NULL ? rte_ipv4_phdr_cksum(headers->ipv4, flags)
				     : rte_ipv6_phdr_cksum(headers->ipv6, flags);
}

static rte_be16_t
whole_sum(const struct rte_mbuf *packet, const struct headers *headers)
{
	uint16_t offset = headers->l2_length + headers->l3_length;

	return headers->ipv4 != NULL ? rte_ipv4_udptcp_cksum_mbuf(packet, headers->ipv4, offset)
				     : rte_ipv6_udptcp_cksum_mbuf(packet, headers->ipv6, offset);
}

static void
write_sum(uint8_t *checksum, rte_be16_t sum)
{
	memcpy(checksum, &sum, sizeof(sum));
}

/* CRC-32C, low byte first (RFC 9260, appendix A); there is no pseudo header. */
static void
write_sctp_sum(uint8_t *checksum, const struct rte_mbuf *packet, const struct headers *headers)
{
	uint32_t offset = headers->l2_length + headers->l3_length;
	uint32_t left = headers->l4_bytes, sum = UINT32_MAX;

	for (; left > 0; packet = packet->next) {
		uint32_t part;

		if (offset >= packet->data_len) {
			offset -= packet->data_len;
			continue;
		}
		part = RTE_MIN(left, packet->data_len - offset);
		sum = crc32c(rte_pktmbuf_mtod_offset(packet, const void *, offset), part, sum);
		left -= part;
		offset = 0;
	}
	sum = rte_cpu_to_le_32(~sum);
	memcpy(checksum, &sum, sizeof(sum));
}

/* False when there is no L4 checksum to fill in. Over IPv4, UDP may go without one. */
static bool
find_l4(struct headers *headers, struct l4 *l4)
{
	if (headers->l4_bytes < headers->l4_length)
		return false;
	if (headers->tcp != NULL)
		*l4 = (struct l4){ RTE_ETH_TX_OFFLOAD_TCP_CKSUM, RTE_MBUF_F_TX_TCP_CKSUM,
				   (uint8_t *)headers->tcp + offsetof(struct rte_tcp_hdr, cksum),
				   sizeof(headers->tcp->cksum) };
	else if (headers->udp != NULL && (headers->udp->dgram_cksum != 0 || headers->ipv6 != NULL))
		*l4 = (struct l4){ RTE_ETH_TX_OFFLOAD_UDP_CKSUM, RTE_MBUF_F_TX_UDP_CKSUM,
				   (uint8_t *)headers->udp +
					   offsetof(struct rte_udp_hdr, dgram_cksum),
				   sizeof(headers->udp->dgram_cksum) };
	else if (headers->sctp != NULL)
		*l4 = (struct l4){ RTE_ETH_TX_OFFLOAD_SCTP_CKSUM, RTE_MBUF_F_TX_SCTP_CKSUM,
				   (uint8_t *)headers->sctp + offsetof(struct rte_sctp_hdr, cksum),
				   sizeof(headers->sctp->cksum) };
	else
		return false;
	return true;
}

static bool
is_to_be_segmented(const struct stream *stream, const struct headers *headers)
{
	return stream->tso_segment_size != 0 && headers->tcp != NULL &&
	       headers->l4_bytes > headers->l4_length + (uint32_t)stream->tso_segment_size;
}

static uint64_t
fill_l4(const struct stream *stream, struct rte_mbuf *packet, struct headers *headers,
	uint64_t l3_flags)
{
	uint64_t segments = is_to_be_segmented(stream, headers) ? RTE_MBUF_F_TX_TCP_SEG : 0;
	bool by_device;
	struct l4 l4;

	if (!find_l4(headers, &l4))
		return 0;
	by_device = segments != 0 || (stream->tx_offloads & l4.offload);
	memset(l4.checksum, 0, l4.length);
	if (headers->sctp == NULL)
		write_sum(l4.checksum, by_device ? pseudo_header_sum(headers, l3_flags | segments)
						 : whole_sum(packet, headers));
	else if (!by_device)
		write_sctp_sum(l4.checksum, packet, headers);
	return by_device ? segments | l4.flag : 0;
}

static void
fill_checksums(struct stream *stream, struct rte_mbuf *packet)
{
	struct headers headers;
	uint64_t flags;

	count_bad(stream, packet->ol_flags);
	headers_parse(&headers, packet);
	if (headers.ether != NULL) {
		headers.ether->dst_addr = stream->peer;
		headers.ether->src_addr = stream->mac;
	}
	flags = fill_l3(stream, &headers);
	flags |= fill_l4(stream, packet, &headers, flags);
	/* A segment's IP header differs from the whole packet's. */
	if ((flags & RTE_MBUF_F_TX_TCP_SEG) && headers.ipv4 != NULL)
		flags |= RTE_MBUF_F_TX_IP_CKSUM;
	packet->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
	packet->ol_flags |= flags;
	packet->tx_offload = 0;
	packet->l2_len = headers.l2_length;
	packet->l3_len = headers.l3_length;
	packet->l4_len = headers.l4_length;
	packet->tso_segsz = flags & RTE_MBUF_F_TX_TCP_SEG ? stream->tso_segment_size : 0;
}

/* Leaves out each packet that the driver says it cannot send. */
static void
prepare(struct stream *stream, struct burst *burst)
{
	uint16_t ready = 0;

	for (;;) {
		struct rte_mbuf **refused;

		ready += rte_eth_tx_prepare(stream->tx_port, stream->tx_queue,
					    burst->packets + ready, burst->count - ready);
		if (likely(ready == burst->count))
			return;
		refused = burst->packets + ready;
		burst->count--;
		burst->bytes -= (*refused)->pkt_len;
		counter_add(&stream->counters.tx_dropped, 1);
		rte_pktmbuf_free(*refused);
		memmove(refused, refused + 1, (burst->count - ready) * sizeof(*refused));
	}
}

static uint16_t
run(struct stream *stream)
{
	struct burst burst;
	uint16_t received = stream_receive(stream, &burst);

	for (uint16_t i = 0; i < received; i++) {
		if (i + FETCH_AHEAD < received)
			rte_prefetch0(rte_pktmbuf_mtod(burst.packets[i + FETCH_AHEAD], void *));
		fill_checksums(stream, burst.packets[i]);
	}
	if (received > 0)
		prepare(stream, &burst);
	if (received > 0 && burst.count > 0)
		stream_send(stream, &burst);
	return received;
}

const struct fwd_mode fwd_csum = {
	.name = "csum",
	.help = "fill in IP, UDP, TCP and SCTP checksums, by the device or in software, send on",
	.receives = true,
	.sends = true,
	.run = run,
};
