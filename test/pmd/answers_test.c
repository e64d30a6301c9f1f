/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an application asks of a port, and the answers: the state of descriptors, burst modes,
 * packet types, MTUs, a dump, counters by id; and refusals, each of which says why, once.
 */
#include "harness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <ethdev_driver.h>
#include <rte_flow.h>

#include "net/vio/look.h"
#include "net/vio/recover.h"

#define B(name) DEVICE_BIT(DEVICE_F_##name)
#define RING    64
#define FRAME   100

static void
start(struct harness *h, const struct harness_options *options, const struct rte_eth_conf *conf)
{
	harness_quiet();
	assert_int_equal(harness_open(h, options), 0);
	assert_int_equal(harness_setup(h, 1, 1, RING, conf), 0);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
}

/* A frame of Ethernet, IPv4 and UDP. */
static void
fill(uint8_t *frame, uint16_t len)
{
	memset(frame, 0, len);
	memcpy(frame, "\2\0\0\0\0\1\2\0\0\0\0\2\x08\0\x45", 15);
	frame[17] = (uint8_t)(len - 14);
	frame[23] = 17;
}

static void
receive(struct harness *h, unsigned n)
{
	uint8_t frame[FRAME];

	fill(frame, sizeof(frame));
	while (n-- > 0)
		assert_int_equal(device_receive_packet(h->dev, 0, NULL, frame, sizeof(frame)), 1);
}

static void
take(struct harness *h, unsigned n)
{
	struct rte_mbuf *mbufs[RING];

	assert_int_equal(rte_eth_rx_burst(h->port, 0, mbufs, n), n);
	rte_pktmbuf_free_bulk(mbufs, n);
}

static void
transmit(struct harness *h, unsigned n)
{
	struct rte_mbuf *mbuf;

	while (n-- > 0) {
		mbuf = rte_pktmbuf_alloc(harness_tx_pool);
		assert_non_null(mbuf);
		memset(rte_pktmbuf_append(mbuf, FRAME), 0, FRAME);
		assert_int_equal(rte_eth_tx_burst(h->port, 0, &mbuf, 1), 1);
	}
}

static const uint64_t layouts[] = { 0, B(RING_PACKED), B(IN_ORDER), B(RING_PACKED) | B(IN_ORDER) };

/* From the buffer that is received next: done as far as frames wait, then available. */
static void
receive_descriptors(void **state)
{
	(void)state;
	for (size_t i = 0; i < RTE_DIM(layouts); i++) {
		struct harness_options options = { .features = layouts[i] };
		struct harness h;

		start(&h, &options, NULL);
		assert_int_equal(rte_eth_rx_descriptor_status(h.port, 0, 0), RTE_ETH_RX_DESC_AVAIL);
		receive(&h, 5);
		assert_int_equal(rte_eth_rx_queue_count(h.port, 0), 5);
		assert_int_equal(rte_eth_rx_descriptor_status(h.port, 0, 0), RTE_ETH_RX_DESC_DONE);
		assert_int_equal(rte_eth_rx_descriptor_status(h.port, 0, 4), RTE_ETH_RX_DESC_DONE);
		assert_int_equal(rte_eth_rx_descriptor_status(h.port, 0, 5), RTE_ETH_RX_DESC_AVAIL);
		assert_int_equal(rte_eth_rx_descriptor_status(h.port, 0, RING - 1),
				 RTE_ETH_RX_DESC_AVAIL);
		take(&h, 5);
		assert_int_equal(rte_eth_rx_queue_count(h.port, 0), 0);
		assert_int_equal(rte_eth_rx_descriptor_status(h.port, 0, 0), RTE_ETH_RX_DESC_AVAIL);
		/* Not refilled yet. */
		assert_int_equal(rte_eth_rx_descriptor_status(h.port, 0, RING - 1),
				 RTE_ETH_RX_DESC_UNAVAIL);
		assert_int_equal(rte_eth_rx_descriptor_status(h.port, 0, RING), -EINVAL);
		assert_int_equal(harness_close(&h), 0);
	}
}

