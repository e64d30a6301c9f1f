/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receive-side scaling (spec 5.1.6.5.6, 5.1.6.5.7): the command that arrives, devices that say
 * nonsense of their sizes, and devices that have one of the two modes only.
 */
#include "harness.h"

#include <errno.h>
#include <string.h>

#include <ethdev_driver.h>

#define B(name)    DEVICE_BIT(DEVICE_F_##name)
#define RSS        (B(CTRL_VQ) | B(MQ) | B(RSS))
#define CTRL_QUEUE 8
#define PAIRS      4

/* Where the configuration says it (spec 5.1.4). */
enum { KEY_AT = 17, TABLE_AT = 18, TYPES_AT = 20 };

static struct {
	unsigned key, table, types;
} says;

static void
prepare(struct device *dev)
{
	device_config_set(dev, KEY_AT, says.key, 1);
	device_config_set(dev, TABLE_AT, says.table, 2);
	device_config_set(dev, TYPES_AT, says.types, 4);
}

static void
open_with(struct harness *h, uint64_t features, unsigned key, unsigned table, unsigned types)
{
	struct harness_options options = { .features = features,
					   .pairs = PAIRS,
					   .prepare = prepare };

	says.key = key;
	says.table = table;
	says.types = types;
	harness_quiet();
	assert_int_equal(harness_open(h, &options), 0);
}

static void
start(struct harness *h, uint16_t queues, uint64_t types)
{
	struct rte_eth_conf conf = {
		.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS,
		.rx_adv_conf.rss_conf.rss_hf = types,
	};

	assert_int_equal(harness_setup(h, queues, queues, 64, &conf), 0);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
}

static struct rte_eth_dev_info
infos(struct harness *h)
{
	struct rte_eth_dev_info info;

	assert_int_equal(rte_eth_dev_info_get(h->port, &info), 0);
	return info;
}

static void
configured(void **state)
{
	const struct device_net_state *net;
	struct rte_eth_rss_reta_entry64 reta[2] = { { .mask = 1 << 3, .reta[3] = 0 },
						    { .mask = 1, .reta[0] = 2 } };
	uint8_t key[52], other[52] = { 1 };
	struct rte_eth_rss_conf hash = { key, sizeof(key), RTE_ETH_RSS_NONFRAG_IPV6_UDP };
	struct harness h;

	(void)state;
	open_with(&h, RSS, 52, 128, 0x1ff);
	assert_int_equal(infos(&h).hash_key_size, 52);
	assert_int_equal(infos(&h).reta_size, 128);
	start(&h, 3, RTE_ETH_RSS_NONFRAG_IPV4_TCP);
	net = device_net_state(h.dev);
	assert_int_equal(net->hash_types, 1 << 1);
	assert_int_equal(net->rss_entries, 128);
	assert_int_equal(net->pairs, 3);
	assert_int_equal(net->rss_key_len, 52);
	assert_int_equal(net->rss_key[0], 0x6d);
	assert_int_equal(net->rss_table[127], 127 % 3);
	memset(key, 0x77, sizeof(key));
	assert_int_equal(rte_eth_dev_rss_hash_update(h.port, &hash), 0);
	/* A key without a length is none. */
	hash.rss_key = other;
	hash.rss_key_len = 0;
	assert_int_equal(rte_eth_dev_rss_hash_update(h.port, &hash), 0);
	assert_int_equal(net->rss_key[0], 0x77);
	assert_int_equal(rte_eth_dev_rss_reta_update(h.port, reta, 128), 0);
	/* Over a restart, and over a reset, all of it stays. */
	for (unsigned life = 0; life < 3; life++) {
		assert_int_equal(net->hash_types, 1 << 5);
		assert_memory_equal(net->rss_key, key, sizeof(key));
		assert_int_equal(net->rss_table[3], 0);
		assert_int_equal(net->rss_table[64], 2);
		assert_int_equal(net->rss_table[65], 65 % 3);
		assert_int_equal(rte_eth_dev_stop(h.port), 0);
		if (life == 1)
			assert_int_equal(rte_eth_dev_reset(h.port), 0);
		assert_int_equal(rte_eth_dev_start(h.port), 0);
	}
	assert_int_equal(harness_pass(&h, 30, 100), 0);
	assert_int_equal(harness_close(&h), 0);
}

