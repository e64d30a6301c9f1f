/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Devices that lie about everything but rings, which vhost-user and a VM cannot show: the control
 * queue, status, features, configuration. Each lie costs a bounded time, a line of the log, and
 * nothing else: the port works again with an honest device, and closing it finds everything in its
 * place.
 */
#include "harness.h"

#include <errno.h>

#include "inject.h"

enum { CTRL_QUEUE = 2 };

#define CONTROL                                                        \
	(DEVICE_BIT(DEVICE_F_CTRL_VQ) | DEVICE_BIT(DEVICE_F_CTRL_RX) | \
	 DEVICE_BIT(DEVICE_F_CTRL_MAC_ADDR) | DEVICE_BIT(DEVICE_F_MAC))
#define PACKED DEVICE_BIT(DEVICE_F_RING_PACKED)

static uint64_t began;

static void
clock_on(void)
{
	harness_quiet();
	began = seam_now_us;
}

/* So long, by a clock of milliseconds, where the wait is for nothing, and a fifth more at most. */
#define assert_took_ms(ms) assert_in_range(seam_now_us - began, ((ms)-1) * 1000, (ms)*1200)
#define assert_at_once()   assert_in_range(seam_now_us - began, 0, 900)

static void
open_started(struct harness *h, const struct harness_options *options)
{
	assert_int_equal(harness_open(h, options), 0);
	assert_int_equal(harness_setup(h, 1, 1, 64, NULL), 0);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
}

/* With an honest device the port works, once restarted, and can be closed. */
static void
works_again(struct harness *h)
{
	device_honest(h->dev);
	h->deaf = false;
	h->turn = h->on_call = NULL;
	if (harness_started(h))
		assert_int_equal(rte_eth_dev_stop(h->port), 0);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
	assert_int_equal(harness_pass(h, 200, 100), 0);
	assert_int_equal(rte_eth_dev_stop(h->port), 0);
	assert_int_equal(harness_close(h), 0);
}

static int
command(struct harness *h)
{
	struct rte_ether_addr mac = { { 2, 0, 0, 0, 0, 1 } };

	return rte_eth_dev_default_mac_addr_set(h->port, &mac);
}

/* --- the control queue (row 15) ----------------------------------------------------------------
 */

/* For each bound that the devarg sets. Later commands fail at once. */
static void
never_answers(void **state)
{
	static const struct {
		const char *devargs;
		uint32_t ms;
	} bounds[] = { { "timeout=1", 1 },
		       { "timeout=40", 40 },
		       { "timeout=5000", 5000 },
		       { "timeout=600000", 600000 } };

	(void)state;
	for (size_t i = 0; i < 2 * RTE_DIM(bounds); i++) {
		struct harness_options options = {
			.features = CONTROL | (i % 2 == 0 ? PACKED : 0),
			.devargs = bounds[i / 2].devargs,
		};
		struct harness h;

		open_started(&h, &options);
		device_lie(h.dev, CTRL_QUEUE, DEVICE_LIE_CTRL_SILENT, 0);
		clock_on();
		assert_int_equal(command(&h), -ETIMEDOUT);
		assert_took_ms(bounds[i / 2].ms);
		assert_true(harness_said("MAC address: the control queue gave no answer"));
		clock_on();
		assert_int_equal(command(&h), -ETIMEDOUT);
		assert_at_once();
		assert_int_equal(harness_pass(&h, 10, 100), 0);
		works_again(&h);
	}
}

static void
never_answers_at_start(void **state)
{
	struct harness_options options = { .features = CONTROL | DEVICE_BIT(DEVICE_F_MQ),
					   .pairs = 2,
					   .timeout_ms = 30 };
	struct harness h;

	(void)state;
	assert_int_equal(harness_open(&h, &options), 0);
	assert_int_equal(harness_setup(&h, 2, 2, 64, NULL), 0);
	device_lie(h.dev, 0, DEVICE_LIE_CTRL_SILENT, 0);
	clock_on();
	assert_int_equal(rte_eth_dev_start(h.port), -ETIMEDOUT);
	assert_took_ms(30);
	assert_true(harness_said("number of queue pairs: the control queue gave no answer"));
	assert_true(harness_said("could not be started"));
	works_again(&h);
}