/* From where the next packet goes: done but for those that the device still has, which are the
 * last; and cleaning up takes no more of them back than asked for. */
static void
transmit_descriptors(void **state)
{
	(void)state;
	for (size_t i = 0; i < RTE_DIM(layouts); i++) {
		struct harness_options options = { .features = layouts[i] };
		struct harness h;

		start(&h, &options, NULL);
		assert_int_equal(rte_eth_tx_descriptor_status(h.port, 0, 0), RTE_ETH_TX_DESC_DONE);
		assert_int_equal(rte_eth_tx_descriptor_status(h.port, 0, RING - 1),
				 RTE_ETH_TX_DESC_DONE);
		device_hold_transmit(h.dev, true);
		transmit(&h, 7);
		harness_poll(&h);
		assert_int_equal(rte_eth_tx_done_cleanup(h.port, 0, 0), 0);
		assert_int_equal(rte_eth_tx_descriptor_status(h.port, 0, RING - 8),
				 RTE_ETH_TX_DESC_DONE);
		assert_int_equal(rte_eth_tx_descriptor_status(h.port, 0, RING - 7),
				 RTE_ETH_TX_DESC_FULL);
		assert_int_equal(device_complete(h.dev, 1, 4, DEVICE_OLDEST_FIRST), 4);
		assert_int_equal(rte_eth_tx_descriptor_status(h.port, 0, RING - 4),
				 RTE_ETH_TX_DESC_DONE);
		assert_int_equal(rte_eth_tx_descriptor_status(h.port, 0, RING - 3),
				 RTE_ETH_TX_DESC_FULL);
		assert_int_equal(rte_eth_tx_done_cleanup(h.port, 0, 3), 3);
		assert_int_equal(rte_eth_tx_done_cleanup(h.port, 0, 0), 1);
		assert_int_equal(rte_eth_tx_done_cleanup(h.port, 0, 0), 0);
		assert_int_equal(rte_eth_tx_descriptor_status(h.port, 0, RING), -EINVAL);
		device_hold_transmit(h.dev, false);
		assert_int_equal(harness_close(&h), 0);
	}
}

/* The words of the log, of the burst mode and of the dump are the same; before a start there is no
 * mode yet. */
static void
burst_modes(void **state)
{
	struct harness_options options = { .features = B(RING_PACKED) };
	struct rte_eth_conf conf = { .rxmode.offloads = RTE_ETH_RX_OFFLOAD_VLAN_STRIP };
	struct rte_eth_burst_mode rx, tx;
	struct harness h;
	char *dump = NULL;
	size_t size;
	FILE *file;

	(void)state;
	harness_quiet();
	assert_int_equal(harness_open(&h, &options), 0);
	assert_int_equal(harness_setup(&h, 1, 1, RING, &conf), 0);
	assert_int_equal(rte_eth_rx_burst_mode_get(h.port, 0, &rx), -EINVAL);
	assert_int_equal(rte_eth_tx_burst_mode_get(h.port, 0, &tx), -EINVAL);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	assert_int_equal(rte_eth_rx_burst_mode_get(h.port, 0, &rx), 0);
	assert_int_equal(rte_eth_tx_burst_mode_get(h.port, 0, &tx), 0);
	/* All queues are on one path: nobody needs to ask each. */
	assert_int_equal((rx.flags | tx.flags) & RTE_ETH_BURST_FLAG_PER_QUEUE, 0);
	assert_non_null(strstr(rx.info, "offloads"));
	assert_true(harness_said(rx.info));
	assert_true(harness_said(tx.info));
	file = open_memstream(&dump, &size);
	assert_int_equal(rte_eth_dev_priv_dump(h.port, file), 0);
	fclose(file);
	assert_non_null(strstr(dump, rx.info));
	assert_non_null(strstr(dump, "RING_PACKED"));
	assert_non_null(strstr(dump, " 0 free, 64 buffers in flight, 0 used"));
	assert_non_null(strstr(dump, " 64 free, 0 buffers in flight, 0 used"));
	free(dump);
	/* VLAN strip ends while packets come, and with it the need to look at each. */
	assert_int_equal(rte_eth_dev_set_vlan_offload(h.port, 0), 0);
	assert_int_equal(rte_eth_rx_burst_mode_get(h.port, 0, &tx), 0);
	assert_string_not_equal(rx.info, tx.info);
	assert_int_equal(harness_pass(&h, 50, FRAME), 0);
	assert_int_equal(harness_close(&h), 0);
}

