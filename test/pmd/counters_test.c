/* SPDX-License-Identifier: BSD-3-Clause */
/* Counters count what their names say: each frame, or mbuf, once. */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

#define RING 64

static void
start(struct harness *h, uint64_t rx, uint64_t tx)
{
	struct rte_eth_conf conf = { .rxmode.offloads = rx, .txmode.offloads = tx };

	assert_int_equal(harness_open(h, &(struct harness_options){ .features = 0 }), 0);
	assert_int_equal(harness_setup(h, 1, 1, RING, &conf), 0);
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

/* Not a frame that says that it has a tag, and ends before it. */
static void
stripped(void **state)
{
	static const uint8_t frame[20] = { [12] = 0x81, 0x00, 0x00, 0x05 };
	struct rte_mbuf *mbuf;
	struct harness h;

	(void)state;
	start(&h, RTE_ETH_RX_OFFLOAD_VLAN_STRIP, 0);
	for (uint16_t len = 14; len < sizeof(frame); len++) {
		assert_int_equal(device_receive_packet(h.dev, 0, NULL, frame, len), 1);
		assert_int_equal(rte_eth_rx_burst(h.port, 0, &mbuf, 1), 1);
		assert_int_equal(mbuf->pkt_len, len < 18 ? len : len - 4);
		rte_pktmbuf_free(mbuf);
		assert_int_equal(counter(&h, "rx_q0_vlan_stripped_packets"),
				 len < 18 ? 0 : len - 17);
	}
	assert_int_equal(harness_close(&h), 0);
}

/* As many as are missing, and whatever there is is used. */
static void
missing_mbufs(void **state)
{
	static const unsigned left[] = { 63, 40, 32, 1 };
	static struct rte_mbuf *taken[HARNESS_MBUFS];
	struct rte_eth_stats stats;

	(void)state;
	for (size_t i = 0; i < RTE_DIM(left); i++) {
		struct harness h;
		unsigned n = 0;

		assert_int_equal(harness_open(&h, &(struct harness_options){ .features = 0 }), 0);
		assert_int_equal(harness_setup(&h, 1, 1, RING, NULL), 0);
		while (rte_mempool_avail_count(harness_rx_pool) > left[i])
			taken[n++] = rte_pktmbuf_alloc(harness_rx_pool);
		assert_int_equal(rte_eth_dev_start(h.port), 0);
		assert_int_equal(rte_mempool_avail_count(harness_rx_pool), 0);
		assert_int_equal(counter(&h, "rx_q0_no_mbuf"), RING - left[i]);
		assert_int_equal(rte_eth_stats_get(h.port, &stats), 0);
		assert_int_equal(stats.rx_nombuf, RING - left[i]);
		rte_pktmbuf_free_bulk(taken, n);
		assert_int_equal(harness_close(&h), 0);
	}
}

/* Whatever makes a header stand apart: that it does not fit, or that a tag does not. */
static void
headers_apart(void **state)
{
	static const uint16_t headrooms[] = { 128, 16, 15, 12, 11 };
	static const uint64_t flags[] = { RTE_MBUF_F_TX_VLAN, 0 };
	unsigned apart = 0;
	struct harness h;

	(void)state;
	start(&h, 0, RTE_ETH_TX_OFFLOAD_VLAN_INSERT);
	for (size_t i = 0; i < RTE_DIM(headrooms) * RTE_DIM(flags); i++) {
		struct rte_mbuf *mbuf = rte_pktmbuf_alloc(harness_tx_pool);
		struct device_packet *packet;

		assert_non_null(mbuf);
		mbuf->data_off = headrooms[i / RTE_DIM(flags)];
		memset(rte_pktmbuf_append(mbuf, 100), 0, 100);
		mbuf->ol_flags |= flags[i % RTE_DIM(flags)];
		mbuf->vlan_tci = 7;
		assert_int_equal(rte_eth_tx_burst(h.port, 0, &mbuf, 1), 1);
		harness_poll(&h);
		packet = device_next_packet(h.dev, 0);
		assert_non_null(packet);
		apart += packet->segments > 1;
		free(packet);
	}
	/* With a tag at 15, 12 and 11, without one at 11. */
	assert_int_equal(apart, 4);
	assert_int_equal(counter(&h, "tx_q0_header_apart_packets"), apart);
	assert_int_equal(harness_close(&h), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(stripped),
	cmocka_unit_test(missing_mbufs),
	cmocka_unit_test(headers_apart),
};

HARNESS_MAIN(tests)
