/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random bytes over everything that a device can write, through the whole driver: rings, tables,
 * buffers and configuration, between its calls and while it polls; with offloads that look at
 * headers, commands that wait for answers, and a port that recovers. Whatever comes of it: no
 * packet is longer than its buffers, no call waits longer than its bound, every mbuf is back in the
 * end (harness_close()), and an honest device is driven as before. The rest is the sanitizers' to
 * say.
 */
#include "frames.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "inject.h"
#include "net/vio/port.h"

#define B(name) DEVICE_BIT(DEVICE_F_##name)

#define FEATURES                                                                                  \
	(B(CTRL_VQ) | B(CTRL_RX) | B(CTRL_VLAN) | B(CTRL_MAC_ADDR) | B(MAC) | B(STATUS) | B(MQ) | \
	 B(RSS) | B(GUEST_CSUM) | B(GUEST_TSO4) | B(GUEST_TSO6) | B(INDIRECT_DESC) |              \
	 B(RING_RESET))

#define RX_OFFLOADS                                                    \
	(RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM | \
	 RTE_ETH_RX_OFFLOAD_TCP_LRO | RTE_ETH_RX_OFFLOAD_VLAN_STRIP)

enum { SIZE = 64, PAIRS = 2, CTRL = 2 * PAIRS, TURNS = 80, SEEDS = 12, TIMEOUT_MS = 20 };
/* The longest that a turn may take: a recovery's second try comes after a wait, and each command
 * that it gives again, of which there are few, is waited for. */
enum { TURN_US = 4000000 };
enum { CONFIG = 24, KEY_AT = 17, TABLE_AT = 18, TYPES_AT = 20 };

static const uint64_t layouts[] = {
	0,
	B(MRG_RXBUF) | B(HASH_REPORT),
	B(IN_ORDER) | B(EVENT_IDX),
	B(RING_PACKED),
	B(RING_PACKED) | B(MRG_RXBUF) | B(EVENT_IDX),
	B(RING_PACKED) | B(IN_ORDER) | B(HASH_REPORT),
};

struct history {
	struct harness h;
	uint32_t random, noise;
	unsigned areas, most; /* numbers a turn */
	bool keeps_off;
	unsigned packets; /* received */
};

static uint32_t
next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static unsigned
below(struct history *t, unsigned n)
{
	return next_random(&t->random) % n;
}

/* --- the device
 * -----------------------------------------------------------------------------------
 */

static void
prepare(struct device *dev)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };

	for (unsigned i = 0; i < sizeof(mac); i++)
		device_config_set(dev, i, mac[i], 1);
	device_config_set(dev, 6, 1, 2); /* the link is up */
	device_config_set(dev, 8, PAIRS, 2);
	device_config_set(dev, KEY_AT, 40, 1);
	device_config_set(dev, TABLE_AT, 128, 2);
	device_config_set(dev, TYPES_AT, 0x1ff, 4);
}

static struct history *current;

/* A frame whose bytes are of no sense, and every other time its header, too. */
static void
give_frame(struct history *t, uint16_t pair)
{
	struct device_net_header header = {
		.flags = (uint8_t)below(t, 8),
		.gso_type = (uint8_t)below(t, 8),
		.hdr_len = (uint16_t)next_random(&t->random),
		.gso_size = (uint16_t)next_random(&t->random),
		.csum_start = (uint16_t)below(t, 200),
		.csum_offset = (uint16_t)below(t, 200),
		.hash_report = (uint16_t)below(t, 12),
	};
	uint8_t frame[3000];

	for (unsigned i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)next_random(&t->random);
	device_receive_packet(t->h.dev, pair, below(t, 2) ? &header : NULL, frame,
			      below(t, sizeof(frame)));
}

