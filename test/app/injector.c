/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A plug-in that does to received frames what a bad path does. VIO_TEST_FAULT is KIND:COUNT: every
 * so often a frame of port 0, receive queue 0 is dropped, duplicated, swapped with the next one, or
 * has one bit flipped (the next bit each time), COUNT times in all. Frames of other programs than
 * mode verify, and its ends of flows, are left alone.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

/* One frame in so many is treated. */
#define EVERY 50

/* Ethernet, IPv4, UDP: where verify's fields begin; its flow is 4 bytes on, the end bit on top. */
#define FLOW_TOP_BYTE (14 + 20 + 8 + 4 + 1)
#define UDP_PORT_AT   (14 + 20)

static char kind[16];
static unsigned int left, seen, bit;

static int
is_verify(const struct rte_mbuf *frame)
{
	const uint8_t *bytes = rte_pktmbuf_mtod(frame, const uint8_t *);

	return frame->data_len >= 60 && bytes[UDP_PORT_AT] == 862 >> 8 &&
	       bytes[UDP_PORT_AT + 1] == (862 & 255) && !(bytes[FLOW_TOP_BYTE] & 0x80);
}

static void
flip(struct rte_mbuf *frame)
{
	unsigned int at = bit++ % (frame->pkt_len * 8);
	unsigned int byte = at / 8;

	while (byte >= frame->data_len) {
		byte -= frame->data_len;
		frame = frame->next;
	}
	rte_pktmbuf_mtod(frame, uint8_t *)[byte] ^= 1 << at % 8;
}

/* Returns how many frames there are after what was done to the one at `at`. */
static uint16_t
treat(struct rte_mbuf **frames, uint16_t at, uint16_t count, uint16_t room)
{
	struct rte_mbuf *frame = frames[at];

	if (strcmp(kind, "drop") == 0) {
		rte_pktmbuf_free(frame);
		memmove(frames + at, frames + at + 1, (count - at - 1) * sizeof(*frames));
		left--;
		return count - 1;
	}
	if (strcmp(kind, "duplicate") == 0 && count < room) {
		struct rte_mbuf *copy = rte_pktmbuf_copy(frame, frame->pool, 0, UINT32_MAX);

		if (copy != NULL) {
			frames[count] = copy;
			left--;
			return count + 1;
		}
	}
	if (strcmp(kind, "swap") == 0 && at + 1 < count && is_verify(frames[at + 1])) {
		frames[at] = frames[at + 1];
		frames[at + 1] = frame;
		left--;
	}
	if (strcmp(kind, "flip") == 0) {
		flip(frame);
		left--;
	}
	return count;
}

static uint16_t
on_receive(uint16_t port, uint16_t queue, struct rte_mbuf **frames, uint16_t count, uint16_t room,
	   void *argument)
{
	uint16_t now = count;

	(void)port;
	(void)queue;
	(void)argument;
	for (uint16_t i = 0; i < count && i < now; i++) {
		if (left == 0 || !is_verify(frames[i]) || ++seen < EVERY)
			continue;
		seen = 0;
		now = treat(frames, i, now, room);
		if (now < count)
			break;
	}
	return now;
}

/* The queue is there once the port is started: its link is then up. */
static void *
wait_for_port(void *argument)
{
	struct rte_eth_link link = { 0 };

	(void)argument;
	while (rte_eth_dev_count_avail() == 0 || rte_eth_link_get_nowait(0, &link) != 0 ||
	       link.link_status == RTE_ETH_LINK_DOWN)
		usleep(1000);
	if (rte_eth_add_rx_callback(0, 0, on_receive, NULL) == NULL)
		fprintf(stderr, "injector: no callback\n");
	return NULL;
}

static void __attribute__((constructor)) begin(void)
{
	pthread_t thread;

	if (sscanf(getenv("VIO_TEST_FAULT"), "%15[a-z]:%u", kind, &left) != 2)
		abort();
	pthread_create(&thread, NULL, wait_for_port, NULL);
}
