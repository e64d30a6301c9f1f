/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What fault_test does, for all that a port has only where the device offers it and somebody asks
 * for it: every call fails once, and every control command is refused, or gets no answer, once.
 * Each time something says so, the step works when tried again (after a restart of the port, where
 * the line says that), what follows works, and nothing is left.
 */
#include "fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inject.h"
#include "net/vio/lro.h"
#include "net/vio/port.h"

#define B(name) DEVICE_BIT(DEVICE_F_##name)
#define LRO     (B(GUEST_CSUM) | B(GUEST_TSO4) | B(GUEST_TSO6) | B(CTRL_GUEST_OFFLOADS))
#define CONTROL                                                                                  \
	(B(CTRL_VQ) | B(CTRL_RX) | B(CTRL_RX_EXTRA) | B(CTRL_VLAN) | B(CTRL_MAC_ADDR) | B(MAC) | \
	 B(MQ) | B(RSS) | B(HASH_REPORT) | B(DEVICE_STATS) | B(STATUS) | B(GUEST_ANNOUNCE) |     \
	 B(RING_RESET) | B(MRG_RXBUF) | LRO)
#define OFFLOADS (LRO | B(CSUM) | B(HOST_TSO4) | B(HOST_TSO6) | B(INDIRECT_DESC) | B(RING_RESET))

enum { PAIRS = 3, QUEUES = 2, SIZE = 64, LONG = 9000, CTRL_QUEUE = 2 * PAIRS };
/* Where the configuration says it (spec 5.1.4). */
enum { KEY_AT = 17, TABLE_AT = 18, TYPES_AT = 20 };

static struct harness_options options;
static struct rte_eth_conf conf;
static uint16_t ring;
static bool commands_fail;          /* they count as calls, */
static enum device_lie command_lie; /* and this is what becomes of them */

static void
prepare(struct device *dev)
{
	device_config_set(dev, KEY_AT, 40, 1);
	device_config_set(dev, TABLE_AT, 128, 2);
	device_config_set(dev, TYPES_AT, 0x1ff, 4);
	device_set_stats(dev, UINT64_C(0x1000f000f), 1000, 0);
}

/* The driver waits for a command. A device that is silent stays so until it is reset. */
static void
turn(struct harness *h)
{
	static unsigned resets;

	if (device_resets(h->dev) != resets)
		device_honest(h->dev);
	resets = device_resets(h->dev);
	if (commands_fail && device_was_kicked(h->dev, CTRL_QUEUE) && inject_now("control command"))
		device_lie(h->dev, CTRL_QUEUE, command_lie, 1);
	harness_poll(h);
}

static int
do_open(struct harness *h)
{
	int ret = harness_open(h, &options);

	h->turn = turn;
	return ret;
}

/* The second pair waits for its start. */
static int
do_setup(struct harness *h)
{
	struct rte_eth_rxconf rx = { .rx_deferred_start = 1, .offloads = conf.rxmode.offloads };
	struct rte_eth_txconf tx = { .tx_deferred_start = 1, .offloads = conf.txmode.offloads };
	int ret = harness_setup(h, QUEUES, QUEUES, ring, &conf);

	if (ret == 0)
		ret = rte_eth_rx_queue_setup(h->port, 1, ring, SOCKET_ID_ANY, &rx, harness_rx_pool);
	if (ret == 0)
		ret = rte_eth_tx_queue_setup(h->port, 1, ring, SOCKET_ID_ANY, &tx);
	return ret;
}

static int
do_start(struct harness *h)
{
	return rte_eth_dev_start(h->port);
}

static int
do_stop(struct harness *h)
{
	return rte_eth_dev_stop(h->port);
}

static int
do_queues_start(struct harness *h)
{
	int ret = 0;

	for (uint16_t i = 0; i < QUEUES && ret == 0; i++) {
		ret = rte_eth_dev_rx_queue_start(h->port, i);
		if (ret == 0)
			ret = rte_eth_dev_tx_queue_start(h->port, i);
	}
	return ret;
}

static int
do_queues_stop(struct harness *h)
{
	int ret = 0;

	for (uint16_t i = 0; i < QUEUES && ret == 0; i++) {
		ret = rte_eth_dev_rx_queue_stop(h->port, i);
		if (ret == 0)
			ret = rte_eth_dev_tx_queue_stop(h->port, i);
	}
	return ret;
}

