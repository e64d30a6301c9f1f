/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What packets that ask for offloads look like to the device (spec 5.1.6.2): sums against plain
 * arithmetic, headers field by field, the same bytes in place and apart, and refusals.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>

#include "tx_offload.h"

#define HDR  12
#define ROOM 16 /* of the headroom: header and tag */
#define TCI  0x2abc

#define IP4      RTE_MBUF_F_TX_IPV4
#define IP6      RTE_MBUF_F_TX_IPV6
#define IP_CKSUM RTE_MBUF_F_TX_IP_CKSUM
#define TCP      RTE_MBUF_F_TX_TCP_CKSUM
#define UDP      RTE_MBUF_F_TX_UDP_CKSUM
#define TSO      RTE_MBUF_F_TX_TCP_SEG
#define USO      RTE_MBUF_F_TX_UDP_SEG
#define TAG      RTE_MBUF_F_TX_VLAN

static const struct vio_tx_offer everything = {
	.offloads = RTE_ETH_TX_OFFLOAD_VLAN_INSERT | RTE_ETH_TX_OFFLOAD_IPV4_CKSUM |
		    RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM |
		    RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_UDP_TSO | VIO_TX_TSO4 |
		    VIO_TX_TSO6,
	.ecn = true,
};

/* A packet in memory of exactly its size, so that a sanitizer sees what lies outside. */
struct packet {
	struct rte_mbuf mbufs[3];
	uint8_t bytes[1600]; /* as it was made */
	uint16_t len;
};

struct shape {
	uint64_t flags;
	uint16_t l3_len, l4_len, len, cuts[2], segsz;
	uint8_t tcp_flags;
};

static bool
is_tcp(uint64_t flags)
{
	return flags & TSO || (flags & RTE_MBUF_F_TX_L4_MASK) == TCP;
}

/* Headers as an application leaves them, sums wrong, and bytes that count up. */
static void
write_bytes(struct packet *p, const struct shape *s)
{
	uint8_t *l3 = p->bytes + 14, *l4 = l3 + s->l3_len, protocol = is_tcp(s->flags) ? 6 : 17;
	uint16_t payload;

	for (uint16_t i = 0; i < s->len; i++)
		p->bytes[i] = (uint8_t)(i * 11 + (i >> 8));
	payload = rte_cpu_to_be_16(s->len - 14 - (s->flags & IP6 ? 40 : 0));
	if (s->flags & IP6) {
		memcpy(p->bytes + 12, "\x86\xdd\x60", 3);
		memcpy(l3 + 4, &payload, 2);
		l3[6] = s->l3_len > 40 ? 0 : protocol; /* 0: hop-by-hop options */
		l3[40] = s->l3_len > 40 ? protocol : l3[40];
	} else {
		memcpy(p->bytes + 12, "\x08\x00", 2);
		l3[0] = (uint8_t)(0x40 | s->l3_len / 4);
		memcpy(l3 + 2, &payload, 2);
		l3[9] = protocol;
	}
	if (is_tcp(s->flags)) {
		l4[12] = (uint8_t)(s->l4_len / 4 << 4);
		l4[13] = s->tcp_flags;
	}
	p->len = s->len;
}

static struct rte_mbuf *
make(struct packet *p, const struct shape *s, uint16_t headroom)
{
	uint16_t at = 0;

	memset(p, 0, sizeof(*p));
	write_bytes(p, s);
	for (unsigned i = 0; i < 3; i++) {
		uint16_t end = i < 2 && s->cuts[i] != 0 ? s->cuts[i] : s->len;
		struct rte_mbuf *m = &p->mbufs[i];

		m->data_off = i == 0 ? headroom : 0;
		m->data_len = end - at;
		m->buf_len = m->data_off + m->data_len;
		m->buf_addr = malloc(m->buf_len + 1);
		memcpy((uint8_t *)m->buf_addr + m->data_off, p->bytes + at, m->data_len);
		m->next = end < s->len ? &p->mbufs[i + 1] : NULL;
		p->mbufs[0].nb_segs++;
		at = end;
		if (m->next == NULL)
			break;
	}
	p->mbufs[0].pkt_len = s->len;
	p->mbufs[0].ol_flags = s->flags;
	p->mbufs[0].l2_len = 14;
	p->mbufs[0].l3_len = s->l3_len;
	p->mbufs[0].l4_len = s->l4_len;
	p->mbufs[0].tso_segsz = s->segsz;
	p->mbufs[0].vlan_tci = TCI;
	return &p->mbufs[0];
}

