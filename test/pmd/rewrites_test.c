/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Devices that write what the driver must not believe, through the whole driver: used lengths of
 * what was sent, descriptors and tables in flight, flags and events of packed rings, completions
 * out of order. Frames go on as if nothing were, or nothing moves; in the end every mbuf is back
 * (harness_close()).
 */
#include "frames.h"

#include "net/vio/queue.h"

#define BIT(feature) DEVICE_BIT(DEVICE_F_##feature)

enum { SIZE = 64, AROUND = 8, RX = VIO_NET_RXQ(0), TX = VIO_NET_TXQ(0) };

static const uint64_t layouts[] = {
	0,
	BIT(MRG_RXBUF) | BIT(INDIRECT_DESC),
	BIT(IN_ORDER) | BIT(EVENT_IDX),
	BIT(EVENT_IDX) | BIT(INDIRECT_DESC),
	BIT(RING_PACKED),
	BIT(RING_PACKED) | BIT(MRG_RXBUF) | BIT(INDIRECT_DESC),
	BIT(RING_PACKED) | BIT(EVENT_IDX) | BIT(INDIRECT_DESC),
	BIT(RING_PACKED) | BIT(IN_ORDER) | BIT(EVENT_IDX),
};

/* The best vector code of this CPU, that of words, and none; and few packets at once. */
static const struct code {
	const char *devargs;
	uint16_t burst;
} codes[] = {
	{ "timeout=1000,simd=auto", FRAMES_MOST },
	{ "timeout=1000,simd=words", FRAMES_MOST },
	{ "timeout=1000,simd=scalar", FRAMES_MOST },
	{ "timeout=1000,simd=auto", 1 },
	{ "timeout=1000,simd=words", 2 },
	{ "timeout=1000,simd=scalar", 3 },
};

static bool
is_packed(uint64_t features)
{
	return features & BIT(RING_PACKED);
}

static void
start(struct harness *h, uint64_t features, const struct code *code)
{
	struct harness_options options = { .features = features, .devargs = code->devargs };
	struct rte_eth_conf conf = { .txmode.offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS };

	frames_burst = code->burst;
	assert_int_equal(harness_open(h, &options), 0);
	assert_int_equal(harness_setup(h, 1, 1, SIZE, &conf), 0);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
	harness_poll(h);
}

static void
is_whole(const struct harness *h)
{
	assert_int_equal(frames_counter(h, "rx_q0_broken"), 0);
	assert_int_equal(frames_counter(h, "tx_q0_broken"), 0);
	assert_int_equal(frames_counter(h, "rx_q0_errors"), 0);
}

/* After a restart frames go both ways. */
static void
restart(struct harness *h)
{
	device_honest(h->dev);
	device_hold_transmit(h->dev, false);
	assert_int_equal(rte_eth_dev_stop(h->port), 0);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
	assert_int_equal(harness_pass(h, 3 * SIZE, 100), 0);
	assert_int_equal(harness_close(h), 0);
}

/* Nothing was broken, and the test of it begins anew with each layout and code. */
static void
for_all(bool packed_only, void (*test)(struct harness *, uint64_t features))
{
	for (size_t i = 0; i < RTE_DIM(layouts) * RTE_DIM(codes); i++) {
		uint64_t features = layouts[i / RTE_DIM(codes)];
		struct harness h;

		if (packed_only && !is_packed(features))
			continue;
		start(&h, features, &codes[i % RTE_DIM(codes)]);
		test(&h, features);
		is_whole(&h);
		restart(&h);
	}
}

/* --- row 5: any used length on transmit ---------------------------------------------------------
 */

static void
send_and_be_told(struct harness *h, enum device_lie lie, uint32_t len, uint8_t number)
{
	assert_int_equal(frames_send(h, number, 1, 1 + number % 3), 1);
	device_lie(h->dev, TX, lie, len);
	harness_poll(h);
	frames_sent(h, number, 1);
}

