/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rx-interrupts: sends every frame on, and sleeps while there is none. Each lcore serves one queue
 * of every port. It polls while frames come; after IDLE_POLLS polls in vain it asks for interrupts
 * and sleeps until one comes. So a busy port costs what polling costs, and an idle one nothing.
 *
 *     rx-interrupts -l 1,2 -d librte_net_vio.so -a 0000:00:04.0 -a 0000:00:05.0
 *
 * What comes in by one port goes out by its neighbour (0 and 1, 2 and 3, ...); a port without one
 * sends back. It ends with SIGINT or SIGTERM, and says how it fared.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_epoll.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>

#define BURST      32
#define IDLE_POLLS 300
#define RING       256
#define MBUFS      8192
#define EVENTS     (RTE_MAX_ETHPORTS + 1)

static struct {
	uint64_t packets, unsent, sleeps, wakes;
} counts[RTE_MAX_LCORE];

/* Readable once it is time to end: every sleeping thread is woken by it. */
static int end_fd;
static volatile sig_atomic_t ended;

static void
end(int signal)
{
	const uint64_t one = 1;

	(void)signal;
	ended = 1;
	if (write(end_fd, &one, sizeof(one)) < 0)
		_exit(1);
}

static void
fail(const char *what, int error)
{
	fprintf(stderr, "rx-interrupts: %s: %s\n", what, rte_strerror(-error));
	exit(1);
}

static uint16_t
neighbour(uint16_t port)
{
	return rte_eth_dev_is_valid_port(port ^ 1) ? port ^ 1 : port;
}

/* One burst of every port's queue; how many packets came. */
static unsigned
forward(uint16_t queue)
{
	struct rte_mbuf *packets[BURST];
	unsigned total = 0;
	uint16_t port;

	RTE_ETH_FOREACH_DEV (port) {
		uint16_t n = rte_eth_rx_burst(port, queue, packets, BURST);
		uint16_t sent = rte_eth_tx_burst(neighbour(port), queue, packets, n);

		counts[queue].unsent += n - sent;
		rte_pktmbuf_free_bulk(packets + sent, n - sent);
		total += n;
	}
	return total;
}

/* Sleeps until a queue, or the end, has something. What comes between the last poll and the arming
 * is for the driver to notice: it makes the descriptor readable then. */
static void
sleep_until_woken(uint16_t queue)
{
	struct rte_epoll_event events[EVENTS];
	bool armed = true;
	uint16_t port;

	RTE_ETH_FOREACH_DEV (port)
		armed &= rte_eth_dev_rx_intr_enable(port, queue) == 0;
	/* A port that would not wake this thread is polled on. */
	if (armed) {
		counts[queue].sleeps++;
		counts[queue].wakes += rte_epoll_wait(RTE_EPOLL_PER_THREAD, events, EVENTS, -1) > 0;
	}
	RTE_ETH_FOREACH_DEV (port)
		rte_eth_dev_rx_intr_disable(port, queue);
}

/* Descriptors of queues and of the end become this thread's to wait for. */
static void
watch(uint16_t queue)
{
	static struct rte_epoll_event end_events[RTE_MAX_LCORE];
	uint16_t port;
	int ret;

	RTE_ETH_FOREACH_DEV (port) {
		ret = rte_eth_dev_rx_intr_ctl_q(port, queue, RTE_EPOLL_PER_THREAD,
						RTE_INTR_EVENT_ADD, NULL);
		if (ret < 0)
			fail("rte_eth_dev_rx_intr_ctl_q", ret);
	}
	end_events[queue].epdata.event = EPOLLIN;
	ret = rte_epoll_ctl(RTE_EPOLL_PER_THREAD, EPOLL_CTL_ADD, end_fd, &end_events[queue]);
	if (ret < 0)
		fail("rte_epoll_ctl", ret);
}

static int
serve(void *arg)
{
	uint16_t queue = rte_lcore_index(-1);
	unsigned idle = 0;

	(void)arg;
	watch(queue);
	while (!ended) {
		unsigned n = forward(queue);

		counts[queue].packets += n;
		idle = n > 0 ? 0 : idle + 1;
		if (idle < IDLE_POLLS)
			continue;
		sleep_until_woken(queue);
		idle = 0;
	}
	return 0;
}

static void
start_port(uint16_t port, uint16_t queues, struct rte_mempool *pool)
{
	const struct rte_eth_conf conf = { .intr_conf.rxq = 1 };
	int ret = rte_eth_dev_configure(port, queues, queues, &conf);

	for (uint16_t i = 0; i < queues && ret == 0; i++) {
		ret = rte_eth_rx_queue_setup(port, i, RING, SOCKET_ID_ANY, NULL, pool);
		if (ret == 0)
			ret = rte_eth_tx_queue_setup(port, i, RING, SOCKET_ID_ANY, NULL);
	}
	if (ret == 0)
		ret = rte_eth_dev_start(port);
	if (ret < 0)
		fail("a port cannot be started", ret);
	rte_eth_promiscuous_enable(port);
}

int
main(int argc, char **argv)
{
	struct rte_mempool *pool;
	uint16_t port;

	if (rte_eal_init(argc, argv) < 0)
		fail("rte_eal_init", -rte_errno);
	end_fd = eventfd(0, EFD_NONBLOCK);
	pool = rte_pktmbuf_pool_create("mbufs", MBUFS, 64, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
				       SOCKET_ID_ANY);
	if (end_fd < 0 || pool == NULL)
		fail("no memory for mbufs", -rte_errno);
	if (rte_eth_dev_count_avail() == 0)
		fail("no port; name one by -a or --vdev, and the driver by -d", -ENODEV);
	signal(SIGINT, end);
	signal(SIGTERM, end);
	RTE_ETH_FOREACH_DEV (port)
		start_port(port, rte_lcore_count(), pool);
	printf("rx-interrupts: forwarding\n");
	fflush(stdout);
	rte_eal_mp_remote_launch(serve, NULL, CALL_MAIN);
	rte_eal_mp_wait_lcore();
	for (unsigned i = 0; i < rte_lcore_count(); i++)
		printf("queue %u: %" PRIu64 " packets, %" PRIu64 " unsent, %" PRIu64
		       " sleeps, %" PRIu64 " wakes\n",
		       i, counts[i].packets, counts[i].unsent, counts[i].sleeps, counts[i].wakes);
	RTE_ETH_FOREACH_DEV (port) {
		rte_eth_dev_stop(port);
		rte_eth_dev_close(port);
	}
	return rte_eal_cleanup();
}
