/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A plug-in that makes port 0 a path of 20,000 frames a second: of what is received faster than
 * that, the rest is dropped. 400 frames at once go through, as the one who
 * sends may be kept from its CPU for a while.
 */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#define RATE  20000.0
#define DEPTH 400.0

static double tokens = DEPTH;
static uint64_t before;

static uint16_t
on_receive(uint16_t port, uint16_t queue, struct rte_mbuf **frames, uint16_t count, uint16_t room,
	   void *argument)
{
	uint64_t now = rte_rdtsc();
	uint16_t kept = 0;

	(void)port;
	(void)queue;
	(void)room;
	(void)argument;
	if (before != 0)
		tokens += (now - before) * RATE / rte_get_tsc_hz();
	if (tokens > DEPTH)
		tokens = DEPTH;
	before = now;
	for (uint16_t i = 0; i < count; i++) {
		if (tokens >= 1) {
			tokens -= 1;
			frames[kept++] = frames[i];
		} else {
			rte_pktmbuf_free(frames[i]);
		}
	}
	return kept;
}

static void *
wait_for_port(void *argument)
{
	struct rte_eth_link link = { 0 };

	(void)argument;
	while (rte_eth_dev_count_avail() == 0 || rte_eth_link_get_nowait(0, &link) != 0 ||
	       link.link_status == RTE_ETH_LINK_DOWN)
		usleep(1000);
	if (rte_eth_add_rx_callback(0, 0, on_receive, NULL) == NULL)
		fprintf(stderr, "limiter: no callback\n");
	return NULL;
}

static void __attribute__((constructor)) begin(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, wait_for_port, NULL);
}