static uint32_t
type_of_next(struct harness *h)
{
	struct rte_mbuf *mbuf;
	uint32_t type;

	receive(h, 1);
	assert_int_equal(rte_eth_rx_burst(h->port, 0, &mbuf, 1), 1);
	type = mbuf->packet_type;
	rte_pktmbuf_free(mbuf);
	return type;
}

/* Told where asked for, of the layers asked for, which can change while packets come. */
static void
packet_types(void **state)
{
	const uint32_t all = RTE_PTYPE_L2_ETHER | RTE_PTYPE_L3_IPV4 | RTE_PTYPE_L4_UDP;
	struct harness_options options = { .devargs = "ptypes=1" };
	uint32_t types[32];
	struct harness h;

	(void)state;
	start(&h, &options, NULL);
	assert_int_equal(
		rte_eth_dev_get_supported_ptypes(h.port, RTE_PTYPE_L4_MASK, types, RTE_DIM(types)),
		4);
	assert_int_equal(types[0], RTE_PTYPE_L4_TCP);
	assert_int_equal(type_of_next(&h), all);
	assert_int_equal(rte_eth_dev_set_ptypes(h.port, RTE_PTYPE_L3_MASK, types, RTE_DIM(types)),
			 0);
	assert_int_equal(type_of_next(&h), RTE_PTYPE_L3_IPV4);
	assert_int_equal(rte_eth_dev_set_ptypes(h.port, 0, NULL, 0), 0);
	assert_int_equal(type_of_next(&h), 0);
	assert_int_equal(harness_close(&h), 0);

	options.devargs = NULL;
	start(&h, &options, NULL);
	assert_int_equal(
		rte_eth_dev_get_supported_ptypes(h.port, RTE_PTYPE_ALL_MASK, types, RTE_DIM(types)),
		0);
	assert_int_equal(type_of_next(&h), 0);
	assert_int_equal(harness_close(&h), 0);
}

static void
prepare_mtu(struct device *dev)
{
	device_config_set(dev, 10, 4000, 2);
}

/* Up to what the device says; and, where frames may not span buffers, what one of them holds. */
static void
mtus(void **state)
{
	struct harness_options options = { .features = B(MTU), .prepare = prepare_mtu };
	struct rte_eth_dev_info info;
	struct harness h;

	(void)state;
	start(&h, &options, NULL);
	assert_int_equal(rte_eth_dev_info_get(h.port, &info), 0);
	assert_int_equal(info.max_mtu, 4000);
	assert_int_equal(rte_eth_dev_set_mtu(h.port, 4001), -EINVAL);
	assert_int_equal(rte_eth_dev_set_mtu(h.port, HARNESS_ROOM - 18), 0);
	harness_quiet();
	assert_int_equal(rte_eth_dev_set_mtu(h.port, HARNESS_ROOM - 17), -EINVAL);
	assert_true(harness_said("do not fit the buffers"));
	assert_true(harness_said("turn scatter on"));
	assert_int_equal(harness_close(&h), 0);

	/* Buffers that can be merged change nothing for who asked for no scatter. */
	options.features |= B(MRG_RXBUF);
	start(&h, &options, NULL);
	assert_int_equal(rte_eth_dev_set_mtu(h.port, HARNESS_ROOM - 18), 0);
	harness_quiet();
	assert_int_equal(rte_eth_dev_set_mtu(h.port, HARNESS_ROOM - 17), -EINVAL);
	assert_true(harness_said("turn scatter on"));
	assert_int_equal(harness_pass(&h, 20, 1500), 0);
	assert_int_equal(harness_close(&h), 0);
}

