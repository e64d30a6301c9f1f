/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the application has set, against what the device was told: after each way in which a port
 * comes back it has been told all of it again, also what was changed while the port was down.
 */
#include "harness.h"

#include <errno.h>
#include <string.h>

#include "inject.h"
#include "net/vio/port.h"

#define B(name) DEVICE_BIT(DEVICE_F_##name)

#define FEATURES                                                                               \
	(B(CTRL_VQ) | B(CTRL_RX) | B(CTRL_VLAN) | B(CTRL_MAC_ADDR) | B(MAC) | B(MTU) | B(MQ) | \
	 B(RSS) | B(HASH_REPORT) | B(CSUM) | B(GUEST_CSUM) | B(HOST_TSO4) | B(HOST_TSO6) |     \
	 B(RING_RESET) | B(VQ_NOTF_COAL))

#define RX_OFFLOADS                                                      \
	(RTE_ETH_RX_OFFLOAD_VLAN_FILTER | RTE_ETH_RX_OFFLOAD_TCP_CKSUM | \
	 RTE_ETH_RX_OFFLOAD_RSS_HASH)
#define TX_OFFLOADS (RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_TSO)

enum { PAIRS = 4, QUEUES = 3, RX_SIZE = 64, TX_SIZE = 128, TABLE = 128, KEY = 40 };
enum { COAL_USECS = 50, COAL_PACKETS = 32 };
/* Where the configuration says it (spec 5.1.4). */
enum { MTU_AT = 10, KEY_AT = 17, TABLE_AT = 18, TYPES_AT = 20 };

static const uint64_t layouts[] = {
	0,
	B(NOTF_COAL),
	B(RING_PACKED) | B(NOTF_COAL),
	B(RING_PACKED) | B(MRG_RXBUF),
};

/* What an application sets; two of each, so that what stands from before is not taken for what was
 * told again. */
struct settings {
	bool promiscuous, all_multicast;
	uint8_t mac;              /* its last byte */
	unsigned macs;            /* further ones */
	unsigned multicast;       /* addresses */
	uint16_t vlan, vlan_none; /* one that is received, and one that is not */
	uint64_t hash;
	uint32_t hash_types; /* as the device knows them */
	uint8_t key;         /* each of its bytes */
	uint16_t third;      /* the table's third entry */
	uint16_t mtu;
};

static const struct settings first = {
	.promiscuous = true,
	.mac = 9,
	.macs = 3,
	.multicast = 2,
	.vlan = 4094,
	.vlan_none = 7,
	.hash = RTE_ETH_RSS_NONFRAG_IPV4_TCP,
	.hash_types = 1 << 1,
	.key = 0x77,
	.third = 0,
	.mtu = 1400,
};

static const struct settings second = {
	.all_multicast = true,
	.mac = 10,
	.macs = 1,
	.multicast = 5,
	.vlan = 7,
	.vlan_none = 4094,
	.hash = RTE_ETH_RSS_NONFRAG_IPV6_UDP,
	.hash_types = 1 << 5,
	.key = 0x12,
	.third = 1,
	.mtu = 1300,
};

static struct rte_ether_addr
address(bool multicast, uint8_t last)
{
	return (struct rte_ether_addr){ { multicast ? 3 : 2, 0, 0, 0, 0, last } };
}

static void
set_addresses(uint16_t port, const struct settings *s)
{
	struct rte_ether_addr mac = address(false, s->mac), list[8];

	assert_int_equal(rte_eth_dev_default_mac_addr_set(port, &mac), 0);
	for (uint8_t i = 0; i < 4; i++) {
		mac = address(false, 0x20 + i);
		if (i < s->macs)
			assert_int_equal(rte_eth_dev_mac_addr_add(port, &mac, 0), 0);
		else
			rte_eth_dev_mac_addr_remove(port, &mac);
	}
	for (uint8_t i = 0; i < s->multicast; i++)
		list[i] = address(true, s->mac + i);
	assert_int_equal(rte_eth_dev_set_mc_addr_list(port, list, s->multicast), 0);
}