static void
discard(struct packet *p)
{
	for (unsigned i = 0; i < 3; i++)
		free(p->mbufs[i].buf_addr);
}

static uint16_t
flatten(const struct rte_mbuf *m, uint16_t skip, uint8_t *to)
{
	uint16_t n = m->pkt_len - skip;
	const void *from = rte_pktmbuf_read(m, skip, n, to);

	if (n > 0 && from != to)
		memcpy(to, from, n);
	return n;
}

/* What the device gets, by either way; nothing of a packet that goes apart may change. */
static uint16_t
sent_in_place(const struct shape *s, uint8_t *to)
{
	struct packet p;
	struct rte_mbuf *m = make(&p, s, ROOM);
	uint16_t len;

	for (unsigned twice = 0; twice < 2; twice++)
		assert_true(m->ol_flags & VIO_TX_FLAGS ? vio_tx_in_place(m, &everything, HDR)
						       : twice > 0);
	memcpy(to, rte_pktmbuf_mtod(m, uint8_t *) - HDR, HDR);
	len = HDR + flatten(m, 0, to + HDR);
	discard(&p);
	return len;
}

static uint16_t
sent_apart(const struct shape *s, uint8_t *to)
{
	uint8_t *apart = malloc(VIO_TX_APART_MAX), after[1600];
	struct packet p;
	struct rte_mbuf *m = make(&p, s, 0);
	uint16_t len;
	int taken = vio_tx_apart(apart, &len, m, &everything, HDR);

	assert_true(taken > 0);
	memcpy(to, apart, len);
	len += flatten(m, taken, to + len);
	flatten(m, 0, after);
	assert_memory_equal(after, p.bytes, p.len);
	assert_true(m->ol_flags == s->flags);
	discard(&p);
	free(apart);
	return len;
}

/* --- what a device and a receiver would make of it ---------------------------------------------
 */

