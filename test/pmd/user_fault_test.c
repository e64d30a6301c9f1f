/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * net_vio_user, from probe to removal, with the hostile back-end's server (honest here) at the
 * other end of the socket, in this process. Each call that can fail does so once: sockets,
 * messages, eventfds, allocations. Something fails then, with a line in the log, or the driver goes
 * on without and says so; nothing is left once the device is removed; and probing it again works.
 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_bus_vdev.h>

#include "inject.h"
#include "vhost/hostile/report.h"
#include "vhost/hostile/server.h"

enum { RX = 1, TX = 2, SIZE = 64, MBUFS = 512 };

static char path[64], devargs[128];
static struct server server;
static struct rte_mempool *pool;
static uint16_t port;

/* What the server says of itself is for people. */
void
report(const char *event, const char *format, ...)
{
	(void)event;
	(void)format;
}

static void
peer_turn(void)
{
	server_turn(&server);
}

/* All messages that have come. */
static void
serve(void)
{
	for (unsigned i = 0; i < 100; i++)
		server_turn(&server);
}

static int
do_probe(void)
{
	int ret = rte_vdev_init("net_vio_user0", devargs);

	return ret < 0 ? ret : rte_eth_dev_get_port_by_name("net_vio_user0", &port);
}

static int
do_setup(void)
{
	struct rte_eth_conf conf = { .intr_conf = { .lsc = 1, .rxq = 1 } };
	int ret = rte_eth_dev_configure(port, RX, TX, &conf);

	for (uint16_t i = 0; i < RX && ret == 0; i++)
		ret = rte_eth_rx_queue_setup(port, i, SIZE, SOCKET_ID_ANY, NULL, pool);
	for (uint16_t i = 0; i < TX && ret == 0; i++)
		ret = rte_eth_tx_queue_setup(port, i, SIZE, SOCKET_ID_ANY, NULL);
	return ret;
}

static int
do_start(void)
{
	int ret = rte_eth_dev_start(port);

	serve();
	return ret;
}

static int
do_traffic(void)
{
	static const uint8_t frame[100] = { 1, 2, 3 };

	if (server.dev == NULL)
		return -1; /* the connection has ended */
	for (unsigned i = 0; i < 3 * SIZE; i++) {
		struct rte_mbuf *mbuf = NULL;

		if (device_receive_packet(server.dev, 0, NULL, frame, sizeof(frame)) == 0 ||
		    rte_eth_rx_burst(port, 0, &mbuf, 1) == 0)
			return -1;
		if (rte_eth_tx_burst(port, i % TX, &mbuf, 1) == 0) {
			rte_pktmbuf_free(mbuf);
			return -1;
		}
		device_poll(server.dev, false);
		free(device_next_packet(server.dev, i % TX));
	}
	return 0;
}

static int
do_interrupt(void)
{
	return seam_interrupt() ? 0 : -1;
}

static int
do_stop(void)
{
	int ret = rte_eth_dev_stop(port);

	serve();
	return ret;
}

static const struct step {
	const char *name;
	int (*run)(void);
} steps[] = {
	{ "probe", do_probe },       { "setup", do_setup },           { "start", do_start },
	{ "traffic", do_traffic },   { "interrupt", do_interrupt },   { "stop", do_stop },
	{ "start again", do_start }, { "traffic again", do_traffic }, { "stop again", do_stop },
};

static void
leave(void)
{
	inject_at(0);
	if (rte_eth_dev_get_port_by_name("net_vio_user0", &port) == 0)
		rte_vdev_uninit("net_vio_user0");
	server_close(&server);
	assert_int_equal(rte_mempool_avail_count(pool), MBUFS);
	harness_nothing_left();
}

static void
arrive(void)
{
	server = (struct server){ .path = path, .pairs = 2, .fd = -1 };
	server.features = DEVICE_BIT(DEVICE_F_VERSION_1) | DEVICE_BIT(DEVICE_F_MQ) |
			  DEVICE_BIT(DEVICE_F_MRG_RXBUF) | DEVICE_BIT(DEVICE_F_INDIRECT_DESC);
	assert_int_equal(server_open(&server), 0);
}

static unsigned untold;

/* Up to the first step that fails. Returns what failed by injection, or NULL. */
static const char *
live(unsigned k)
{
	const char *failed;
	int ret = 0;

	arrive();
	harness_quiet();
	inject_at(k);
	for (size_t i = 0; i < RTE_DIM(steps) && ret == 0; i++) {
		ret = steps[i].run();
		if (ret != 0 && inject_failed() == NULL)
			fail_msg("step '%s' fails of its own: %d:\n%s", steps[i].name, ret,
				 harness_log());
	}
	failed = inject_failed();
	if (failed != NULL && harness_errors() == 0 && !harness_said("going without")) {
		print_message("call %u (%s) failed (%d), and nothing tells:\n%s", k, failed, ret,
			      harness_log());
		untold++;
	}
	leave();
	return failed;
}

static void
each_call(void **state)
{
	unsigned k = 0;

	(void)state;
	while (live(++k) != NULL)
		assert_null(live(0));
	assert_int_equal(untold, 0);
	assert_in_range(k, 100, 3000);
}

/* The device has the process's addresses, so that no ring wants physically contiguous memory. */
static void
pieces(void **state)
{
	(void)state;
	arrive();
	assert_int_equal(do_probe(), 0);
	seam_zone_flags = RTE_MEMZONE_IOVA_CONTIG;
	assert_int_equal(do_setup(), 0);
	assert_int_equal(seam_zone_flags & RTE_MEMZONE_IOVA_CONTIG, 0);
	leave();
}

static int
setup(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "/tmp/vio-user-fault-%d.sock", (int)getpid());
	snprintf(devargs, sizeof(devargs), "path=%s,queues=2,cq=1,timeout=1000", path);
	seam_memory_is_eal = true;
	seam_peer_turn = peer_turn;
	pool = rte_pktmbuf_pool_create("user", MBUFS, 0, 0, 2048 + RTE_PKTMBUF_HEADROOM,
				       SOCKET_ID_ANY);
	if (pool == NULL)
		return -1;
	/* What ethdev and the bus allocate once. */
	arrive();
	for (size_t i = 0; i < RTE_DIM(steps); i++)
		if (steps[i].run() != 0)
			fprintf(stderr, "%s fails: %s\n", steps[i].name, harness_log());
	rte_vdev_uninit("net_vio_user0");
	server_close(&server);
	harness_take_stock();
	return 0;
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(each_call, setup),
	cmocka_unit_test(pieces),
};

HARNESS_MAIN(tests)