static void
set_rss(uint16_t port, const struct settings *s)
{
	struct rte_eth_rss_reta_entry64 table[TABLE / RTE_ETH_RETA_GROUP_SIZE] = {
		{ .mask = 1 << 3, .reta[3] = s->third },
	};
	uint8_t key[KEY];
	struct rte_eth_rss_conf hash = { key, sizeof(key), s->hash };

	memset(key, s->key, sizeof(key));
	assert_int_equal(rte_eth_dev_rss_hash_update(port, &hash), 0);
	assert_int_equal(rte_eth_dev_rss_reta_update(port, table, TABLE), 0);
}

static void
set_others(struct harness *h, const struct settings *s)
{
	uint16_t port = h->port;

	assert_int_equal(s->promiscuous ? rte_eth_promiscuous_enable(port)
					: rte_eth_promiscuous_disable(port),
			 0);
	assert_int_equal(s->all_multicast ? rte_eth_allmulticast_enable(port)
					  : rte_eth_allmulticast_disable(port),
			 0);
	set_addresses(port, s);
	assert_int_equal(rte_eth_dev_vlan_filter(port, s->vlan, 1), 0);
	assert_int_equal(rte_eth_dev_vlan_filter(port, s->vlan_none, 0), 0);
	assert_int_equal(rte_eth_dev_set_mtu(port, s->mtu), 0);
}

static void
set(struct harness *h, const struct settings *s)
{
	set_others(h, s);
	set_rss(h->port, s);
}

/* --- what the device was told
 * ---------------------------------------------------------------------
 */

static void
addresses_are_told(const struct device_net_state *net, const struct settings *s)
{
	struct rte_ether_addr mac = address(false, s->mac), further = address(false, 0x20),
			      multicast = address(true, s->mac);

	assert_int_equal(net->rx_mode[0], s->promiscuous);
	assert_int_equal(net->rx_mode[1], s->all_multicast);
	assert_memory_equal(net->mac, &mac, sizeof(mac));
	assert_int_equal(net->unicast, s->macs);
	assert_memory_equal(net->first_unicast, &further, sizeof(further));
	assert_int_equal(net->multicast, s->multicast);
	assert_memory_equal(net->first_multicast, &multicast, sizeof(multicast));
	for (unsigned id = 0; id < 4096; id++)
		assert_int_equal(net->vlan[id / 8] >> id % 8 & 1, id == s->vlan);
}

static void
rss_is_told(const struct device_net_state *net, const struct settings *s)
{
	assert_int_equal(net->hash_types, s->hash_types);
	assert_int_equal(net->rss_key_len, KEY);
	for (unsigned i = 0; i < KEY; i++)
		assert_int_equal(net->rss_key[i], s->key);
	assert_int_equal(net->rss_entries, TABLE);
	for (unsigned i = 0; i < TABLE; i++)
		assert_int_equal(net->rss_table[i], i == 3 ? s->third : i % QUEUES);
}

static void
queues_are_told(struct harness *h)
{
	const struct device_net_state *net = device_net_state(h->dev);
	bool all = device_driver_features(h->dev) & B(NOTF_COAL);

	assert_int_equal(net->pairs, QUEUES);
	for (uint16_t i = 0; i < 2 * QUEUES; i++) {
		const struct device_coal *coal = all ? &net->coal[i % 2] : &net->coal_queue[i];

		assert_true(device_queue_enabled(h->dev, i));
		assert_int_equal(device_queue_size(h->dev, i), i % 2 ? TX_SIZE : RX_SIZE);
		assert_int_equal(coal->usecs, COAL_USECS);
		assert_int_equal(coal->packets, COAL_PACKETS);
	}
	assert_false(device_queue_enabled(h->dev, 2 * QUEUES));
}

static uint64_t negotiated;
static uint32_t tables; /* of addresses, as they were told at first */

static void
is_told(struct harness *h, const struct settings *s)
{
	const struct device_net_state *net = device_net_state(h->dev);
	uint16_t mtu;

	addresses_are_told(net, s);
	rss_is_told(net, s);
	queues_are_told(h);
	assert_int_equal(device_driver_features(h->dev), negotiated);
	assert_int_equal(rte_eth_dev_get_mtu(h->port, &mtu), 0);
	assert_int_equal(mtu, s->mtu);
	assert_int_equal(harness_pass(h, 3, s->mtu + RTE_ETHER_HDR_LEN), 0);
}