/* After a reset the device has a shorter table: it is filled anew. */
static void
reset_to_another(void **state)
{
	const struct device_net_state *net;
	struct harness h;

	(void)state;
	open_with(&h, RSS, 40, 256, 0x1ff);
	start(&h, 3, RTE_ETH_RSS_IP);
	net = device_net_state(h.dev);
	assert_int_equal(net->rss_entries, 256);
	assert_int_equal(rte_eth_dev_stop(h.port), 0);
	says.table = 128;
	prepare(h.dev);
	assert_int_equal(rte_eth_dev_reset(h.port), 0);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	assert_int_equal(net->rss_entries, 128);
	assert_int_equal(net->rss_table[127], 127 % 3);
	assert_int_equal(net->hash_types, 1 << 0 | 1 << 3 | 1 << 6);
	assert_int_equal(harness_close(&h), 0);
}

/* Hash types 0 while polling: the device chooses queues by itself again. */
static void
switched_off(void **state)
{
	struct rte_eth_rss_conf hash = { 0 };
	const struct device_net_state *net;
	unsigned commands;
	struct harness h;

	(void)state;
	open_with(&h, RSS, 40, 128, 0x1ff);
	start(&h, 4, RTE_ETH_RSS_IP);
	net = device_net_state(h.dev);
	assert_int_equal(net->hash_types, 1 << 0 | 1 << 3 | 1 << 6);
	commands = net->commands;
	assert_int_equal(rte_eth_dev_rss_hash_update(h.port, &hash), 0);
	assert_int_equal(net->commands, commands + 1);
	assert_int_equal(net->pairs, 4);
	assert_int_equal(net->rss_entries, 0);
	assert_int_equal(rte_eth_dev_rss_hash_conf_get(h.port, &hash), 0);
	assert_int_equal(hash.rss_hf, 0);
	assert_int_equal(harness_close(&h), 0);
}

/* A table of the application's own stays over a new configuration of as many queues, and no entry
 * of it names a queue that is not there, whoever asks. */
static void
own_table(void **state)
{
	struct rte_eth_rss_reta_entry64 reta[2] = { { .mask = 1 << 3, .reta[3] = 2 } };
	struct harness h;

	(void)state;
	open_with(&h, RSS, 40, 128, 0x1ff);
	start(&h, 3, RTE_ETH_RSS_IP);
	assert_int_equal(rte_eth_dev_rss_reta_update(h.port, reta, 128), 0);
	assert_int_equal(rte_eth_dev_stop(h.port), 0);
	start(&h, 3, RTE_ETH_RSS_IP);
	assert_int_equal(device_net_state(h.dev)->rss_table[3], 2);
	assert_int_equal(device_net_state(h.dev)->rss_table[4], 1);
	reta[0].reta[3] = 3;
	harness_quiet();
	assert_int_equal(h.eth->dev_ops->reta_update(h.eth, reta, 128), -EINVAL);
	assert_true(harness_said("entry 3 of the redirection table names rx queue 3, of 3 queues"));
	assert_int_equal(device_net_state(h.dev)->rss_table[3], 2);
	assert_int_equal(rte_eth_dev_stop(h.port), 0);
	start(&h, 2, RTE_ETH_RSS_IP);
	assert_int_equal(device_net_state(h.dev)->rss_table[3], 1);
	assert_int_equal(harness_close(&h), 0);
}