static void
turn_of_device(struct harness *h)
{
	struct history *t = current;

	for (uint16_t q = 0; q <= CTRL; q++) {
		if (!device_queue_enabled(h->dev, q))
			continue;
		device_fetch(h->dev, q);
		if (t->keeps_off || q % 2 == 1)
			device_complete(h->dev, q, (uint16_t)below(t, 6), DEVICE_RANDOM);
		else if (q != CTRL)
			give_frame(t, q / 2);
	}
	if (!t->keeps_off)
		device_poll(h->dev, false);
	device_scribble(h->dev, &t->noise, t->areas, below(t, t->most + 1));
	if (below(t, 8) == 0)
		device_config_set(h->dev, below(t, CONFIG), next_random(&t->random) & 0xff, 1);
}

/* --- the application
 * ------------------------------------------------------------------------------
 */

static void
check_packet(const struct rte_mbuf *packet)
{
	uint32_t sum = 0, segments = 0;

	for (const struct rte_mbuf *seg = packet; seg != NULL; seg = seg->next) {
		assert_in_range(seg->data_off + seg->data_len, 0, seg->buf_len);
		sum += seg->data_len;
		segments++;
	}
	assert_int_equal(packet->pkt_len, sum);
	assert_int_equal(packet->nb_segs, segments);
	assert_in_range(segments, 1, SIZE);
}

static void
take(struct history *t, uint16_t queue)
{
	struct rte_mbuf *got[2 * SIZE];
	uint16_t n = rte_eth_rx_burst(t->h.port, queue, got, RTE_DIM(got));

	assert_in_range(n, 0, SIZE);
	for (uint16_t i = 0; i < n; i++)
		check_packet(got[i]);
	rte_pktmbuf_free_bulk(got, n);
	t->packets += n;
}

static void
give(struct history *t, uint16_t queue)
{
	struct rte_mbuf *packets[8];
	uint16_t n = (uint16_t)below(t, RTE_DIM(packets) + 1), sent;

	for (uint16_t i = 0; i < n; i++) {
		packets[i] = rte_pktmbuf_alloc(harness_tx_pool);
		assert_non_null(packets[i]);
		memset(rte_pktmbuf_append(packets[i], 100), 0, 100);
		for (unsigned more = below(t, 3); more > 0; more--) {
			struct rte_mbuf *mbuf = rte_pktmbuf_alloc(harness_tx_pool);

			assert_non_null(mbuf);
			memset(rte_pktmbuf_append(mbuf, 60), 0, 60);
			assert_int_equal(rte_pktmbuf_chain(packets[i], mbuf), 0);
		}
	}
	sent = rte_eth_tx_burst(t->h.port, queue, packets, n);
	assert_in_range(sent, 0, n);
	rte_pktmbuf_free_bulk(packets + sent, n - sent);
}

/* Whatever they return: an error may be what there is to say. */
static void
ask(struct history *t)
{
	struct rte_ether_addr mac = { { 2, 0, 0, 0, 0, (uint8_t)below(t, 256) } };
	struct rte_eth_rss_conf hash = { .rss_hf = RTE_ETH_RSS_IP };
	uint16_t port = t->h.port;
	struct rte_eth_link link;

	switch (below(t, 10)) {
	case 0:
		rte_eth_promiscuous_enable(port);
		break;
	case 1:
		rte_eth_promiscuous_disable(port);
		break;
	case 2:
		rte_eth_dev_default_mac_addr_set(port, &mac);
		break;
	case 3:
		rte_eth_dev_rss_hash_update(port, &hash);
		break;
	case 4:
		rte_eth_link_get_nowait(port, &link);
		break;
	case 5:
		seam_interrupt();
		break;
	case 6:
		assert_in_range(rte_eth_rx_queue_count(port, 0), 0, SIZE);
		(void)rte_eth_rx_descriptor_status(port, 1, (uint16_t)below(t, SIZE));
		(void)rte_eth_tx_descriptor_status(port, 1, (uint16_t)below(t, SIZE));
		break;
	case 7:
		assert_in_range(rte_eth_tx_done_cleanup(port, (uint16_t)below(t, PAIRS), 0), 0,
				SIZE);
		break;
	case 8:
		if (rte_eth_dev_rx_queue_stop(port, 1) == 0)
			rte_eth_dev_rx_queue_start(port, 1);
		break;
	default:
		if (rte_eth_dev_tx_queue_stop(port, 1) == 0)
			rte_eth_dev_tx_queue_start(port, 1);
		break;
	}
}

