/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Received checksums and tags, with headers as no honest device writes them (spec 5.1.6.4): sums
 * against plain arithmetic, and nothing written outside the packet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_udp.h>

#include "rx_offload.h"

#define NEEDS VIO_NET_HDR_F_NEEDS_CSUM
#define VALID VIO_NET_HDR_F_DATA_VALID
#define L2    sizeof(struct rte_ether_hdr)
#define L3    sizeof(struct rte_ipv4_hdr)

static const struct vio_rx_wants marked = { .header = true, .l4_marks = true };
static const struct vio_rx_wants whole = { .header = true };

/* A segment in memory of exactly its size, so that a sanitizer sees what lies outside. */
static struct rte_mbuf *
segment(const uint8_t *bytes, uint16_t len)
{
	struct rte_mbuf *mbuf = calloc(1, sizeof(*mbuf));

	mbuf->buf_addr = malloc(len);
	memcpy(mbuf->buf_addr, bytes, len);
	mbuf->buf_len = mbuf->data_len = len;
	mbuf->pkt_len = len;
	mbuf->nb_segs = 1;
	return mbuf;
}

/* A packet cut into two segments after `first` bytes, or one where that is all. */
static struct rte_mbuf *
packet(const uint8_t *bytes, uint16_t len, uint16_t first)
{
	struct rte_mbuf *mbuf = segment(bytes, first);

	if (first < len) {
		mbuf->next = segment(bytes + first, len - first);
		mbuf->pkt_len = len;
		mbuf->nb_segs = 2;
	}
	return mbuf;
}

static void
discard(struct rte_mbuf *mbuf)
{
	while (mbuf != NULL) {
		struct rte_mbuf *next = mbuf->next;

		free(mbuf->buf_addr);
		free(mbuf);
		mbuf = next;
	}
}

/* An IPv4 frame of the given protocol, its bytes counting up. */
static void
make_frame(uint8_t *frame, uint16_t len, uint8_t protocol)
{
	struct rte_ether_hdr *ether = (struct rte_ether_hdr *)frame;
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + L2);

	for (uint16_t i = 0; i < len; i++)
		frame[i] = (uint8_t)(i * 7);
	ether->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	ip->version_ihl = RTE_IPV4_VHL_DEF;
	ip->fragment_offset = 0;
	ip->next_proto_id = protocol;
}

static struct vio_net_hdr
header(uint16_t start, uint16_t offset)
{
	return (struct vio_net_hdr){ .csum_start = htole16(start), .csum_offset = htole16(offset) };
}

static uint8_t
byte_at(const struct rte_mbuf *mbuf, uint32_t at)
{
	for (; at >= mbuf->data_len; mbuf = mbuf->next)
		at -= mbuf->data_len;
	return *rte_pktmbuf_mtod_offset(mbuf, uint8_t *, at);
}

/* The one's complement sum of all 16-bit words from start on, by the book. */
static uint16_t
sum_from(const struct rte_mbuf *mbuf, uint32_t start)
{
	uint32_t sum = 0;

	for (uint32_t i = start; i < mbuf->pkt_len; i++)
		sum += (uint32_t)byte_at(mbuf, i) << ((i - start) % 2 == 0 ? 8 : 0);
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static void
marks(void **state)
{
	static const struct {
		uint8_t protocol, flags;
		uint16_t offset;
		uint64_t marks;
	} cases[] = {
		{ IPPROTO_UDP, NEEDS, 6, RTE_MBUF_F_RX_L4_CKSUM_NONE },
		{ IPPROTO_TCP, NEEDS, 16, RTE_MBUF_F_RX_L4_CKSUM_NONE },
		{ IPPROTO_UDP, NEEDS | VALID, 6, RTE_MBUF_F_RX_L4_CKSUM_NONE },
		{ IPPROTO_TCP, VALID, 9999, RTE_MBUF_F_RX_L4_CKSUM_GOOD },
		{ IPPROTO_UDP, 0, 6, 0 },
	};
	uint8_t frame[100];

	(void)state;
	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		struct vio_net_hdr hdr = header(L2 + L3, cases[i].offset);
		struct rte_mbuf *mbuf;

		make_frame(frame, sizeof(frame), cases[i].protocol);
		mbuf = packet(frame, sizeof(frame), sizeof(frame));
		assert_int_equal(vio_rx_header(mbuf, &hdr, cases[i].flags, 0, &marked),
				 VIO_RX_GOOD);
		assert_int_equal(mbuf->ol_flags, cases[i].marks);
		assert_memory_equal(mbuf->buf_addr, frame, sizeof(frame));
		discard(mbuf);
	}
}