/* The second answer to one command is none to the next. */
static void
answers_twice(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct harness_options options = { .features = CONTROL | (i == 0 ? PACKED : 0) };
		struct harness h;

		open_started(&h, &options);
		device_lie(h.dev, CTRL_QUEUE, DEVICE_LIE_CTRL_TWICE, 0);
		clock_on();
		/* A split ring's index then tells of more than there was. In a packed one the
		 * second answer is overwritten, and the device is out of step. */
		if (command(&h) == 0)
			assert_int_equal(rte_eth_promiscuous_enable(h.port), -ETIMEDOUT);
		assert_in_range(seam_now_us - began, 0, 5100000);
		assert_true(harness_said("the control queue gave no answer"));
		clock_on();
		assert_int_equal(rte_eth_allmulticast_enable(h.port), -ETIMEDOUT);
		assert_at_once();
		works_again(&h);
	}
}

static void
answers_with_an_odd_id(void **state)
{
	static const uint32_t ids[] = { 1, 63, 64, 65, 0xffff, 0x10000, 0xffffffff };

	(void)state;
	for (size_t i = 0; i < 2 * RTE_DIM(ids); i++) {
		struct harness_options options = { .features = CONTROL |
							       (i % 2 == 0 ? PACKED : 0) };
		struct harness h;
		int ret;

		/* A packed ring's id has 16 bits: this one is right. */
		if (ids[i / 2] == 0x10000 && i % 2 == 0)
			continue;
		open_started(&h, &options);
		device_lie(h.dev, CTRL_QUEUE, DEVICE_LIE_CTRL_ID, ids[i / 2]);
		clock_on();
		ret = command(&h);
		assert_int_equal(ret, -ETIMEDOUT);
		assert_at_once();
		assert_true(harness_said("the control queue gave no answer"));
		works_again(&h);
	}
}

/* Anything but OK is a refusal, and the next command is sent. */
static void
acks_garbage(void **state)
{
	(void)state;
	for (unsigned ack = 1; ack < 256; ack += 127) {
		struct harness h;

		open_started(&h, &(struct harness_options){ .features = CONTROL });
		device_lie(h.dev, CTRL_QUEUE, DEVICE_LIE_CTRL_ACK, ack);
		clock_on();
		assert_int_equal(command(&h), -EIO);
		assert_true(harness_said("MAC address: the device refused"));
		assert_int_equal(command(&h), 0);
		works_again(&h);
	}
}

/* It comes when nobody waits any more: it is the answer to no command. */
static void
answers_late(void **state)
{
	struct harness_options options = { .features = CONTROL, .timeout_ms = 20 };
	unsigned before;
	struct harness h;

	(void)state;
	open_started(&h, &options);
	before = device_net_state(h.dev)->commands;
	h.deaf = true;
	clock_on();
	assert_int_equal(command(&h), -ETIMEDOUT);
	assert_took_ms(20);
	h.deaf = false;
	harness_poll(&h);
	assert_int_equal(device_net_state(h.dev)->commands, before + 1);
	clock_on();
	assert_int_equal(rte_eth_promiscuous_enable(h.port), -ETIMEDOUT);
	assert_at_once();
	assert_int_equal(device_net_state(h.dev)->commands, before + 1);
	works_again(&h);
}

/* Just in time is in time. */
static unsigned turns;

static void
answer_at_last(struct harness *h)
{
	if (++turns == 1900)
		harness_poll(h);
}

