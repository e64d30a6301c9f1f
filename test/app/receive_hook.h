/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEST_APP_RECEIVE_HOOK_H
#define TEST_APP_RECEIVE_HOOK_H

/* For a plug-in that has a say in what port 0 receives by its queue 0. */

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include <rte_ethdev.h>

/* Edits a burst of `count` frames in an array that has `room`; returns how many it then has. */
typedef uint16_t receive_hook(struct rte_mbuf **frames, uint16_t count, uint16_t room);

static uint16_t
call_hook(uint16_t port, uint16_t queue, struct rte_mbuf **frames, uint16_t count, uint16_t room,
	  void *hook)
{
	(void)port;
	(void)queue;
	return ((receive_hook *)hook)(frames, count, room);
}

/* The queue is there once the port is started: its link is then up. */
static void *
wait_for_port(void *hook)
{
	struct rte_eth_link link = { 0 };

	while (rte_eth_dev_count_avail() == 0 || rte_eth_link_get_nowait(0, &link) != 0 ||
	       link.link_status == RTE_ETH_LINK_DOWN)
		usleep(1000);
	if (rte_eth_add_rx_callback(0, 0, call_hook, hook) == NULL)
		fprintf(stderr, "receive_hook: no callback\n");
	return NULL;
}

/* To be called when the plug-in is loaded: waits for the port in a thread of its own. */
static void
receive_hook_set(receive_hook *hook)
{
	pthread_t thread;

	pthread_create(&thread, NULL, wait_for_port, (void *)hook);
}

#endif
