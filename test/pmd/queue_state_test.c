/* SPDX-License-Identifier: BSD-3-Clause */
/* Starting and stopping single queues, and queues that wait for their first start. */
#include "harness.h"

#include <errno.h>
#include <stdlib.h>

#include "inject.h"

#define SIZE 64
#define MQ   (DEVICE_BIT(DEVICE_F_MQ) | DEVICE_BIT(DEVICE_F_CTRL_VQ))

static const uint64_t layouts[] = {
	DEVICE_BIT(DEVICE_F_RING_RESET),
	DEVICE_BIT(DEVICE_F_RING_RESET) | DEVICE_BIT(DEVICE_F_RING_PACKED) |
		DEVICE_BIT(DEVICE_F_IN_ORDER),
	DEVICE_BIT(DEVICE_F_RING_RESET) | DEVICE_BIT(DEVICE_F_RING_PACKED) |
		DEVICE_BIT(DEVICE_F_EVENT_IDX),
};

static const uint8_t frame[100];

/* Two pairs; the second one deferred, where asked for. */
static void
start(struct harness *h, uint64_t features, bool deferred)
{
	struct harness_options options = { .features = features | MQ, .pairs = 2 };
	struct rte_eth_rxconf rx = { .rx_deferred_start = deferred };
	struct rte_eth_txconf tx = { .tx_deferred_start = deferred };

	assert_int_equal(harness_open(h, &options), 0);
	assert_int_equal(harness_setup(h, 2, 2, SIZE, NULL), 0);
	assert_int_equal(
		rte_eth_rx_queue_setup(h->port, 1, SIZE, SOCKET_ID_ANY, &rx, harness_rx_pool), 0);
	assert_int_equal(rte_eth_tx_queue_setup(h->port, 1, SIZE, SOCKET_ID_ANY, &tx), 0);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
}

static uint8_t
rx_state(const struct harness *h, uint16_t queue)
{
	struct rte_eth_rxq_info info;

	assert_int_equal(rte_eth_rx_queue_info_get(h->port, queue, &info), 0);
	return info.queue_state;
}

static uint8_t
tx_state(const struct harness *h, uint16_t queue)
{
	struct rte_eth_txq_info info;

	assert_int_equal(rte_eth_tx_queue_info_get(h->port, queue, &info), 0);
	return info.queue_state;
}

/* The queue takes nothing and gives nothing, and says so. */
static void
is_still(struct harness *h, uint16_t queue)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(harness_tx_pool), *none;

	assert_non_null(rte_pktmbuf_append(mbuf, 60));
	harness_poll(h);
	assert_int_equal(device_receive_packet(h->dev, queue, NULL, frame, sizeof(frame)), 0);
	assert_int_equal(rte_eth_rx_burst(h->port, queue, &none, 1), 0);
	assert_int_equal(rte_eth_tx_burst(h->port, queue, &mbuf, 1), 0);
	assert_int_equal(rte_eth_rx_queue_count(h->port, queue), 0);
	assert_int_equal(rte_eth_tx_done_cleanup(h->port, queue, 0), 0);
	rte_pktmbuf_free(mbuf);
	assert_int_equal(rx_state(h, queue), RTE_ETH_QUEUE_STATE_STOPPED);
	assert_int_equal(tx_state(h, queue), RTE_ETH_QUEUE_STATE_STOPPED);
}

static void
start_pair(struct harness *h, uint16_t queue)
{
	assert_int_equal(rte_eth_dev_rx_queue_start(h->port, queue), 0);
	assert_int_equal(rte_eth_dev_tx_queue_start(h->port, queue), 0);
	assert_int_equal(rx_state(h, queue), RTE_ETH_QUEUE_STATE_STARTED);
	assert_int_equal(tx_state(h, queue), RTE_ETH_QUEUE_STATE_STARTED);
}