static void
used_lengths(struct harness *h, uint64_t features)
{
	static const uint32_t lens[] = { 0,      1,       11,      12,         FRAME_LEN,
					 0xffff, 0x10000, 0x10048, 0x80000000, 0xffffffff };
	unsigned before = rte_mempool_avail_count(harness_tx_pool), sent = 0;
	unsigned kinds = is_packed(features) ? 2 : 1;
	struct rte_eth_stats stats;

	for (unsigned lap = 0; lap < 2 * SIZE; lap++) {
		for (size_t i = 0; i < RTE_DIM(lens) * kinds; i++)
			send_and_be_told(
				h, i % kinds ? DEVICE_LIE_LENGTH_UNFLAGGED : DEVICE_LIE_LENGTH,
				lens[i / kinds], (uint8_t)sent++);
		rte_eth_tx_done_cleanup(h->port, 0, 0);
		assert_int_equal(rte_mempool_avail_count(harness_tx_pool), before);
	}
	assert_int_equal(rte_eth_stats_get(h->port, &stats), 0);
	assert_int_equal(stats.opackets, sent);
	assert_int_equal(stats.obytes, sent * FRAME_LEN);
	assert_int_equal(stats.oerrors, 0);
}

static void
any_used_length_on_transmit(void **state)
{
	(void)state;
	for_all(false, used_lengths);
}

/* --- row 7: descriptors and tables are rewritten ------------------------------------------------
 */

/* 0: all of every descriptor, also those that the driver has. */
static const unsigned fields[] = {
	0,
	DEVICE_FIELD_ADDR,
	DEVICE_FIELD_LEN,
	DEVICE_FIELD_FLAGS,
	DEVICE_FIELD_NEXT,
	DEVICE_FIELD_ID,
	DEVICE_FIELD_ADDR | DEVICE_FIELD_LEN | DEVICE_FIELD_FLAGS | DEVICE_FIELD_NEXT |
		DEVICE_FIELD_ID,
};

static void
rewrite(struct harness *h, uint16_t queue, unsigned which)
{
	if (which == 0)
		device_lie(h->dev, queue, DEVICE_LIE_REWRITE, 0);
	else
		device_lie(h->dev, queue, DEVICE_LIE_REWRITE_HELD, which);
	device_lie(h->dev, queue, DEVICE_LIE_REWRITE_INDIRECT, 0);
}

/* The device has read what it needs; then it writes, before it gives back and in between. */
static void
round_trip(struct harness *h, uint8_t number, unsigned which, uint16_t segments)
{
	unsigned n = 1 + number % AROUND;

	device_hold_transmit(h->dev, true);
	assert_int_equal(frames_send(h, number, n, segments), n);
	harness_poll(h);
	rewrite(h, RX, which);
	rewrite(h, TX, which);
	for (unsigned i = 0; i < n; i++)
		frames_arrive(h, (uint8_t)(number + i));
	frames_taken(h, number, n);
	frames_sent(h, number, n);
	/* A device that has given a packed descriptor back has no say in it any more: that would be
	 * another lie. */
	device_complete(h->dev, TX, n / 2, DEVICE_RANDOM);
	assert_int_equal(rte_eth_tx_done_cleanup(h->port, 0, 0), n / 2);
	device_lie(h->dev, TX, DEVICE_LIE_REWRITE_INDIRECT, 0);
	device_complete(h->dev, TX, n, DEVICE_RANDOM);
	assert_int_equal(rte_eth_tx_done_cleanup(h->port, 0, 0), n - n / 2);
}

static void
rewritten(struct harness *h, uint64_t features)
{
	unsigned before = rte_mempool_avail_count(harness_tx_pool);

	(void)features;
	for (size_t i = 0; i < RTE_DIM(fields); i++)
		for (unsigned lap = 0; lap < 2 * SIZE; lap++)
			round_trip(h, (uint8_t)lap, fields[i], 1 + lap % 3);
	assert_int_equal(rte_mempool_avail_count(harness_tx_pool), before);
	/* All of a full ring, which is then taken back. */
	assert_true(frames_send(h, 0, SIZE, 1) > SIZE / 2);
	harness_poll(h);
	rewrite(h, RX, 0);
	rewrite(h, TX, 0);
}

static void
rewritten_in_flight(void **state)
{
	(void)state;
	for_all(false, rewritten);
}

/* --- row 16: flags, events, order ---------------------------------------------------------------
 */

