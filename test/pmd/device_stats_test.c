/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device's own counters (spec 5.1.6.5.10) as xstats: what is asked of it, each counter under
 * its name, and devices that answer too little, too much, or wrongly.
 */
#include "harness.h"

#include <errno.h>
#include <string.h>

#include <ethdev_driver.h>

#include "inject.h"
#include "net/vio/recover.h"

#define B(name)    DEVICE_BIT(DEVICE_F_##name)
#define STATS      (B(CTRL_VQ) | B(MQ) | B(DEVICE_STATS))
#define ALL        UINT64_C(0x1000f000f)
#define PAIRS      3
#define CTRL_QUEUE (2 * PAIRS)
#define MAX        512

static uint64_t types, base;
static unsigned more;

static void
prepare(struct device *dev)
{
	device_set_stats(dev, types, base, more);
}

/* Two queues each way of a device that has three. */
static void
start(struct harness *h, uint64_t features, uint64_t rx, uint64_t tx)
{
	struct harness_options options = { .features = features,
					   .pairs = PAIRS,
					   .prepare = prepare };
	struct rte_eth_conf conf = { .rxmode.offloads = rx,
				     .rxmode.max_lro_pkt_size = 65550,
				     .txmode.offloads = tx };

	harness_quiet();
	assert_int_equal(harness_open(h, &options), 0);
	assert_int_equal(harness_setup(h, 2, 2, 256, &conf), 0);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
}

static void
set(uint64_t wanted_types, uint64_t wanted_base, unsigned wanted_more)
{
	types = wanted_types;
	base = wanted_base;
	more = wanted_more;
}

/* The value of an xstat by its name; -1: there is none. */
static int64_t
value(const struct harness *h, const char *name)
{
	uint64_t id, found;

	if (rte_eth_xstats_get_id_by_name(h->port, name, &id) < 0)
		return -1;
	assert_int_equal(rte_eth_xstats_get_by_id(h->port, &id, &found, 1), 1);
	return (int64_t)found;
}

/* How many xstats begin with device_; their names and values are of the same number. */
static unsigned
count(const struct harness *h)
{
	static struct rte_eth_xstat_name names[MAX];
	static struct rte_eth_xstat values[MAX];
	int all = rte_eth_xstats_get_names(h->port, names, MAX);
	unsigned n = 0;

	assert_in_range(all, 1, MAX);
	assert_int_equal(rte_eth_xstats_get(h->port, values, MAX), all);
	for (int i = 0; i < all; i++) {
		assert_int_equal(values[i].id, i);
		n += strncmp(names[i].name, "device_", 7) == 0;
	}
	return n;
}

static const struct {
	const char *name; /* behind the queue's number */
	unsigned type, n;
} of_receive[] = {
	{ "notifications", 0, 0 },
	{ "packets", 0, 1 },
	{ "bytes", 0, 2 },
	{ "interrupts", 0, 3 },
	{ "drops", 0, 4 },
	{ "drop_overruns", 0, 5 },
	{ "csum_valid", 1, 0 },
	{ "needs_csum", 1, 1 },
	{ "csum_none", 1, 2 },
	{ "csum_bad", 1, 3 },
	{ "gso_packets", 2, 0 },
	{ "gso_bytes", 2, 1 },
	{ "gso_packets_coalesced", 2, 2 },
	{ "gso_bytes_coalesced", 2, 3 },
	{ "packets_allowance_exceeded", 3, 0 },
	{ "bytes_allowance_exceeded", 3, 1 },
}, of_transmit[] = {
	{ "notifications", 16, 0 },
	{ "packets", 16, 1 },
	{ "bytes", 16, 2 },
	{ "interrupts", 16, 3 },
	{ "drops", 16, 4 },
	{ "drop_malformed", 16, 5 },
	{ "csum_none", 17, 0 },
	{ "needs_csum", 17, 1 },
	{ "gso_packets", 18, 0 },
	{ "gso_bytes", 18, 1 },
	{ "gso_segments", 18, 2 },
	{ "gso_segments_bytes", 18, 3 },
	{ "gso_packets_noseg", 18, 4 },
	{ "gso_bytes_noseg", 18, 5 },
	{ "packets_allowance_exceeded", 19, 0 },
	{ "bytes_allowance_exceeded", 19, 1 },
};

