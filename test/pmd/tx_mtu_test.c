/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets longer than the MTU that the device gave: it never sees them, unless it segments them. */
#include "harness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_errno.h>

#define B(name) DEVICE_BIT(DEVICE_F_##name)
/* With the Ethernet header, and two tags. */
#define MOST (1500 + 14 + 8)

static void
prepare_mtu(struct device *dev)
{
	device_config_set(dev, 10, 1500, 2);
}

/* In as many segments as len needs, or in two. */
static struct rte_mbuf *
make(uint32_t len, bool two)
{
	struct rte_mbuf *packet = NULL;

	while (len > 0) {
		struct rte_mbuf *mbuf = rte_pktmbuf_alloc(harness_tx_pool);
		uint32_t part = RTE_MIN(len, (uint32_t)rte_pktmbuf_tailroom(mbuf));

		part = two && packet == NULL ? len / 2 : part;
		memset(rte_pktmbuf_append(mbuf, part), 0, part);
		if (packet == NULL)
			packet = mbuf;
		else
			assert_int_equal(rte_pktmbuf_chain(packet, mbuf), 0);
		len -= part;
	}
	return packet;
}

static uint64_t
xstat(const struct harness *h, const char *name)
{
	uint64_t id, value;

	assert_int_equal(rte_eth_xstats_get_id_by_name(h->port, name, &id), 0);
	assert_int_equal(rte_eth_xstats_get_by_id(h->port, &id, &value, 1), 1);
	return value;
}

/* In a burst, with short ones around it. */
static void
send_among_others(struct harness *h, struct rte_mbuf *packet, bool fits)
{
	uint64_t dropped = xstat(h, "tx_q0_drop_mtu"), errors = xstat(h, "tx_errors");
	uint32_t len = packet->pkt_len;
	struct rte_mbuf *burst[9];
	struct device_packet *sent;

	for (unsigned i = 0; i < RTE_DIM(burst); i++)
		burst[i] = i == 4 ? packet : make(60 + i, false);
	rte_errno = 0;
	assert_int_equal(rte_eth_tx_prepare(h->port, 0, burst, 9), fits ? 9 : 4);
	assert_int_equal(rte_errno, fits ? 0 : EINVAL);
	assert_int_equal(rte_eth_tx_burst(h->port, 0, burst, 9), 9);
	assert_int_equal(xstat(h, "tx_q0_drop_mtu") - dropped, !fits);
	assert_int_equal(xstat(h, "tx_errors") - errors, !fits);
	harness_poll(h);
	for (unsigned i = 0; i < RTE_DIM(burst); i++) {
		if (i == 4 && !fits)
			continue;
		sent = device_next_packet(h->dev, 0);
		assert_non_null(sent);
		assert_int_equal(sent->len, i == 4 ? len : 60 + i);
		free(sent);
	}
	assert_null(device_next_packet(h->dev, 0));
	rte_eth_tx_done_cleanup(h->port, 0, 0);
}

static void
open_started(struct harness *h, const struct harness_options *options, uint64_t offloads)
{
	struct rte_eth_conf conf = { .txmode.offloads = offloads };

	assert_int_equal(harness_open(h, options), 0);
	assert_int_equal(harness_setup(h, 1, 1, 64, &conf), 0);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
}

static void
longer_than_the_mtu(void **state)
{
	static const uint64_t layouts[] = { 0, B(RING_PACKED) };
	static const uint64_t offloads[] = { 0, RTE_ETH_TX_OFFLOAD_TCP_CKSUM };

	(void)state;
	for (size_t i = 0; i < RTE_DIM(layouts) * RTE_DIM(offloads); i++) {
		struct harness_options options = { .features = B(MTU) | B(CSUM) | layouts[i % 2],
						   .prepare = prepare_mtu };
		struct harness h;

		open_started(&h, &options, offloads[i / 2]);
		for (unsigned two = 0; two < 2; two++) {
			send_among_others(&h, make(MOST, two), true);
			send_among_others(&h, make(MOST + 1, two), false);
		}
		assert_int_equal(harness_close(&h), 0);
		/* A device without MTU takes any. */
		options.features &= ~B(MTU);
		open_started(&h, &options, offloads[i / 2]);
		send_among_others(&h, make(4000, false), true);
		assert_int_equal(harness_close(&h), 0);
	}
}

/* What the device segments may be longer; what asks for that and fits one segment may not. */
static void
segmented(void **state)
{
	struct harness_options options = {
		.features = B(MTU) | B(CSUM) | B(HOST_TSO4) | B(HOST_TSO6), .prepare = prepare_mtu
	};
	struct harness h;

	(void)state;
	open_started(&h, &options, RTE_ETH_TX_OFFLOAD_TCP_TSO);
	for (unsigned fits = 0; fits < 2; fits++) {
		struct rte_mbuf *packet = make(1600, false);

		packet->ol_flags = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM |
				   RTE_MBUF_F_TX_TCP_SEG;
		packet->l2_len = 14;
		packet->l3_len = 20;
		packet->l4_len = 20;
		packet->tso_segsz = fits ? 1400 : 1546;
		send_among_others(&h, packet, fits);
	}
	assert_int_equal(harness_close(&h), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(longer_than_the_mtu),
	cmocka_unit_test(segmented),
};

HARNESS_MAIN(tests)