static bool
scattered(const struct harness *h)
{
	struct rte_eth_rxq_info info;

	assert_int_equal(rte_eth_rx_queue_info_get(h->port, 0, &info), 0);
	return info.scattered_rx;
}

/* Who asked for it gets large frames in several mbufs, and is told whether they may come. */
static void
mtus_with_scatter(void **state)
{
	struct harness_options options = { .features = B(MTU) | B(MRG_RXBUF),
					   .prepare = prepare_mtu };
	struct rte_eth_conf conf = { .rxmode.offloads = RTE_ETH_RX_OFFLOAD_SCATTER };
	static uint8_t frame[4000];
	struct rte_mbuf *mbuf;
	struct harness h;

	(void)state;
	start(&h, &options, &conf);
	assert_false(scattered(&h));
	assert_int_equal(rte_eth_dev_set_mtu(h.port, 4000), 0);
	assert_true(scattered(&h));
	assert_int_equal(device_receive_packet(h.dev, 0, NULL, frame, sizeof(frame)), 3);
	assert_int_equal(rte_eth_rx_burst(h.port, 0, &mbuf, 1), 1);
	assert_int_equal(mbuf->nb_segs, 3);
	rte_pktmbuf_free(mbuf);
	assert_int_equal(rte_eth_dev_set_mtu(h.port, HARNESS_ROOM - 18), 0);
	assert_false(scattered(&h));
	assert_int_equal(harness_close(&h), 0);
}

/* A queue, and a start, for an MTU that needs several buffers and may not have them. What the
 * device sends beyond the MTU comes all the same. */
static void
no_scatter(void **state)
{
	struct harness_options options = { .features = B(MRG_RXBUF) };
	struct rte_eth_conf conf = { .rxmode = { .mtu = 4000,
						 .offloads = RTE_ETH_RX_OFFLOAD_SCATTER } };
	static uint8_t frame[4000];
	struct rte_mbuf *mbuf;
	struct harness h;

	(void)state;
	assert_int_equal(harness_open(&h, &options), 0);
	assert_int_equal(harness_setup(&h, 1, 1, RING, &conf), 0);
	conf.rxmode.offloads = 0;
	assert_int_equal(rte_eth_dev_configure(h.port, 1, 1, &conf), 0);
	assert_int_equal(rte_eth_dev_start(h.port), -EINVAL);
	harness_quiet();
	assert_int_equal(rte_eth_rx_queue_setup(h.port, 0, RING, 0, NULL, harness_rx_pool),
			 -EINVAL);
	assert_true(harness_said("turn scatter on"));
	conf.rxmode.mtu = 1500;
	assert_int_equal(harness_setup(&h, 1, 1, RING, &conf), 0);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	assert_int_equal(device_receive_packet(h.dev, 0, NULL, frame, sizeof(frame)), 3);
	assert_int_equal(rte_eth_rx_burst(h.port, 0, &mbuf, 1), 1);
	assert_int_equal(mbuf->pkt_len, sizeof(frame));
	rte_pktmbuf_free(mbuf);
	assert_int_equal(harness_close(&h), 0);
}

/* Nobody can look at a queue that a configuration has taken away. */
static void
taken_away(void **state)
{
	struct harness_options options = { .features = B(MQ) | B(CTRL_VQ), .pairs = 2 };
	struct rte_eth_conf conf = { 0 };
	struct vio_queue_look look;
	struct harness h;

	(void)state;
	assert_int_equal(harness_open(&h, &options), 0);
	assert_int_equal(harness_setup(&h, 2, 2, RING, NULL), 0);
	for (unsigned rx = 0; rx < 2; rx++)
		assert_true(vio_look_at_queue(h.eth, rx, 1, &look));
	assert_int_equal(rte_eth_dev_configure(h.port, 1, 1, &conf), 0);
	for (unsigned rx = 0; rx < 2; rx++) {
		assert_true(vio_look_at_queue(h.eth, rx, 0, &look));
		assert_false(vio_look_at_queue(h.eth, rx, 1, &look));
	}
	assert_int_equal(harness_close(&h), 0);
}