static int
do_hash(struct harness *h)
{
	const struct device_net_state *net = device_net_state(h->dev);
	uint8_t key[40];
	struct rte_eth_rss_conf hash = { key, sizeof(key), RTE_ETH_RSS_NONFRAG_IPV6_UDP };
	int ret;

	memset(key, 0x55, sizeof(key));
	ret = rte_eth_dev_rss_hash_update(h->port, &hash);
	return ret == 0 && net->hash_types != 1 << 5 ? -EPROTO : ret;
}

static int
do_table(struct harness *h)
{
	struct rte_eth_rss_reta_entry64 table[2] = { { .mask = 1 << 5, .reta[5] = 0 } };
	int ret = rte_eth_dev_rss_reta_update(h->port, table, 128);

	return ret == 0 && device_net_state(h->dev)->rss_table[5] != 0 ? -EPROTO : ret;
}

static int
do_vlan(struct harness *h)
{
	int ret = rte_eth_dev_vlan_filter(h->port, 5, 1);

	return ret == 0 && device_net_state(h->dev)->vlan[0] != 1 << 5 ? -EPROTO : ret;
}

/* Where the device takes no table, it is asked for all frames. */
static int
do_addresses(struct harness *h)
{
	const struct device_net_state *net = device_net_state(h->dev);
	struct rte_ether_addr mac = { { 2, 0, 0, 0, 0, 7 } }, all = { { 1, 0, 0, 0, 0, 9 } };
	int ret = rte_eth_dev_mac_addr_add(h->port, &mac, 0);

	if (ret == 0)
		ret = rte_eth_dev_set_mc_addr_list(h->port, &all, 1);
	return ret == 0 && net->multicast != 1 && net->rx_mode[1] != 1 ? -EPROTO : ret;
}

static int
do_lro(struct harness *h)
{
	int ret = vio_lro_switch(vio_port(h->eth), false);

	return ret == 0 && device_net_state(h->dev)->offloads != B(GUEST_CSUM) ? -EPROTO : ret;
}

static int
do_modes(struct harness *h)
{
	int ret = rte_eth_promiscuous_enable(h->port);

	return ret == 0 ? rte_eth_allmulticast_enable(h->port) : ret;
}

/* Counters that cannot be had stand still. */
static int
do_counters(struct harness *h)
{
	static struct rte_eth_xstat values[512];
	int n = rte_eth_xstats_get(h->port, values, RTE_DIM(values));

	return n > 0 && n <= (int)RTE_DIM(values) ? 0 : -EIO;
}

static int
do_announce(struct harness *h)
{
	unsigned before = device_net_state(h->dev)->announced;
	struct device_packet *packet;

	device_ask_announce(h->dev);
	if (!seam_interrupt())
		return -EIO;
	while (seam_alarm())
		;
	if (harness_said("going without"))
		return 0;
	harness_poll(h);
	/* Not one alone: who starts the port again sees that the device still asks. */
	while ((packet = device_next_packet(h->dev, 0)) != NULL)
		free(packet);
	return device_net_state(h->dev)->announced == before + 1 ? 0 : -EIO;
}

static bool
long_frame_comes(struct harness *h, uint16_t queue)
{
	static uint8_t frame[LONG];
	struct rte_mbuf *mbuf = NULL;
	bool whole;

	if (device_receive_packet(h->dev, queue, NULL, frame, LONG) == 0 ||
	    rte_eth_rx_burst(h->port, queue, &mbuf, 1) == 0)
		return false;
	whole = mbuf->pkt_len == LONG;
	rte_pktmbuf_free(mbuf);
	return whole;
}

static int
do_traffic(struct harness *h)
{
	unsigned missing;

	if (!harness_started(h))
		return -EIO;
	missing = harness_pass(h, 2 * SIZE, 100);
	for (unsigned i = 0; i < SIZE; i++)
		missing += !long_frame_comes(h, i % QUEUES);
	return missing == 0 ? 0 : -EIO;
}