static uint32_t
add_up(const uint8_t *bytes, uint32_t len, uint32_t sum)
{
	for (uint32_t i = 0; i < len; i++)
		sum += (uint32_t)bytes[i] << (i % 2 == 0 ? 8 : 0);
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void
check_l4(const struct shape *s, const uint8_t *hdr, uint8_t *frame, uint16_t len, uint16_t tag)
{
	uint16_t start = (uint16_t)(hdr[6] | hdr[7] << 8),
		 offset = (uint16_t)(hdr[8] | hdr[9] << 8);
	const uint8_t *l3 = frame + 14 + tag, protocol = is_tcp(s->flags) ? 6 : 17;
	uint32_t sum;

	assert_int_equal(hdr[0], VIO_NET_HDR_F_NEEDS_CSUM);
	assert_int_equal(start, 14 + tag + s->l3_len);
	assert_int_equal(offset, is_tcp(s->flags) ? 16 : 6);
	/* The device's part: the sum of all from start on, complemented. */
	sum = ~add_up(frame + start, len - start, 0) & 0xffff;
	frame[start + offset] = (uint8_t)(sum >> 8);
	frame[start + offset + 1] = (uint8_t)sum;
	/* The receiver's: with the pseudo header, all ones. */
	sum = s->flags & IP6 ? add_up(l3 + 8, 32, 0) : add_up(l3 + 12, 8, 0);
	sum += protocol + (uint32_t)(len - start);
	assert_int_equal(add_up(frame + start, len - start, sum), 0xffff);
}

/* All but the checksum fields is as the application made it. */
static void
check_rest(const struct shape *s, uint8_t *frame, uint16_t len, uint16_t tag)
{
	uint16_t l4 = 14 + s->l3_len, ones;
	struct packet p;

	write_bytes(&p, s);
	assert_int_equal(len, p.len + tag);
	if (tag > 0) {
		assert_memory_equal(frame + 12, "\x81\x00\x2a\xbc", 4);
		memmove(frame + 12, frame + 16, len - 16);
	}
	ones = (uint16_t)add_up(frame + 14, s->l3_len, 0);
	if (s->flags & IP_CKSUM) {
		assert_int_equal(ones, 0xffff);
		memcpy(frame + 24, p.bytes + 24, 2);
	}
	if (s->flags & (TSO | USO | RTE_MBUF_F_TX_L4_MASK)) {
		l4 += is_tcp(s->flags) ? 16 : 6;
		memcpy(frame + l4, p.bytes + l4, 2);
	}
	assert_memory_equal(frame, p.bytes, p.len);
}

static void
packets(void **state)
{
	static const struct shape shapes[] = {
		{ IP4 | TCP, 20, 20, 600, { 0 }, 0, 0 },
		{ IP4 | TCP | IP_CKSUM, 24, 32, 601, { 0 }, 0, 0 },
		{ IP4 | UDP | IP_CKSUM | TAG, 20, 8, 43, { 0 }, 0, 0 },
		{ IP4 | IP_CKSUM, 60, 0, 600, { 0 }, 0, 0 },
		{ IP4 | TAG, 20, 0, 600, { 0 }, 0, 0 },
		{ IP6 | TCP, 40, 20, 600, { 0 }, 0, 0 },
		{ IP6 | UDP, 40, 8, 600, { 0 }, 0, 0 },
		{ IP6 | TCP | TAG, 56, 20, 600, { 0 }, 0, 0 }, /* an extension header */
		{ IP4 | TSO | IP_CKSUM, 20, 32, 1500, { 0 }, 500, 0x10 },
		{ IP4 | TSO | IP_CKSUM | TAG, 20, 20, 1500, { 200, 900 }, 500, 0x90 },
		{ IP6 | TSO, 40, 60, 1500, { 114, 115 }, 100, 0x80 },
		{ IP4 | USO, 20, 8, 1500, { 0 }, 300, 0 },
		{ IP6 | USO | TAG, 40, 8, 1500, { 0 }, 300, 0 },
		{ IP4 | TSO, 20, 20, 554, { 0 }, 500, 0 }, /* one segment's worth */
	};
	uint8_t here[1700], there[1700];

	(void)state;
	for (size_t i = 0; i < RTE_DIM(shapes); i++) {
		const struct shape *s = &shapes[i];
		uint16_t tag = s->flags & TAG ? 4 : 0, len = sent_in_place(s, here);

		assert_int_equal(sent_apart(s, there), len);
		assert_memory_equal(here, there, len);
		if (s->flags & (TSO | USO | RTE_MBUF_F_TX_L4_MASK))
			check_l4(s, here, here + HDR, len - HDR, tag);
		else
			assert_int_equal(here[0], 0);
		assert_int_equal(here[10] | here[11], 0); /* num_buffers */
		check_rest(s, here + HDR, len - HDR, tag);
	}
}

/* gso_type, hdr_len and gso_size; hdr_len is exact, as GUEST_HDRLEN asks. */
static void
segmentation(void **state)
{
	static const struct {
		struct shape shape;
		uint8_t type;
		uint16_t hdr_len;
	} cases[] = {
		{ { IP4 | TSO, 20, 32, 1500, { 0 }, 500, 0x10 }, VIO_NET_HDR_GSO_TCPV4, 66 },
		{ { IP4 | TSO | TAG, 20, 20, 1500, { 0 }, 500, 0x90 },
		  VIO_NET_HDR_GSO_TCPV4 | VIO_NET_HDR_GSO_ECN,
		  58 },
		{ { IP6 | TSO, 40, 20, 1500, { 0 }, 1425, 0 }, VIO_NET_HDR_GSO_TCPV6, 74 },
		{ { IP6 | TSO, 40, 20, 1500, { 0 }, 1426, 0 }, VIO_NET_HDR_GSO_NONE, 0 },
		{ { IP6 | USO, 40, 8, 1500, { 0 }, 0x1234 / 8, 0 }, VIO_NET_HDR_GSO_UDP_L4, 62 },
	};
	uint8_t sent[1700];

	(void)state;
	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		sent_in_place(&cases[i].shape, sent);
		assert_int_equal(sent[1], cases[i].type);
		assert_int_equal(sent[2] | sent[3] << 8, cases[i].hdr_len);
		assert_int_equal(sent[4] | sent[5] << 8, cases[i].type ? cases[i].shape.segsz : 0);
	}
}