/* Where DPDK has no mark for it, the sum is made: afterwards all of it sums up to ones. */
static void
completes(void **state)
{
	uint8_t frame[101];

	(void)state;
	make_frame(frame, sizeof(frame), IPPROTO_SCTP);
	for (uint16_t start = 0; start < sizeof(frame) - 2; start += 1) {
		for (uint16_t first = L2; first <= sizeof(frame); first += 9) {
			uint16_t offset = (sizeof(frame) - 2 - start) / 4 * 2;
			struct vio_net_hdr hdr = header(start, offset);
			struct rte_mbuf *mbuf = packet(frame, sizeof(frame), first);

			assert_int_equal(vio_rx_header(mbuf, &hdr, NEEDS, 0, &marked), VIO_RX_GOOD);
			assert_int_equal(mbuf->ol_flags, 0);
			/* The field held a part of the sum, which is the pseudo header's in a real
			 * packet: with it taken out of the sum again, the rest is ones. */
			uint32_t part = (uint32_t)frame[start + offset] << 8 |
					frame[start + offset + 1];
			uint32_t sum = sum_from(mbuf, start) + part;

			sum = (sum & 0xffff) + (sum >> 16);
			assert_int_equal(sum, 0xffff);
			for (uint32_t i = 0; i < sizeof(frame); i++)
				if (i != (uint32_t)start + offset &&
				    i != (uint32_t)start + offset + 1)
					assert_int_equal(byte_at(mbuf, i), frame[i]);
			discard(mbuf);
		}
	}
}

/* 0 would mean that there is no checksum. */
static void
never_zero(void **state)
{
	struct vio_net_hdr hdr = header(40, 20);
	uint8_t frame[100];
	struct rte_mbuf *mbuf;

	(void)state;
	make_frame(frame, sizeof(frame), 200);
	memset(frame + 40, 0xff, 60);
	mbuf = packet(frame, sizeof(frame), sizeof(frame));
	assert_int_equal(vio_rx_header(mbuf, &hdr, NEEDS, 0, &marked), VIO_RX_GOOD);
	assert_int_equal(byte_at(mbuf, 60) << 8 | byte_at(mbuf, 61), 0xffff);
	discard(mbuf);
}

static void
outside(void **state)
{
	static const struct {
		uint16_t start, offset;
		bool good;
	} cases[] = {
		{ 98, 0, true },         { 99, 0, false },    { 100, 0, false },
		{ 0, 98, true },         { 0, 99, false },    { 50, 48, true },
		{ 50, 49, false },       { 65535, 0, false }, { 0, 65535, false },
		{ 65535, 1, false },     { 65534, 2, false }, { 40000, 25536, false },
		{ 65535, 65535, false },
	};
	uint8_t frame[100];

	(void)state;
	make_frame(frame, sizeof(frame), 200);
	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		for (uint16_t first = L2 + 1; first <= sizeof(frame); first += 17) {
			struct vio_net_hdr hdr = header(cases[i].start, cases[i].offset);
			struct rte_mbuf *mbuf = packet(frame, sizeof(frame), first);

			assert_int_equal(vio_rx_header(mbuf, &hdr, NEEDS, 0, &marked),
					 cases[i].good ? VIO_RX_GOOD : VIO_RX_BAD_CSUM);
			discard(mbuf);
		}
	}
}

static void
tags(void **state)
{
	static const uint8_t tagged[] = { 1,  2,    3,    4,    5,    6, 7,    8,  9,  10, 11,
					  12, 0x81, 0x00, 0x2a, 0xbc, 8, 0x00, 99, 98, 97 };
	static const uint8_t plain[] = {
		1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 8, 0x00, 99, 98, 97
	};
	struct rte_mbuf *mbuf = packet(tagged, sizeof(tagged), sizeof(tagged));

	(void)state;
	assert_true(vio_rx_vlan_strip(mbuf));
	assert_int_equal(mbuf->vlan_tci, 0x2abc);
	assert_int_equal(mbuf->ol_flags, RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED);
	assert_int_equal(mbuf->data_len, sizeof(plain));
	assert_int_equal(mbuf->pkt_len, sizeof(plain));
	assert_memory_equal(rte_pktmbuf_mtod(mbuf, void *), plain, sizeof(plain));
	discard(mbuf);
	/* Too short for a tag. */
	for (uint16_t len = L2; len < L2 + sizeof(struct rte_vlan_hdr); len++) {
		mbuf = packet(tagged, len, len);
		assert_false(vio_rx_vlan_strip(mbuf));
		assert_int_equal(mbuf->ol_flags, 0);
		assert_int_equal(mbuf->data_len, len);
		discard(mbuf);
	}
}

