/* SPDX-License-Identifier: BSD-3-Clause */
/* The devarg coalesce=usecs:packets, and the commands that come of it (spec 5.1.6.5.9). */
#include "harness.h"

#include <errno.h>

#include "net/vio/devargs.h"

#define B(name)     DEVICE_BIT(DEVICE_F_##name)
#define CTRL_QUEUE  8 /* of four pairs */
#define REFUSED_ACK 1

static void
start(struct harness *h, uint64_t features, const char *devargs)
{
	struct harness_options options = { .features = features | B(CTRL_VQ) | B(MQ),
					   .pairs = 4,
					   .devargs = devargs };

	harness_quiet();
	assert_int_equal(harness_open(h, &options), 0);
	assert_int_equal(harness_setup(h, 3, 2, 64, NULL), 0);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
}

static void
expect(const struct device_coal *coal, uint32_t usecs, uint32_t packets)
{
	assert_int_equal(coal->usecs, usecs);
	assert_int_equal(coal->packets, packets);
}

static void
all_queues(void **state)
{
	struct harness h;

	(void)state;
	start(&h, B(NOTF_COAL) | B(VQ_NOTF_COAL), "coalesce=50:32");
	for (unsigned life = 0; life < 2; life++) {
		expect(&device_net_state(h.dev)->coal[0], 50, 32);
		expect(&device_net_state(h.dev)->coal[1], 50, 32);
		assert_int_equal(rte_eth_dev_stop(h.port), 0);
		assert_int_equal(rte_eth_dev_start(h.port), 0);
	}
	assert_int_equal(harness_pass(&h, 20, 100), 0);
	assert_int_equal(harness_close(&h), 0);
}

/* Three receive queues and two transmit queues: 0, 2, 4 and 1, 3. */
static void
each_queue(void **state)
{
	struct harness h;

	(void)state;
	start(&h, B(VQ_NOTF_COAL), "coalesce=7:1");
	for (unsigned i = 0; i < 5; i++)
		expect(&device_net_state(h.dev)->coal_queue[i], 7, 1);
	expect(&device_net_state(h.dev)->coal_queue[5], 0, 0);
	assert_int_equal(harness_close(&h), 0);
}

/* A queue that was reset has forgotten it, and is told again. */
static void
queue_reset(void **state)
{
	struct harness h;

	(void)state;
	start(&h, B(VQ_NOTF_COAL) | B(RING_RESET), "coalesce=7:1");
	assert_int_equal(rte_eth_dev_rx_queue_stop(h.port, 1), 0);
	assert_int_equal(rte_eth_dev_tx_queue_stop(h.port, 1), 0);
	expect(&device_net_state(h.dev)->coal_queue[2], 0, 0);
	assert_int_equal(rte_eth_dev_rx_queue_start(h.port, 1), 0);
	assert_int_equal(rte_eth_dev_tx_queue_start(h.port, 1), 0);
	expect(&device_net_state(h.dev)->coal_queue[2], 7, 1);
	expect(&device_net_state(h.dev)->coal_queue[3], 7, 1);
	assert_int_equal(harness_close(&h), 0);
}

/* A device that refuses it keeps the queue from starting, the second time as well. */
static void
queue_refused(void **state)
{
	struct harness h;

	(void)state;
	start(&h, B(VQ_NOTF_COAL) | B(RING_RESET), "coalesce=7:1");
	assert_int_equal(rte_eth_dev_rx_queue_stop(h.port, 1), 0);
	device_lie(h.dev, CTRL_QUEUE, DEVICE_LIE_CTRL_ACK, REFUSED_ACK);
	assert_int_equal(rte_eth_dev_rx_queue_start(h.port, 1), -EIO);
	device_honest(h.dev);
	assert_int_equal(rte_eth_dev_rx_queue_start(h.port, 1), -EBUSY);
	assert_true(harness_said("rx queue 1 cannot be started"));
	assert_int_equal(rte_eth_dev_stop(h.port), 0);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	expect(&device_net_state(h.dev)->coal_queue[2], 7, 1);
	assert_int_equal(harness_pass(&h, 20, 100), 0);
	assert_int_equal(harness_close(&h), 0);
}

static void
not_offered(void **state)
{
	struct harness h;

	(void)state;
	start(&h, 0, "coalesce=50:32");
	assert_true(harness_said("coalesce=50:32 has no effect"));
	assert_int_equal(harness_close(&h), 0);
}

static void
not_asked(void **state)
{
	struct harness h;

	(void)state;
	start(&h, B(NOTF_COAL) | B(VQ_NOTF_COAL), NULL);
	expect(&device_net_state(h.dev)->coal[0], 0, 0);
	assert_int_equal(device_net_state(h.dev)->commands, 1); /* the number of pairs */
	assert_int_equal(harness_close(&h), 0);
}

static void
devargs(void **state)
{
	static const char *const bad[] = {
		"coalesce=",     "coalesce=5",       "coalesce=5:",         "coalesce=:5",
		"coalesce=-1:5", "coalesce=5:32769", "coalesce=1000001:5",  "coalesce=5:5:5",
		"coalesce= 5:5", "coalesce=0x5:5",   "coalesce=99999999:5",
	};
	struct vio_args args;

	(void)state;
	for (size_t i = 0; i < RTE_DIM(bad); i++)
		assert_int_equal(vio_args_parse_pci("x", bad[i], &args), -EINVAL);
	assert_int_equal(vio_args_parse_pci("x", "coalesce=1000000:32768", &args), 0);
	assert_int_equal(args.coalesce.usecs, 1000000);
	assert_int_equal(args.coalesce.packets, 32768);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(all_queues),    cmocka_unit_test(each_queue),
	cmocka_unit_test(queue_reset),   cmocka_unit_test(not_offered),
	cmocka_unit_test(not_asked),     cmocka_unit_test(devargs),
	cmocka_unit_test(queue_refused),
};

HARNESS_MAIN(tests)
