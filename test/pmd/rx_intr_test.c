/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receive interrupts and the monitor's address at the moments that a stream of frames hits by
 * chance alone: what comes between the last poll and the arming, kicks that were put off, pools
 * that are empty, vectors that are missing.
 */
#include "harness.h"

#include <errno.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <ethdev_driver.h>
#include <rte_epoll.h>
#include <rte_interrupts.h>

#include "inject.h"
#include "net/vio/port.h"

#define SIZE 64

static const struct rte_eth_conf with_interrupts = { .intr_conf.rxq = 1 };
static const uint8_t frame[100];

static const uint64_t layouts[] = {
	0,
	DEVICE_BIT(DEVICE_F_EVENT_IDX),
	DEVICE_BIT(DEVICE_F_RING_PACKED),
	DEVICE_BIT(DEVICE_F_RING_PACKED) | DEVICE_BIT(DEVICE_F_EVENT_IDX),
	DEVICE_BIT(DEVICE_F_RING_PACKED) | DEVICE_BIT(DEVICE_F_IN_ORDER),
};

/* A port with so many vectors that VFIO would deliver. */
static void
open_port(struct harness *h, uint64_t features, uint16_t vectors)
{
	struct harness_options options = {
		.features = features | DEVICE_BIT(DEVICE_F_MQ) | DEVICE_BIT(DEVICE_F_CTRL_VQ),
		.pairs = 2,
	};
	struct vio_port *port;

	assert_int_equal(harness_open(h, &options), 0);
	port = vio_port(h->eth);
	rte_intr_type_set(port->intr, RTE_INTR_HANDLE_VFIO_MSIX);
	port->vectors = vectors;
	h->eth->intr_handle = port->intr;
}

/* EAL forgets the sleeper's descriptor (-1: none) when the port stops. */
static void
close_port(struct harness *h, int epfd)
{
	if (h->eth->data->dev_started)
		assert_int_equal(rte_eth_dev_stop(h->port), 0);
	if (epfd >= 0)
		close(epfd);
	rte_intr_type_set(vio_port(h->eth)->intr, RTE_INTR_HANDLE_UNKNOWN);
	assert_int_equal(harness_close(h), 0);
}

static void
start(struct harness *h, int epfd)
{
	assert_int_equal(rte_eth_dev_start(h->port), 0);
	for (uint16_t q = 0; q < h->eth->data->nb_rx_queues; q++)
		assert_int_equal(rte_eth_dev_rx_intr_ctl_q(h->port, q, epfd, RTE_INTR_EVENT_ADD,
							   (void *)(uintptr_t)(q + 1)),
				 0);
}

/* Which queue's descriptor wakes the sleeper now: 1, 2, or 0 for none. It is read by that. */
static unsigned
woken(int epfd)
{
	struct rte_epoll_event event;

	if (rte_epoll_wait(epfd, &event, 1, 0) != 1)
		return 0;
	return (unsigned)(uintptr_t)event.epdata.data;
}

static void
receive(struct harness *h, uint16_t queue, unsigned n)
{
	while (n-- > 0)
		assert_int_equal(device_receive_packet(h->dev, queue, NULL, frame, sizeof(frame)),
				 1);
}

/* Takes what came, n at once. */
static unsigned
take(struct harness *h, uint16_t queue, uint16_t n)
{
	struct rte_mbuf *mbufs[SIZE];
	uint16_t got = rte_eth_rx_burst(h->port, queue, mbufs, n);

	rte_pktmbuf_free_bulk(mbufs, got);
	return got;
}

/* What came before the arming wakes the sleeper, though the device said nothing of it; what comes
 * after is told by the device; nothing is said without need. */
static void
none_lost(void **state)
{
	(void)state;
	for (size_t i = 0; i < RTE_DIM(layouts); i++) {
		int epfd = epoll_create1(0);
		uint64_t before;
		struct harness h;

		open_port(&h, layouts[i], 3);
		assert_int_equal(harness_setup(&h, 2, 2, SIZE, &with_interrupts), 0);
		start(&h, epfd);
		for (unsigned lap = 0; lap < 3 * SIZE; lap++) {
			harness_poll(&h);
			/* Disarmed: silence. */
			before = device_interrupts(h.dev, 2);
			receive(&h, 1, 1);
			assert_int_equal(device_interrupts(h.dev, 2), before);
			assert_int_equal(woken(epfd), 0);
			/* Too late for the device. */
			assert_int_equal(rte_eth_dev_rx_intr_enable(h.port, 1), 0);
			assert_int_equal(woken(epfd), 2);
			assert_int_equal(rte_eth_dev_rx_intr_disable(h.port, 1), 0);
			assert_int_equal(take(&h, 1, 4), 1);
			/* In time. */
			assert_int_equal(rte_eth_dev_rx_intr_enable(h.port, 1), 0);
			assert_int_equal(woken(epfd), 0);
			before = device_interrupts(h.dev, 2);
			receive(&h, 1, 1);
			assert_int_equal(device_interrupts(h.dev, 2), before + 1);
			assert_int_equal(rte_eth_dev_rx_intr_disable(h.port, 1), 0);
			assert_int_equal(take(&h, 1, 4), 1);
		}
		assert_int_equal(device_interrupts(h.dev, 0), 0);
		close_port(&h, epfd);
	}
}

