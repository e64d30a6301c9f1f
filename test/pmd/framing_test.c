/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A legacy device without ANY_LAYOUT gets each header in a descriptor of its own: the model of the
 * device looks at the first element of each buffer, and counts it as a broken duty (NET-LEG-07)
 * where there is more or less in it.
 */
#include "harness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "frames.h"
#include "inject.h"

#define B(name) DEVICE_BIT(DEVICE_F_##name)
#define PAIRS   (B(CTRL_VQ) | B(MQ))
/* As many packets of three segments, and their headers, as a ring of 256 holds. */
#define BURST 64

static void
start(struct harness *h, uint64_t features, uint64_t rx_offloads, uint64_t tx_offloads)
{
	struct harness_options options = { .features = features, .legacy = true, .pairs = 2 };
	struct rte_eth_conf conf = { .intr_conf.lsc = !!(features & B(STATUS)),
				     .rxmode.offloads = rx_offloads,
				     .txmode.offloads = tx_offloads };
	uint16_t pairs = features & B(MQ) ? 2 : 1;

	assert_int_equal(harness_open(h, &options), 0);
	assert_int_equal(harness_setup(h, pairs, pairs, 64, &conf), 0);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
}

/* The ring goes round several times, with frames of all sizes; and again after a restart. */
static void
frames_pass(void **state)
{
	static const uint64_t features[] = {
		0, PAIRS, B(EVENT_IDX), B(INDIRECT_DESC), PAIRS | B(MRG_RXBUF) | B(EVENT_IDX),
	};

	(void)state;
	for (size_t i = 0; i < RTE_DIM(features); i++) {
		struct harness h;

		harness_quiet();
		start(&h, features[i], 0, 0);
		assert_true(harness_said("a legacy device without ANY_LAYOUT"));
		for (unsigned lap = 0; lap < 2; lap++) {
			assert_int_equal(device_driver_features(h.dev) & B(MRG_RXBUF), 0);
			assert_int_equal(device_header_size(h.dev), 10);
			harness_poll(&h);
			assert_true(device_fetch(h.dev, 0) > 0);
			assert_int_equal(device_buffer_in(device_held(h.dev, 0, 0)), 2);
			for (uint16_t len = 60; len <= 1514; len += 727)
				assert_int_equal(harness_pass(&h, 200, len), 0);
			assert_int_equal(rte_eth_dev_stop(h.port), 0);
			assert_int_equal(rte_eth_dev_start(h.port), 0);
		}
		/* The descriptor of the header is no room for a frame. */
		assert_int_equal(rte_eth_dev_set_mtu(h.port, 2 * HARNESS_ROOM - 100), -EINVAL);
		assert_int_equal(harness_close(&h), 0);
	}
}

/* Bursts, of which none is short while the ring has room, though a frame takes two descriptors. */
static void
bursts(void **state)
{
	struct harness h;

	(void)state;
	start(&h, 0, 0, 0);
	for (unsigned lap = 0; lap < 10; lap++) {
		for (unsigned i = 0; i < BURST; i++)
			frames_arrive(&h, (uint8_t)i);
		frames_taken(&h, 0, BURST);
		assert_int_equal(frames_send(&h, 0, BURST, 1 + lap % 3), BURST);
		harness_poll(&h);
		frames_sent(&h, 0, BURST);
	}
	assert_int_equal(frames_counter(&h, "tx_q0_header_apart_packets"), 10 * BURST);
	assert_int_equal(harness_close(&h), 0);
}

/* A device that takes any layout gets header and frame in one descriptor, and may merge buffers. */
static void
any_layout(void **state)
{
	struct harness h;

	(void)state;
	harness_quiet();
	start(&h, B(ANY_LAYOUT) | B(MRG_RXBUF), 0, 0);
	assert_false(harness_said("without ANY_LAYOUT"));
	assert_true(device_driver_features(h.dev) & B(MRG_RXBUF));
	harness_poll(&h);
	assert_int_equal(device_buffer_descs(device_held(h.dev, 0, 0)), 1);
	assert_int_equal(harness_pass(&h, 100, 200), 0);
	assert_int_equal(harness_close(&h), 0);
}

/* A frame larger than an mbuf comes in several. */
static void
large_frames(void **state)
{
	uint8_t frame[5000], flat[5000];

	(void)state;
	for (size_t i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)(i * 7);
	for (uint32_t len = 100; len <= sizeof(frame); len += 700) {
		struct rte_mbuf *mbuf;
		struct harness h;

		start(&h, 0, 0, 0);
		assert_int_equal(rte_eth_dev_stop(h.port), 0);
		assert_int_equal(
			harness_setup(&h, 1, 1, 64,
				      &(struct rte_eth_conf){
					      .rxmode.offloads = RTE_ETH_RX_OFFLOAD_SCATTER,
					      .rxmode.mtu = 5000 }),
			0);
		assert_int_equal(rte_eth_dev_start(h.port), 0);
		for (unsigned i = 0; i < 200; i++) {
			assert_int_equal(device_receive_packet(h.dev, 0, NULL, frame, len), 1);
			assert_int_equal(rte_eth_rx_burst(h.port, 0, &mbuf, 1), 1);
			assert_int_equal(mbuf->pkt_len, len);
			assert_memory_equal(rte_pktmbuf_read(mbuf, 0, len, flat), frame, len);
			rte_pktmbuf_free(mbuf);
		}
		assert_int_equal(harness_close(&h), 0);
	}
}