/* A TCP or UDP packet of either version, as the device would put it together. */
static uint16_t
make_segments(uint8_t *frame, uint16_t len, bool v4, uint8_t protocol)
{
	uint16_t l4 = L2 + (v4 ? L3 : sizeof(struct rte_ipv6_hdr));

	make_frame(frame, len, protocol);
	if (!v4) {
		memcpy(frame + 12, "\x86\xdd\x60", 3);
		frame[L2 + 6] = protocol;
	}
	if (protocol == IPPROTO_TCP)
		frame[l4 + 12] = 0x50;
	return l4;
}

/* A packet that stands for several is marked as such; one that makes no sense is bad. */
static void
segments(void **state)
{
	enum { V4 = 1 << 1, V6 = 1 << 4, UDP = 1 << 5, ECN = 0x80 };
	static const struct {
		uint8_t negotiated, type, version, protocol;
		uint16_t size, hdr_len, len;
		bool ecn;
		enum vio_rx_verdict verdict;
	} cases[] = {
		{ V4, 1, 4, IPPROTO_TCP, 500, 54, 900, false, VIO_RX_GOOD },
		{ V4, 1, 4, IPPROTO_TCP, 1, 0, 900, false, VIO_RX_GOOD },
		{ V4, 1, 4, IPPROTO_TCP, 65535, 900, 900, false, VIO_RX_GOOD },
		{ V4, 1 | ECN, 4, IPPROTO_TCP, 500, 54, 900, true, VIO_RX_GOOD },
		{ V6, 4, 6, IPPROTO_TCP, 500, 74, 900, false, VIO_RX_GOOD },
		{ UDP, 5, 4, IPPROTO_UDP, 500, 42, 900, false, VIO_RX_GOOD },
		{ UDP, 5, 6, IPPROTO_UDP, 500, 62, 900, false, VIO_RX_GOOD },
		/* Unknown, or not negotiated. */
		{ V4, 4, 6, IPPROTO_TCP, 500, 74, 900, false, VIO_RX_BAD_GSO_TYPE },
		{ V6, 1, 4, IPPROTO_TCP, 500, 54, 900, false, VIO_RX_BAD_GSO_TYPE },
		{ V4 | V6, 5, 4, IPPROTO_UDP, 500, 42, 900, false, VIO_RX_BAD_GSO_TYPE },
		{ V4 | V6 | UDP, 3, 4, IPPROTO_UDP, 500, 42, 900, false, VIO_RX_BAD_GSO_TYPE },
		{ V4 | V6 | UDP, 2, 4, IPPROTO_TCP, 500, 54, 900, true, VIO_RX_BAD_GSO_TYPE },
		{ V4 | V6 | UDP, 9, 4, IPPROTO_TCP, 500, 54, 900, true, VIO_RX_BAD_GSO_TYPE },
		{ V4 | V6 | UDP, 0x41, 4, IPPROTO_TCP, 500, 54, 900, true, VIO_RX_BAD_GSO_TYPE },
		{ V4 | V6 | UDP, 0x21, 4, IPPROTO_TCP, 500, 54, 900, true, VIO_RX_BAD_GSO_TYPE },
		{ V4 | V6 | UDP, 255, 4, IPPROTO_TCP, 500, 54, 900, true, VIO_RX_BAD_GSO_TYPE },
		{ V4, ECN, 4, IPPROTO_TCP, 500, 54, 900, true, VIO_RX_BAD_GSO_TYPE },
		{ V4, 1 | ECN, 4, IPPROTO_TCP, 500, 54, 900, false, VIO_RX_BAD_GSO_TYPE },
		{ UDP, 5 | ECN, 4, IPPROTO_UDP, 500, 42, 900, true, VIO_RX_BAD_GSO_TYPE },
		/* Segments of nothing. */
		{ V4, 1, 4, IPPROTO_TCP, 0, 54, 900, false, VIO_RX_BAD_GSO_SIZE },
		/* Headers that disagree. */
		{ V4, 1, 4, IPPROTO_TCP, 500, 901, 900, false, VIO_RX_BAD_HDR_LEN },
		{ V4, 1, 4, IPPROTO_TCP, 500, 65535, 900, false, VIO_RX_BAD_HDR_LEN },
		{ V4, 1, 4, IPPROTO_UDP, 500, 54, 900, false, VIO_RX_BAD_HDR_LEN },
		{ V4, 1, 6, IPPROTO_TCP, 500, 74, 900, false, VIO_RX_BAD_HDR_LEN },
		{ V6, 4, 4, IPPROTO_TCP, 500, 54, 900, false, VIO_RX_BAD_HDR_LEN },
		{ UDP, 5, 4, IPPROTO_TCP, 500, 54, 900, false, VIO_RX_BAD_HDR_LEN },
		{ V4, 1, 4, IPPROTO_TCP, 500, 40, 45, false, VIO_RX_BAD_HDR_LEN },
		{ V4, 1, 4, IPPROTO_TCP, 500, 14, 20, false, VIO_RX_BAD_HDR_LEN },
	};
	uint8_t frame[900];

	(void)state;
	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		struct vio_rx_wants wants = marked;
		bool tcp = cases[i].protocol == IPPROTO_TCP;
		uint16_t l4 = make_segments(frame, sizeof(frame), cases[i].version == 4,
					    cases[i].protocol);
		struct vio_net_hdr hdr = header(l4, tcp ? 16 : 6);
		struct rte_mbuf *mbuf = packet(frame, cases[i].len, cases[i].len);

		wants.gso = cases[i].negotiated;
		wants.ecn = cases[i].ecn;
		hdr.gso_size = htole16(cases[i].size);
		hdr.hdr_len = htole16(cases[i].hdr_len);
		assert_int_equal(vio_rx_header(mbuf, &hdr, NEEDS, cases[i].type, &wants),
				 cases[i].verdict);
		if (cases[i].verdict == VIO_RX_GOOD) {
			assert_int_equal(mbuf->ol_flags,
					 RTE_MBUF_F_RX_LRO | RTE_MBUF_F_RX_L4_CKSUM_NONE);
			assert_int_equal(mbuf->tso_segsz, cases[i].size);
			assert_int_equal(mbuf->packet_type & RTE_PTYPE_L4_MASK,
					 tcp ? RTE_PTYPE_L4_TCP : RTE_PTYPE_L4_UDP);
		}
		discard(mbuf);
	}
}