/* Bursts that were full put off the question whether to kick; arming asks it, before it sleeps. */
static void
asks_for_kicks(void **state)
{
	(void)state;
	for (size_t i = 0; i < RTE_DIM(layouts); i++) {
		struct harness h;

		open_port(&h, layouts[i], 2);
		assert_int_equal(harness_setup(&h, 1, 1, SIZE, &with_interrupts), 0);
		assert_int_equal(rte_eth_dev_start(h.port), 0);
		harness_poll(&h);
		device_want_kicks(h.dev, 0, DEVICE_KICK_ALWAYS, 0);
		receive(&h, 0, 32);
		assert_int_equal(take(&h, 0, 32), 32);
		assert_false(device_was_kicked(h.dev, 0));
		assert_int_equal(rte_eth_dev_rx_intr_enable(h.port, 0), 0);
		assert_true(device_was_kicked(h.dev, 0));
		close_port(&h, -1);
	}
}

/* While the pool is empty the device has no buffer to wake anybody with: no sleep, then. */
static void
empty_pool(void **state)
{
	struct rte_mbuf *all[HARNESS_MBUFS];
	unsigned n = 0, taken = 0;
	int epfd = epoll_create1(0);
	struct harness h;

	(void)state;
	open_port(&h, 0, 2);
	assert_int_equal(harness_setup(&h, 1, 1, SIZE, &with_interrupts), 0);
	start(&h, epfd);
	harness_poll(&h);
	while ((all[n] = rte_pktmbuf_alloc(harness_rx_pool)) != NULL)
		n++;
	receive(&h, 0, SIZE);
	while (taken < SIZE) {
		struct rte_mbuf *mbuf;

		assert_int_equal(rte_eth_rx_burst(h.port, 0, &mbuf, 1), 1);
		all[n++] = mbuf;
		taken++;
	}
	assert_int_equal(rte_eth_dev_rx_intr_enable(h.port, 0), 0);
	assert_int_equal(woken(epfd), 1);
	rte_pktmbuf_free_bulk(all, n);
	/* Arming refills. */
	assert_int_equal(rte_eth_dev_rx_intr_enable(h.port, 0), 0);
	assert_int_equal(woken(epfd), 0);
	harness_poll(&h);
	receive(&h, 0, 1);
	assert_int_equal(device_interrupts(h.dev, 0), 1);
	assert_int_equal(take(&h, 0, 4), 1);
	close_port(&h, epfd);
}

/* A thread that has no cache of the pool's. */
static void *
arm_elsewhere(void *port)
{
	return (void *)(intptr_t)rte_eth_dev_rx_intr_enable((uint16_t)(uintptr_t)port, 0);
}

/* A queue that is broken takes no buffers: those that arming took from the pool go back. */
static void
broken_queue(void **state)
{
	int epfd = epoll_create1(0);
	struct harness h;
	unsigned left;

	(void)state;
	open_port(&h, 0, 2);
	assert_int_equal(harness_setup(&h, 1, 1, SIZE, &with_interrupts), 0);
	start(&h, epfd);
	harness_poll(&h);
	receive(&h, 0, 3);
	assert_int_equal(take(&h, 0, 4), 3);
	device_lie(h.dev, VIO_NET_RXQ(0), DEVICE_LIE_ID, SIZE);
	device_receive_packet(h.dev, 0, NULL, frame, sizeof(frame));
	assert_int_equal(take(&h, 0, 4), 0);
	device_honest(h.dev);
	left = rte_mempool_avail_count(harness_rx_pool);
	for (unsigned i = 0; i < 3; i++) {
		pthread_t thread;
		void *ret;

		assert_int_equal(rte_eth_dev_rx_intr_enable(h.port, 0), 0);
		assert_int_equal(rte_mempool_avail_count(harness_rx_pool), left);
		assert_int_equal(
			pthread_create(&thread, NULL, arm_elsewhere, (void *)(uintptr_t)h.port), 0);
		pthread_join(thread, &ret);
		assert_null(ret);
		assert_int_equal(rte_mempool_avail_count(harness_rx_pool), left);
	}
	close_port(&h, epfd);
}