/* Buffers that the device holds, of both kinds, come back; the queue goes on as new. */
static void
stop_and_start(void **state)
{
	(void)state;
	for (size_t i = 0; i < RTE_DIM(layouts); i++) {
		struct harness h;

		start(&h, layouts[i], false);
		assert_int_equal(harness_pass(&h, 30, 100), 0);
		for (unsigned lap = 0; lap < 5; lap++) {
			struct rte_mbuf *mbuf = rte_pktmbuf_alloc(harness_tx_pool);
			unsigned rx, tx;

			harness_poll(&h);
			rx = rte_mempool_avail_count(harness_rx_pool);
			device_hold_transmit(h.dev, true);
			assert_non_null(rte_pktmbuf_append(mbuf, 60));
			assert_int_equal(rte_eth_tx_burst(h.port, 1, &mbuf, 1), 1);
			harness_poll(&h);
			device_hold_transmit(h.dev, false);
			free(device_next_packet(h.dev, 1));
			tx = rte_mempool_avail_count(harness_tx_pool);
			assert_int_equal(rte_eth_dev_rx_queue_stop(h.port, 1), 0);
			assert_int_equal(rte_eth_dev_tx_queue_stop(h.port, 1), 0);
			/* A refill may have been due. */
			assert_true(rte_mempool_avail_count(harness_rx_pool) >= rx + SIZE / 2);
			assert_true(rte_mempool_avail_count(harness_tx_pool) > tx);
			assert_false(device_queue_enabled(h.dev, 2));
			assert_false(device_queue_enabled(h.dev, 3));
			is_still(&h, 1);
			/* Twice is once. */
			assert_int_equal(rte_eth_dev_rx_queue_stop(h.port, 1), 0);
			start_pair(&h, 1);
			assert_int_equal(harness_pass(&h, 30, 100), 0);
		}
		assert_int_equal(harness_close(&h), 0);
	}
}

/* A queue that waits is known to the device, and empty; stopped with the port, it waits again. */
static void
deferred(void **state)
{
	(void)state;
	for (size_t i = 0; i <= RTE_DIM(layouts); i++) {
		bool can_stop = i < RTE_DIM(layouts);
		struct rte_eth_rxq_info info;
		struct harness h;

		start(&h, can_stop ? layouts[i] : 0, true);
		for (unsigned lap = 0; lap < 2; lap++) {
			assert_int_equal(rte_eth_rx_queue_info_get(h.port, 1, &info), 0);
			assert_int_equal(info.conf.rx_deferred_start, 1);
			is_still(&h, 1);
			start_pair(&h, 1);
			assert_int_equal(harness_pass(&h, 30, 100), 0);
			assert_int_equal(rte_eth_dev_stop(h.port), 0);
			assert_int_equal(rte_eth_dev_start(h.port), 0);
		}
		assert_int_equal(harness_close(&h), 0);
	}
}

/* A queue that was stopped is started with its port, unless it is to wait. */
static void
restart(void **state)
{
	struct harness h;

	(void)state;
	start(&h, layouts[0], false);
	assert_int_equal(rte_eth_dev_rx_queue_stop(h.port, 0), 0);
	assert_int_equal(rte_eth_dev_tx_queue_stop(h.port, 0), 0);
	assert_int_equal(rte_eth_dev_stop(h.port), 0);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	assert_int_equal(rx_state(&h, 0), RTE_ETH_QUEUE_STATE_STARTED);
	assert_int_equal(harness_pass(&h, 30, 100), 0);
	assert_int_equal(harness_close(&h), 0);
}

/* Refused with a word, and nothing has changed. */
static void
refused(void **state)
{
	struct harness h;

	(void)state;
	start(&h, 0, false);
	harness_quiet();
	assert_int_equal(rte_eth_dev_rx_queue_stop(h.port, 1), -ENOTSUP);
	assert_true(harness_said("single queues cannot be stopped: the device has no RING_RESET"));
	assert_int_equal(rte_eth_dev_tx_queue_stop(h.port, 1), -ENOTSUP);
	assert_int_equal(rx_state(&h, 1), RTE_ETH_QUEUE_STATE_STARTED);
	assert_int_equal(harness_pass(&h, 30, 100), 0);
	assert_int_equal(harness_close(&h), 0);
}