/* The length of the TCP header is the packet's word, too. */
static void
tcp_lengths(void **state)
{
	struct vio_rx_wants wants = { .header = true, .l4_marks = true, .gso = 2 };
	uint8_t frame[100];

	(void)state;
	for (unsigned words = 0; words < 16; words++) {
		uint16_t l4 = make_segments(frame, sizeof(frame), true, IPPROTO_TCP);
		struct vio_net_hdr hdr = header(l4, 16);
		struct rte_mbuf *mbuf;

		frame[l4 + 12] = (uint8_t)(words << 4);
		mbuf = packet(frame, 80, 80);
		hdr.gso_size = htole16(10);
		assert_int_equal(vio_rx_header(mbuf, &hdr, NEEDS, 1, &wants),
				 words >= 5 && l4 + 4 * words <= 80 ? VIO_RX_GOOD
								    : VIO_RX_BAD_HDR_LEN);
		discard(mbuf);
	}
}

/* Without marks asked for, even those that have one are completed. */
static void
completes_unmarked(void **state)
{
	struct vio_net_hdr hdr = header(L2 + L3, 6);
	uint8_t frame[101];
	struct rte_mbuf *mbuf;
	uint32_t sum;

	(void)state;
	make_frame(frame, sizeof(frame), IPPROTO_UDP);
	frame[L2 + L3 + 6] = frame[L2 + L3 + 7] = 0;
	mbuf = packet(frame, sizeof(frame), sizeof(frame));
	assert_int_equal(vio_rx_header(mbuf, &hdr, NEEDS, 0, &whole), VIO_RX_GOOD);
	assert_int_equal(mbuf->ol_flags, 0);
	sum = sum_from(mbuf, L2 + L3);
	assert_int_equal(sum, 0xffff);
	discard(mbuf);
}