/* The packet's own headers that are rewritten stand behind the device's, in another descriptor. */
static void
offloads(void **state)
{
	static const uint8_t tagged[] = { 0x81, 0x00, 0x00, 0x4d, 0x08, 0x00, 0x45 };
	uint8_t frame[200] = { [12] = 0x08, [14] = 0x45, [23] = IPPROTO_UDP };
	struct device_packet *packet;
	struct rte_mbuf *mbuf;
	struct harness h;

	(void)state;
	start(&h, B(CSUM), 0, RTE_ETH_TX_OFFLOAD_UDP_CKSUM | RTE_ETH_TX_OFFLOAD_VLAN_INSERT);
	assert_int_equal(harness_pass(&h, 100, 1514), 0);
	for (unsigned i = 0; i < 100; i++) {
		mbuf = rte_pktmbuf_alloc(harness_tx_pool);
		assert_non_null(mbuf);
		memcpy(rte_pktmbuf_append(mbuf, sizeof(frame)), frame, sizeof(frame));
		mbuf->ol_flags = RTE_MBUF_F_TX_UDP_CKSUM | RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_VLAN;
		mbuf->l2_len = 14;
		mbuf->l3_len = 20;
		mbuf->vlan_tci = 0x4d;
		assert_int_equal(rte_eth_tx_prepare(h.port, 0, &mbuf, 1), 1);
		assert_int_equal(rte_eth_tx_burst(h.port, 0, &mbuf, 1), 1);
		harness_poll(&h);
		packet = device_next_packet(h.dev, 0);
		assert_non_null(packet);
		assert_int_equal(packet->segments, 3);
		assert_int_equal(packet->len, sizeof(frame) + 4);
		assert_int_equal(packet->header.flags, DEVICE_HDR_NEEDS_CSUM);
		assert_int_equal(packet->header.csum_start, 38);
		assert_memory_equal(packet->data + 12, tagged, sizeof(tagged));
		free(packet);
	}
	assert_int_equal(harness_close(&h), 0);
}

/* What the driver sends itself is laid out like all else. */
static void
announcement(void **state)
{
	struct device_packet *packet;
	struct harness h;

	(void)state;
	start(&h, B(STATUS) | B(CTRL_VQ) | B(GUEST_ANNOUNCE), 0, 0);
	device_ask_announce(h.dev);
	assert_true(seam_interrupt());
	assert_true(seam_alarm());
	harness_poll(&h);
	packet = device_next_packet(h.dev, 0);
	assert_non_null(packet);
	assert_int_equal(packet->len, 60);
	free(packet);
	assert_int_equal(harness_close(&h), 0);
}

/* As many segments as there is room for beside the header; prepare knows. */
static void
many_segments(void **state)
{
	struct harness h;

	(void)state;
	for (uint16_t segments = 62; segments < 66; segments++) {
		struct harness_options options = { .legacy = true, .queue_size = 64 };
		struct rte_mbuf *packet = NULL;
		bool fits = segments < 64;

		assert_int_equal(harness_open(&h, &options), 0);
		assert_int_equal(harness_setup(&h, 1, 1, 64, NULL), 0);
		assert_int_equal(rte_eth_dev_start(h.port), 0);
		for (uint16_t i = 0; i < segments; i++) {
			struct rte_mbuf *mbuf = rte_pktmbuf_alloc(harness_tx_pool);

			assert_non_null(mbuf);
			memset(rte_pktmbuf_append(mbuf, 20), 0, 20);
			if (packet != NULL)
				assert_int_equal(rte_pktmbuf_chain(mbuf, packet), 0);
			packet = mbuf;
		}
		assert_int_equal(rte_eth_tx_prepare(h.port, 0, &packet, 1), fits);
		assert_int_equal(rte_eth_tx_burst(h.port, 0, &packet, 1), 1);
		assert_int_equal(frames_counter(&h, "tx_q0_drop_segments"), !fits);
		harness_poll(&h);
		free(device_next_packet(h.dev, 0));
		assert_int_equal(harness_close(&h), 0);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(frames_pass),   cmocka_unit_test(bursts),   cmocka_unit_test(any_layout),
	cmocka_unit_test(large_frames),  cmocka_unit_test(offloads), cmocka_unit_test(announcement),
	cmocka_unit_test(many_segments),
};

HARNESS_MAIN(tests)
