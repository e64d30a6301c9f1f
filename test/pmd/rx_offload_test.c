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
		assert_true(vio_rx_checksum(mbuf, &hdr, cases[i].flags));
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

			assert_true(vio_rx_checksum(mbuf, &hdr, NEEDS));
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
	assert_true(vio_rx_checksum(mbuf, &hdr, NEEDS));
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

			assert_int_equal(vio_rx_checksum(mbuf, &hdr, NEEDS), cases[i].good);
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
	vio_rx_vlan_strip(mbuf);
	assert_int_equal(mbuf->vlan_tci, 0x2abc);
	assert_int_equal(mbuf->ol_flags, RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED);
	assert_int_equal(mbuf->data_len, sizeof(plain));
	assert_int_equal(mbuf->pkt_len, sizeof(plain));
	assert_memory_equal(rte_pktmbuf_mtod(mbuf, void *), plain, sizeof(plain));
	discard(mbuf);
	/* Too short for a tag. */
	for (uint16_t len = L2; len < L2 + sizeof(struct rte_vlan_hdr); len++) {
		mbuf = packet(tagged, len, len);
		vio_rx_vlan_strip(mbuf);
		assert_int_equal(mbuf->ol_flags, 0);
		assert_int_equal(mbuf->data_len, len);
		discard(mbuf);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks),      cmocka_unit_test(completes),
		cmocka_unit_test(never_zero), cmocka_unit_test(outside),
		cmocka_unit_test(tags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