/* Of a packet that stands for several, the field is not believed: whatever it holds, the checksum
 * is right afterwards, pseudo header and all. */
static void
segments_unmarked(void **state)
{
	static const uint16_t fields[] = { 0, 0x1234, 0xffff };
	uint8_t frame[400];

	(void)state;
	for (unsigned i = 0; i < 2 * RTE_DIM(fields); i++) {
		bool v4 = i % 2 == 0;
		struct vio_rx_wants wants = { .header = true, .gso = 1 << 1 | 1 << 4 };
		uint16_t l4 = make_segments(frame, sizeof(frame), v4, IPPROTO_TCP), len;
		struct vio_net_hdr hdr = header(l4, 16);
		struct rte_mbuf *mbuf;
		uint32_t sum = 6 + sizeof(frame) - l4;

		len = rte_cpu_to_be_16(sizeof(frame) - L2 - (v4 ? 0 : 40));
		memcpy(frame + (v4 ? 16 : 18), &len, sizeof(len));
		memcpy(frame + l4 + 16, &fields[i / 2], 2);
		hdr.gso_size = htole16(100);
		mbuf = packet(frame, sizeof(frame), 200);
		assert_int_equal(vio_rx_header(mbuf, &hdr, NEEDS, v4 ? 1 : 4, &wants), VIO_RX_GOOD);
		assert_int_equal(mbuf->ol_flags, RTE_MBUF_F_RX_LRO);
		for (uint16_t at = v4 ? 26 : 22; at < l4; at++)
			sum += (uint32_t)byte_at(mbuf, at) << (at % 2 == 0 ? 8 : 0);
		sum += sum_from(mbuf, l4);
		while (sum > 0xffff)
			sum = (sum & 0xffff) + (sum >> 16);
		assert_int_equal(sum, 0xffff);
		discard(mbuf);
	}
}

/* IPv4 headers' own checksums; of everything else nothing is said. */
static void
ip_checksums(void **state)
{
	uint8_t frame[100];

	(void)state;
	for (unsigned words = 0; words < 16; words++) {
		uint16_t len = L2 + 4 * words;
		struct rte_mbuf *mbuf;
		uint32_t sum;

		make_frame(frame, sizeof(frame), IPPROTO_UDP);
		frame[L2] = (uint8_t)(0x40 | words);
		frame[L2 + 10] = frame[L2 + 11] = 0;
		mbuf = packet(frame, words < 5 ? 34 : len, words < 5 ? 34 : len);
		sum = ~sum_from(mbuf, L2);
		rte_pktmbuf_mtod(mbuf, uint8_t *)[L2 + 10] = (uint8_t)(sum >> 8);
		rte_pktmbuf_mtod(mbuf, uint8_t *)[L2 + 11] = (uint8_t)sum;
		vio_rx_ip_checksum(mbuf);
		assert_int_equal(mbuf->ol_flags, words < 5 ? 0 : RTE_MBUF_F_RX_IP_CKSUM_GOOD);
		mbuf->ol_flags = 0;
		rte_pktmbuf_mtod(mbuf, uint8_t *)[L2 + 12]++;
		vio_rx_ip_checksum(mbuf);
		assert_int_equal(mbuf->ol_flags, words < 5 ? 0 : RTE_MBUF_F_RX_IP_CKSUM_BAD);
		mbuf->ol_flags = 0;
		/* Cut short, or something else. */
		mbuf->data_len--;
		vio_rx_ip_checksum(mbuf);
		assert_int_equal(mbuf->ol_flags, 0);
		mbuf->data_len++;
		rte_pktmbuf_mtod(mbuf, uint8_t *)[13] = 6;
		vio_rx_ip_checksum(mbuf);
		assert_int_equal(mbuf->ol_flags, 0);
		discard(mbuf);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks),        cmocka_unit_test(completes),
		cmocka_unit_test(never_zero),   cmocka_unit_test(outside),
		cmocka_unit_test(tags),         cmocka_unit_test(segments),
		cmocka_unit_test(tcp_lengths),  cmocka_unit_test(completes_unmarked),
		cmocka_unit_test(ip_checksums), cmocka_unit_test(segments_unmarked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