static void
answers_in_the_end(void **state)
{
	struct harness_options options = { .features = CONTROL, .timeout_ms = 25 };
	struct harness h;

	(void)state;
	open_started(&h, &options);
	turns = 0;
	h.turn = answer_at_last;
	clock_on();
	assert_int_equal(command(&h), 0);
	assert_in_range(seam_now_us - began, 19000, 25000);
	works_again(&h);
}

/* Each of many just in time: all together they get as long as ten. */
static uint64_t asked_us;

static void
answer_after_15_ms(struct harness *h)
{
	if (seam_now_us - asked_us < 15000)
		return;
	harness_poll(h);
	asked_us = seam_now_us;
}

static void
answers_each_of_many_in_the_end(void **state)
{
	struct harness_options options = { .features = CONTROL | DEVICE_BIT(DEVICE_F_CTRL_VLAN),
					   .timeout_ms = 20 };
	struct rte_eth_conf conf = { .rxmode.offloads = RTE_ETH_RX_OFFLOAD_VLAN_FILTER };
	struct harness h;

	(void)state;
	assert_int_equal(harness_open(&h, &options), 0);
	assert_int_equal(harness_setup(&h, 1, 1, 64, &conf), 0);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	for (uint16_t id = 1; id <= 100; id++)
		assert_int_equal(rte_eth_dev_vlan_filter(h.port, id, 1), 0);
	assert_int_equal(rte_eth_dev_stop(h.port), 0);
	asked_us = seam_now_us;
	h.turn = answer_after_15_ms;
	clock_on();
	assert_int_equal(rte_eth_dev_start(h.port), -ETIMEDOUT);
	assert_took_ms(200);
	assert_true(harness_said("the device took 200 ms over this and the commands before it"));
	/* What comes later, one by one, has as long as ever. */
	h.turn = NULL;
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	seam_now_us += 1000000;
	assert_int_equal(command(&h), 0);
	works_again(&h);
}

/* --- status ------------------------------------------------------------------------------------
 */

static void
lie_features_ok(struct device *dev)
{
	device_lie(dev, 0, DEVICE_LIE_FEATURES_OK, 0);
}

static void
refuses_features(void **state)
{
	struct harness h;

	(void)state;
	clock_on();
	assert_int_equal(harness_open(&h, &(struct harness_options){ .prepare = lie_features_ok }),
			 -EPROTO);
	assert_true(harness_said("the device refuses the features VERSION_1"));
	assert_int_equal(harness_open(&h, &(struct harness_options){ .features = CONTROL }), 0);
	assert_int_equal(harness_setup(&h, 1, 1, 64, NULL), 0);
	device_lie(h.dev, 0, DEVICE_LIE_FEATURES_OK, 0);
	clock_on();
	assert_int_equal(rte_eth_dev_start(h.port), -EPROTO);
	assert_true(harness_said("the device refuses the features"));
	works_again(&h);
}

static void
lie_reset(struct device *dev)
{
	device_lie(dev, 0, DEVICE_LIE_RESET, 0);
}

static void
never_resets(void **state)
{
	struct harness_options options = { .prepare = lie_reset, .timeout_ms = 70 };
	struct harness h;

	(void)state;
	clock_on();
	assert_int_equal(harness_open(&h, &options), -ETIMEDOUT);
	assert_took_ms(70);
	assert_true(harness_said("reset did not finish in 70 ms"));
	/* At stop: what the device has stays with it, until it lets go. */
	options.prepare = NULL;
	open_started(&h, &options);
	lie_reset(h.dev);
	clock_on();
	assert_int_equal(rte_eth_dev_stop(h.port), -ETIMEDOUT);
	assert_took_ms(70);
	assert_true(harness_said("the device did not let go of its buffers"));
	assert_int_equal(rte_mempool_in_use_count(harness_rx_pool), 64);
	clock_on();
	assert_int_equal(rte_eth_dev_start(h.port), -ETIMEDOUT);
	assert_in_range(seam_now_us - began, 69000, 170000);
	assert_int_equal(rte_mempool_in_use_count(harness_rx_pool), 64);
	clock_on();
	assert_true(harness_setup(&h, 1, 1, 32, NULL) < 0);
	assert_true(harness_said("the device has not let go"));
	device_honest(h.dev);
	assert_int_equal(harness_setup(&h, 1, 1, 32, NULL), 0);
	assert_int_equal(rte_mempool_in_use_count(harness_rx_pool), 0);
	works_again(&h);
}