/* --- one history
 * ----------------------------------------------------------------------------------
 */

static void
start(struct history *t, uint64_t features, uint8_t recover)
{
	uint64_t hash = features & B(HASH_REPORT) ? RTE_ETH_RX_OFFLOAD_RSS_HASH : 0;
	struct harness_options options = {
		.features = FEATURES | features,
		.pairs = PAIRS,
		.timeout_ms = TIMEOUT_MS,
		.recover = recover,
		.prepare = prepare,
	};
	struct rte_eth_conf conf = {
		.intr_conf.lsc = 1,
		.rxmode = { .mq_mode = RTE_ETH_MQ_RX_RSS, .offloads = RX_OFFLOADS | hash },
		.rx_adv_conf.rss_conf.rss_hf = RTE_ETH_RSS_IP,
		.txmode.offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS,
	};

	assert_int_equal(harness_open(&t->h, &options), 0);
	assert_int_equal(harness_setup(&t->h, PAIRS, PAIRS, SIZE, &conf), 0);
	assert_int_equal(rte_eth_dev_start(t->h.port), 0);
	device_keep_off(t->h.dev, t->keeps_off);
}

/* The device is honest again, and what it made of its own noise is nothing that the driver did. */
static void
end(struct history *t)
{
	struct harness *h = &t->h;

	h->turn = NULL;
	device_keep_off(h->dev, false);
	rte_eth_dev_stop(h->port);
	prepare(h->dev);
	device_faults_clear(h->dev);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
	assert_int_equal(harness_pass(h, 2 * SIZE, 100), 0);
	assert_int_equal(harness_close(h), 0);
}

static void
one_turn(struct history *t)
{
	uint64_t began = seam_now_us;
	uint16_t queue = (uint16_t)below(t, PAIRS);

	give(t, queue);
	turn_of_device(&t->h);
	take(t, queue);
	if (below(t, 3) == 0)
		ask(t);
	for (unsigned i = 0; i < 2; i++)
		seam_alarm();
	assert_in_range(seam_now_us - began, 0, TURN_US);
}

static unsigned
one_history(uint64_t features, uint32_t seed, uint8_t recover, unsigned areas, unsigned most)
{
	struct history t = {
		.random = seed,
		.noise = seed * 2654435761u | 1,
		.areas = areas,
		.most = most,
		/* Behind a scribbled address may be anything of this process's. */
		.keeps_off = areas & ~(DEVICE_AREA_USED | DEVICE_AREA_BUFFERS),
	};

	start(&t, features, recover);
	current = &t;
	t.h.turn = turn_of_device;
	for (unsigned turn = 0; turn < TURNS; turn++)
		one_turn(&t);
	end(&t);
	return t.packets;
}

static void
between_calls(unsigned areas)
{
	static const unsigned most[] = { 1, 8, 64 };
	static const uint8_t modes[] = { VIO_RECOVER_NEVER, VIO_RECOVER_AUTO };
	unsigned packets = 0;

	for (size_t l = 0; l < RTE_DIM(layouts); l++)
		for (uint32_t seed = 1; seed <= SEEDS; seed++)
			packets += one_history(layouts[l], seed, modes[seed % 2], areas,
					       most[seed % RTE_DIM(most)]);
	/* Else nothing was tried but queues that were broken at once. */
	assert_true(packets > 10 * RTE_DIM(layouts) * SEEDS);
}

static void
everywhere(void **state)
{
	(void)state;
	between_calls(DEVICE_AREA_ALL);
}

static void
what_is_read(void **state)
{
	(void)state;
	between_calls(DEVICE_AREA_USED | DEVICE_AREA_BUFFERS);
}

/* --- while it polls
 * -------------------------------------------------------------------------------
 */

struct noise {
	struct {
		uint8_t *at;
		size_t len;
	} places[2 * (2 * PAIRS + 1) + HARNESS_MBUFS];
	unsigned count;
	uint32_t random;
	_Atomic unsigned writes;
	_Atomic bool stop;
};