/* --- ways in which it comes back
 * ------------------------------------------------------------------
 */

static void
run_alarms(void)
{
	for (unsigned i = 0; i < 100; i++)
		if (!seam_alarm())
			return;
	fail_msg("alarms without end");
}

static void
needs_reset(struct harness *h)
{
	device_need_reset(h->dev);
	assert_true(seam_interrupt());
	run_alarms();
}

static void
queue_breaks(struct harness *h)
{
	static const uint8_t frame[100];
	struct rte_mbuf *mbuf;

	device_lie(h->dev, VIO_NET_RXQ(1), DEVICE_LIE_ID, RX_SIZE);
	device_receive_packet(h->dev, 1, NULL, frame, sizeof(frame));
	assert_int_equal(rte_eth_rx_burst(h->port, 1, &mbuf, 1), 0);
	device_honest(h->dev);
	run_alarms();
}

static void
control_breaks(struct harness *h)
{
	device_lie(h->dev, 0, DEVICE_LIE_CTRL_SILENT, 0);
	assert_true(rte_eth_dev_vlan_filter(h->port, 99, 1) < 0);
	device_honest(h->dev);
	run_alarms();
}

static void
stop_and_start(struct harness *h)
{
	assert_int_equal(rte_eth_dev_stop(h->port), 0);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
}

static void
reset_and_start(struct harness *h)
{
	assert_int_equal(rte_eth_dev_reset(h->port), 0);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
}

static void
stop_queues(struct harness *h)
{
	for (uint16_t i = 0; i < QUEUES; i++) {
		assert_int_equal(rte_eth_dev_rx_queue_stop(h->port, i), 0);
		assert_int_equal(rte_eth_dev_tx_queue_stop(h->port, i), 0);
		assert_false(device_queue_enabled(h->dev, VIO_NET_RXQ(i)));
		assert_false(device_queue_enabled(h->dev, VIO_NET_TXQ(i)));
	}
}

static void
start_queues(struct harness *h)
{
	for (uint16_t i = 0; i < QUEUES; i++) {
		assert_int_equal(rte_eth_dev_rx_queue_start(h->port, i), 0);
		assert_int_equal(rte_eth_dev_tx_queue_start(h->port, i), 0);
	}
}

static void
queue_reset(struct harness *h)
{
	stop_queues(h);
	start_queues(h);
}

static const struct {
	void (*run)(struct harness *h);
	bool recovers;
} ways[] = {
	{ needs_reset, true },     { queue_breaks, true },     { control_breaks, true },
	{ stop_and_start, false }, { reset_and_start, false }, { queue_reset, false },
};

/* --- the tests
 * ------------------------------------------------------------------------------------
 */

static void
prepare(struct device *dev)
{
	device_config_set(dev, MTU_AT, 1500, 2);
	device_config_set(dev, KEY_AT, KEY, 1);
	device_config_set(dev, TABLE_AT, TABLE, 2);
	device_config_set(dev, TYPES_AT, 0x1ff, 4);
}

static void
configure(struct harness *h, const struct settings *s)
{
	struct rte_eth_conf conf = {
		.intr_conf.lsc = 1,
		.rxmode = { .mq_mode = RTE_ETH_MQ_RX_RSS, .offloads = RX_OFFLOADS },
		.txmode.offloads = TX_OFFLOADS,
		.rx_adv_conf.rss_conf.rss_hf = s->hash,
	};

	assert_int_equal(harness_setup(h, QUEUES, QUEUES, RX_SIZE, &conf), 0);
	for (uint16_t i = 0; i < QUEUES; i++)
		assert_int_equal(rte_eth_tx_queue_setup(h->port, i, TX_SIZE, SOCKET_ID_ANY, NULL),
				 0);
}