/* Started anew, a queue wakes whoever slept on it before; and can be slept on again. */
static void
restart(void **state)
{
	const struct rte_eth_conf both = { .intr_conf = { .rxq = 1, .lsc = 1 } };
	int epfd = epoll_create1(0);
	struct harness h;

	(void)state;
	open_port(&h, DEVICE_BIT(DEVICE_F_RING_PACKED), 2);
	assert_int_equal(harness_setup(&h, 1, 1, SIZE, &both), 0);
	start(&h, epfd);
	assert_true(seam_interrupts_on());
	assert_int_equal(rte_eth_dev_rx_intr_enable(h.port, 0), 0);
	assert_int_equal(woken(epfd), 0);
	assert_int_equal(rte_eth_dev_stop(h.port), 0);
	assert_false(seam_interrupts_on());
	assert_int_equal(rte_eth_dev_rx_intr_enable(h.port, 0), -ENOTSUP);
	start(&h, epfd);
	assert_int_equal(woken(epfd), 1);
	assert_int_equal(rte_eth_dev_rx_intr_disable(h.port, 0), 0);
	assert_int_equal(harness_pass(&h, 20, 100), 0);
	close_port(&h, epfd);
}

/* Where they cannot be had, configuration says why and what to do. */
static void
refused(void **state)
{
	struct harness h;

	(void)state;
	open_port(&h, 0, 2);
	harness_quiet();
	assert_int_equal(harness_setup(&h, 2, 2, SIZE, &with_interrupts), -ENOTSUP);
	assert_true(harness_said("need 3 MSI-X vectors, the device has 2"));
	rte_intr_type_set(vio_port(h.eth)->intr, RTE_INTR_HANDLE_UIO_INTX);
	assert_int_equal(harness_setup(&h, 1, 1, SIZE, &with_interrupts), -ENOTSUP);
	assert_true(harness_said("bind the device to vfio-pci"));
	assert_int_equal(harness_setup(&h, 2, 2, SIZE, NULL), 0);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	assert_int_equal(rte_eth_dev_rx_intr_enable(h.port, 0), -ENOTSUP);
	close_port(&h, -1);
}

static bool
may_sleep(const struct rte_power_monitor_cond *condition)
{
	uint16_t value;

	assert_int_equal(condition->size, sizeof(value));
	value = *(volatile uint16_t *)condition->addr;
	return condition->fn(value, condition->opaque) == 0;
}

/* The condition holds until, and only until, the device has used a buffer. */
static void
monitor(void **state)
{
	(void)state;
	for (size_t i = 0; i < RTE_DIM(layouts); i++) {
		struct rte_power_monitor_cond condition;
		struct harness h;

		open_port(&h, layouts[i], 2);
		assert_int_equal(harness_setup(&h, 1, 1, SIZE, NULL), 0);
		assert_int_equal(rte_eth_dev_start(h.port), 0);
		for (unsigned lap = 0; lap < 3 * SIZE; lap++) {
			harness_poll(&h);
			assert_int_equal(rte_eth_get_monitor_addr(h.port, 0, &condition), 0);
			assert_true(may_sleep(&condition));
			receive(&h, 0, 2);
			assert_false(may_sleep(&condition));
			assert_int_equal(take(&h, 0, 1), 1);
			assert_int_equal(rte_eth_get_monitor_addr(h.port, 0, &condition), 0);
			assert_false(may_sleep(&condition));
			assert_int_equal(take(&h, 0, 1), 1);
		}
		assert_int_equal(rte_eth_dev_stop(h.port), 0);
		assert_int_equal(rte_eth_get_monitor_addr(h.port, 0, &condition), -EIO);
		close_port(&h, -1);
	}
}

/* A poller that is inside stays marked. */
static void
marks_stay(void **state)
{
	int epfd = epoll_create1(0);
	struct rte_power_monitor_cond condition;
	struct vio_gate *gate;
	struct harness h;

	(void)state;
	open_port(&h, layouts[0], 2);
	assert_int_equal(harness_setup(&h, 1, 1, SIZE, &with_interrupts), 0);
	start(&h, epfd);
	gate = &((struct vio_rxq *)h.eth->data->rx_queues[0])->gate;
	gate->inside = vio_gate_mark;
	assert_int_equal(rte_eth_dev_rx_intr_enable(h.port, 0), 0);
	assert_int_equal(gate->inside, vio_gate_mark);
	assert_int_equal(rte_eth_dev_rx_intr_disable(h.port, 0), 0);
	assert_int_equal(gate->inside, vio_gate_mark);
	assert_int_equal(rte_eth_get_monitor_addr(h.port, 0, &condition), 0);
	assert_int_equal(gate->inside, vio_gate_mark);
	assert_int_equal(gate->visitors, 0);
	gate->inside = 0;
	close_port(&h, epfd);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(marks_stay),     cmocka_unit_test(none_lost),
	cmocka_unit_test(asks_for_kicks), cmocka_unit_test(empty_pool),
	cmocka_unit_test(broken_queue),   cmocka_unit_test(restart),
	cmocka_unit_test(refused),        cmocka_unit_test(monitor),
};

HARNESS_MAIN(tests)