/* A pool that only one thread may give mbufs back to is the application's choice, but a recovery is
 * one more: so long as the driver recovers by itself, it says so. */
static void
single_producer(void **state)
{
	static const struct {
		uint64_t features;
		enum vio_recover_mode recover;
		const char *ops, *words; /* NULL: nothing is said */
	} cases[] = {
		{ 0, VIO_RECOVER_AUTO, "ring_sp_sc", "but recoveries use it on another" },
		{ 0, VIO_RECOVER_AUTO, "ring_sp_mc", "ring_mp_mc, or recover=manual" },
		{ 0, VIO_RECOVER_AUTO, "ring_mp_sc", "but recoveries use it on another" },
		{ 0, VIO_RECOVER_AUTO, "ring_mp_mc", NULL },
		{ 0, VIO_RECOVER_AUTO, "ring_mt_rts", NULL },
		{ 0, VIO_RECOVER_MANUAL, "ring_sp_sc", NULL },
		{ B(CTRL_VQ) | B(GUEST_ANNOUNCE) | B(STATUS), VIO_RECOVER_MANUAL, "ring_mp_sc",
		  "but announcements use it on another" },
	};

	(void)state;
	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		struct harness_options options = { .features = B(MRG_RXBUF) | cases[i].features,
						   .recover = cases[i].recover };
		struct rte_mempool *pool;
		struct harness h;

		assert_int_equal(harness_open(&h, &options), 0);
		assert_int_equal(harness_setup(&h, 1, 1, RING, NULL), 0);
		pool = rte_pktmbuf_pool_create_by_ops("single", 64, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
						      SOCKET_ID_ANY, cases[i].ops);
		assert_non_null(pool);
		harness_quiet();
		assert_int_equal(rte_eth_rx_queue_setup(h.port, 0, RING, 0, NULL, pool), 0);
		assert_int_equal(harness_said("one thread at a time"), cases[i].words != NULL);
		assert_true(cases[i].words == NULL || harness_said(cases[i].words));
		assert_int_equal(harness_setup(&h, 1, 1, RING, NULL), 0);
		rte_mempool_free(pool);
		assert_int_equal(harness_close(&h), 0);
	}
}

/* Any number of descriptors, which ethdev leaves as it is, makes a queue: a split ring has the next
 * lower power of two, and says so. */
static void
ring_sizes(void **state)
{
	static const struct {
		uint64_t features;
		uint16_t asked, size;
	} cases[] = {
		{ 0, 100, 64 }, { 0, 64, 64 }, { 0, 255, 128 }, { B(RING_PACKED), 100, 100 }
	};

	(void)state;
	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		struct harness_options options = { .features = cases[i].features };
		uint16_t rx = cases[i].asked, tx = cases[i].asked;
		struct rte_eth_rxq_info rx_info;
		struct rte_eth_txq_info tx_info;
		struct harness h;

		assert_int_equal(harness_open(&h, &options), 0);
		assert_int_equal(rte_eth_dev_adjust_nb_rx_tx_desc(h.port, &rx, &tx), 0);
		assert_int_equal(rx, cases[i].asked);
		harness_quiet();
		assert_int_equal(harness_setup(&h, 1, 1, rx, NULL), 0);
		assert_int_equal(harness_said("a split ring has a power of two"),
				 cases[i].size != cases[i].asked);
		assert_int_equal(rte_eth_rx_queue_info_get(h.port, 0, &rx_info), 0);
		assert_int_equal(rte_eth_tx_queue_info_get(h.port, 0, &tx_info), 0);
		assert_int_equal(rx_info.nb_desc, cases[i].size);
		assert_int_equal(tx_info.nb_desc, cases[i].size);
		assert_int_equal(rte_eth_dev_start(h.port), 0);
		assert_int_equal(harness_pass(&h, 300, FRAME), 0);
		assert_int_equal(harness_close(&h), 0);
	}
}