static void
ahead(struct harness *h, uint64_t features)
{
	(void)features;
	device_hold_transmit(h->dev, true);
	for (unsigned lap = 0; lap < 2 * SIZE; lap++) {
		unsigned n = 1 + lap % (AROUND - 1);

		harness_poll(h);
		device_lie(h->dev, RX, DEVICE_LIE_USED_AHEAD, n);
		frames_taken(h, 0, 0);
		for (unsigned i = 0; i <= n; i++)
			frames_arrive(h, (uint8_t)i);
		frames_taken(h, 0, n + 1);
		assert_int_equal(frames_send(h, (uint8_t)lap, n + 1, 1), n + 1);
		harness_poll(h);
		device_lie(h->dev, TX, DEVICE_LIE_USED_AHEAD, n);
		assert_int_equal(rte_eth_tx_done_cleanup(h->port, 0, 0), 0);
		frames_sent(h, (uint8_t)lap, n + 1);
		assert_int_equal(device_complete(h->dev, TX, n + 1, DEVICE_OLDEST_FIRST), n + 1);
		assert_int_equal(rte_eth_tx_done_cleanup(h->port, 0, 0), n + 1);
	}
}

static void
used_ahead(void **state)
{
	(void)state;
	for_all(true, ahead);
}

/* Nothing can be told from a device that has nothing to say: no frame comes, and none goes once the
 * ring is full. */
static void
other_wrap(struct harness *h, uint64_t features)
{
	unsigned sent = 0;

	(void)features;
	device_lie(h->dev, RX, DEVICE_LIE_WRONG_WRAP, 0);
	for (unsigned i = 0; i < AROUND; i++) {
		frames_arrive(h, (uint8_t)i);
		frames_taken(h, 0, 0);
	}
	device_lie(h->dev, TX, DEVICE_LIE_WRONG_WRAP, 0);
	for (unsigned i = 0; i < 2 * SIZE; i++) {
		sent += frames_send(h, (uint8_t)sent, 1, 1);
		harness_poll(h);
		assert_int_equal(rte_eth_tx_done_cleanup(h->port, 0, 0), 0);
	}
	assert_int_equal(sent, SIZE);
	assert_int_equal(frames_counter(h, "tx_q0_full_bursts"), SIZE);
}

static void
wrong_wrap(void **state)
{
	(void)state;
	for_all(true, other_wrap);
}

/* Any suppression: at most one notification a burst, and the frames. */
static void
events(struct harness *h, uint64_t features)
{
	uint8_t number = 0;

	(void)features;
	for (uint32_t value = 0; value <= UINT16_MAX; value += 977) {
		for (unsigned flags = 0; flags < 10; flags++) {
			uint64_t kicks = device_kicks(h->dev, TX);

			for (uint16_t queue = RX; queue <= TX; queue++) {
				device_lie(h->dev, queue, DEVICE_LIE_EVENT, value);
				device_lie(h->dev, queue, DEVICE_LIE_EVENT_FLAGS,
					   flags < 8 ? flags : value);
			}
			assert_int_equal(frames_send(h, number, 3, 1), 3);
			assert_in_range(device_kicks(h->dev, TX) - kicks, 0, 1);
			harness_poll(h);
			frames_sent(h, number, 3);
			frames_arrive(h, number);
			frames_taken(h, number++, 1);
		}
	}
}

static void
garbage_events(void **state)
{
	(void)state;
	for_all(false, events);
}

/* Every descriptor of a packed ring says that it was used. */
static void
whole_lap(struct harness *h, uint64_t features)
{
	struct rte_mbuf *got[2 * SIZE];
	unsigned total = 0;

	(void)features;
	device_lie(h->dev, RX, DEVICE_LIE_USED_AHEAD, SIZE);
	for (unsigned i = 0; i < 3; i++) {
		uint16_t n = rte_eth_rx_burst(h->port, 0, got + total, RTE_MIN(frames_burst, SIZE));

		total += n;
		assert_in_range(total, 0, SIZE);
	}
	rte_pktmbuf_free_bulk(got, total);
}

static void
marked_for_a_lap(void **state)
{
	(void)state;
	for_all(true, whole_lap);
}

static const struct {
	const char *name;
	enum device_lie lie;
	uint64_t arg;
	uint16_t batch; /* buffers that the entry gives back */
	bool packed, split;
	const char *cause; /* NULL: nothing tells it from a device that is slow */
} orders[] = {
	{ "an entry for three, an index for one", DEVICE_LIE_SKIP, 1, 3, false, true,
	  "broken_order" },
	{ "an entry for one, and the next one further on", DEVICE_LIE_SKIP, 3, 1, true, false,
	  NULL },
	{ "what was given back before", DEVICE_LIE_ID_REPEATED, 0, 1, true, true, "broken" },
	{ "a buffer that was never made", DEVICE_LIE_ID, SIZE, 2, true, true, "broken_id_range" },
};