static void
add_place(struct noise *noise, void *at, size_t len)
{
	noise->places[noise->count].at = at;
	noise->places[noise->count++].len = len;
}

static void
add_ring(struct noise *noise, const struct vio_ring *ring)
{
	add_place(noise, ring->mz->addr, ring->mz->len);
	if (ring->tables != NULL)
		add_place(noise, ring->tables->addr, ring->tables->len);
}

/* Header and frame, as a device that once had the buffer may go on writing there. */
static void
add_mbuf(struct rte_mempool *pool, void *arg, void *object, unsigned index)
{
	struct rte_mbuf *mbuf = object;
	size_t header = sizeof(struct vio_net_hdr_hash);

	(void)pool;
	(void)index;
	add_place(arg, (uint8_t *)mbuf->buf_addr + RTE_PKTMBUF_HEADROOM - header,
		  header + HARNESS_ROOM);
}

static void *
scribble_on(void *arg)
{
	struct noise *noise = arg;
	const unsigned rings = noise->count - HARNESS_MBUFS;

	while (!atomic_load(&noise->stop)) {
		uint32_t r = next_random(&noise->random), value = next_random(&noise->random);
		unsigned place = r % 4 != 0 ? r / 4 % rings : r / 4 % noise->count;
		size_t at = next_random(&noise->random) % (noise->places[place].len / 2) * 2;

		if (value % 2) /* small ones pass for ids and indices */
			value = value >> 16 & 63;
		__atomic_store_n((uint16_t *)(noise->places[place].at + at), (uint16_t)value,
				 __ATOMIC_RELAXED);
		atomic_fetch_add(&noise->writes, 1);
	}
	return NULL;
}

static void
find_places(struct noise *noise, const struct rte_eth_dev_data *data)
{
	for (uint16_t i = 0; i < PAIRS; i++) {
		add_ring(noise, &((const struct vio_rxq *)data->rx_queues[i])->ring);
		add_ring(noise, &((const struct vio_txq *)data->tx_queues[i])->ring);
	}
	rte_mempool_obj_iter(harness_rx_pool, add_mbuf, noise);
}

/* So much has been written since *seen. */
static void
await_noise(struct noise *noise, unsigned *seen)
{
	while (atomic_load(&noise->writes) - *seen < 20)
		sched_yield();
	*seen = atomic_load(&noise->writes);
}

/* The device model is not asked: all that the driver finds is noise, at the time it looks. */
static void
one_storm(uint64_t features, uint32_t seed)
{
	static struct noise noise;
	struct history t = { .random = seed, .keeps_off = true };
	unsigned seen = 0;
	pthread_t thread;

	start(&t, features, VIO_RECOVER_NEVER);
	t.h.deaf = true;
	memset(&noise, 0, sizeof(noise));
	noise.random = seed;
	find_places(&noise, t.h.eth->data);
	assert_int_equal(pthread_create(&thread, NULL, scribble_on, &noise), 0);
	for (unsigned turn = 0; turn < 300; turn++) {
		/* More often would take long where both threads share a CPU. */
		if (turn % 30 == 0)
			await_noise(&noise, &seen);
		give(&t, turn % PAIRS);
		take(&t, turn % PAIRS);
		(void)rte_eth_rx_queue_count(t.h.port, turn % PAIRS);
		(void)rte_eth_tx_done_cleanup(t.h.port, turn % PAIRS, 0);
	}
	atomic_store(&noise.stop, true);
	pthread_join(thread, NULL);
	t.h.deaf = false;
	end(&t);
}

static void
while_polled(void **state)
{
	(void)state;
	for (size_t l = 0; l < RTE_DIM(layouts); l++)
		for (uint32_t seed = 1; seed <= SEEDS; seed++)
			one_storm(layouts[l], seed);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(everywhere),
	cmocka_unit_test(what_is_read),
	cmocka_unit_test(while_polled),
};

HARNESS_MAIN(tests)