static unsigned
count_lines(const char *words)
{
	unsigned n = 0;

	for (const char *at = harness_log(); (at = strstr(at, words)) != NULL; n++)
		at += strlen(words);
	return n;
}

/* Each twice, with one line for each that says why. */
static void
refusals(void **state)
{
	struct harness_options options = { 0 };
	struct rte_eth_conf conf = { .rxmode.mq_mode = RTE_ETH_MQ_RX_RSS };
	struct rte_eth_rss_conf hash = { 0 };
	struct rte_eth_fc_conf flow = { 0 };
	struct rte_flow_error error;
	struct harness h;

	(void)state;
	start(&h, &options, &conf);
	harness_quiet();
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(rte_eth_dev_flow_ctrl_get(h.port, &flow), -ENOTSUP);
		assert_int_equal(rte_eth_dev_flow_ctrl_set(h.port, &flow), -ENOTSUP);
		assert_int_equal(rte_eth_dev_rss_hash_update(h.port, &hash), -ENOTSUP);
		assert_int_equal(rte_eth_dev_rss_hash_conf_get(h.port, &hash), -ENOTSUP);
		assert_int_equal(rte_eth_timesync_enable(h.port), -ENOTSUP);
		assert_int_equal(rte_flow_flush(h.port, &error), -ENOSYS);
		assert_int_equal(rte_eth_dev_rx_queue_stop(h.port, 0), -ENOTSUP);
		assert_int_equal(rte_eth_dev_rx_intr_enable(h.port, 0), -ENOTSUP);
		assert_int_equal(count_lines("no receive interrupts to switch"), 1);
		assert_int_equal(rte_eth_dev_rx_intr_disable(h.port, 0), -ENOTSUP);
		/* ethdev itself refuses where the filter was not asked for. */
		assert_int_equal(h.eth->dev_ops->vlan_filter_set(h.eth, 1, 1), -ENOTSUP);
	}
	assert_int_equal(count_lines("no flow control"), 1);
	assert_int_equal(count_lines("no hash to configure"), 1);
	assert_int_equal(count_lines("no time stamps"), 1);
	assert_int_equal(count_lines("no flow rules"), 1);
	assert_int_equal(count_lines("RING_RESET"), 1);
	assert_int_equal(count_lines("no receive interrupts to switch"), 1);
	assert_int_equal(count_lines("no VLAN filter"), 1);
	assert_int_equal(harness_close(&h), 0);
}

static void
prepare_speed(struct device *dev)
{
	device_config_set(dev, 12, 25000, 4);
}

static uint32_t
speed_capa(const struct harness *h)
{
	struct rte_eth_dev_info info;

	assert_int_equal(rte_eth_dev_info_get(h->port, &info), 0);
	return info.speed_capa;
}

/* The speed that the device has, from probe on and as it changes, or that the user gives it. */
static void
speeds(void **state)
{
	struct harness_options options = { .features = B(SPEED_DUPLEX), .prepare = prepare_speed };
	struct rte_eth_conf conf = { .link_speeds = RTE_ETH_LINK_SPEED_FIXED |
						    RTE_ETH_LINK_SPEED_10G };
	static const struct {
		uint32_t said, capa;
	} cases[] = {
		{ 40000, RTE_ETH_LINK_SPEED_40G },
		{ 77, 0 },
		{ UINT32_MAX, 0 },
		{ 0x80000000 | 10000, 0 },
		{ 100, RTE_ETH_LINK_SPEED_100M },
		{ 0, 0 },
	};
	struct rte_eth_link link;
	struct harness h;

	(void)state;
	harness_quiet();
	assert_int_equal(harness_open(&h, &options), 0);
	assert_int_equal(speed_capa(&h), RTE_ETH_LINK_SPEED_25G);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(harness_setup(&h, 1, 1, RING, &conf), 0);
	assert_int_equal(count_lines("link_speeds is not obeyed"), 1);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		device_config_set(h.dev, 12, cases[i].said, 4);
		assert_int_equal(rte_eth_link_get_nowait(h.port, &link), 0);
		assert_int_equal(speed_capa(&h), cases[i].capa);
	}
	assert_int_equal(harness_close(&h), 0);

	options.devargs = "speed=100000";
	start(&h, &options, NULL);
	assert_int_equal(speed_capa(&h), RTE_ETH_LINK_SPEED_100G);
	assert_int_equal(harness_close(&h), 0);

	options = (struct harness_options){ .prepare = prepare_speed };
	start(&h, &options, NULL);
	assert_int_equal(speed_capa(&h), 0);
	assert_false(harness_said("link_speeds"));
	assert_int_equal(harness_close(&h), 0);
}

