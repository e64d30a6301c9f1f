/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every call of the driver that can fail does so once: each allocation, each operation of the
 * transport, each interrupt that is asked for, each time that the pool is empty. Each time the step
 * of the port's life in which it happens either fails, with a line in the log, and works when tried
 * again; or it goes on without, and says or counts that. At the end nothing is left.
 */
#include "fault.h"

#include <errno.h>

#include "inject.h"

enum { RX = 2, TX = 3, SIZE = 64 };

static const uint64_t everything = DEVICE_BIT(DEVICE_F_CTRL_VQ) | DEVICE_BIT(DEVICE_F_CTRL_RX) |
				   DEVICE_BIT(DEVICE_F_CTRL_MAC_ADDR) | DEVICE_BIT(DEVICE_F_MAC) |
				   DEVICE_BIT(DEVICE_F_MQ) | DEVICE_BIT(DEVICE_F_STATUS) |
				   DEVICE_BIT(DEVICE_F_MTU) | DEVICE_BIT(DEVICE_F_SPEED_DUPLEX) |
				   DEVICE_BIT(DEVICE_F_MRG_RXBUF) |
				   DEVICE_BIT(DEVICE_F_INDIRECT_DESC);

static struct harness_options options;

static int
do_open(struct harness *h)
{
	return harness_open(h, &options);
}

static int
do_setup(struct harness *h)
{
	struct rte_eth_conf conf = { .intr_conf = { .lsc = 1, .rxq = 1 } };

	return harness_setup(h, RX, TX, SIZE, &conf);
}

static int
do_start(struct harness *h)
{
	return rte_eth_dev_start(h->port);
}

static int
do_commands(struct harness *h)
{
	struct rte_ether_addr mac = { { 2, 0, 0, 0, 0, 7 } };
	int ret = rte_eth_promiscuous_enable(h->port);

	return ret < 0 ? ret : rte_eth_dev_default_mac_addr_set(h->port, &mac);
}

/* Down is an error here, as the device says that it is up. */
static int
do_link(struct harness *h)
{
	struct rte_eth_link link;
	int ret = rte_eth_link_get(h->port, &link);

	if (ret == 0 && link.link_status == RTE_ETH_LINK_UP)
		return 0;
	seam_interrupt(); /* ethdev asks the driver only then, where there are interrupts */
	return ret < 0 ? ret : -EIO;
}

static int
do_interrupt(struct harness *h)
{
	(void)h;
	return seam_interrupt() ? 0 : -EIO;
}

static int
do_traffic(struct harness *h)
{
	return harness_started(h) && harness_pass(h, 3 * SIZE, 100) == 0 ? 0 : -EIO;
}

static int
do_stop(struct harness *h)
{
	return rte_eth_dev_stop(h->port);
}

static const struct fault_step steps[] = {
	{ "open", do_open },           { "setup", do_setup },
	{ "start", do_start },         { "commands", do_commands },
	{ "interrupt", do_interrupt }, { "link", do_link },
	{ "traffic", do_traffic },     { "stop", do_stop },
	{ "start again", do_start },   { "traffic again", do_traffic },
	{ "stop again", do_stop },     { "setup again", do_setup },
	{ "last start", do_start },    { "last traffic", do_traffic },
	{ "last stop", do_stop },      { "close", fault_close },
};

static void
live(unsigned k)
{
	struct harness h;

	inject_at(k);
	for (size_t i = 0; i < RTE_DIM(steps); i++)
		fault_take_step(&h, &steps[i], k);
	harness_close(&h);
}

static void
each_call(uint64_t features)
{
	unsigned k = 0;

	options = (struct harness_options){ .features = everything | features, .pairs = 4 };
	do {
		live(++k);
	} while (inject_failed() != NULL);
	/* More than there are steps: it is not that nothing was counted. */
	assert_in_range(k, 100, 1000);
}

static void
split(void **state)
{
	(void)state;
	each_call(0);
}

static void
packed_in_order(void **state)
{
	(void)state;
	each_call(DEVICE_BIT(DEVICE_F_RING_PACKED) | DEVICE_BIT(DEVICE_F_IN_ORDER));
}

/* The device is unplugged at the k-th operation; its transport tells. What was begun fails or ends,
 * and the port can be closed; a device that is there works after that. */
static void
unplugged_at(unsigned k)
{
	struct harness h;
	bool over = false;

	harness_quiet();
	inject_at(k);
	for (size_t i = 0; i < RTE_DIM(steps) && !over; i++)
		over = steps[i].run(&h) < 0 && !h.open;
	if (harness_started(&h))
		rte_eth_dev_stop(h.port);
	if (h.dev != NULL)
		harness_close(&h);
}

static void
unplugged(void **state)
{
	unsigned k = 0;

	(void)state;
	options = (struct harness_options){ .features = everything, .pairs = 4 };
	inject_error = -ENODEV;
	do {
		unplugged_at(++k);
	} while (inject_failed() != NULL);
	inject_error = -EIO;
	assert_in_range(k, 100, 1000);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(split),
	cmocka_unit_test(packed_in_order),
	cmocka_unit_test(unplugged),
};

HARNESS_MAIN(tests)
