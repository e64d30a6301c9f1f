/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each frame that a fault costs is counted, whoever brings the port back: behind a lie, where the
 * application resets the port, where the device has gone. A stop without a fault counts none.
 */
#include "harness.h"

#include <string.h>

#include "inject.h"
#include "net/vio/port.h"

enum { SIZE = 64, GIVEN = 5, SENT = 7 };

static const uint64_t layouts[] = {
	0,
	DEVICE_BIT(DEVICE_F_RING_PACKED),
	DEVICE_BIT(DEVICE_F_MRG_RXBUF),
	DEVICE_BIT(DEVICE_F_RING_PACKED) | DEVICE_BIT(DEVICE_F_MRG_RXBUF),
};

static const uint8_t frame[100];

static void
start(struct harness *h, uint64_t features, uint8_t recover)
{
	const struct harness_options options = { .features = features, .recover = recover };
	const struct rte_eth_conf conf = { .intr_conf.lsc = 1 };

	assert_int_equal(harness_open(h, &options), 0);
	assert_int_equal(harness_setup(h, 1, 1, SIZE, &conf), 0);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
	assert_int_equal(harness_pass(h, 3, 100), 0);
	assert_int_equal(rte_eth_stats_reset(h->port), 0);
}

static void
receive(struct harness *h, unsigned n)
{
	while (n-- > 0)
		assert_int_equal(device_receive_packet(h->dev, 0, NULL, frame, sizeof(frame)), 1);
}

/* The device has these, and does nothing with them. */
static void
transmit(struct harness *h, unsigned n)
{
	while (n-- > 0) {
		struct rte_mbuf *mbuf = rte_pktmbuf_alloc(harness_tx_pool);

		assert_non_null(mbuf);
		assert_non_null(rte_pktmbuf_append(mbuf, 100));
		assert_int_equal(rte_eth_tx_burst(h->port, 0, &mbuf, 1), 1);
	}
}

static void
assert_lost(const struct harness *h, unsigned received, unsigned sent)
{
	struct rte_eth_stats stats;

	assert_int_equal(rte_eth_stats_get(h->port, &stats), 0);
	assert_int_equal(stats.imissed, received);
	assert_int_equal(stats.oerrors, sent);
	assert_int_equal(stats.opackets, SENT);
	assert_int_equal(stats.obytes, SENT * 100);
}

static void
behind_a_lie(void **state)
{
	(void)state;
	for (size_t i = 0; i < RTE_DIM(layouts); i++) {
		struct rte_mbuf *mbuf;
		struct harness h;

		start(&h, layouts[i], VIO_RECOVER_AUTO);
		transmit(&h, SENT);
		device_lie(h.dev, VIO_NET_RXQ(0), DEVICE_LIE_ID, SIZE);
		device_receive_packet(h.dev, 0, NULL, frame, sizeof(frame));
		device_honest(h.dev);
		receive(&h, GIVEN);
		assert_int_equal(rte_eth_rx_burst(h.port, 0, &mbuf, 1), 0);
		assert_lost(&h, 0, 0);
		seam_alarms_within(5000000);
		assert_lost(&h, GIVEN, SENT);
		assert_int_equal(harness_pass(&h, 100, 100), 0);
		harness_close(&h);
	}
}

static void
need_reset(struct harness *h)
{
	receive(h, GIVEN);
	transmit(h, SENT);
	device_need_reset(h->dev);
	assert_true(seam_interrupt());
	seam_alarms_within(5000000);
}

/* The application brings the port back, in one way or the other. */
static void
by_hand(void **state)
{
	(void)state;
	for (size_t i = 0; i < RTE_DIM(layouts); i++) {
		struct harness h;

		start(&h, layouts[i], VIO_RECOVER_MANUAL);
		need_reset(&h);
		if (i % 2 == 0)
			assert_int_equal(rte_eth_dev_reset(h.port), 0);
		else
			assert_int_equal(rte_eth_dev_stop(h.port), 0);
		assert_lost(&h, GIVEN, SENT);
		assert_int_equal(rte_eth_dev_start(h.port), 0);
		assert_lost(&h, GIVEN, SENT);
		assert_int_equal(harness_pass(&h, 100, 100), 0);
		harness_close(&h);
	}
}

static void
with_the_device(void **state)
{
	struct harness h;

	(void)state;
	start(&h, 0, VIO_RECOVER_AUTO);
	receive(&h, GIVEN);
	transmit(&h, SENT);
	device_unplug(h.dev);
	assert_true(seam_interrupt());
	seam_alarms_within(5000000);
	assert_int_equal(rte_eth_dev_stop(h.port), 0);
	assert_lost(&h, GIVEN, SENT);
	assert_int_equal(rte_eth_dev_close(h.port), 0);
	h.open = false;
	device_faults_clear(h.dev);
	harness_close(&h);
}

/* Whoever stops a port knows that he leaves frames behind. */
static void
without_a_fault(void **state)
{
	struct harness h;

	(void)state;
	start(&h, 0, VIO_RECOVER_AUTO);
	receive(&h, GIVEN);
	transmit(&h, SENT);
	assert_int_equal(rte_eth_dev_stop(h.port), 0);
	assert_lost(&h, 0, 0);
	/* Nor does it after a fault that is over. */
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	device_need_reset(h.dev);
	assert_true(seam_interrupt());
	seam_alarms_within(5000000);
	receive(&h, GIVEN);
	assert_int_equal(rte_eth_dev_stop(h.port), 0);
	assert_lost(&h, 0, 0);
	harness_close(&h);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(behind_a_lie),
	cmocka_unit_test(by_hand),
	cmocka_unit_test(with_the_device),
	cmocka_unit_test(without_a_fault),
};

HARNESS_MAIN(tests)
