/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device that gives a command back and has not written what it had to: no ack is no success, also
 * behind a command that was one, and no result is not the one before.
 */
#include "harness.h"

#include <errno.h>
#include <string.h>

#include "inject.h"

#define B(name) DEVICE_BIT(DEVICE_F_##name)

enum { CTRL_QUEUE = 2 };

static bool writes_ack;

static void
prepare(struct device *dev)
{
	/* Those of the control queue alone: no reply of another queue comes in between. */
	device_set_stats(dev, UINT64_C(1) << 32, 1000, 0);
}

static void
start(struct harness *h, uint64_t features)
{
	struct harness_options options = { .features = features | B(CTRL_VQ), .prepare = prepare };

	harness_quiet();
	assert_int_equal(harness_open(h, &options), 0);
	assert_int_equal(harness_setup(h, 1, 1, 64, NULL), 0);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
}

/* The device gives back each command, with an OK at most. */
static void
give_back(struct harness *h)
{
	const uint8_t ok = 0;

	while (device_fetch(h->dev, CTRL_QUEUE) > 0) {
		const struct device_buffer *buffer = device_held(h->dev, CTRL_QUEUE, 0);

		if (writes_ack)
			device_buffer_write(buffer, 0, &ok, sizeof(ok));
		assert_true(device_use(h->dev, CTRL_QUEUE, 0, writes_ack));
	}
}

static void
no_ack(void **state)
{
	static const uint64_t layouts[] = { 0, B(RING_PACKED), B(IN_ORDER) };

	(void)state;
	for (size_t i = 0; i < RTE_DIM(layouts); i++) {
		struct harness h;

		start(&h, B(CTRL_RX) | layouts[i]);
		assert_int_equal(rte_eth_promiscuous_enable(h.port), 0);
		writes_ack = false;
		h.turn = give_back;
		harness_quiet();
		assert_int_equal(rte_eth_promiscuous_disable(h.port), -EIO);
		assert_true(harness_said("promiscuous mode: the device refused"));
		h.turn = NULL;
		assert_int_equal(rte_eth_promiscuous_disable(h.port), 0);
		assert_int_equal(harness_close(&h), 0);
	}
}

static void
no_result(void **state)
{
	struct rte_eth_xstat values[256];
	struct harness h;

	(void)state;
	start(&h, B(DEVICE_STATS));
	assert_in_range(rte_eth_xstats_get(h.port, values, RTE_DIM(values)), 1, 256);
	writes_ack = true;
	h.turn = give_back;
	harness_quiet();
	assert_in_range(rte_eth_xstats_get(h.port, values, RTE_DIM(values)), 1, 256);
	assert_true(harness_said("does not tell all the statistics"));
	assert_int_equal(harness_close(&h), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(no_ack),
	cmocka_unit_test(no_result),
};

HARNESS_MAIN(tests)