/* Nor is it told anything more, though its control queue stands there as before. */
static void
told_nothing_after_a_failed_stop(void **state)
{
	struct harness_options options = { .features = CONTROL, .timeout_ms = 70 };
	unsigned commands;
	uint64_t kicks;
	struct harness h;

	(void)state;
	open_started(&h, &options);
	lie_reset(h.dev);
	assert_int_equal(rte_eth_dev_stop(h.port), -ETIMEDOUT);
	commands = device_net_state(h.dev)->commands;
	kicks = device_kicks(h.dev, CTRL_QUEUE);
	clock_on();
	assert_int_equal(command(&h), 0);
	assert_int_equal(rte_eth_promiscuous_enable(h.port), 0);
	assert_at_once();
	assert_int_equal(device_net_state(h.dev)->commands, commands);
	assert_int_equal(device_kicks(h.dev, CTRL_QUEUE), kicks);
	/* But once it has let go, and is started anew. */
	device_honest(h.dev);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	assert_int_equal(device_net_state(h.dev)->rx_mode[0], 1);
	works_again(&h);
}

/* To the end: closing ends too, and says so. The device has no buffers by then. */
static void
never_resets_again(void **state)
{
	struct harness_options options = { .timeout_ms = 70 };
	struct harness h;

	(void)state;
	open_started(&h, &options);
	assert_int_equal(rte_eth_dev_stop(h.port), 0);
	lie_reset(h.dev);
	clock_on();
	assert_int_equal(rte_eth_dev_close(h.port), -ETIMEDOUT);
	assert_took_ms(70);
	assert_true(harness_said("the device did not let go"));
	assert_true(h.cut_off);
	h.open = false;
	assert_int_equal(harness_close(&h), 0);
}

/* Slow is not never. */
static void
resets_slowly(void **state)
{
	struct harness_options options = { .timeout_ms = 70 };
	struct harness h;

	(void)state;
	open_started(&h, &options);
	device_reset_takes(h.dev, 300);
	clock_on();
	assert_int_equal(rte_eth_dev_stop(h.port), 0);
	assert_in_range(seam_now_us - began, 30000, 70000);
	works_again(&h);
}

/* --- DEVICE_NEEDS_RESET (row 17) ---------------------------------------------------------------
 */

static unsigned needs_reset_at;

static void
need_reset(struct harness *h)
{
	if (--needs_reset_at == 0)
		device_need_reset(h->dev);
}

/* At each operation of start and stop, and in traffic between them. */
static void
needs_reset_at_any_time(void **state)
{
	struct harness_options options = { .features = CONTROL | DEVICE_BIT(DEVICE_F_STATUS),
					   .timeout_ms = 30 };
	bool over = false;

	(void)state;
	for (unsigned k = 1; !over; k++) {
		struct rte_eth_conf conf = { .intr_conf.lsc = 1 };
		struct harness h;

		assert_int_equal(harness_open(&h, &options), 0);
		assert_int_equal(harness_setup(&h, 1, 1, 64, &conf), 0);
		needs_reset_at = k;
		h.on_call = need_reset;
		began = seam_now_us;
		if (rte_eth_dev_start(h.port) == 0) {
			seam_interrupt();
			harness_pass(&h, 10, 100);
			command(&h);
		}
		if (harness_started(&h))
			assert_int_equal(rte_eth_dev_stop(h.port), 0);
		assert_in_range(seam_now_us - began, 0, 200000);
		over = needs_reset_at != 0 && needs_reset_at <= k;
		works_again(&h);
		assert_in_range(k, 1, 500);
	}
}

