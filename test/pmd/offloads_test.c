/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Offloads of the whole driver, for what neither DPDK's vhost nor QEMU has: large buffers on packed
 * rings, UDP segments, headers that lie, packets that others share, and features that come only
 * where they are asked for.
 */
#include "harness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_ip.h>
#include <rte_tcp.h>

#define BIT DEVICE_BIT
#define RECEIVE                                                                           \
	(BIT(DEVICE_F_GUEST_CSUM) | BIT(DEVICE_F_GUEST_TSO4) | BIT(DEVICE_F_GUEST_TSO6) | \
	 BIT(DEVICE_F_GUEST_ECN) | BIT(DEVICE_F_GUEST_USO4) | BIT(DEVICE_F_GUEST_USO6))
#define TRANSMIT                                                                  \
	(BIT(DEVICE_F_CSUM) | BIT(DEVICE_F_HOST_TSO4) | BIT(DEVICE_F_HOST_TSO6) | \
	 BIT(DEVICE_F_HOST_ECN) | BIT(DEVICE_F_HOST_USO) | BIT(DEVICE_F_GUEST_HDRLEN))
#define FRAME_MAX 65550

/* An Ethernet, IPv4 and TCP or UDP frame whose other bytes follow from their place. */
static void
fill(uint8_t *frame, uint32_t len, uint8_t protocol)
{
	struct rte_ipv4_hdr *ip = (void *)(frame + 14);

	for (uint32_t i = 0; i < len; i++)
		frame[i] = (uint8_t)(i * 7 + (i >> 8) + len);
	memset(frame, 2, 12);
	memcpy(frame + 12, "\x08\x00", 2);
	ip->version_ihl = RTE_IPV4_VHL_DEF;
	ip->fragment_offset = 0;
	ip->total_length = rte_cpu_to_be_16((uint16_t)(len - 14));
	ip->next_proto_id = protocol;
	frame[34 + 12] = protocol == IPPROTO_TCP ? 0x50 : frame[34 + 12];
	frame[34 + 13] = protocol == IPPROTO_TCP ? 0x10 : frame[34 + 13];
}

static void
start(struct harness *h, uint64_t features, uint64_t rx, uint64_t tx)
{
	struct harness_options options = { .features = features };
	struct rte_eth_conf conf = { .rxmode.offloads = rx,
				     .rxmode.max_lro_pkt_size = FRAME_MAX,
				     .txmode.offloads = tx };

	assert_int_equal(harness_open(h, &options), 0);
	assert_int_equal(harness_setup(h, 1, 1, 256, &conf), 0);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
}

static uint64_t
counter(const struct harness *h, const char *name)
{
	uint64_t id, value;

	assert_int_equal(rte_eth_xstats_get_id_by_name(h->port, name, &id), 0);
	assert_int_equal(rte_eth_xstats_get_by_id(h->port, &id, &value, 1), 1);
	return value;
}

static const uint64_t layouts[] = { 0, BIT(DEVICE_F_RING_PACKED),
				    BIT(DEVICE_F_RING_PACKED) | BIT(DEVICE_F_IN_ORDER),
				    BIT(DEVICE_F_RING_PACKED) | BIT(DEVICE_F_MRG_RXBUF) };

/* One frame in, and out by the burst function: the same, marked as its header says. */
static void
take_one(struct harness *h, const uint8_t *frame, uint32_t len,
	 const struct device_net_header *header, uint64_t flags)
{
	static uint8_t flat[FRAME_MAX];
	struct rte_mbuf *got[4];
	const uint8_t *bytes;

	assert_true(device_receive_packet(h->dev, 0, header, frame, len) > 0);
	assert_int_equal(rte_eth_rx_burst(h->port, 0, got, 4), 1);
	assert_int_equal(got[0]->pkt_len, len);
	assert_int_equal(got[0]->nb_segs, 1 + (len + 12 - 1) / 1612);
	bytes = rte_pktmbuf_read(got[0], 0, len, flat);
	assert_non_null(bytes);
	assert_memory_equal(bytes, frame, len);
	assert_true((got[0]->ol_flags & ~RTE_MBUF_F_EXTERNAL) == flags);
	if (header != NULL && header->gso_size != 0)
		assert_int_equal(got[0]->tso_segsz, header->gso_size);
	rte_pktmbuf_free(got[0]);
}