/* Every counter of every queue under its name. */
static void
compare(const struct harness *h)
{
	char name[64];

	for (unsigned q = 0; q < 2; q++) {
		for (size_t i = 0; i < RTE_DIM(of_receive); i++) {
			snprintf(name, sizeof(name), "device_rx_q%u_%s", q, of_receive[i].name);
			assert_int_equal(
				value(h, name),
				device_stat(h->dev, 2 * q, of_receive[i].type, of_receive[i].n));
			snprintf(name, sizeof(name), "device_tx_q%u_%s", q, of_transmit[i].name);
			assert_int_equal(value(h, name),
					 device_stat(h->dev, 2 * q + 1, of_transmit[i].type,
						     of_transmit[i].n));
		}
	}
	assert_int_equal(value(h, "device_ctrl_commands"), device_stat(h->dev, CTRL_QUEUE, 32, 0));
	assert_int_equal(value(h, "device_ctrl_commands_ok"),
			 device_stat(h->dev, CTRL_QUEUE, 32, 1));
}

#define EVERYTHING                                                                        \
	(STATS | B(GUEST_CSUM) | B(GUEST_TSO4) | B(GUEST_TSO6) | B(CSUM) | B(HOST_TSO4) | \
	 B(HOST_TSO6))

static void
start_with_all(struct harness *h)
{
	start(h, EVERYTHING, RTE_ETH_RX_OFFLOAD_TCP_LRO, RTE_ETH_TX_OFFLOAD_TCP_TSO);
}

/* In each life of the device, and with replies longer than the specification knows. */
static void
all_counters(void **state)
{
	struct harness h;

	(void)state;
	for (unsigned n = 0; n < 3; n++) {
		set(ALL | UINT64_C(1) << 63 | 1 << 5, 7, n * 24);
		start_with_all(&h);
		for (unsigned life = 0; life < 2; life++) {
			assert_int_equal(count(&h), 2 * 32 + 2);
			compare(&h);
			device_set_stats(h.dev, types, 1000000, more);
			compare(&h);
			assert_int_equal(rte_eth_dev_stop(h.port), 0);
			assert_int_equal(rte_eth_dev_start(h.port), 0);
		}
		assert_int_equal(harness_pass(&h, 50, 100), 0);
		assert_false(harness_said("does not tell"));
		assert_int_equal(harness_close(&h), 0);
	}
}

/* Types that the device does not have, or that need a feature that is not negotiated, are neither
 * asked for nor shown; without the feature, nothing is. */
static void
only_what_there_is(void **state)
{
	struct harness h;

	(void)state;
	set(ALL, 0, 0);
	start(&h, EVERYTHING, 0, 0);
	assert_int_equal(count(&h), 2 * 16 + 2);
	assert_int_equal(value(&h, "device_rx_q0_csum_valid"), -1);
	assert_int_equal(value(&h, "device_tx_q1_gso_packets"), -1);
	assert_int_equal(rte_eth_dev_stop(h.port), 0);
	assert_int_equal(count(&h), 2 * 16 + 2);
	assert_int_equal(harness_close(&h), 0);

	set(1 << 16, 0, 0);
	start_with_all(&h);
	assert_int_equal(count(&h), 2 * 6);
	assert_int_equal(value(&h, "device_tx_q1_packets"), device_stat(h.dev, 3, 16, 1));
	assert_int_equal(harness_close(&h), 0);

	set(ALL, 0, 0);
	start(&h, EVERYTHING & ~B(DEVICE_STATS), 0, 0);
	assert_int_equal(count(&h), 0);
	assert_int_equal(device_net_state(h.dev)->commands, 1); /* the number of pairs */
	assert_int_equal(harness_close(&h), 0);
}

/* A reset lets them count from 0, across the end of their range; a new life of the device does not
 * know of it. A stopped port tells what it knew last. */
