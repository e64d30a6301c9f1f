/* SPDX-License-Identifier: BSD-3-Clause */
#include "peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_bus_vdev.h>

#include "harness.h"
#include "inject.h"
#include "vhost/hostile/report.h"

enum { MBUFS = 512 };

#define NAME "net_vio_user0"

struct peer peer;
static struct rte_mempool *pool;
static char path[64];

/* What the server says of itself is for people. */
void
report(const char *event, const char *format, ...)
{
	(void)event;
	(void)format;
}

static int
note_event(uint16_t of, enum rte_eth_event_type event, void *arg, void *ret)
{
	static const char letters[RTE_ETH_EVENT_MAX] = {
		[RTE_ETH_EVENT_ERR_RECOVERING] = 'r',
		[RTE_ETH_EVENT_RECOVERY_SUCCESS] = 's',
		[RTE_ETH_EVENT_RECOVERY_FAILED] = 'f',
	};
	size_t len = strlen(peer.told);

	(void)of;
	(void)arg;
	(void)ret;
	if (letters[event] != 0 && len + 1 < sizeof(peer.told))
		peer.told[len] = letters[event];
	return 0;
}

static void
turn(void)
{
	server_turn(&peer.server);
}

void
peer_serve(void)
{
	for (unsigned i = 0; i < 100; i++)
		server_turn(&peer.server);
}

int
peer_setup(void **state)
{
	static const enum rte_eth_event_type events[] = {
		RTE_ETH_EVENT_ERR_RECOVERING,
		RTE_ETH_EVENT_RECOVERY_SUCCESS,
		RTE_ETH_EVENT_RECOVERY_FAILED,
	};

	(void)state;
	snprintf(path, sizeof(path), "/tmp/vio-peer-%d.sock", (int)getpid());
	seam_memory_is_eal = true;
	seam_peer_turn = turn;
	pool = rte_pktmbuf_pool_create("peer", MBUFS, 0, 0, 2048 + RTE_PKTMBUF_HEADROOM,
				       SOCKET_ID_ANY);
	for (size_t i = 0; i < RTE_DIM(events); i++)
		rte_eth_dev_callback_register(RTE_ETH_ALL, events[i], note_event, NULL);
	if (pool == NULL)
		return -1;
	/* What ethdev and the bus allocate once. */
	peer_arrive("recover=auto", true);
	peer_leave();
	harness_take_stock();
	return 0;
}

void
peer_arrive(const char *devargs, bool lsc)
{
	struct rte_eth_conf conf = { .intr_conf.lsc = lsc };
	uint16_t pairs = peer.pairs == 0 ? 1 : peer.pairs;
	char args[160];

	snprintf(args, sizeof(args), "path=%s,queues=%u,%s", path, pairs, devargs);
	peer.server = (struct server){ .path = path, .pairs = pairs, .fd = -1 };
	peer.server.features = DEVICE_BIT(DEVICE_F_VERSION_1) | DEVICE_BIT(DEVICE_F_MQ);
	assert_int_equal(server_open(&peer.server), 0);
	assert_int_equal(rte_vdev_init(NAME, args), 0);
	assert_int_equal(rte_eth_dev_get_port_by_name(NAME, &peer.port), 0);
	assert_int_equal(rte_eth_dev_configure(peer.port, pairs, pairs, &conf), 0);
	for (uint16_t i = 0; i < pairs; i++) {
		assert_int_equal(
			rte_eth_rx_queue_setup(peer.port, i, PEER_SIZE, SOCKET_ID_ANY, NULL, pool),
			0);
		assert_int_equal(
			rte_eth_tx_queue_setup(peer.port, i, PEER_SIZE, SOCKET_ID_ANY, NULL), 0);
	}
	assert_int_equal(rte_eth_dev_start(peer.port), 0);
	peer_serve();
	memset(peer.told, 0, sizeof(peer.told));
}

void
peer_leave(void)
{
	rte_vdev_uninit(NAME);
	server_close(&peer.server);
	assert_int_equal(seam_alarms(), 0);
	assert_int_equal(rte_mempool_avail_count(pool), MBUFS);
}

void
peer_send(void)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(pool);

	assert_non_null(mbuf);
	assert_non_null(rte_pktmbuf_append(mbuf, 100));
	if (rte_eth_tx_burst(peer.port, 0, &mbuf, 1) == 0)
		rte_pktmbuf_free(mbuf);
}

bool
peer_moves(void)
{
	static const uint8_t frame[100] = { 1, 2, 3 };
	struct rte_mbuf *mbuf = NULL;
	void *sent;

	if (peer.server.dev == NULL ||
	    device_receive_packet(peer.server.dev, 0, NULL, frame, sizeof(frame)) == 0 ||
	    rte_eth_rx_burst(peer.port, 0, &mbuf, 1) == 0)
		return false;
	rte_pktmbuf_free(mbuf);
	peer_send();
	device_poll(peer.server.dev, false);
	sent = device_next_packet(peer.server.dev, 0);
	free(sent);
	return sent != NULL;
}

bool
peer_await(char letter, unsigned alarms)
{
	for (unsigned i = 0; strchr(peer.told, letter) == NULL; i++) {
		if (i == alarms || !seam_alarm())
			return false;
		peer_serve();
	}
	return true;
}
