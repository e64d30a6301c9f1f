/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "crc32c.h"
#include "verify_frame.h"

#define UDP_PORT_VERIFY 862 /* of the two-way active measurement protocol, RFC 5357 */

/* Bits of a frame's own addresses and ports that may be wrong for it to count as a corrupted one.
 */
#define TOLERATED_BITS 2

/* Where the fields end that the checksum covers, in the verify header. */
#define CHECKED_LENGTH offsetof(struct verify_header, checksum)

struct packet_headers {
	struct rte_ether_hdr ether;
	struct rte_ipv4_hdr ip;
	struct rte_udp_hdr udp;
};

/*
 * The headers in a form that modes macswap and 5tswap leave as it is, and that any flipped bit
 * changes.
 */
struct invariant {
	uint8_t macs[RTE_ETHER_ADDR_LEN];
	uint16_t ether_type;
	uint32_t addresses;
	uint32_t ports;
	struct rte_ipv4_hdr ip;
	uint32_t udp_length_checksum;
} __attribute__((packed));

void
verify_frame_make(struct frame *frame, uint16_t flow)
{
	struct packet_headers headers;

	memcpy(&headers, frame->header, sizeof(headers));
	/* The third octet, as RSS spreads flows by addresses. */
	headers.ip.src_addr += rte_cpu_to_be_32((flow & 0xffU) << 8);
	headers.ip.hdr_checksum = 0;
	headers.ip.hdr_checksum = rte_ipv4_cksum(&headers.ip);
	headers.udp.src_port = RTE_BE16(UDP_PORT_VERIFY);
	headers.udp.dst_port = RTE_BE16(UDP_PORT_VERIFY);
	memcpy(frame->header, &headers, sizeof(headers));
}

static uint32_t
invariant_sum(const struct packet_headers *headers, bool any_mac, uint32_t sum)
{
	struct invariant invariant = {
		.ether_type = headers->ether.ether_type,
		.addresses = headers->ip.src_addr ^ headers->ip.dst_addr,
		.ports = headers->udp.src_port ^ headers->udp.dst_port,
		.ip = headers->ip,
	};

	for (int i = 0; i < RTE_ETHER_ADDR_LEN && !any_mac; i++)
		invariant.macs[i] = headers->ether.src_addr.addr_bytes[i] ^
				    headers->ether.dst_addr.addr_bytes[i];
	invariant.ip.src_addr = invariant.ip.dst_addr = 0;
	memcpy(&invariant.udp_length_checksum, &headers->udp.dgram_len, sizeof(uint32_t));
	return crc32c(&invariant, sizeof(invariant), sum);
}

/* The sum over the fields of a header, after all the rest. */
static uint32_t
header_sum(const struct verify_header *header, uint32_t sum)
{
	return crc32c(header, CHECKED_LENGTH, sum);
}

/* Copies into a chain, at an offset. */
static void
write_at(struct rte_mbuf *packet, uint32_t offset, const void *from, uint32_t length)
{
	const uint8_t *next = from;

	while (length > 0) {
		uint32_t part;

		while (offset >= packet->data_len) {
			offset -= packet->data_len;
			packet = packet->next;
		}
		part = RTE_MIN(length, packet->data_len - offset);
		memcpy(rte_pktmbuf_mtod_offset(packet, void *, offset), next, part);
		next += part;
		offset += part;
		length -= part;
	}
}

/* Writes `length` bytes that no other frame has, and returns their sum. */
static uint32_t
write_payload(struct rte_mbuf *packet, uint32_t length, const struct verify_header *header)
{
	uint64_t word = ((uint64_t)header->sequence << 32) ^ ((uint64_t)header->flow << 16) ^
			header->sender;
	uint32_t offset = VERIFY_MIN_LENGTH, sum = 0;
	uint64_t chunk[16];

	while (length > 0) {
		uint32_t part = RTE_MIN(length, sizeof(chunk));

		/* An odd constant: the words of one frame, and of neighbours, all differ. */
		for (uint32_t i = 0; i < RTE_DIM(chunk); i++)
			chunk[i] = word += UINT64_C(0x9e3779b97f4a7c15);
		sum = crc32c(chunk, part, sum);
		write_at(packet, offset, chunk, part);
		offset += part;
		length -= part;
	}
	return sum;
}

