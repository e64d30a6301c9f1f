/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Queues outlive a configuration: rte_eth_dev_configure() with other offloads and no new queue
 * setup, after which start has to do what the new configuration says.
 */
#include "harness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ip.h>
#include <rte_mempool.h>

#include "net/vio/port.h"

#define FEATURES                                                      \
	(DEVICE_BIT(DEVICE_F_CSUM) | DEVICE_BIT(DEVICE_F_HOST_TSO4) | \
	 DEVICE_BIT(DEVICE_F_HOST_TSO6) | DEVICE_BIT(DEVICE_F_INDIRECT_DESC))
#define ASKS \
	(RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_VLAN)
#define OFFLOADS                                                        \
	(RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | \
	 RTE_ETH_TX_OFFLOAD_VLAN_INSERT)

enum { SIZE = 64, HEADERS = 14 + 60 + 60, LEN = HEADERS + 100 };

static void
configure(struct harness *h, uint64_t rx, uint64_t tx, uint32_t mtu)
{
	struct rte_eth_conf conf = {
		.rxmode = { .offloads = rx, .mtu = mtu },
		.txmode.offloads = tx,
	};

	assert_int_equal(rte_eth_dev_configure(h->port, 1, 1, &conf), 0);
}

/* IPv4 and TCP with all options that they can have. */
static struct rte_mbuf *
make(unsigned number)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(harness_tx_pool);
	struct rte_ipv4_hdr *ip;
	uint8_t *frame;

	assert_non_null(mbuf);
	frame = (uint8_t *)rte_pktmbuf_append(mbuf, LEN);
	for (unsigned i = 0; i < LEN; i++)
		frame[i] = (uint8_t)(i * 7 + number);
	memcpy(frame + 12, "\x08\x00\x4f", 3);
	ip = (void *)(frame + 14);
	ip->total_length = rte_cpu_to_be_16(LEN - 14);
	ip->fragment_offset = 0;
	ip->next_proto_id = IPPROTO_TCP;
	frame[14 + 60 + 12] = 0xf0;
	mbuf->l2_len = 14;
	mbuf->l3_len = mbuf->l4_len = 60;
	mbuf->vlan_tci = 77;
	return mbuf;
}

/* Clones, whose headers all have to stand in the queue's own memory, as many as the ring holds. */
static void
offloads_added(void **state)
{
	struct harness_options options = { .features = FEATURES };
	struct rte_mbuf *originals[SIZE], *clones[SIZE];
	struct device_packet *packet;
	struct harness h;

	(void)state;
	assert_int_equal(harness_open(&h, &options), 0);
	assert_int_equal(harness_setup(&h, 1, 1, SIZE, NULL), 0);
	configure(&h, 0, OFFLOADS, 0);
	harness_quiet();
	assert_int_equal(rte_eth_dev_start(h.port), -EINVAL);
	assert_true(harness_said("set it up again"));
	assert_int_equal(rte_eth_tx_queue_setup(h.port, 0, SIZE, SOCKET_ID_ANY, NULL), 0);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	for (unsigned i = 0; i < SIZE; i++) {
		originals[i] = make(i);
		clones[i] = rte_pktmbuf_clone(originals[i], harness_tx_pool);
		assert_non_null(clones[i]);
		clones[i]->ol_flags |= ASKS;
		assert_int_equal(rte_eth_tx_burst(h.port, 0, &clones[i], 1), 1);
	}
	harness_poll(&h);
	for (unsigned i = 0; i < SIZE; i++) {
		const uint8_t *frame = rte_pktmbuf_mtod(originals[i], const uint8_t *);

		packet = device_next_packet(h.dev, 0);
		assert_non_null(packet);
		assert_int_equal(packet->len, LEN + 4);
		assert_int_equal(packet->header.csum_start, 18 + 60);
		assert_memory_equal(packet->data, frame, 12);
		assert_memory_equal(packet->data + 12, "\x81\x00\x00\x4d", 4);
		assert_memory_equal(packet->data + 16, frame + 12, 12);
		/* After the sums of both headers. */
		assert_memory_equal(packet->data + 16 + 14, frame + 26, 14 + 60 + 16 - 26);
		assert_memory_equal(packet->data + 4 + 14 + 60 + 18, frame + 14 + 60 + 18,
				    LEN - (14 + 60 + 18));
		free(packet);
		rte_pktmbuf_free(originals[i]);
	}
	assert_int_equal(rte_eth_dev_stop(h.port), 0);
	configure(&h, 0, 0, 0);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	assert_int_equal(harness_pass(&h, 200, 100), 0);
	assert_int_equal(harness_close(&h), 0);
}

