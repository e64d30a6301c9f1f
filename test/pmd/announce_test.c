/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device that asks to be announced (spec 5.1.6.5.4): whoever looks at the link first sees the
 * request, and EAL's interrupt thread sends a frame with the port's address, and the
 * acknowledgement.
 */
#include "harness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <ethdev_driver.h>

#include "inject.h"

#define B(name) DEVICE_BIT(DEVICE_F_##name)
#define ANNOUNCE \
	(B(STATUS) | B(CTRL_VQ) | B(CTRL_MAC_ADDR) | B(CTRL_RX) | B(MAC) | B(GUEST_ANNOUNCE))

enum { CTRL_QUEUE = 2 };

static const struct rte_ether_addr own = { { 2, 0, 0, 0, 0, 0x2a } };

static void
start(struct harness *h, uint64_t features)
{
	struct harness_options options = { .features = features };
	struct rte_eth_conf conf = { .intr_conf.lsc = 1 };

	assert_int_equal(harness_open(h, &options), 0);
	assert_int_equal(harness_setup(h, 1, 1, 64, &conf), 0);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
}

/* The frame, byte by byte (RFC 903, over Ethernet). */
static void
expect_frame(struct harness *h)
{
	static const uint8_t expect[60] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 0x2a, 0x80,
		0x35, 0,    1,    8,    0,    6,    4, 0, 3, 2, 0, 0,    0,
		0,    0x2a, 0,    0,    0,    0,    2, 0, 0, 0, 0, 0x2a,
	};
	struct device_packet *packet;

	harness_poll(h);
	packet = device_next_packet(h->dev, 0);
	assert_non_null(packet);
	assert_int_equal(packet->len, sizeof(expect));
	assert_memory_equal(packet->data, expect, sizeof(expect));
	free(packet);
	assert_null(device_next_packet(h->dev, 0));
}

static void
announced(void **state)
{
	struct rte_ether_addr mac = own;
	struct rte_eth_link link;
	struct harness h;

	(void)state;
	start(&h, ANNOUNCE);
	assert_int_equal(rte_eth_dev_default_mac_addr_set(h.port, &mac), 0);
	for (unsigned i = 1; i < 4; i++) {
		device_ask_announce(h.dev);
		assert_true(seam_interrupt());
		assert_true(seam_alarm());
		assert_int_equal(device_net_state(h.dev)->announced, i);
		expect_frame(&h);
	}
	/* Without an interrupt, by a look at the link, which does not wait for it. */
	device_ask_announce(h.dev);
	h.eth->data->dev_conf.intr_conf.lsc = 0;
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(rte_eth_link_get_nowait(h.port, &link), 0);
		assert_int_equal(link.link_status, RTE_ETH_LINK_UP);
		assert_int_equal(device_net_state(h.dev)->announced, 3);
	}
	h.eth->data->dev_conf.intr_conf.lsc = 1;
	assert_true(seam_alarm());
	assert_false(seam_alarm());
	assert_int_equal(device_net_state(h.dev)->announced, 4);
	expect_frame(&h);
	assert_int_equal(harness_pass(&h, 100, 100), 0);
	assert_int_equal(harness_close(&h), 0);
}

/* Where all mbufs that are sent are of one pool, the announcement, which is of another, still goes
 * back to its own. */
static void
fast_free(void **state)
{
	struct harness_options options = { .features = ANNOUNCE };
	struct rte_eth_conf conf = {
		.intr_conf.lsc = 1,
		.txmode.offloads = RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE,
	};
	struct rte_ether_addr mac = own;
	struct harness h;
	unsigned rx, tx;

	(void)state;
	assert_int_equal(harness_open(&h, &options), 0);
	assert_int_equal(harness_setup(&h, 1, 1, 64, &conf), 0);
	rx = rte_mempool_avail_count(harness_rx_pool);
	tx = rte_mempool_avail_count(harness_tx_pool);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	assert_int_equal(rte_eth_dev_default_mac_addr_set(h.port, &mac), 0);
	device_ask_announce(h.dev);
	assert_true(seam_interrupt());
	assert_true(seam_alarm());
	expect_frame(&h);
	assert_int_equal(harness_pass(&h, 300, 100), 0);
	assert_int_equal(rte_eth_dev_stop(h.port), 0);
	assert_int_equal(rte_mempool_avail_count(harness_rx_pool), rx);
	assert_int_equal(rte_mempool_avail_count(harness_tx_pool), tx);
	assert_int_equal(harness_close(&h), 0);
}

/* Asked for, and then the port is stopped, or closed, or there is no alarm to be had. */
static void
not_now(void **state)
{
	struct harness h;

	(void)state;
	start(&h, ANNOUNCE);
	device_ask_announce(h.dev);
	assert_true(seam_interrupt());
	assert_int_equal(rte_eth_dev_stop(h.port), 0);
	harness_quiet();
	assert_true(seam_alarm());
	assert_string_equal(harness_log(), "");
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	while (seam_alarm())
		;
	seam_no_alarms = true;
	device_ask_announce(h.dev);
	assert_true(seam_interrupt());
	seam_no_alarms = false;
	assert_true(harness_said("no memory for an alarm"));
	assert_true(seam_interrupt());
	assert_int_equal(seam_alarms(), 1);
	assert_int_equal(harness_close(&h), 0);
}