static void
counting_from_zero(void **state)
{
	struct harness h;

	(void)state;
	set(ALL, UINT64_MAX - 5, 0);
	start_with_all(&h);
	assert_int_equal(rte_eth_xstats_reset(h.port), 0);
	assert_int_equal(value(&h, "device_rx_q1_bytes"), 0);
	assert_int_equal(value(&h, "device_ctrl_commands"), 0);
	device_set_stats(h.dev, types, 94, 0);
	assert_int_equal(value(&h, "device_rx_q1_bytes"), 100);
	assert_int_equal(value(&h, "device_tx_q0_bytes"), 100);
	assert_int_equal(value(&h, "device_ctrl_commands"), 100);
	assert_int_equal(rte_eth_dev_stop(h.port), 0);
	device_set_stats(h.dev, types, 200, 0);
	assert_int_equal(value(&h, "device_rx_q1_bytes"), 100);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	compare(&h);
	assert_int_equal(harness_close(&h), 0);
}

/* --- what a device can say ---------------------------------------------------------------------
 */

static unsigned lie;

/* The first reply is no good; the others, where there are any, are right. */
static uint32_t
first_reply(uint8_t *result, uint32_t len)
{
	switch (lie) {
	case 0: /* a size beyond the result */
		result[6] = result[7] = 0xff;
		return len;
	case 1: /* smaller than its header, so that it never ends */
		result[6] = 7;
		result[7] = 0;
		return len;
	case 2:
		result[6] = result[7] = 0;
		return len;
	case 3: /* another virtqueue's */
		result[2] ^= 2;
		return len;
	case 4: /* a type that was not asked for, of another kind of virtqueue */
		result[0] ^= 16;
		return len;
	case 5: /* an unknown one */
		result[0] = 200;
		return len;
	case 6: /* a size that holds fewer counters than it should */
		result[6] = 16;
		result[7] = 0;
		return len;
	default: /* nothing */
		return 0;
	}
}

static void
lies(void **state)
{
	struct harness h;

	(void)state;
	set(1 << 0 | 1 << 16, 1, 0);
	for (lie = 0; lie < 8; lie++) {
		start_with_all(&h);
		assert_int_equal(value(&h, "device_tx_q1_packets"), device_stat(h.dev, 3, 16, 1));
		device_stats_hook(h.dev, first_reply);
		device_set_stats(h.dev, types, 500, 0);
		harness_quiet();
		assert_int_equal(value(&h, "device_rx_q0_packets"), 1 + 1);
		assert_int_equal(value(&h, "device_tx_q1_packets"), 1 + 30000 + 1600 + 1);
		assert_true(harness_said("does not tell all the statistics"));
		harness_quiet();
		assert_int_equal(value(&h, "device_rx_q0_packets"), 1 + 1);
		assert_false(harness_said("does not tell"));
		device_stats_hook(h.dev, NULL);
		assert_int_equal(value(&h, "device_rx_q0_packets"), 500 + 1);
		assert_int_equal(harness_pass(&h, 50, 100), 0);
		assert_int_equal(harness_close(&h), 0);
	}
}

/* Refused for one queue: said once, not asked again for that one, and the others go on. */
static void
refused(void **state)
{
	unsigned commands, each;
	struct harness h;

	(void)state;
	set(ALL, 1, 0);
	start_with_all(&h);
	assert_int_equal(value(&h, "device_rx_q0_packets"), 2);
	device_set_stats(h.dev, types, 500, 0);
	commands = device_net_state(h.dev)->commands;
	assert_int_equal(value(&h, "device_rx_q0_packets"), 501);
	each = device_net_state(h.dev)->commands - commands;
	device_set_stats(h.dev, types, 900, 0);
	device_lie(h.dev, CTRL_QUEUE, DEVICE_LIE_CTRL_ACK, 1);
	harness_quiet();
	assert_int_equal(value(&h, "device_rx_q0_packets"), 501);
	assert_true(harness_said("virtqueue 0: the device does not tell"));
	assert_true(harness_said("device_* stand still"));
	commands = device_net_state(h.dev)->commands;
	harness_quiet();
	assert_int_equal(value(&h, "device_rx_q0_packets"), 501);
	assert_int_equal(value(&h, "device_rx_q1_packets"), 900 + 20000 + 1);
	assert_int_equal(device_net_state(h.dev)->commands, commands + 2 * (each - 1));
	assert_false(harness_said("does not tell"));
	assert_int_equal(harness_pass(&h, 50, 100), 0);
	assert_int_equal(rte_eth_dev_stop(h.port), 0);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	assert_int_equal(value(&h, "device_rx_q0_packets"), 901);
	assert_int_equal(harness_close(&h), 0);
}