static const struct fault_step steps[] = {
	{ "open", do_open },
	{ "setup", do_setup },
	{ "start", do_start },
	{ "start queues", do_queues_start },
	{ "traffic", do_traffic },
	{ "hash", do_hash },
	{ "table", do_table },
	{ "VLAN", do_vlan },
	{ "addresses", do_addresses },
	{ "modes", do_modes },
	{ "LRO", do_lro },
	{ "counters", do_counters },
	{ "announce", do_announce },
	{ "stop queues", do_queues_stop },
	{ "start queues after that", do_queues_start },
	{ "traffic after that", do_traffic },
	{ "stop", do_stop },
	{ "start again", do_start },
	{ "start queues again", do_queues_start },
	{ "traffic again", do_traffic },
	{ "counters again", do_counters },
	{ "stop again", do_stop },
	{ "close", fault_close },
};

/* Whether the port of this test has it. */
static bool
applies(const struct fault_step *step)
{
	if (step->run == do_hash || step->run == do_table || step->run == do_vlan ||
	    step->run == do_addresses || step->run == do_modes || step->run == do_announce)
		return options.features & B(CTRL_VLAN);
	return true;
}

static unsigned
each_call(void)
{
	struct harness h;
	unsigned k = 0;

	do {
		inject_at(++k);
		for (size_t i = 0; i < RTE_DIM(steps); i++)
			if (applies(&steps[i]))
				fault_take_step(&h, &steps[i], k);
		harness_close(&h);
	} while (inject_failed() != NULL);
	return k;
}

static void
with_control(uint64_t features)
{
	ring = SIZE;
	options = (struct harness_options){ .features = CONTROL | features,
					    .pairs = PAIRS,
					    .prepare = prepare,
					    .timeout_ms = 100,
					    .devargs = "coalesce=50:32" };
	conf = (struct rte_eth_conf){
		.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS,
		.rxmode.offloads = RTE_ETH_RX_OFFLOAD_VLAN_FILTER | RTE_ETH_RX_OFFLOAD_RSS_HASH |
				   RTE_ETH_RX_OFFLOAD_SCATTER | RTE_ETH_RX_OFFLOAD_TCP_LRO,
		.rxmode.max_lro_pkt_size = 65550,
		.rx_adv_conf.rss_conf.rss_hf = RTE_ETH_RSS_NONFRAG_IPV4_TCP,
		.intr_conf.lsc = 1,
	};
}

static void
calls(void **state)
{
	(void)state;
	commands_fail = false;
	with_control(B(NOTF_COAL));
	assert_in_range(each_call(), 80, 1000);
}

static void
calls_packed(void **state)
{
	(void)state;
	commands_fail = false;
	with_control(B(VQ_NOTF_COAL) | B(RING_PACKED) | B(IN_ORDER));
	assert_in_range(each_call(), 80, 1000);
}

static void
refused(void **state)
{
	(void)state;
	commands_fail = true;
	command_lie = DEVICE_LIE_CTRL_ACK;
	with_control(B(NOTF_COAL));
	assert_in_range(each_call(), 110, 1000);
}

static void
unanswered(void **state)
{
	(void)state;
	commands_fail = true;
	command_lie = DEVICE_LIE_CTRL_SILENT;
	with_control(B(VQ_NOTF_COAL) | B(RING_PACKED));
	assert_in_range(each_call(), 110, 1000);
}

/* Frames that several buffers hold, of a device that cannot put them together itself. */
static void
chains(void **state)
{
	(void)state;
	commands_fail = false;
	ring = 256;
	conf = (struct rte_eth_conf){
		.rxmode.offloads = RTE_ETH_RX_OFFLOAD_TCP_LRO | RTE_ETH_RX_OFFLOAD_TCP_CKSUM |
				   RTE_ETH_RX_OFFLOAD_VLAN_STRIP | RTE_ETH_RX_OFFLOAD_SCATTER,
		.rxmode.max_lro_pkt_size = 65550,
		.txmode.offloads = RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_TSO |
				   RTE_ETH_TX_OFFLOAD_MULTI_SEGS,
	};
	for (unsigned packed = 0; packed < 2; packed++) {
		options = (struct harness_options){
			.features = OFFLOADS | B(MQ) | B(CTRL_VQ) | B(CTRL_RX),
			.pairs = PAIRS,
		};
		options.features |= packed ? B(RING_PACKED) : 0;
		assert_in_range(each_call(), 60, 1000);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(calls),      cmocka_unit_test(calls_packed), cmocka_unit_test(refused),
	cmocka_unit_test(unanswered), cmocka_unit_test(chains),
};

HARNESS_MAIN(tests)