/* A device that refuses: what was in force before is what the port goes on telling. */
static void
refused(void **state)
{
	struct rte_eth_rss_conf hash = { .rss_hf = RTE_ETH_RSS_NONFRAG_IPV6_UDP };
	struct rte_eth_rss_reta_entry64 reta[2] = { { .mask = 1, .reta[0] = 3 } };
	uint8_t key[64] = { 0 };
	struct harness h;

	(void)state;
	open_with(&h, RSS, 40, 128, 0x1ff);
	start(&h, 4, RTE_ETH_RSS_NONFRAG_IPV4_TCP);
	device_lie(h.dev, CTRL_QUEUE, DEVICE_LIE_CTRL_ACK, 1);
	assert_int_equal(rte_eth_dev_rss_hash_update(h.port, &hash), -EIO);
	device_lie(h.dev, CTRL_QUEUE, DEVICE_LIE_CTRL_ACK, 1);
	assert_int_equal(rte_eth_dev_rss_reta_update(h.port, reta, 128), -EIO);
	assert_int_equal(rte_eth_dev_rss_hash_conf_get(h.port, &hash), 0);
	assert_int_equal(hash.rss_hf, RTE_ETH_RSS_NONFRAG_IPV4_TCP);
	reta[0].mask = 1;
	assert_int_equal(rte_eth_dev_rss_reta_query(h.port, reta, 128), 0);
	assert_int_equal(reta[0].reta[0], 0);
	hash.rss_key = key;
	for (unsigned len = 39; len <= 41; len += 2) {
		hash.rss_key_len = len;
		assert_int_equal(rte_eth_dev_rss_hash_update(h.port, &hash), -EINVAL);
	}
	assert_true(rte_eth_dev_rss_reta_update(h.port, reta, 64) < 0);
	assert_int_equal(harness_close(&h), 0);
}

/* Sizes that the specification does not allow, and what becomes of them. */
static void
device_words(void **state)
{
	static const struct {
		unsigned key, table, types;
		const char *said; /* NULL: RSS is there */
		unsigned entries;
	} cases[] = {
		{ 0, 128, 0x1ff, "rss_max_key_size is 0", 0 },
		{ 39, 128, 0x1ff, "rss_max_key_size is 39", 0 },
		{ 40, 0, 0x1ff, "rss_max_indirection_table_length is 0", 0 },
		{ 40, 127, 0x1ff, "rss_max_indirection_table_length is 127", 0 },
		{ 40, 128, 0, "supported_hash_types is 0", 0 },
		{ 40, 128, 0xfffffe00, "supported_hash_types is 4294966784", 0 },
		{ 255, 0xffff, 0xffffffff, NULL, 512 },
		{ 40, 300, 0x1ff, NULL, 256 },
		{ 40, 129, 0x2, NULL, 128 },
	};

	(void)state;
	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		bool good = cases[i].said == NULL;
		struct harness h;

		open_with(&h, RSS, cases[i].key, cases[i].table, cases[i].types);
		if (!good)
			assert_true(harness_said(cases[i].said));
		assert_int_equal(infos(&h).reta_size, cases[i].entries);
		assert_int_equal(infos(&h).hash_key_size, good ? cases[i].key : 0);
		assert_int_equal(infos(&h).flow_type_rss_offloads != 0, good);
		start(&h, 4, infos(&h).flow_type_rss_offloads);
		assert_int_equal(device_driver_features(h.dev) & B(RSS), good ? B(RSS) : 0);
		assert_int_equal(device_net_state(h.dev)->pairs, 4);
		assert_int_equal(device_net_state(h.dev)->rss_entries, cases[i].entries);
		assert_int_equal(harness_pass(&h, 10, 100), 0);
		assert_int_equal(harness_close(&h), 0);
	}
}