/* Headers that are spread over segments can only go apart, wherever they are cut. */
static void
split_headers(void **state)
{
	struct shape s = { IP4 | TSO | IP_CKSUM | TAG, 20, 32, 1500, { 0 }, 500, 0 };
	uint8_t whole[1700], cut[1700];
	uint16_t len = sent_in_place(&s, whole);
	struct packet p;

	(void)state;
	for (s.cuts[0] = 1; s.cuts[0] < 66; s.cuts[0]++) {
		s.cuts[1] = s.cuts[0] + 1 + s.cuts[0] % 7;
		assert_false(vio_tx_in_place(make(&p, &s, ROOM), &everything, HDR));
		discard(&p);
		assert_int_equal(sent_apart(&s, cut), len);
		assert_memory_equal(whole, cut, len);
	}
}

/* Where the headroom is too short, nothing is changed. */
static void
headroom(void **state)
{
	const struct shape s = { IP4 | TCP | IP_CKSUM | TAG, 20, 20, 600, { 0 }, 0, 0 };
	struct packet p;

	(void)state;
	for (uint16_t room = 0; room <= ROOM; room++) {
		struct rte_mbuf *m = make(&p, &s, room);

		assert_int_equal(vio_tx_in_place(m, &everything, HDR), room == ROOM);
		if (room < ROOM) {
			assert_memory_equal(rte_pktmbuf_mtod(m, void *), p.bytes, p.len);
			assert_true(m->ol_flags == s.flags && m->data_off == room);
		}
		discard(&p);
	}
}

static void
refusals(void **state)
{
	static const struct {
		struct shape shape;
		int error;
	} cases[] = {
		/* Flags that no port has. */
		{ { IP4 | RTE_MBUF_F_TX_SCTP_CKSUM, 20, 0, 100, { 0 }, 0, 0 }, -ENOTSUP },
		{ { IP4 | TCP | RTE_MBUF_F_TX_TUNNEL_VXLAN, 20, 20, 100, { 0 }, 0, 0 }, -ENOTSUP },
		{ { IP4 | TCP | RTE_MBUF_F_TX_OUTER_IP_CKSUM, 20, 20, 100, { 0 }, 0, 0 },
		  -ENOTSUP },
		{ { TAG | RTE_MBUF_F_TX_QINQ, 20, 20, 100, { 0 }, 0, 0 }, -ENOTSUP },
		{ { RTE_MBUF_F_TX_SEC_OFFLOAD, 20, 20, 100, { 0 }, 0, 0 }, -ENOTSUP },
		/* Which IP? */
		{ { TCP, 20, 20, 100, { 0 }, 0, 0 }, -EINVAL },
		{ { IP4 | IP6 | TCP, 40, 20, 100, { 0 }, 0, 0 }, -EINVAL },
		{ { IP6 | TCP | IP_CKSUM, 40, 20, 100, { 0 }, 0, 0 }, -EINVAL },
		{ { IP6 | IP_CKSUM, 40, 20, 100, { 0 }, 0, 0 }, -EINVAL },
		/* Lengths. */
		{ { IP4 | TCP, 16, 20, 100, { 0 }, 0, 0 }, -EINVAL },
		{ { IP4 | TCP, 64, 20, 100, { 0 }, 0, 0 }, -EINVAL },
		{ { IP6 | TCP, 20, 20, 100, { 0 }, 0, 0 }, -EINVAL },
		{ { IP6 | TCP, 200, 20, 300, { 0 }, 0, 0 }, -EINVAL },
		{ { IP4 | TCP, 20, 20, 53, { 0 }, 0, 0 }, -EINVAL },
		{ { IP4 | UDP, 20, 8, 41, { 0 }, 0, 0 }, -EINVAL },
		{ { IP4 | IP_CKSUM, 20, 8, 33, { 0 }, 0, 0 }, -EINVAL },
		{ { TAG, 20, 8, 13, { 0 }, 0, 0 }, -EINVAL },
		/* Segments. */
		{ { IP4 | TSO, 20, 20, 1000, { 0 }, 0, 0 }, -EINVAL },
		{ { IP4 | TSO, 20, 16, 1000, { 0 }, 100, 0 }, -EINVAL },
		{ { IP4 | TSO, 20, 64, 1000, { 0 }, 100, 0 }, -EINVAL },
		{ { IP4 | TSO | USO, 20, 20, 1000, { 0 }, 100, 0 }, -EINVAL },
		{ { IP4 | USO, 20, 20, 1000, { 0 }, 100, 0 }, -EINVAL },
		{ { IP4 | TSO, 20, 40, 73, { 0 }, 100, 0 }, -EINVAL },
	};
	uint8_t apart[VIO_TX_APART_MAX];
	struct packet p;
	uint16_t len;

	(void)state;
	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		struct rte_mbuf *m = make(&p, &cases[i].shape, ROOM);

		assert_int_equal(vio_tx_check(m, &everything), cases[i].error);
		assert_int_equal(vio_tx_apart(apart, &len, m, &everything, HDR), cases[i].error);
		assert_false(vio_tx_in_place(m, &everything, HDR));
		assert_memory_equal(rte_pktmbuf_mtod(m, void *), p.bytes, m->data_len);
		discard(&p);
	}
}