/* --- configuration (row 12) --------------------------------------------------------------------
 */

static void
lie_generation(struct device *dev)
{
	device_lie(dev, 0, DEVICE_LIE_GENERATION, 0);
}

static void
generation_never_settles(void **state)
{
	struct harness_options options = { .features = CONTROL | DEVICE_BIT(DEVICE_F_STATUS),
					   .prepare = lie_generation };
	struct rte_eth_link link;
	struct harness h;
	unsigned calls;

	(void)state;
	clock_on();
	assert_int_equal(harness_open(&h, &options), -EAGAIN);
	assert_true(harness_said("the configuration changed during each of"));
	options.prepare = NULL;
	open_started(&h, &options);
	lie_generation(h.dev);
	calls = h.transport_calls;
	clock_on();
	assert_int_equal(rte_eth_link_get(h.port, &link), 0);
	assert_int_equal(link.link_status, RTE_ETH_LINK_DOWN);
	assert_in_range(h.transport_calls - calls, 1, 300);
	assert_true(harness_said("the configuration changed during each of"));
	assert_true(harness_said("the link's status cannot be read"));
	harness_quiet();
	assert_int_equal(rte_eth_link_get(h.port, &link), 0);
	assert_string_equal(harness_log(), "");
	device_honest(h.dev);
	assert_int_equal(rte_eth_link_get(h.port, &link), 0);
	assert_int_equal(link.link_status, RTE_ETH_LINK_UP);
	works_again(&h);
}

static const struct vio_transport_ops *readable;
static uint32_t unreadable[2]; /* offsets of fields */

static int
read_some(struct vio_transport *t, uint32_t offset, void *buf, uint32_t len)
{
	memset(buf, 0xaa, len);
	if (offset == unreadable[0] || offset == unreadable[1])
		return -EIO;
	return readable->read_config(t, offset, buf, len);
}

/* Each field of the link that cannot be read is told of once, and what it counts as; the others are
 * what the device says. */
static void
link_fields(void **state)
{
	static const struct {
		uint32_t offset;
		const char *said;
		uint16_t status, duplex;
		uint32_t speed;
	} fields[] = {
		{ 6, "the link's status cannot be read", 0, 1, RTE_ETH_SPEED_NUM_NONE },
		{ 12, "the link's speed cannot be read", 1, 0, RTE_ETH_SPEED_NUM_UNKNOWN },
		{ 16, "the link's duplex mode cannot be read", 1, 1, 1000 },
	};
	struct harness_options options = { .features = DEVICE_BIT(DEVICE_F_STATUS) |
						       DEVICE_BIT(DEVICE_F_SPEED_DUPLEX) };
	struct vio_transport_ops ops;
	struct rte_eth_link link;
	struct harness h;

	(void)state;
	open_started(&h, &options);
	device_config_set(h.dev, 12, 1000, 4);
	device_config_set(h.dev, 16, 0, 1);
	readable = h.transport.ops;
	ops = *readable;
	ops.read_config = read_some;
	h.transport.ops = &ops;
	for (unsigned i = 0; i < 3; i++) {
		unreadable[0] = unreadable[1] = fields[i].offset;
		for (unsigned again = 0; again < 3; again++) {
			assert_int_equal(rte_eth_link_get(h.port, &link), 0);
			assert_int_equal(link.link_status, fields[i].status);
			assert_int_equal(link.link_speed, fields[i].speed);
			assert_int_equal(link.link_duplex, fields[i].duplex);
			assert_int_equal(harness_said(fields[i].said), again == 0);
			assert_int_equal(harness_errors(), again == 0);
			harness_quiet();
		}
	}
	/* Two at once; the first of them was readable in between. */
	unreadable[0] = 12;
	assert_int_equal(rte_eth_link_get(h.port, &link), 0);
	assert_int_equal(harness_errors(), 1);
	unreadable[0] = unreadable[1] = 0;
	assert_int_equal(rte_eth_link_get(h.port, &link), 0);
	assert_int_equal(link.link_speed, 1000);
	assert_int_equal(link.link_duplex, RTE_ETH_LINK_HALF_DUPLEX);
	h.transport.ops = readable;
	works_again(&h);
}