/* RSS without MQ: the control queue is behind all pairs, and one command sets their number. */
static void
without_mq(void **state)
{
	const struct device_net_state *net;
	struct harness h;

	(void)state;
	open_with(&h, B(CTRL_VQ) | B(RSS), 40, 128, 0x1ff);
	assert_int_equal(infos(&h).max_rx_queues, PAIRS);
	assert_int_equal(harness_setup(&h, 4, 4, 64, NULL), 0);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	net = device_net_state(h.dev);
	assert_int_equal(net->pairs, 4);
	assert_int_equal(net->hash_types, 0x1ff);
	assert_int_equal(harness_pass(&h, 10, 100), 0);
	assert_int_equal(harness_close(&h), 0);
}

static void
without_rss(void **state)
{
	struct harness h;

	(void)state;
	open_with(&h, B(CTRL_VQ) | B(MQ), 40, 128, 0x1ff);
	harness_quiet();
	start(&h, 4, 0);
	assert_true(harness_said("offers no RSS"));
	assert_int_equal(device_net_state(h.dev)->pairs, 4);
	assert_int_equal(harness_close(&h), 0);
}

/* Fewer queues to receive than pairs in use; and another number after a new configuration. */
static void
queue_counts(void **state)
{
	static const uint16_t counts[][2] = { { 2, 4 }, { 1, 3 }, { 3, 1 }, { 4, 4 }, { 1, 1 } };
	struct rte_eth_conf conf = {
		.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS,
		.rx_adv_conf.rss_conf.rss_hf = RTE_ETH_RSS_NONFRAG_IPV4_TCP,
	};
	struct harness h;

	(void)state;
	open_with(&h, RSS, 40, 128, 0x1ff);
	for (size_t i = 0; i < RTE_DIM(counts); i++) {
		const struct device_net_state *net = device_net_state(h.dev);
		uint16_t rx = counts[i][0], tx = counts[i][1];

		assert_int_equal(harness_setup(&h, rx, tx, 64, &conf), 0);
		assert_int_equal(rte_eth_dev_start(h.port), 0);
		assert_int_equal(net->pairs, RTE_MAX(rx, tx));
		for (unsigned at = 0; at < 128; at++)
			assert_int_equal(net->rss_table[at], at % rx);
		assert_int_equal(rte_eth_dev_stop(h.port), 0);
	}
	assert_int_equal(harness_close(&h), 0);
}

/* One frame whose header says this; the packet that the application gets. */
static struct rte_mbuf *
receive(struct harness *h, uint16_t report, uint32_t value, uint16_t len)
{
	struct device_net_header header = { .hash_report = report, .hash_value = value };
	uint8_t frame[4000] = { 2, 0, 0, 0, 0, 1 };
	struct rte_mbuf *mbuf = NULL;

	assert_true(device_receive_packet(h->dev, 0, &header, frame, len) > 0);
	assert_int_equal(rte_eth_rx_burst(h->port, 0, &mbuf, 1), 1);
	assert_int_equal(mbuf->pkt_len, len);
	return mbuf;
}

static uint64_t
bad_hashes(struct harness *h)
{
	struct rte_eth_xstat values[64];
	uint64_t id;
	int n = rte_eth_xstats_get(h->port, values, RTE_DIM(values));

	assert_in_range(n, 1, RTE_DIM(values));
	assert_int_equal(rte_eth_xstats_get_id_by_name(h->port, "rx_q0_bad_hash_packets", &id), 0);
	return values[id].value;
}