void
verify_frame_fill(const struct frame *frame, struct rte_mbuf *packet,
		  const struct verify_header *header, bool any_mac, uint32_t *sum)
{
	struct packet_headers outer;

	*sum = write_payload(packet, frame->length - VERIFY_MIN_LENGTH, header);
	memcpy(&outer, frame->header, sizeof(outer));
	*sum = invariant_sum(&outer, any_mac, *sum);
}

void
verify_frame_stamp(struct rte_mbuf *packet, const struct verify_header *header, uint32_t sum)
{
	struct verify_header whole = *header;

	whole.checksum = header_sum(&whole, sum);
	write_at(packet, FRAME_HEADER_LENGTH, &whole, sizeof(whole));
}

static int
wrong_bits(rte_be32_t source, rte_be32_t destination)
{
	const rte_be32_t any_flow = RTE_BE32(RTE_IPV4(255, 255, 0, 255));

	return __builtin_popcount((source ^ RTE_BE32(RTE_IPV4(198, 18, 0, 1))) & any_flow) +
	       __builtin_popcount(destination ^ RTE_BE32(RTE_IPV4(198, 18, 0, 2)));
}

/* True when this can only be a frame of ours, be it that a bit is flipped. */
static bool
is_ours(const struct packet_headers *headers)
{
	int ports = __builtin_popcount(headers->udp.src_port ^ RTE_BE16(UDP_PORT_VERIFY)) +
		    __builtin_popcount(headers->udp.dst_port ^ RTE_BE16(UDP_PORT_VERIFY));
	int there = wrong_bits(headers->ip.src_addr, headers->ip.dst_addr);
	int back = wrong_bits(headers->ip.dst_addr, headers->ip.src_addr);

	return ports + RTE_MIN(there, back) <= TOLERATED_BITS;
}

static uint32_t
payload_sum(const struct rte_mbuf *packet)
{
	uint32_t offset = VERIFY_MIN_LENGTH, sum = 0;

	for (; packet != NULL; packet = packet->next) {
		if (offset < packet->data_len) {
			sum = crc32c(rte_pktmbuf_mtod_offset(packet, const void *, offset),
				     packet->data_len - offset, sum);
			offset = 0;
		} else {
			offset -= packet->data_len;
		}
	}
	return sum;
}

/* Puts the one flipped bit of the header right, if that is what is wrong. */
static bool
correct(struct verify_header *header, uint32_t sum)
{
	uint8_t *bytes = (uint8_t *)header;

	if (__builtin_popcount(header_sum(header, sum) ^ header->checksum) == 1)
		return true;
	for (uint32_t bit = 0; bit < CHECKED_LENGTH * 8; bit++) {
		bytes[bit / 8] ^= 1 << bit % 8;
		if (header_sum(header, sum) == header->checksum)
			return true;
		bytes[bit / 8] ^= 1 << bit % 8;
	}
	return false;
}

enum verify_kind
verify_frame_read(const struct rte_mbuf *packet, bool any_mac, struct verify_header *header)
{
	uint8_t copy[VERIFY_MIN_LENGTH];
	struct packet_headers outer;
	const uint8_t *start;
	uint32_t sum;

	RTE_BUILD_BUG_ON(sizeof(outer) != FRAME_HEADER_LENGTH);
	if (packet->pkt_len < FRAME_HEADER_LENGTH)
		return VERIFY_FOREIGN;
	start = rte_pktmbuf_read(packet, 0, RTE_MIN(packet->pkt_len, sizeof(copy)), copy);
	memcpy(&outer, start, sizeof(outer));
	if (!is_ours(&outer))
		return VERIFY_FOREIGN;
	if (packet->pkt_len < sizeof(copy))
		return VERIFY_LOST_NAME;
	memcpy(header, start + sizeof(outer), sizeof(*header));
	sum = invariant_sum(&outer, any_mac, payload_sum(packet));
	if (likely(header_sum(header, sum) == header->checksum))
		return VERIFY_GOOD;
	/*
	 * If not even that explains it, the damage is outside the header, or it is great: the
	 * caller looks whether flow and sequence make sense.
	 */
	return correct(header, sum) ? VERIFY_CORRUPTED : VERIFY_LOST_NAME;
}