/* What a configuration asks for and no device does: it says why, and fails, but for a loopback,
 * which test programs ask for and can do without. */
static void
configurations(void **state)
{
	static const struct {
		struct rte_eth_conf conf;
		const char *says;
		bool refused;
	} cases[] = {
		{ { .lpbk_mode = 1 }, "lpbk_mode is not obeyed", false },
		{ { .txmode = { .pvid = 7, .hw_vlan_insert_pvid = 1 } }, "no VLAN policy", true },
		{ { .txmode.hw_vlan_reject_tagged = 1 }, "no VLAN policy", true },
		{ { .txmode.hw_vlan_reject_untagged = 1 }, "no VLAN policy", true },
		{ { .txmode.pvid = 7 }, NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		struct harness_options options = { 0 };
		struct harness h;

		assert_int_equal(harness_open(&h, &options), 0);
		harness_quiet();
		assert_int_equal(rte_eth_dev_configure(h.port, 1, 1, &cases[i].conf),
				 cases[i].refused ? -ENOTSUP : 0);
		assert_true(cases[i].says == NULL || harness_said(cases[i].says));
		/* Without it the port works. */
		assert_int_equal(harness_setup(&h, 1, 1, RING, NULL), 0);
		assert_int_equal(rte_eth_dev_start(h.port), 0);
		assert_int_equal(harness_pass(&h, 20, FRAME), 0);
		assert_int_equal(harness_close(&h), 0);
	}
}

/* A limit that no device can be told is not refused, as it may be the application's usual one, but
 * not passed over either. */
static void
lro_limit(void **state)
{
	static const struct {
		uint64_t offloads;
		uint32_t limit;
		unsigned lines;
	} cases[] = { { RTE_ETH_RX_OFFLOAD_TCP_LRO, 0, 0 },
		      { RTE_ETH_RX_OFFLOAD_TCP_LRO, 65550, 0 },
		      { 0, 9000, 0 },
		      { RTE_ETH_RX_OFFLOAD_TCP_LRO, 9000, 1 },
		      { RTE_ETH_RX_OFFLOAD_TCP_LRO, 65549, 1 } };

	(void)state;
	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		struct harness_options options = {
			.features = B(GUEST_CSUM) | B(GUEST_TSO4) | B(GUEST_TSO6) | B(MRG_RXBUF),
		};
		struct rte_eth_conf conf = {
			.rxmode.offloads = cases[i].offloads,
			.rxmode.max_lro_pkt_size = cases[i].limit,
		};
		struct harness h;

		start(&h, &options, &conf);
		assert_int_equal(rte_eth_dev_stop(h.port), 0);
		assert_int_equal(harness_setup(&h, 1, 1, RING, &conf), 0);
		assert_int_equal(count_lines("max_lro_pkt_size is not obeyed"), cases[i].lines);
		assert_int_equal(harness_close(&h), 0);
	}
}