/* Each type that there is and was offered brings its hash; none, and any other, brings none. */
static void
hash_reported(void **state)
{
	static const uint32_t types = 0x1ff & ~(1 << 4);
	uint64_t features = *(uint64_t *)*state;
	struct rte_eth_conf conf = {
		.rxmode = { .mq_mode = RTE_ETH_MQ_RX_RSS, .offloads = RTE_ETH_RX_OFFLOAD_RSS_HASH },
		.rx_adv_conf.rss_conf.rss_hf = RTE_ETH_RSS_NONFRAG_IPV4_UDP,
	};
	uint64_t bad = 0;
	struct harness h;

	open_with(&h, features | B(CTRL_VQ) | B(HASH_REPORT), 40, 128, types);
	assert_int_equal(harness_setup(&h, 1, 1, 64, &conf), 0);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	assert_int_equal(device_net_state(h.dev)->hash_types, 1 << 2);
	assert_int_equal(device_net_state(h.dev)->rss_key_len, 40);
	for (uint32_t report = 0; report < 0x10000; report += report < 40 ? 1 : 4001) {
		bool good = report > 0 && report < 10 && report != 5;
		uint16_t len = features & B(MRG_RXBUF) && report % 2 ? 3500 : 200;
		struct rte_mbuf *mbuf = receive(&h, report, 0xcafe0000 + report, len);

		assert_int_equal(!!(mbuf->ol_flags & RTE_MBUF_F_RX_RSS_HASH), good);
		if (good)
			assert_int_equal(mbuf->hash.rss, 0xcafe0000 + report);
		rte_pktmbuf_free(mbuf);
		bad += report > 0 && !good;
		assert_int_equal(bad_hashes(&h), bad);
	}
	assert_int_equal(harness_pass(&h, 30, 300), 0);
	assert_int_equal(harness_close(&h), 0);
}

/* No types, no hash any more, whichever command the device has for it; and then one again. */
static void
hash_switched_off(void **state)
{
	static const uint64_t modes[] = { 0, B(MQ), B(RSS), B(RSS) | B(MQ) };
	struct rte_eth_conf conf = {
		.rxmode = { .mq_mode = RTE_ETH_MQ_RX_RSS, .offloads = RTE_ETH_RX_OFFLOAD_RSS_HASH },
		.rx_adv_conf.rss_conf.rss_hf = RTE_ETH_RSS_NONFRAG_IPV4_UDP,
	};
	struct rte_eth_rss_conf none = { 0 };
	struct harness h;

	(void)state;
	for (size_t i = 0; i < RTE_DIM(modes); i++) {
		const struct device_net_state *net;

		open_with(&h, modes[i] | B(CTRL_VQ) | B(HASH_REPORT), 40, 128, 0x1ff);
		assert_int_equal(harness_setup(&h, 1, 1, 64, &conf), 0);
		assert_int_equal(rte_eth_dev_start(h.port), 0);
		net = device_net_state(h.dev);
		assert_int_equal(net->hash_types, 1 << 2);
		assert_int_equal(rte_eth_dev_rss_hash_update(h.port, &none), 0);
		assert_int_equal(net->hash_types, 0);
		assert_int_equal(rte_eth_dev_rss_hash_update(h.port, &conf.rx_adv_conf.rss_conf),
				 0);
		assert_int_equal(net->hash_types, 1 << 2);
		assert_int_equal(harness_pass(&h, 10, 100), 0);
		assert_int_equal(harness_close(&h), 0);
	}
}

/* The longer header in front of segments left together, which come in several mbufs: merged by the
 * device, or a chain. */