/* Frames of all lengths, about each end of an mbuf; far more buffers than a ring holds. */
static void
large_frames(void **state)
{
	static const uint32_t rooms[] = { 1612 - 12, 2 * 1612 - 12, 40 * 1612 - 12, FRAME_MAX - 1 };
	struct device_net_header lro = { .flags = DEVICE_HDR_NEEDS_CSUM,
					 .gso_type = DEVICE_GSO_TCPV4,
					 .hdr_len = 54,
					 .gso_size = 1448,
					 .csum_start = 34,
					 .csum_offset = 16 };
	static uint8_t frame[FRAME_MAX];
	struct harness h;

	(void)state;
	for (size_t i = 0; i < RTE_DIM(layouts); i++) {
		start(&h, layouts[i] | RECEIVE,
		      RTE_ETH_RX_OFFLOAD_TCP_LRO | RTE_ETH_RX_OFFLOAD_TCP_CKSUM, 0);
		for (unsigned round = 0; round < 30; round++) {
			uint32_t len = rooms[round % 4] - 1 + round / 4 % 3;

			fill(frame, len, IPPROTO_TCP);
			take_one(&h, frame, len, &lro,
				 RTE_MBUF_F_RX_LRO | RTE_MBUF_F_RX_L4_CKSUM_NONE);
			take_one(&h, frame, 60 + round, NULL, 0);
		}
		assert_int_equal(counter(&h, "rx_q0_lro_packets"), 30);
		assert_int_equal(harness_pass(&h, 100, 1514), 0);
		assert_int_equal(harness_close(&h), 0);
	}
}

/* A frame that makes no sense is counted by its cause, its buffer used again, and the next comes.
 */
static void
lies(void **state)
{
	static const struct {
		struct device_net_header header;
		const char *counter;
	} cases[] = {
		{ { .flags = 1, .gso_type = 2, .gso_size = 9 }, "rx_q0_drop_gso_type" },
		{ { .flags = 1, .gso_type = 0x80, .gso_size = 9 }, "rx_q0_drop_gso_type" },
		{ { .flags = 1, .gso_type = 5, .gso_size = 9 }, "rx_q0_drop_gso_type" },
		{ { .flags = 1, .gso_type = 1 }, "rx_q0_drop_gso_size" },
		{ { .flags = 1, .gso_type = 4, .gso_size = 9 }, "rx_q0_drop_hdr_len" },
		{ { .flags = 1, .gso_type = 1, .gso_size = 9, .hdr_len = 5001 },
		  "rx_q0_drop_hdr_len" },
		{ { .flags = 1, .gso_type = 1, .gso_size = 9, .csum_start = 5000 },
		  "rx_q0_drop_csum" },
	};
	uint8_t frame[5000];
	struct rte_mbuf *got[4];
	struct harness h;

	(void)state;
	fill(frame, sizeof(frame), IPPROTO_TCP);
	for (size_t i = 0; i < RTE_DIM(layouts); i++) {
		start(&h, layouts[i] | RECEIVE, RTE_ETH_RX_OFFLOAD_TCP_LRO, 0);
		for (unsigned n = 0; n < 10 * RTE_DIM(cases); n++) {
			assert_true(device_receive_packet(h.dev, 0,
							  &cases[n % RTE_DIM(cases)].header, frame,
							  sizeof(frame)) > 0);
			assert_int_equal(rte_eth_rx_burst(h.port, 0, got, 4), 0);
		}
		assert_int_equal(counter(&h, "rx_q0_drop_gso_type"), 30);
		assert_int_equal(counter(&h, "rx_q0_drop_gso_size"), 10);
		assert_int_equal(counter(&h, "rx_q0_drop_hdr_len"), 20);
		assert_int_equal(counter(&h, "rx_q0_drop_csum"), 10);
		assert_int_equal(counter(&h, "rx_q0_errors"), 70);
		assert_int_equal(harness_pass(&h, 100, 1514), 0);
		assert_int_equal(harness_close(&h), 0);
	}
}