static void
no_mtu(struct device *dev)
{
	device_config_set(dev, 10, 67, 2);
}

static void
least_mtu(struct device *dev)
{
	device_config_set(dev, 10, 68, 2);
}

static void
mtu_too_small(void **state)
{
	struct harness_options options = { .features = DEVICE_BIT(DEVICE_F_MTU) |
						       DEVICE_BIT(DEVICE_F_MRG_RXBUF),
					   .prepare = no_mtu };
	struct rte_eth_dev_info info;
	struct harness h;

	(void)state;
	clock_on();
	open_started(&h, &options);
	assert_true(harness_said("offers an MTU of 67, expected at least 68; not used"));
	assert_int_equal(rte_eth_dev_info_get(h.port, &info), 0);
	assert_in_range(info.max_mtu, 1500, 65535);
	assert_false(device_driver_features(h.dev) & DEVICE_BIT(DEVICE_F_MTU));
	works_again(&h);
	options.prepare = least_mtu;
	assert_int_equal(harness_open(&h, &options), 0);
	assert_int_equal(rte_eth_dev_info_get(h.port, &info), 0);
	assert_int_equal(info.max_mtu, 68);
	assert_int_equal(harness_close(&h), 0);
}

static uint16_t told_pairs;

static void
lie_pairs(struct device *dev)
{
	device_config_set(dev, 8, told_pairs, 2);
}

static void
odd_pairs(void **state)
{
	static const uint16_t pairs[] = { 0, 0x8000, 0x8001, 0xffff };
	struct harness_options options = { .features = CONTROL | DEVICE_BIT(DEVICE_F_MQ),
					   .pairs = 4,
					   .prepare = lie_pairs };
	struct harness h;

	(void)state;
	for (size_t i = 0; i < RTE_DIM(pairs); i++) {
		told_pairs = pairs[i];
		clock_on();
		assert_int_equal(harness_open(&h, &options), -EPROTO);
		assert_true(harness_said("max_virtqueue_pairs is"));
	}
}

/* More than there are: those that there are. The control queue would be behind the others, where
 * there is none. */
static void
too_many_pairs(void **state)
{
	struct harness_options options = { .features = CONTROL | DEVICE_BIT(DEVICE_F_MQ),
					   .pairs = 4,
					   .prepare = lie_pairs };
	struct rte_eth_dev_info info;
	struct harness h;

	(void)state;
	told_pairs = 100;
	clock_on();
	assert_int_equal(harness_open(&h, &options), 0);
	assert_true(harness_said("promises 100 queue pairs, but has no queue"));
	assert_int_equal(rte_eth_dev_info_get(h.port, &info), 0);
	assert_in_range(info.max_rx_queues, 1, 4);
	assert_int_equal(harness_setup(&h, 1, 1, 64, NULL), 0);
	assert_int_equal(rte_eth_dev_start(h.port), -EPROTO);
	assert_true(harness_said("offers CTRL_VQ, but has no queue 200"));
	assert_int_equal(harness_close(&h), 0);
}

/* Each value that is read twice may be another one. */
static void
move_on(struct device *dev, void *arg)
{
	unsigned *n = arg;

	if (++*n % 2 == 0)
		device_config_set(dev, 8, *n, 2), device_config_set(dev, 10, *n * 4001, 2);
}

static unsigned reads;

static void
restless(struct device *dev)
{
	reads = 0;
	device_config_hook(dev, move_on, &reads);
}