static bool
applies(uint64_t features, size_t i)
{
	return features & BIT(IN_ORDER) &&
	       (is_packed(features) ? orders[i].packed : orders[i].split);
}

/* What was given back by then is good; nothing after it is believed. */
static void
receive_out_of_order(uint64_t features, size_t i, const struct code *code)
{
	struct rte_mbuf *got[SIZE];
	struct harness h;
	unsigned total = 0;
	char name[64];

	start(&h, features, code);
	for (unsigned k = 0; k < AROUND; k++)
		frames_arrive(&h, (uint8_t)k);
	frames_taken(&h, 0, AROUND);
	harness_poll(&h);
	device_lie(h.dev, RX, orders[i].lie, orders[i].arg);
	if (orders[i].lie != DEVICE_LIE_ID_REPEATED)
		assert_true(device_use_batch(h.dev, RX, orders[i].batch, 12 + FRAME_LEN));
	for (unsigned k = 0; k < 4; k++) {
		total += rte_eth_rx_burst(h.port, 0, got + total, RTE_MIN(frames_burst, SIZE));
		/* That other frames come does not help. */
		assert_true(device_use(h.dev, RX, 0, 12 + FRAME_LEN));
	}
	assert_int_equal(total, orders[i].cause == NULL ? 1 : 0);
	rte_pktmbuf_free_bulk(got, total);
	snprintf(name, sizeof(name), "rx_q0_%s", orders[i].cause != NULL ? orders[i].cause : "");
	if (orders[i].cause != NULL && frames_counter(&h, name) != 1)
		fail_msg("%s: %s is not counted", orders[i].name, name);
	assert_int_equal(frames_counter(&h, "rx_q0_broken"), orders[i].cause != NULL);
	restart(&h);
}

static void
transmit_out_of_order(uint64_t features, size_t i, const struct code *code)
{
	struct harness h;
	char name[64];
	int total = 0;

	start(&h, features, code);
	device_hold_transmit(h.dev, true);
	assert_int_equal(frames_send(&h, 0, 2 * AROUND, 1), 2 * AROUND);
	harness_poll(&h);
	assert_int_equal(device_complete(h.dev, TX, AROUND, DEVICE_OLDEST_FIRST), AROUND);
	assert_int_equal(rte_eth_tx_done_cleanup(h.port, 0, 0), AROUND);
	device_lie(h.dev, TX, orders[i].lie, orders[i].arg);
	if (orders[i].lie != DEVICE_LIE_ID_REPEATED)
		assert_true(device_use_batch(h.dev, TX, orders[i].batch, 0));
	for (unsigned k = 0; k < 4; k++) {
		total += rte_eth_tx_done_cleanup(h.port, 0, 0);
		assert_true(device_use(h.dev, TX, 0, 0));
	}
	assert_int_equal(total, orders[i].cause == NULL ? 1 : 0);
	/* The next burst finds out. */
	assert_int_equal(frames_send(&h, 0, 1, 1), orders[i].cause == NULL);
	snprintf(name, sizeof(name), "tx_q0_%s", orders[i].cause != NULL ? orders[i].cause : "");
	if (orders[i].cause != NULL && frames_counter(&h, name) != 1)
		fail_msg("%s: %s is not counted", orders[i].name, name);
	assert_int_equal(frames_counter(&h, "tx_q0_broken"), orders[i].cause != NULL);
	restart(&h);
}

static void
out_of_order(void **state)
{
	(void)state;
	for (size_t l = 0; l < RTE_DIM(layouts); l++) {
		for (size_t i = 0; i < RTE_DIM(orders) * RTE_DIM(codes); i++) {
			size_t order = i / RTE_DIM(codes);

			if (!applies(layouts[l], order))
				continue;
			receive_out_of_order(layouts[l], order, &codes[i % RTE_DIM(codes)]);
			transmit_out_of_order(layouts[l], order, &codes[i % RTE_DIM(codes)]);
		}
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(any_used_length_on_transmit),
	cmocka_unit_test(rewritten_in_flight),
	cmocka_unit_test(used_ahead),
	cmocka_unit_test(wrong_wrap),
	cmocka_unit_test(garbage_events),
	cmocka_unit_test(marked_for_a_lap),
	cmocka_unit_test(out_of_order),
};

HARNESS_MAIN(tests)