static void
start(struct harness *h, uint64_t more, uint8_t recover)
{
	struct harness_options options = {
		.features = FEATURES | more,
		.pairs = PAIRS,
		.devargs = "timeout=1000,coalesce=50:32",
		.recover = recover,
		.prepare = prepare,
	};

	assert_int_equal(harness_open(h, &options), 0);
	configure(h, &first);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
	negotiated = device_driver_features(h->dev);
	assert_int_equal(negotiated & (FEATURES | more), FEATURES | more);
	set(h, &first);
	is_told(h, &first);
	tables = device_net_state(h->dev)->tables;
}

static uint64_t
recoveries(const struct harness *h)
{
	return ((const struct vio_port *)h->eth->data->dev_private)->recovery.recoveries;
}

static void
comes_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < RTE_DIM(layouts) * RTE_DIM(ways); i++) {
		size_t way = i % RTE_DIM(ways);
		struct harness h;

		start(&h, layouts[i / RTE_DIM(ways)], VIO_RECOVER_AUTO);
		ways[way].run(&h);
		is_told(&h, &first);
		assert_int_equal(device_net_state(h.dev)->tables, tables);
		set(&h, &second);
		is_told(&h, &second);
		ways[way].run(&h);
		is_told(&h, &second);
		assert_int_equal(recoveries(&h), ways[way].recovers ? 2 : 0);
		assert_int_equal(harness_close(&h), 0);
	}
}

/* The application sets all of it anew, with nobody to tell, and then the port comes back. */
static void
changed_while_stopped(void **state)
{
	struct rte_eth_rss_conf no_hash = { 0 };

	(void)state;
	for (size_t i = 0; i < RTE_DIM(layouts); i++) {
		struct harness h;

		start(&h, layouts[i], VIO_RECOVER_AUTO);
		assert_int_equal(rte_eth_dev_stop(h.port), 0);
		set(&h, &second);
		assert_int_equal(rte_eth_dev_start(h.port), 0);
		is_told(&h, &second);
		/* Of queues that were reset, RSS cannot be told: it stays as it was. */
		stop_queues(&h);
		set_others(&h, &first);
		harness_quiet();
		assert_int_equal(rte_eth_dev_rss_hash_update(h.port, &no_hash), -EBUSY);
		assert_true(harness_said("RSS cannot be changed while rx queue 0 is stopped"));
		start_queues(&h);
		rss_is_told(device_net_state(h.dev), &second);
		set_rss(h.port, &first);
		is_told(&h, &first);
		assert_int_equal(harness_close(&h), 0);
	}
}

/* Between two tries: the device does not finish its reset. */
static void
changed_while_it_recovers(void **state)
{
	(void)state;
	for (size_t i = 0; i < RTE_DIM(layouts); i++) {
		unsigned commands;
		struct harness h;

		start(&h, layouts[i], VIO_RECOVER_AUTO);
		device_lie(h.dev, 0, DEVICE_LIE_RESET, 0);
		device_need_reset(h.dev);
		assert_true(seam_interrupt());
		assert_true(seam_alarm());
		commands = device_net_state(h.dev)->commands;
		set(&h, &second);
		assert_int_equal(device_net_state(h.dev)->commands, commands);
		device_honest(h.dev);
		run_alarms();
		assert_int_equal(recoveries(&h), 1);
		is_told(&h, &second);
		assert_int_equal(harness_close(&h), 0);
	}
}

/* While the port waits for rte_eth_dev_reset(), which is the application's. */
static void
changed_while_it_waits(void **state)
{
	(void)state;
	for (size_t i = 0; i < RTE_DIM(layouts); i++) {
		struct harness h;

		start(&h, layouts[i], VIO_RECOVER_MANUAL);
		needs_reset(&h);
		assert_int_equal(recoveries(&h), 0);
		set(&h, &second);
		reset_and_start(&h);
		is_told(&h, &second);
		assert_int_equal(harness_close(&h), 0);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(comes_back),
	cmocka_unit_test(changed_while_stopped),
	cmocka_unit_test(changed_while_it_recovers),
	cmocka_unit_test(changed_while_it_waits),
};

HARNESS_MAIN(tests)