/* Nothing that the application did not turn on, or the device does not have. */
static void
only_what_is_on(void **state)
{
	static const struct {
		uint64_t flags, offload;
		uint16_t l4_len;
	} cases[] = {
		{ TAG, RTE_ETH_TX_OFFLOAD_VLAN_INSERT, 20 },
		{ IP4 | IP_CKSUM, RTE_ETH_TX_OFFLOAD_IPV4_CKSUM, 20 },
		{ IP4 | TCP, RTE_ETH_TX_OFFLOAD_TCP_CKSUM, 20 },
		{ IP4 | UDP, RTE_ETH_TX_OFFLOAD_UDP_CKSUM, 8 },
		{ IP4 | TSO, VIO_TX_TSO4, 20 },
		{ IP4 | USO, RTE_ETH_TX_OFFLOAD_UDP_TSO, 8 },
	};
	struct vio_tx_offer offer;
	struct packet p;

	(void)state;
	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		struct shape s = { cases[i].flags, 20, cases[i].l4_len, 600, { 0 }, 100, 0 };
		struct rte_mbuf *m = make(&p, &s, ROOM);

		offer = (struct vio_tx_offer){ .offloads = cases[i].offload };
		assert_true(vio_tx_check(m, &offer) > 0);
		offer.offloads = everything.offloads & ~cases[i].offload;
		assert_int_equal(vio_tx_check(m, &offer), -ENOTSUP);
		discard(&p);
	}
}

/* Without HOST_ECN (NET-TX-14): not to be segmented, wherever the flag stands; else no matter. */
static void
congestion(void **state)
{
	struct shape s = { IP4 | TSO, 20, 20, 1000, { 0 }, 100, 0x90 };
	struct vio_tx_offer offer = { .offloads = everything.offloads };
	struct packet p;

	(void)state;
	assert_int_equal(vio_tx_check(make(&p, &s, ROOM), &offer), -ENOTSUP);
	discard(&p);
	s.cuts[0] = 30;
	assert_int_equal(vio_tx_check(make(&p, &s, ROOM), &offer), -ENOTSUP);
	discard(&p);
	s.segsz = 1000;
	assert_int_equal(vio_tx_check(make(&p, &s, ROOM), &offer), 54);
	discard(&p);
	s.segsz = 100;
	s.tcp_flags = 0x50; /* ECE is no reason */
	assert_int_equal(vio_tx_check(make(&p, &s, ROOM), &offer), 54);
	discard(&p);
}

/* What no IP header could tell the length of. */
static void
too_long(void **state)
{
	struct shape s = { IP4 | TSO, 20, 20, 1000, { 0 }, 100, 0 };
	struct packet p;
	struct rte_mbuf *m = make(&p, &s, ROOM);

	(void)state;
	m->pkt_len = 14 + 65535;
	assert_int_equal(vio_tx_check(m, &everything), 54);
	m->pkt_len++;
	assert_int_equal(vio_tx_check(m, &everything), -EINVAL);
	discard(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets),       cmocka_unit_test(segmentation),
		cmocka_unit_test(split_headers), cmocka_unit_test(headroom),
		cmocka_unit_test(refusals),      cmocka_unit_test(only_what_is_on),
		cmocka_unit_test(congestion),    cmocka_unit_test(too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