/* No answer is no statistics: the reader waits the bound once, and gets what was known. */
static void
silent(void **state)
{
	uint64_t before;
	struct harness h;

	(void)state;
	set(ALL, 1, 0);
	start_with_all(&h);
	device_lie(h.dev, CTRL_QUEUE, DEVICE_LIE_CTRL_SILENT, 0);
	before = seam_now_us;
	assert_int_equal(count(&h), 2 * 32 + 2);
	assert_in_range(seam_now_us - before, 1, 1100000);
	before = seam_now_us;
	assert_int_equal(value(&h, "device_rx_q0_packets"), 0);
	assert_int_equal(seam_now_us, before);
	assert_int_equal(harness_close(&h), 0);
}

/* The question itself refused, or answered by types without end. */
static void
query_refused(void **state)
{
	struct harness_options options = { .features = STATS, .pairs = PAIRS, .prepare = prepare };
	struct harness h;

	(void)state;
	set(ALL, 1, 0);
	options.features &= ~B(MQ);
	assert_int_equal(harness_open(&h, &options), 0);
	assert_int_equal(harness_setup(&h, 1, 1, 64, NULL), 0);
	device_lie(h.dev, 2, DEVICE_LIE_CTRL_ACK, 1);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	assert_int_equal(count(&h), 0);
	assert_int_equal(rte_eth_dev_stop(h.port), 0);
	device_set_stats(h.dev, UINT64_MAX, 1, 0);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	assert_int_equal(count(&h), 16 + 2);
	assert_int_equal(value(&h, "device_ctrl_commands"), device_stat(h.dev, 2, 32, 0));
	assert_int_equal(harness_close(&h), 0);
}

/* A device that has more, or less, after a recovery does not change the list of a started port. */
static void
recovered(void **state)
{
	struct harness_options options = { .features = STATS & ~B(MQ),
					   .prepare = prepare,
					   .recover = VIO_RECOVER_AUTO };
	struct harness h;

	(void)state;
	set(1 << 0 | 1 << 16, 1, 0);
	assert_int_equal(harness_open(&h, &options), 0);
	assert_int_equal(harness_setup(&h, 1, 1, 64, NULL), 0);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	assert_int_equal(count(&h), 12);
	device_set_stats(h.dev, ALL & ~(UINT64_C(1) << 16), 500, 0);
	device_need_reset(h.dev);
	h.eth->data->dev_conf.intr_conf.lsc = 0;
	assert_int_equal(rte_eth_link_get_nowait(h.port, &(struct rte_eth_link){ 0 }), 0);
	/* As on another thread, where a stop has begun and waits for the lock. */
	h.eth->data->dev_started = 0;
	seam_alarms_within(3000000);
	h.eth->data->dev_started = 1;
	assert_true(harness_started(&h));
	assert_int_equal(value(&h, "recoveries"), 1);
	assert_int_equal(count(&h), 12);
	assert_int_equal(value(&h, "device_rx_q0_packets"), 501);
	assert_int_equal(value(&h, "device_tx_q0_packets"), 1 + 10000 + 1600 + 1); /* as it was */
	assert_int_equal(harness_close(&h), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(all_counters),
	cmocka_unit_test(only_what_there_is),
	cmocka_unit_test(counting_from_zero),
	cmocka_unit_test(lies),
	cmocka_unit_test(refused),
	cmocka_unit_test(silent),
	cmocka_unit_test(query_refused),
	cmocka_unit_test(recovered),
};

HARNESS_MAIN(tests)