/* Each mbuf comes back to the pool that it is of. */
static void
send_of_both_pools(struct harness *h)
{
	unsigned rx = rte_mempool_avail_count(harness_rx_pool);
	unsigned tx = rte_mempool_avail_count(harness_tx_pool);
	struct rte_mbuf *mbufs[SIZE];

	for (unsigned i = 0; i < SIZE; i++) {
		mbufs[i] = rte_pktmbuf_alloc(i % 2 == 0 ? harness_rx_pool : harness_tx_pool);
		assert_non_null(mbufs[i]);
		assert_non_null(rte_pktmbuf_append(mbufs[i], 60));
	}
	assert_int_equal(rte_eth_tx_burst(h->port, 0, mbufs, SIZE), SIZE);
	harness_poll(h);
	for (unsigned i = 0; i < SIZE; i++)
		free(device_next_packet(h->dev, 0));
	assert_int_equal(rte_eth_tx_done_cleanup(h->port, 0, 0), SIZE);
	assert_int_equal(rte_mempool_avail_count(harness_rx_pool), rx);
	assert_int_equal(rte_mempool_avail_count(harness_tx_pool), tx);
}

static uint64_t
offloads_told(const struct harness *h)
{
	struct rte_eth_txq_info info;

	assert_int_equal(rte_eth_tx_queue_info_get(h->port, 0, &info), 0);
	return info.conf.offloads;
}

/* Is a sent mbuf given back without a look at it? Someone else's reference tells, which with
 * MBUF_FAST_FREE the application has promised not to have. */
static bool
frees_fast(struct harness *h)
{
	struct rte_mbuf *mbuf;
	unsigned before;
	bool back;

	rte_eth_tx_done_cleanup(h->port, 0, 0);
	before = rte_mempool_avail_count(harness_tx_pool);
	mbuf = rte_pktmbuf_alloc(harness_tx_pool);
	assert_non_null(mbuf);
	assert_non_null(rte_pktmbuf_append(mbuf, 60));
	assert_int_equal(rte_eth_tx_burst(h->port, 0, &mbuf, 1), 1);
	rte_mbuf_refcnt_set(mbuf, 2);
	harness_poll(h);
	free(device_next_packet(h->dev, 0));
	assert_int_equal(rte_eth_tx_done_cleanup(h->port, 0, 0), 1);
	back = rte_mempool_avail_count(harness_tx_pool) == before;
	rte_mbuf_refcnt_set(mbuf, 1);
	if (!back)
		rte_pktmbuf_free(mbuf);
	return back;
}

static void
fast_free_taken_away(void **state)
{
	struct rte_eth_conf conf = { .txmode.offloads = RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE };
	struct harness_options options = { .features = FEATURES };
	struct harness h;

	(void)state;
	assert_int_equal(harness_open(&h, &options), 0);
	assert_int_equal(harness_setup(&h, 1, 1, SIZE, &conf), 0);
	assert_int_equal(offloads_told(&h), RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE);
	configure(&h, 0, 0, 0);
	assert_int_equal(offloads_told(&h), 0);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	send_of_both_pools(&h);
	assert_false(frees_fast(&h));
	assert_int_equal(harness_close(&h), 0);
}