static void
changes_between_reads(void **state)
{
	struct harness_options options = {
		.features = CONTROL | DEVICE_BIT(DEVICE_F_MQ) | DEVICE_BIT(DEVICE_F_MTU) |
			    DEVICE_BIT(DEVICE_F_STATUS),
		.pairs = 2,
		.prepare = restless,
	};
	struct harness h;

	(void)state;
	clock_on();
	if (harness_open(&h, &options) == 0) {
		if (harness_setup(&h, 1, 1, 64, NULL) == 0)
			rte_eth_dev_start(h.port);
		assert_int_equal(harness_close(&h), 0);
	} else {
		assert_true(harness_errors() > 0);
	}
	assert_in_range(seam_now_us - began, 0, 100000);
}

/* --- features (row 13) -------------------------------------------------------------------------
 */

static void
dependent_features(void **state)
{
	static const struct {
		uint64_t offered;
		const char *dropped;
	} cases[] = {
		{ DEVICE_BIT(DEVICE_F_MQ), "offers MQ without what they need" },
		{ DEVICE_BIT(DEVICE_F_CTRL_RX) | DEVICE_BIT(DEVICE_F_CTRL_MAC_ADDR),
		  "offers CTRL_RX CTRL_MAC_ADDR without what they need" },
	};

	(void)state;
	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		struct harness_options options = { .features = cases[i].offered, .pairs = 2 };
		struct harness h;

		clock_on();
		open_started(&h, &options);
		assert_true(harness_said(cases[i].dropped));
		assert_int_equal(device_driver_features(h.dev) & cases[i].offered, 0);
		works_again(&h);
	}
}

/* Every bit at once, those that nobody knows too. */
static void
every_feature(void **state)
{
	struct harness_options options = { .features = UINT64_MAX &
						       ~DEVICE_BIT(DEVICE_F_ACCESS_PLATFORM) };
	struct harness h;

	(void)state;
	open_started(&h, &options);
	works_again(&h);
}

static void
features_change(void **state)
{
	static const uint64_t bits[] = {
		DEVICE_BIT(DEVICE_F_VERSION_1), PACKED,  DEVICE_BIT(DEVICE_F_MRG_RXBUF),
		DEVICE_BIT(DEVICE_F_IN_ORDER),  CONTROL,
	};

	(void)state;
	for (size_t i = 0; i < RTE_DIM(bits); i++) {
		struct harness_options options = { .features = CONTROL };
		struct harness h;

		assert_int_equal(harness_open(&h, &options), 0);
		assert_int_equal(harness_setup(&h, 1, 1, 64, NULL), 0);
		/* The second read is that of the start. */
		device_lie(h.dev, 0, DEVICE_LIE_FEATURES_CHANGE, bits[i]);
		clock_on();
		assert_true(rte_eth_dev_start(h.port) < 0);
		assert_true(harness_said("could not be started"));
		works_again(&h);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(never_answers),
	cmocka_unit_test(never_answers_at_start),
	cmocka_unit_test(answers_twice),
	cmocka_unit_test(answers_with_an_odd_id),
	cmocka_unit_test(acks_garbage),
	cmocka_unit_test(answers_late),
	cmocka_unit_test(answers_in_the_end),
	cmocka_unit_test(answers_each_of_many_in_the_end),
	cmocka_unit_test(refuses_features),
	cmocka_unit_test(never_resets),
	cmocka_unit_test(told_nothing_after_a_failed_stop),
	cmocka_unit_test(never_resets_again),
	cmocka_unit_test(resets_slowly),
	cmocka_unit_test(needs_reset_at_any_time),
	cmocka_unit_test(generation_never_settles),
	cmocka_unit_test(link_fields),
	cmocka_unit_test(mtu_too_small),
	cmocka_unit_test(odd_pairs),
	cmocka_unit_test(too_many_pairs),
	cmocka_unit_test(changes_between_reads),
	cmocka_unit_test(dependent_features),
	cmocka_unit_test(every_feature),
	cmocka_unit_test(features_change),
};

HARNESS_MAIN(tests)