/* Every counter has one name, and by its id the value that all of them together give. */
static void
counters(void **state)
{
	static struct rte_eth_xstat_name names[256];
	static struct rte_eth_xstat values[256];
	struct harness_options options = { .features = B(RING_PACKED) };
	struct rte_eth_stats stats;
	struct harness h;
	int n;

	(void)state;
	start(&h, &options, NULL);
	assert_int_equal(harness_pass(&h, 30, FRAME), 0);
	n = rte_eth_xstats_get_names(h.port, names, RTE_DIM(names));
	assert_in_range(n, 10, RTE_DIM(names));
	assert_int_equal(rte_eth_xstats_get(h.port, values, RTE_DIM(values)), n);
	assert_int_equal(rte_eth_xstats_get(h.port, values, n - 1), n);
	for (int i = 0; i < n; i++) {
		uint64_t id, value;

		assert_int_equal(rte_eth_xstats_get_id_by_name(h.port, names[i].name, &id), 0);
		assert_int_equal(id, i);
		assert_int_equal(rte_eth_xstats_get_by_id(h.port, &id, &value, 1), 1);
		assert_int_equal(value, values[i].value);
	}
	assert_int_equal(rte_eth_stats_get(h.port, &stats), 0);
	assert_int_equal(stats.ipackets, 30);
	assert_int_equal(stats.opackets, 30);
	assert_int_equal(stats.ibytes, 30 * FRAME);
	assert_int_equal(stats.obytes, 30 * FRAME);
	assert_int_equal(stats.q_ipackets[0], 30);
	assert_int_equal(rte_eth_stats_reset(h.port), 0);
	assert_int_equal(rte_eth_stats_get(h.port, &stats), 0);
	assert_int_equal(stats.ipackets + stats.opackets + stats.ibytes + stats.obytes, 0);
	assert_int_equal(harness_close(&h), 0);
}

/* The same of each queue: what went through it, and what it dropped. */
static void
queue_counters(void **state)
{
	static const uint8_t runt[8];
	struct harness_options options = { .features = B(MQ) | B(CTRL_VQ), .pairs = 2 };
	struct rte_eth_stats stats;
	struct rte_mbuf *mbuf;
	struct harness h;

	(void)state;
	harness_quiet();
	assert_int_equal(harness_open(&h, &options), 0);
	assert_int_equal(harness_setup(&h, 2, 2, RING, NULL), 0);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	assert_int_equal(harness_pass(&h, 30, FRAME), 0);
	assert_int_equal(device_receive_packet(h.dev, 1, NULL, runt, sizeof(runt)), 1);
	assert_int_equal(rte_eth_rx_burst(h.port, 1, &mbuf, 1), 0);
	transmit(&h, 2);
	assert_int_equal(rte_eth_stats_get(h.port, &stats), 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(stats.q_ipackets[i], 30);
		assert_int_equal(stats.q_ibytes[i], 30 * FRAME);
		assert_int_equal(stats.q_opackets[i], i == 0 ? 32 : 30);
		assert_int_equal(stats.q_obytes[i], stats.q_opackets[i] * FRAME);
		assert_int_equal(stats.q_errors[i], i);
	}
	assert_int_equal(stats.q_ipackets[2] + stats.q_opackets[2], 0);
	assert_int_equal(stats.ipackets, 60);
	assert_int_equal(stats.opackets, 62);
	assert_int_equal(stats.ierrors, 1);
	assert_int_equal(harness_close(&h), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(queue_counters),
	cmocka_unit_test(receive_descriptors),
	cmocka_unit_test(transmit_descriptors),
	cmocka_unit_test(burst_modes),
	cmocka_unit_test(packet_types),
	cmocka_unit_test(mtus),
	cmocka_unit_test(mtus_with_scatter),
	cmocka_unit_test(no_scatter),
	cmocka_unit_test(single_producer),
	cmocka_unit_test(taken_away),
	cmocka_unit_test(ring_sizes),
	cmocka_unit_test(refusals),
	cmocka_unit_test(speeds),
	cmocka_unit_test(configurations),
	cmocka_unit_test(lro_limit),
	cmocka_unit_test(counters),
};

HARNESS_MAIN(tests)