/* --- transmit ----------------------------------------------------------------------------------
 */

static struct rte_mbuf *
make(const uint8_t *frame, uint16_t len, uint64_t flags, uint16_t l4_len)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(harness_tx_pool);

	assert_non_null(mbuf);
	memcpy(rte_pktmbuf_append(mbuf, len), frame, len);
	mbuf->ol_flags |= flags;
	mbuf->l2_len = 14;
	mbuf->l3_len = 20;
	mbuf->l4_len = l4_len;
	mbuf->tso_segsz = 300;
	mbuf->vlan_tci = 77;
	return mbuf;
}

static struct device_packet *
send_one(struct harness *h, struct rte_mbuf *mbuf)
{
	struct device_packet *packet;

	assert_int_equal(rte_eth_tx_prepare(h->port, 0, &mbuf, 1), 1);
	assert_int_equal(rte_eth_tx_burst(h->port, 0, &mbuf, 1), 1);
	harness_poll(h);
	packet = device_next_packet(h->dev, 0);
	assert_non_null(packet);
	return packet;
}

/* UDP datagrams, as no device of the other tests makes them. */
static void
datagrams(void **state)
{
	uint8_t frame[1500];
	struct device_packet *packet;
	struct harness h;

	(void)state;
	fill(frame, sizeof(frame), IPPROTO_UDP);
	start(&h, TRANSMIT, 0, RTE_ETH_TX_OFFLOAD_UDP_TSO);
	packet = send_one(
		&h, make(frame, sizeof(frame), RTE_MBUF_F_TX_UDP_SEG | RTE_MBUF_F_TX_IPV4, 8));
	assert_int_equal(packet->header.gso_type, DEVICE_GSO_UDP_L4);
	assert_int_equal(packet->header.gso_size, 300);
	assert_int_equal(packet->header.hdr_len, 42);
	assert_int_equal(packet->header.flags, DEVICE_HDR_NEEDS_CSUM);
	assert_int_equal(packet->header.csum_start, 34);
	assert_int_equal(packet->header.csum_offset, 6);
	free(packet);
	assert_int_equal(harness_close(&h), 0);
}

/* A clone's bytes are somebody else's: what the device gets is right, and they stay. */
static void
clones(void **state)
{
	const uint64_t flags = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM |
			       RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_VLAN;
	uint8_t frame[400];
	struct rte_mbuf *mbuf, *clone;
	struct device_packet *packet, *other;
	struct harness h;

	(void)state;
	fill(frame, sizeof(frame), IPPROTO_TCP);
	start(&h, TRANSMIT, 0,
	      RTE_ETH_TX_OFFLOAD_VLAN_INSERT | RTE_ETH_TX_OFFLOAD_IPV4_CKSUM |
		      RTE_ETH_TX_OFFLOAD_TCP_CKSUM);
	mbuf = make(frame, sizeof(frame), flags, 20);
	clone = rte_pktmbuf_clone(mbuf, harness_tx_pool);
	assert_non_null(clone);
	clone->ol_flags |= flags;
	packet = send_one(&h, clone);
	assert_int_equal(packet->segments, 2);
	assert_memory_equal(rte_pktmbuf_mtod(mbuf, void *), frame, sizeof(frame));
	assert_int_equal(rte_eth_tx_done_cleanup(h.port, 0, 0), 1);
	other = send_one(&h, mbuf);
	assert_int_equal(other->segments, 1);
	assert_int_equal(packet->len, sizeof(frame) + 4);
	assert_int_equal(other->len, packet->len);
	assert_memory_equal(other->data, packet->data, packet->len);
	assert_memory_equal(&other->header, &packet->header, sizeof(packet->header));
	assert_memory_equal(packet->data + 12, "\x81\x00\x00\x4d\x08\x00", 6);
	assert_int_equal(packet->header.csum_start, 38);
	free(packet);
	free(other);
	assert_int_equal(counter(&h, "tx_q0_good_bytes"), 2 * (sizeof(frame) + 4));
	assert_int_equal(harness_close(&h), 0);
}

