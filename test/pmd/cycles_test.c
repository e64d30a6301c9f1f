/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The long run on the device model: 1,000 stops and starts, and 100 configurations with other
 * numbers and sizes of queues between them, with traffic. Each time that the port stands still all
 * mbufs are in their pools, and memory and zones are what this configuration needs.
 */
#include "harness.h"

#include <stdlib.h>

#include "inject.h"

enum { CONFIGURATIONS = 100, RESTARTS = 10, PAIRS = 4, SIZE_MAX_LOG = 9 };

static uint32_t state_of_chance = 1;

static unsigned
chance(unsigned below)
{
	state_of_chance = state_of_chance * 1664525 + 1013904223;
	return (state_of_chance >> 8) % below;
}

/* All that a stopped port holds: its queues' memory, and nothing that counts up. */
static void
check_stopped(unsigned zones, unsigned blocks)
{
	assert_int_equal(rte_mempool_avail_count(harness_rx_pool), HARNESS_MBUFS);
	assert_int_equal(rte_mempool_avail_count(harness_tx_pool), HARNESS_MBUFS);
	assert_int_equal(seam_zones(), zones);
	assert_int_equal(seam_blocks(), blocks);
}

static void
restart(struct harness *h, unsigned times)
{
	unsigned zones = seam_zones(), blocks = seam_blocks();

	for (unsigned i = 0; i < times; i++) {
		assert_int_equal(rte_eth_dev_start(h->port), 0);
		assert_int_equal(harness_pass(h, 1 + chance(40), (uint16_t)(60 + chance(1400))), 0);
		if (i % 3 == 0) /* stopped in traffic: frames wait on both sides */
			for (unsigned n = 0; n < 20; n++)
				device_receive_packet(h->dev, 0, NULL, "0123456789012345", 16);
		assert_int_equal(rte_eth_dev_stop(h->port), 0);
		check_stopped(zones, blocks);
	}
}

static void
run(uint64_t features)
{
	struct harness_options options = {
		.features = features | DEVICE_BIT(DEVICE_F_CTRL_VQ) | DEVICE_BIT(DEVICE_F_MQ) |
			    DEVICE_BIT(DEVICE_F_CTRL_RX) | DEVICE_BIT(DEVICE_F_MRG_RXBUF) |
			    DEVICE_BIT(DEVICE_F_INDIRECT_DESC),
		.queue_size = 1 << SIZE_MAX_LOG,
		.pairs = PAIRS,
	};
	struct harness h;

	assert_int_equal(harness_open(&h, &options), 0);
	for (unsigned i = 0; i < CONFIGURATIONS; i++) {
		uint16_t size = (uint16_t)(1 << chance(SIZE_MAX_LOG + 1));

		/* A receive ring that is too small for a frame holds none. */
		size = size < 4 ? 4 : size;
		assert_int_equal(
			harness_setup(&h, 1 + chance(PAIRS), 1 + chance(PAIRS), size, NULL), 0);
		restart(&h, RESTARTS);
	}
	assert_int_equal(harness_close(&h), 0);
}

static void
split(void **state)
{
	(void)state;
	run(0);
}

static void
packed(void **state)
{
	(void)state;
	run(DEVICE_BIT(DEVICE_F_RING_PACKED));
}

/* Ports that come and go, too. */
static void
probed_again(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		struct harness h;

		assert_int_equal(harness_open(&h, &(struct harness_options){ .features = 0 }), 0);
		assert_int_equal(harness_setup(&h, 1, 1, 64, NULL), 0);
		assert_int_equal(rte_eth_dev_start(h.port), 0);
		assert_int_equal(harness_pass(&h, 3, 100), 0);
		assert_int_equal(harness_close(&h), 0);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(split),
	cmocka_unit_test(packed),
	cmocka_unit_test(probed_again),
};

HARNESS_MAIN(tests)