static void
hash_of_segments(void **state)
{
	static const uint64_t layouts[] = { 0, B(RING_PACKED), B(MRG_RXBUF),
					    B(RING_PACKED) | B(MRG_RXBUF) };
	struct rte_eth_conf conf = {
		.rxmode = { .mq_mode = RTE_ETH_MQ_RX_RSS,
			    .offloads = RTE_ETH_RX_OFFLOAD_RSS_HASH | RTE_ETH_RX_OFFLOAD_TCP_LRO |
					RTE_ETH_RX_OFFLOAD_TCP_CKSUM,
			    .max_lro_pkt_size = 65550 },
		.rx_adv_conf.rss_conf.rss_hf = RTE_ETH_RSS_NONFRAG_IPV4_TCP,
	};
	static const uint8_t headers[54] = {
		[0] = 2,     [6] = 2,  [12] = 8,    [14] = 0x45, [16] = 0x1f,
		[17] = 0x32, [23] = 6, [46] = 0x50, [47] = 0x10
	};
	struct device_net_header header = { .flags = DEVICE_HDR_NEEDS_CSUM,
					    .gso_type = DEVICE_GSO_TCPV4,
					    .hdr_len = 54,
					    .gso_size = 1448,
					    .csum_start = 34,
					    .csum_offset = 16,
					    .hash_value = 0xcafe1234,
					    .hash_report = 2 };
	uint8_t frame[8000], flat[8000];
	struct harness h;

	(void)state;
	for (size_t i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)(i * 7);
	memcpy(frame, headers, sizeof(headers));
	for (size_t i = 0; i < RTE_DIM(layouts); i++) {
		open_with(&h,
			  layouts[i] | B(CTRL_VQ) | B(HASH_REPORT) | B(GUEST_CSUM) | B(GUEST_TSO4),
			  40, 128, 0x1ff);
		assert_int_equal(harness_setup(&h, 1, 1, 256, &conf), 0);
		assert_int_equal(rte_eth_dev_start(h.port), 0);
		for (unsigned n = 0; n < 60; n++) {
			uint32_t len = sizeof(frame) - n % 3;
			struct rte_mbuf *mbuf = NULL;

			assert_true(device_receive_packet(h.dev, 0, &header, frame, len) > 0);
			assert_int_equal(rte_eth_rx_burst(h.port, 0, &mbuf, 1), 1);
			assert_int_equal(mbuf->pkt_len, len);
			assert_true(mbuf->nb_segs > 1);
			assert_true((mbuf->ol_flags & ~RTE_MBUF_F_EXTERNAL) ==
				    (RTE_MBUF_F_RX_LRO | RTE_MBUF_F_RX_L4_CKSUM_NONE |
				     RTE_MBUF_F_RX_RSS_HASH));
			assert_int_equal(mbuf->hash.rss, 0xcafe1234);
			assert_int_equal(mbuf->tso_segsz, 1448);
			assert_memory_equal(rte_pktmbuf_read(mbuf, 0, len, flat), frame, len);
			rte_pktmbuf_free(mbuf);
		}
		assert_int_equal(harness_pass(&h, 30, 300), 0);
		assert_int_equal(harness_close(&h), 0);
	}
}

/* Not asked for: the header stays short, and so do the paths. */
static void
hash_unasked(void **state)
{
	struct harness h;

	(void)state;
	open_with(&h, RSS | B(HASH_REPORT), 40, 128, 0x1ff);
	start(&h, 4, RTE_ETH_RSS_IP);
	assert_int_equal(device_driver_features(h.dev) & B(HASH_REPORT), 0);
	assert_int_equal(harness_pass(&h, 30, 300), 0);
	assert_int_equal(harness_close(&h), 0);
}

static const uint64_t plain, mergeable = B(MRG_RXBUF), with_rss = RSS | B(MRG_RXBUF),
			     packed = B(RING_PACKED) | B(MRG_RXBUF) | B(MQ);

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(configured),
	cmocka_unit_test(reset_to_another),
	cmocka_unit_test(switched_off),
	cmocka_unit_test(own_table),
	cmocka_unit_test(refused),
	cmocka_unit_test(device_words),
	cmocka_unit_test(without_mq),
	cmocka_unit_test(without_rss),
	cmocka_unit_test(queue_counts),
	cmocka_unit_test_prestate(hash_reported, (void *)&plain),
	cmocka_unit_test_prestate(hash_reported, (void *)&mergeable),
	cmocka_unit_test_prestate(hash_reported, (void *)&with_rss),
	cmocka_unit_test_prestate(hash_reported, (void *)&packed),
	cmocka_unit_test(hash_switched_off),
	cmocka_unit_test(hash_of_segments),
	cmocka_unit_test(hash_unasked),
};

HARNESS_MAIN(tests)