/* A device that does not let go keeps the queue, until the port is restarted. */
static void
never_reset(void **state)
{
	unsigned avail;
	struct harness h;

	(void)state;
	start(&h, layouts[1], false);
	harness_quiet();
	harness_poll(&h);
	avail = rte_mempool_avail_count(harness_rx_pool);
	device_lie(h.dev, -1, DEVICE_LIE_QUEUE_RESET, 0);
	assert_int_equal(rte_eth_dev_rx_queue_stop(h.port, 1), -ETIMEDOUT);
	assert_true(harness_said("does not let go of its buffers"));
	assert_int_equal(rte_mempool_avail_count(harness_rx_pool), avail);
	assert_int_equal(rte_eth_dev_rx_queue_start(h.port, 1), -EBUSY);
	device_honest(h.dev);
	assert_int_equal(rte_eth_dev_stop(h.port), 0);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	assert_int_equal(harness_pass(&h, 30, 100), 0);
	assert_int_equal(harness_close(&h), 0);
}

/* A start that finds no mbufs leaves the queue stopped, and works when there are some. */
static void
empty_pool(void **state)
{
	struct rte_mbuf *all[HARNESS_MBUFS];
	unsigned n = 0;
	struct harness h;

	(void)state;
	start(&h, layouts[0], false);
	assert_int_equal(rte_eth_dev_rx_queue_stop(h.port, 1), 0);
	while ((all[n] = rte_pktmbuf_alloc(harness_rx_pool)) != NULL)
		n++;
	harness_quiet();
	assert_int_equal(rte_eth_dev_rx_queue_start(h.port, 1), -ENOMEM);
	assert_true(harness_said("is empty"));
	assert_int_equal(rx_state(&h, 1), RTE_ETH_QUEUE_STATE_STOPPED);
	rte_pktmbuf_free_bulk(all, n);
	assert_int_equal(rte_eth_dev_rx_queue_start(h.port, 1), 0);
	assert_int_equal(harness_pass(&h, 30, 100), 0);
	assert_int_equal(harness_close(&h), 0);
}

static int
start_queue(const struct harness *h, bool rx)
{
	return rx ? rte_eth_dev_rx_queue_start(h->port, 1) : rte_eth_dev_tx_queue_start(h->port, 1);
}

/* A start that failed is not taken for done by the next one: that works, or fails as well. Only a
 * restart of the port helps where the device may have half of the queue. */
static void
start_again(struct harness *h, bool rx)
{
	uint8_t state;

	if (start_queue(h, rx) < 0) {
		assert_true(harness_said("cannot be started"));
		assert_int_equal(start_queue(h, rx), -EBUSY);
		state = rx ? rx_state(h, 1) : tx_state(h, 1);
		assert_int_equal(state, RTE_ETH_QUEUE_STATE_STOPPED);
		assert_int_equal(rte_eth_dev_stop(h->port), 0);
		assert_int_equal(rte_eth_dev_start(h->port), 0);
	}
}

/* Each call that can fail does so once. */
static void
each_start_failed(bool rx)
{
	bool over = false;

	for (unsigned k = 1; !over; k++) {
		struct harness h;
		int ret;

		start(&h, layouts[k % RTE_DIM(layouts)], false);
		ret = rx ? rte_eth_dev_rx_queue_stop(h.port, 1)
			 : rte_eth_dev_tx_queue_stop(h.port, 1);
		assert_int_equal(ret, 0);
		inject_at(k);
		ret = start_queue(&h, rx);
		over = inject_failed() == NULL;
		inject_at(0);
		harness_quiet();
		/* With fewer mbufs than wanted it starts as well. */
		if (ret < 0)
			start_again(&h, rx);
		assert_int_equal(harness_pass(&h, 30, 100), 0);
		assert_int_equal(harness_close(&h), 0);
		assert_in_range(k, 1, 20);
		/* Its size is asked for, and it is set up. */
		assert_true(!over || k > 2);
	}
}

static void
start_failed(void **state)
{
	(void)state;
	each_start_failed(true);
	each_start_failed(false);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(stop_and_start), cmocka_unit_test(deferred),
	cmocka_unit_test(restart),        cmocka_unit_test(refused),
	cmocka_unit_test(never_reset),    cmocka_unit_test(empty_pool),
	cmocka_unit_test(start_failed),
};

HARNESS_MAIN(tests)
