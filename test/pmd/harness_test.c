/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The example of a test in the harness, and what shows that the harness itself sees what it should:
 * frames through one and several queues, control commands, interrupts, time, and calls that fail.
 */
#include "harness.h"

#include <errno.h>
#include <string.h>

#include "inject.h"

#define CONTROL                                                        \
	(DEVICE_BIT(DEVICE_F_CTRL_VQ) | DEVICE_BIT(DEVICE_F_CTRL_RX) | \
	 DEVICE_BIT(DEVICE_F_CTRL_MAC_ADDR) | DEVICE_BIT(DEVICE_F_MAC))

/* Frames pass with every layout, also as frames of several buffers. */
static void
frames(void **state)
{
	static const uint64_t layouts[] = {
		0,
		DEVICE_BIT(DEVICE_F_MRG_RXBUF),
		DEVICE_BIT(DEVICE_F_RING_PACKED) | DEVICE_BIT(DEVICE_F_INDIRECT_DESC),
		DEVICE_BIT(DEVICE_F_RING_PACKED) | DEVICE_BIT(DEVICE_F_IN_ORDER) |
			DEVICE_BIT(DEVICE_F_MRG_RXBUF),
	};

	(void)state;
	for (size_t i = 0; i < RTE_DIM(layouts); i++) {
		struct harness_options options = { .features = layouts[i] };
		struct harness h;

		assert_int_equal(harness_open(&h, &options), 0);
		assert_int_equal(harness_setup(&h, 1, 1, 64, NULL), 0);
		assert_int_equal(rte_eth_dev_start(h.port), 0);
		assert_int_equal(harness_pass(&h, 300, 200), 0);
		assert_int_equal(rte_eth_dev_stop(h.port), 0);
		assert_int_equal(harness_close(&h), 0);
	}
}

/* What the application asks for arrives at the device, by the control queue. */
static void
commands(void **state)
{
	struct harness_options options = { .features = CONTROL | DEVICE_BIT(DEVICE_F_MQ),
					   .pairs = 4 };
	struct rte_ether_addr mac = { { 2, 0, 0, 0, 0, 9 } };
	struct harness h;

	(void)state;
	assert_int_equal(harness_open(&h, &options), 0);
	assert_int_equal(harness_setup(&h, 3, 2, 64, NULL), 0);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	assert_int_equal(device_net_state(h.dev)->pairs, 3);
	assert_int_equal(rte_eth_promiscuous_enable(h.port), 0);
	assert_int_equal(device_net_state(h.dev)->rx_mode[0], 1);
	assert_int_equal(rte_eth_dev_default_mac_addr_set(h.port, &mac), 0);
	assert_memory_equal(device_net_state(h.dev)->mac, &mac, sizeof(mac));
	assert_int_equal(harness_pass(&h, 50, 100), 0);
	assert_int_equal(harness_close(&h), 0);
}

/* The link follows the device's interrupt. */
static void
link_interrupt(void **state)
{
	struct harness_options options = { .features = DEVICE_BIT(DEVICE_F_STATUS) };
	struct rte_eth_conf conf = { .intr_conf.lsc = 1 };
	struct rte_eth_link link;
	struct harness h;

	(void)state;
	assert_int_equal(harness_open(&h, &options), 0);
	assert_int_equal(harness_setup(&h, 1, 1, 64, &conf), 0);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	assert_true(seam_interrupts_on());
	device_set_link(h.dev, false);
	assert_true(seam_interrupt());
	assert_int_equal(rte_eth_link_get_nowait(h.port, &link), 0);
	assert_int_equal(link.link_status, RTE_ETH_LINK_DOWN);
	assert_int_equal(harness_close(&h), 0);
}

/* A device that does not answer costs the time that the devarg says, and a line of the log. */
static void
time_passes(void **state)
{
	struct harness_options options = { .features = CONTROL, .timeout_ms = 50 };
	uint64_t before;
	struct harness h;

	(void)state;
	assert_int_equal(harness_open(&h, &options), 0);
	assert_int_equal(harness_setup(&h, 1, 1, 64, NULL), 0);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	harness_quiet();
	h.deaf = true;
	before = seam_now_us;
	assert_int_equal(rte_eth_promiscuous_enable(h.port), -ETIMEDOUT);
	assert_in_range(seam_now_us - before, 50000, 60000);
	assert_true(harness_said("gave no answer in 50 ms"));
	assert_int_equal(harness_close(&h), 0);
}

/* The second memory zone cannot be had: setup fails, says so, and works the next time. */
static void
one_call_fails(void **state)
{
	struct harness h;

	(void)state;
	assert_int_equal(harness_open(&h, &(struct harness_options){ .features = 0 }), 0);
	harness_quiet();
	inject_at(2);
	assert_int_equal(harness_setup(&h, 1, 1, 64, NULL), -ENOMEM);
	assert_string_equal(inject_failed(), "rte_zmalloc_socket");
	assert_true(harness_said("no "));
	assert_int_equal(harness_setup(&h, 1, 1, 64, NULL), 0);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	assert_int_equal(harness_pass(&h, 10, 60), 0);
	assert_int_equal(harness_close(&h), 0);
}

/* Instructions that this CPU lacks are refused by name, with what to do instead. */
static void
other_vectors(void **state)
{
#ifdef RTE_ARCH_X86
	struct harness_options options = { .devargs = "simd=neon" };
#else
	struct harness_options options = { .devargs = "simd=avx2" };
#endif
	struct harness h;

	(void)state;
	harness_quiet();
	assert_int_equal(harness_open(&h, &options), -ENOTSUP);
	assert_true(harness_said("this CPU lacks it; use simd=auto, which would choose"));
	assert_true(harness_said(options.devargs));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(frames),         cmocka_unit_test(commands),
	cmocka_unit_test(link_interrupt), cmocka_unit_test(time_passes),
	cmocka_unit_test(one_call_fails), cmocka_unit_test(other_vectors),
};

HARNESS_MAIN(tests)
