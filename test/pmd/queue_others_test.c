/* SPDX-License-Identifier: BSD-3-Clause */
/* While one queue is stopped and started, the others go on, at each moment of it. */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

#define PAIRS 3
#define SIZE  64
#define LEN   100
#define FEATURES \
	(DEVICE_BIT(DEVICE_F_RING_RESET) | DEVICE_BIT(DEVICE_F_MQ) | DEVICE_BIT(DEVICE_F_CTRL_VQ))

static const uint64_t layouts[] = {
	0,
	DEVICE_BIT(DEVICE_F_EVENT_IDX) | DEVICE_BIT(DEVICE_F_MRG_RXBUF),
	DEVICE_BIT(DEVICE_F_IN_ORDER),
	DEVICE_BIT(DEVICE_F_RING_PACKED),
	DEVICE_BIT(DEVICE_F_RING_PACKED) | DEVICE_BIT(DEVICE_F_EVENT_IDX) |
		DEVICE_BIT(DEVICE_F_MRG_RXBUF),
	DEVICE_BIT(DEVICE_F_RING_PACKED) | DEVICE_BIT(DEVICE_F_IN_ORDER),
};

/* The queue that is stopped and started, how often the others had their turn meanwhile, and how
 * many frames each way they have had in all. */
static uint16_t subject;
static unsigned turns;
static uint8_t frames;

static void
arrive(struct harness *h, uint16_t queue, uint8_t number)
{
	uint8_t frame[LEN];

	memset(frame, number, sizeof(frame));
	assert_int_equal(device_receive_packet(h->dev, queue, NULL, frame, sizeof(frame)), 1);
}

static void
take(struct harness *h, uint16_t queue, uint8_t number)
{
	struct rte_mbuf *mbuf = NULL;

	assert_int_equal(rte_eth_rx_burst(h->port, queue, &mbuf, 1), 1);
	assert_int_equal(mbuf->pkt_len, LEN);
	for (unsigned at = 0; at < LEN; at++)
		assert_int_equal(rte_pktmbuf_mtod(mbuf, uint8_t *)[at], number);
	rte_pktmbuf_free(mbuf);
}

static void
send_one(struct harness *h, uint16_t queue, uint8_t number)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(harness_tx_pool);

	assert_non_null(mbuf);
	memset(rte_pktmbuf_append(mbuf, LEN), number, LEN);
	assert_int_equal(rte_eth_tx_burst(h->port, queue, &mbuf, 1), 1);
}

static void
collect(struct harness *h, uint16_t queue, uint8_t number)
{
	struct device_packet *packet;

	harness_poll(h);
	packet = device_next_packet(h->dev, queue);
	assert_non_null(packet);
	assert_int_equal(packet->len, LEN);
	for (unsigned at = 0; at < LEN; at++)
		assert_int_equal(packet->data[at], number);
	free(packet);
}

/* One frame each way through each of the others. A frame of the turn before lies in the ring. */
static void
others_turn(struct harness *h)
{
	turns++;
	frames++;
	for (uint16_t q = 0; q < PAIRS; q++) {
		if (q == subject)
			continue;
		arrive(h, q, frames);
		take(h, q, frames - 1);
		send_one(h, q, frames);
		collect(h, q, frames);
	}
}

static int
switch_queue(const struct harness *h, unsigned step)
{
	switch (step) {
	case 0:
		return rte_eth_dev_rx_queue_stop(h->port, subject);
	case 1:
		return rte_eth_dev_tx_queue_stop(h->port, subject);
	case 2:
		return rte_eth_dev_rx_queue_start(h->port, subject);
	default:
		return rte_eth_dev_tx_queue_start(h->port, subject);
	}
}

/* Before the queue's reset, between it and the new setup, and after it. */
static void
stop_and_start(struct harness *h)
{
	for (uint16_t q = 0; q < PAIRS; q++)
		if (q != subject)
			arrive(h, q, frames);
	for (unsigned step = 0; step < 4; step++) {
		turns = 0;
		h->on_call = others_turn;
		assert_int_equal(switch_queue(h, step), 0);
		h->on_call = NULL;
		assert_true(turns > 0);
		others_turn(h);
	}
	for (uint16_t q = 0; q < PAIRS; q++)
		if (q != subject)
			take(h, q, frames);
}

static void
others_go_on(void **state)
{
	(void)state;
	for (size_t i = 0; i < RTE_DIM(layouts); i++) {
		struct harness_options options = { .features = layouts[i] | FEATURES,
						   .pairs = PAIRS };
		struct harness h;

		assert_int_equal(harness_open(&h, &options), 0);
		assert_int_equal(harness_setup(&h, PAIRS, PAIRS, SIZE, NULL), 0);
		assert_int_equal(rte_eth_dev_start(h.port), 0);
		/* More laps than the ring is long. */
		for (unsigned lap = 0; lap < 8 * PAIRS; lap++) {
			subject = lap % PAIRS;
			stop_and_start(&h);
			assert_int_equal(harness_pass(&h, 3, 100), 0);
		}
		assert_int_equal(harness_close(&h), 0);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(others_go_on),
};

HARNESS_MAIN(tests)