/* Asked for one queue, it stays with the queue. */
static void
fast_free_of_a_queue(void **state)
{
	struct rte_eth_txconf queue = { .offloads = RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE };
	struct harness_options options = { .features = FEATURES };
	struct harness h;

	(void)state;
	assert_int_equal(harness_open(&h, &options), 0);
	assert_int_equal(harness_setup(&h, 1, 1, SIZE, NULL), 0);
	assert_int_equal(rte_eth_tx_queue_setup(h.port, 0, SIZE, SOCKET_ID_ANY, &queue), 0);
	configure(&h, 0, 0, 0);
	assert_int_equal(offloads_told(&h), RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	assert_int_equal(harness_pass(&h, 200, 100), 0);
	assert_true(frees_fast(&h));
	assert_int_equal(harness_close(&h), 0);
}

static void
scatter_taken_away(void **state)
{
	struct rte_eth_conf conf = { .rxmode = { .offloads = RTE_ETH_RX_OFFLOAD_SCATTER,
						 .mtu = 4000 } };
	struct harness_options options = { .features = FEATURES };
	struct harness h;

	(void)state;
	assert_int_equal(harness_open(&h, &options), 0);
	assert_int_equal(harness_setup(&h, 1, 1, SIZE, &conf), 0);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	assert_int_equal(harness_pass(&h, 20, 1500), 0);
	assert_int_equal(rte_eth_dev_stop(h.port), 0);
	configure(&h, 0, 0, 4000);
	harness_quiet();
	assert_int_equal(rte_eth_dev_start(h.port), -EINVAL);
	assert_true(harness_said("may not span several"));
	configure(&h, 0, 0, 1500);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	assert_int_equal(harness_pass(&h, 20, 1500), 0);
	assert_int_equal(harness_close(&h), 0);
}

static int
nobody_comes(struct vio_port *port)
{
	(void)port;
	return -EAGAIN;
}

/* A port that starts while its peer is away takes the paths that it would take else: they are not
 * chosen again when a peer comes. */
static void
started_without_a_peer(void **state)
{
	struct rte_eth_conf conf = { .rxmode = { .offloads = RTE_ETH_RX_OFFLOAD_SCATTER,
						 .mtu = 4000 } };
	struct rte_eth_burst_mode modes[2];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct harness_options options = { .features = FEATURES };
		struct harness h;

		assert_int_equal(harness_open(&h, &options), 0);
		assert_int_equal(harness_setup(&h, 1, 1, SIZE, &conf), 0);
		if (i == 1) {
			vio_port(h.eth)->reconnect = nobody_comes;
			device_unplug(h.dev);
		}
		assert_int_equal(rte_eth_dev_start(h.port), 0);
		assert_int_equal(rte_eth_rx_burst_mode_get(h.port, 0, &modes[i]), 0);
		assert_int_equal(rte_eth_dev_stop(h.port), 0);
		assert_int_equal(rte_eth_dev_close(h.port), 0);
		h.open = false;
		device_faults_clear(h.dev);
		assert_int_equal(harness_close(&h), 0);
	}
	assert_string_equal(modes[1].info, modes[0].info);
}

/* The packet path may be a secondary process's, where the primary's pointers are no good: nothing
 * of it goes by way of them, also where no mbuf is to be had. */
static void
paths_of_a_secondary(void **state)
{
	static const uint64_t features[] = { 0, DEVICE_BIT(DEVICE_F_MRG_RXBUF),
					     DEVICE_BIT(DEVICE_F_RING_PACKED) };
	static const uint64_t offloads[] = { 0, RTE_ETH_RX_OFFLOAD_SCATTER,
					     RTE_ETH_RX_OFFLOAD_VLAN_STRIP };
	struct rte_eth_conf conf = { .rxmode.mtu = 1500 };
	struct rte_mbuf *taken[HARNESS_MBUFS], *got[SIZE];
	struct harness_options options;
	uint8_t frame[100] = { 2 };
	struct vio_transport *transport;
	struct rte_eth_dev *dev;
	struct vio_port *port;
	struct harness h;
	unsigned n, came;

	(void)state;
	for (unsigned i = 0; i < 9; i++) {
		options = (struct harness_options){ .features = FEATURES | features[i / 3] };
		conf.rxmode.offloads = offloads[i % 3];
		conf.rxmode.mtu = conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_SCATTER ? 4000 : 1500;
		assert_int_equal(harness_open(&h, &options), 0);
		assert_int_equal(harness_setup(&h, 1, 1, SIZE, &conf), 0);
		assert_int_equal(rte_eth_dev_start(h.port), 0);
		for (n = 0; n < HARNESS_MBUFS; n++) {
			taken[n] = rte_pktmbuf_alloc(harness_rx_pool);
			if (taken[n] == NULL)
				break;
		}
		port = h.eth->data->dev_private;
		dev = port->dev;
		transport = port->transport;
		port->dev = NULL;
		port->transport = NULL;
		for (unsigned k = 0; k < SIZE / 4; k++)
			device_receive_packet(h.dev, 0, NULL, frame, sizeof(frame));
		do {
			came = rte_eth_rx_burst(h.port, 0, got, SIZE / 16);
			rte_pktmbuf_free_bulk(got, came);
		} while (came > 0);
		port->dev = dev;
		port->transport = transport;
		rte_pktmbuf_free_bulk(taken, n);
		assert_int_equal(harness_pass(&h, 200, 100), 0);
		assert_int_equal(harness_close(&h), 0);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(offloads_added),       cmocka_unit_test(fast_free_taken_away),
	cmocka_unit_test(fast_free_of_a_queue), cmocka_unit_test(scatter_taken_away),
	cmocka_unit_test(paths_of_a_secondary), cmocka_unit_test(started_without_a_peer),
};

HARNESS_MAIN(tests)