/* What is off is refused by prepare, and dropped and counted by a burst that gets it all the same;
 * those around it are sent. */
static void
what_is_off(void **state)
{
	uint8_t frame[400];
	struct rte_mbuf *mbufs[3];
	struct device_packet *packet;
	struct harness h;

	(void)state;
	fill(frame, sizeof(frame), IPPROTO_TCP);
	start(&h, TRANSMIT, 0, RTE_ETH_TX_OFFLOAD_IPV4_CKSUM);
	for (unsigned i = 0; i < 3; i++)
		mbufs[i] = make(frame, sizeof(frame),
				RTE_MBUF_F_TX_IPV4 |
					(i == 1 ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_IP_CKSUM),
				20);
	rte_errno = 0;
	assert_int_equal(rte_eth_tx_prepare(h.port, 0, mbufs, 3), 1);
	assert_int_equal(rte_errno, ENOTSUP);
	mbufs[2]->l2_len = 3;
	assert_int_equal(rte_eth_tx_prepare(h.port, 0, mbufs + 2, 1), 0);
	assert_int_equal(rte_errno, EINVAL);
	mbufs[2]->l2_len = 14;
	assert_int_equal(rte_eth_tx_burst(h.port, 0, mbufs, 3), 3);
	harness_poll(&h);
	for (unsigned i = 0; i < 2; i++) {
		packet = device_next_packet(h.dev, 0);
		assert_non_null(packet);
		assert_int_equal(packet->header.flags, 0);
		free(packet);
	}
	assert_null(device_next_packet(h.dev, 0));
	assert_int_equal(counter(&h, "tx_q0_drop_offload"), 1);
	assert_int_equal(harness_close(&h), 0);
}

/* A packet with CWR is segmented only by a device that says it can (NET-TX-14). */
static void
congestion(void **state)
{
	const uint64_t flags = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_TCP_SEG;
	struct device_packet *packet;
	struct rte_mbuf *mbuf;
	uint8_t frame[1500];
	struct harness h;

	(void)state;
	fill(frame, sizeof(frame), IPPROTO_TCP);
	frame[14 + 20 + 13] = RTE_TCP_CWR_FLAG;
	start(&h, TRANSMIT, 0, RTE_ETH_TX_OFFLOAD_TCP_TSO);
	packet = send_one(&h, make(frame, sizeof(frame), flags, 20));
	assert_int_equal(packet->header.gso_type, DEVICE_GSO_TCPV4 | DEVICE_GSO_ECN);
	free(packet);
	assert_int_equal(harness_close(&h), 0);
	start(&h, TRANSMIT & ~BIT(DEVICE_F_HOST_ECN), 0, RTE_ETH_TX_OFFLOAD_TCP_TSO);
	mbuf = make(frame, sizeof(frame), flags, 20);
	assert_int_equal(rte_eth_tx_burst(h.port, 0, &mbuf, 1), 1);
	harness_poll(&h);
	assert_null(device_next_packet(h.dev, 0));
	assert_int_equal(counter(&h, "tx_q0_drop_offload"), 1);
	assert_int_equal(harness_close(&h), 0);
}

/* A device that segments one version of IP alone: a packet of the other one is refused, and dropped
 * where nobody asked. */
