/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * forward: the least that a DPDK application needs to move packets: what comes in by one port goes
 * out by its neighbour (0 and 1, 2 and 3, ...); a port without one sends back. One queue each way,
 * one thread. Nothing here is vio's own: any driver's ports will do.
 *
 *     forward -l 1 -d librte_net_vio.so -a 0000:00:04.0 -a 0000:00:05.0
 *
 * It ends with SIGINT or SIGTERM, and says how many packets it moved.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_eal.h>
#include <rte_ethdev.h>

#define BURST 32
#define RING  256
#define MBUFS 8192

static volatile sig_atomic_t ended;

static void
end(int signal)
{
	(void)signal;
	ended = 1;
}

static void
fail(const char *what, int error)
{
	fprintf(stderr, "forward: %s: %s\n", what, rte_strerror(-error));
	exit(1);
}

static void
start_port(uint16_t port, struct rte_mempool *pool)
{
	const struct rte_eth_conf conf = { 0 };
	int ret = rte_eth_dev_configure(port, 1, 1, &conf);

	if (ret == 0)
		ret = rte_eth_rx_queue_setup(port, 0, RING, SOCKET_ID_ANY, NULL, pool);
	if (ret == 0)
		ret = rte_eth_tx_queue_setup(port, 0, RING, SOCKET_ID_ANY, NULL);
	if (ret == 0)
		ret = rte_eth_dev_start(port);
	if (ret < 0)
		fail("a port cannot be started", ret);
	/* Frames for others come too; a device without such a filter lets all through anyway. */
	rte_eth_promiscuous_enable(port);
}

/* One burst from a port to its neighbour. Returns how many packets were sent; what finds no room
 * is freed, as a busy network drops packets. */
static uint16_t
forward(uint16_t port)
{
	uint16_t to = rte_eth_dev_is_valid_port(port ^ 1) ? port ^ 1 : port;
	struct rte_mbuf *packets[BURST];
	uint16_t n = rte_eth_rx_burst(port, 0, packets, BURST);
	uint16_t sent = rte_eth_tx_burst(to, 0, packets, n);

	rte_pktmbuf_free_bulk(packets + sent, n - sent);
	return sent;
}

int
main(int argc, char **argv)
{
	struct rte_mempool *pool;
	uint64_t sent = 0;
	uint16_t port;

	if (rte_eal_init(argc, argv) < 0)
		fail("rte_eal_init", -rte_errno);
	if (rte_eth_dev_count_avail() == 0)
		fail("no port; name one by -a or --vdev", -ENODEV);
	pool = rte_pktmbuf_pool_create("mbufs", MBUFS, 64, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
				       SOCKET_ID_ANY);
	if (pool == NULL)
		fail("no memory for mbufs", -rte_errno);
	signal(SIGINT, end);
	signal(SIGTERM, end);
	RTE_ETH_FOREACH_DEV (port)
		start_port(port, pool);
	printf("forward: forwarding\n");
	fflush(stdout);
	while (!ended)
		RTE_ETH_FOREACH_DEV (port)
			sent += forward(port);
	printf("forward: %" PRIu64 " packets\n", sent);
	RTE_ETH_FOREACH_DEV (port) {
		rte_eth_dev_stop(port);
		rte_eth_dev_close(port);
	}
	return rte_eal_cleanup();
}