/* No room in the ring: the user is told, the device gets its acknowledgement, nothing leaks. */
static void
no_room(void **state)
{
	struct rte_mbuf *mbufs[64];
	struct harness h;

	(void)state;
	start(&h, ANNOUNCE);
	device_hold_transmit(h.dev, true);
	for (unsigned i = 0; i < RTE_DIM(mbufs); i++) {
		mbufs[i] = rte_pktmbuf_alloc(harness_tx_pool);
		assert_non_null(rte_pktmbuf_append(mbufs[i], 60));
		memset(rte_pktmbuf_mtod(mbufs[i], void *), 0, 60);
	}
	assert_int_equal(rte_eth_tx_burst(h.port, 0, mbufs, RTE_DIM(mbufs)), RTE_DIM(mbufs));
	harness_quiet();
	device_ask_announce(h.dev);
	assert_true(seam_interrupt());
	assert_true(seam_alarm());
	assert_true(harness_said("no frame could be sent"));
	assert_int_equal(device_net_state(h.dev)->announced, 1);
	/* And is told once, however often the device asks. */
	harness_quiet();
	device_ask_announce(h.dev);
	assert_true(seam_interrupt());
	assert_true(seam_alarm());
	assert_string_equal(harness_log(), "");
	assert_int_equal(device_net_state(h.dev)->announced, 2);
	device_hold_transmit(h.dev, false);
	assert_int_equal(harness_close(&h), 0);
}

/* A transmit queue that waits for its start sends nothing, and goes on waiting. */
static void
queue_stopped(void **state)
{
	struct harness_options options = { .features = ANNOUNCE };
	struct rte_eth_conf conf = { .intr_conf.lsc = 1 };
	struct rte_eth_txconf deferred = { .tx_deferred_start = 1 };
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(harness_tx_pool);
	struct harness h;

	(void)state;
	assert_int_equal(harness_open(&h, &options), 0);
	assert_int_equal(harness_setup(&h, 1, 1, 64, &conf), 0);
	assert_int_equal(rte_eth_tx_queue_setup(h.port, 0, 64, SOCKET_ID_ANY, &deferred), 0);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	harness_quiet();
	device_ask_announce(h.dev);
	assert_true(seam_interrupt());
	assert_true(seam_alarm());
	assert_true(harness_said("no frame could be sent"));
	assert_int_equal(device_net_state(h.dev)->announced, 1);
	harness_poll(&h);
	assert_null(device_next_packet(h.dev, 0));
	assert_non_null(rte_pktmbuf_append(mbuf, 60));
	assert_int_equal(rte_eth_tx_burst(h.port, 0, &mbuf, 1), 0);
	rte_pktmbuf_free(mbuf);
	assert_int_equal(harness_close(&h), 0);
}

/* The device refuses the acknowledgement that it asked for: told once. */
static void
not_acknowledged(void **state)
{
	struct harness h;

	(void)state;
	start(&h, ANNOUNCE);
	for (unsigned i = 0; i < 3; i++) {
		harness_quiet();
		device_lie(h.dev, CTRL_QUEUE, DEVICE_LIE_CTRL_ACK, 1);
		device_ask_announce(h.dev);
		assert_true(seam_interrupt());
		assert_true(seam_alarm());
		assert_int_equal(harness_said("the device refused (ack 1)"), i == 0);
		harness_poll(&h);
		free(device_next_packet(h.dev, 0));
	}
	device_honest(h.dev);
	assert_int_equal(harness_close(&h), 0);
}

static void
not_offered(void **state)
{
	struct harness h;

	(void)state;
	start(&h, ANNOUNCE & ~B(GUEST_ANNOUNCE));
	device_ask_announce(h.dev);
	assert_true(seam_interrupt());
	harness_poll(&h);
	assert_null(device_next_packet(h.dev, 0));
	assert_int_equal(device_net_state(h.dev)->announced, 0);
	assert_int_equal(harness_close(&h), 0);
}

static void
standby_is_refused(void **state)
{
	struct harness h;

	(void)state;
	harness_quiet();
	start(&h, ANNOUNCE | B(STANDBY));
	assert_true(harness_said("STANDBY"));
	assert_int_equal(device_driver_features(h.dev) & B(STANDBY), 0);
	assert_int_equal(harness_close(&h), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(announced),        cmocka_unit_test(fast_free),
	cmocka_unit_test(not_now),          cmocka_unit_test(no_room),
	cmocka_unit_test(not_acknowledged), cmocka_unit_test(queue_stopped),
	cmocka_unit_test(not_offered),      cmocka_unit_test(standby_is_refused),
};

HARNESS_MAIN(tests)