static void
one_version(void **state)
{
	static const uint64_t tso[] = { BIT(DEVICE_F_HOST_TSO4), BIT(DEVICE_F_HOST_TSO6) };
	static const uint64_t flags[] = { RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM,
					  RTE_MBUF_F_TX_IPV6 };
	static const uint8_t types[] = { DEVICE_GSO_TCPV4, DEVICE_GSO_TCPV6 };
	static const char *const words[] = { "offers no HOST_TSO6", "offers no HOST_TSO4" };
	uint8_t frame[1500];

	(void)state;
	fill(frame, sizeof(frame), IPPROTO_TCP);
	frame[14 + 40 + 13] = 0x10; /* no CWR, read as IPv6 either */
	for (unsigned has = 0; has < 2; has++) {
		struct rte_eth_dev_info info;
		struct device_packet *packet;
		struct rte_mbuf *mbufs[2];
		struct harness h;

		harness_quiet();
		start(&h, BIT(DEVICE_F_CSUM) | tso[has], 0, RTE_ETH_TX_OFFLOAD_TCP_TSO);
		assert_true(harness_said(words[has]));
		assert_false(harness_said(words[1 - has]));
		assert_int_equal(rte_eth_dev_info_get(h.port, &info), 0);
		assert_true(info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_TCP_TSO);
		for (unsigned version = 0; version < 2; version++) {
			mbufs[version] = make(frame, sizeof(frame),
					      flags[version] | RTE_MBUF_F_TX_TCP_SEG, 20);
			mbufs[version]->l3_len = version == 0 ? 20 : 40;
			rte_errno = 0;
			assert_int_equal(rte_eth_tx_prepare(h.port, 0, &mbufs[version], 1),
					 version == has);
			assert_int_equal(rte_errno, version == has ? 0 : ENOTSUP);
		}
		assert_int_equal(rte_eth_tx_burst(h.port, 0, mbufs, 2), 2);
		harness_poll(&h);
		packet = device_next_packet(h.dev, 0);
		assert_non_null(packet);
		assert_int_equal(packet->header.gso_type, types[has]);
		free(packet);
		assert_null(device_next_packet(h.dev, 0));
		assert_int_equal(counter(&h, "tx_q0_drop_offload"), 1);
		assert_int_equal(harness_close(&h), 0);
	}
}

/* Features follow what is asked for, at each configuration anew. */
static void
asked_for(void **state)
{
	static const struct {
		uint64_t rx, tx, features;
	} cases[] = {
		{ 0, 0, 0 },
		{ RTE_ETH_RX_OFFLOAD_TCP_CKSUM, 0, BIT(DEVICE_F_GUEST_CSUM) },
		{ RTE_ETH_RX_OFFLOAD_IPV4_CKSUM, RTE_ETH_TX_OFFLOAD_IPV4_CKSUM, 0 },
		{ RTE_ETH_RX_OFFLOAD_TCP_LRO, 0,
		  RECEIVE & ~(BIT(DEVICE_F_GUEST_USO4) | BIT(DEVICE_F_GUEST_USO6)) },
		{ 0, RTE_ETH_TX_OFFLOAD_TCP_CKSUM, BIT(DEVICE_F_CSUM) },
		{ 0, RTE_ETH_TX_OFFLOAD_TCP_TSO, TRANSMIT & ~BIT(DEVICE_F_HOST_USO) },
		{ 0, RTE_ETH_TX_OFFLOAD_UDP_TSO,
		  BIT(DEVICE_F_CSUM) | BIT(DEVICE_F_HOST_USO) | BIT(DEVICE_F_GUEST_HDRLEN) },
		{ 0, 0, 0 },
	};
	struct harness_options options = { .features = RECEIVE | TRANSMIT };
	struct harness h;

	(void)state;
	assert_int_equal(harness_open(&h, &options), 0);
	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		struct rte_eth_conf conf = { .rxmode.offloads = cases[i].rx,
					     .rxmode.max_lro_pkt_size = FRAME_MAX,
					     .txmode.offloads = cases[i].tx };

		assert_int_equal(harness_setup(&h, 1, 1, 256, &conf), 0);
		assert_int_equal(rte_eth_dev_start(h.port), 0);
		assert_true((device_driver_features(h.dev) & (RECEIVE | TRANSMIT)) ==
			    cases[i].features);
		assert_int_equal(harness_pass(&h, 20, 100), 0);
		assert_int_equal(rte_eth_dev_stop(h.port), 0);
	}
	assert_int_equal(harness_close(&h), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(large_frames), cmocka_unit_test(lies),        cmocka_unit_test(datagrams),
	cmocka_unit_test(clones),       cmocka_unit_test(what_is_off), cmocka_unit_test(asked_for),
	cmocka_unit_test(congestion),   cmocka_unit_test(one_version),
};

HARNESS_MAIN(tests)
