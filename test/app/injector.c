/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A plug-in that does to received frames what a bad path does. VIO_TEST_FAULT is KIND:COUNT or
 * KIND:COUNT:AFTER: every so often a frame of port 0, receive queue 0, from number AFTER on, is
 * dropped, duplicated, swapped with the next one, held back for 50 ms, given other Ethernet
 * addresses (mac), or has one bit flipped (the next bit each time), COUNT times in all. Frames of
 * other programs than mode verify, and its ends of flows, are left alone.
 */
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_mbuf.h>

#include "receive_hook.h"

/* One frame in so many is treated. */
#define EVERY 50

#define HOLD_SECONDS 0.05
#define MOST_HELD    128

/* Ethernet, IPv4, UDP: where verify's fields begin; its flow is 4 bytes on, the end bit on top. */
#define FLOW_TOP_BYTE (14 + 20 + 8 + 4 + 1)
#define UDP_PORT_AT   (14 + 20)

static char kind[16];
static unsigned int left, after, seen, bit;

/* Those held back, in the order in which they are due. */
static struct {
	struct rte_mbuf *frame;
	uint64_t due; /* TSC */
} held[MOST_HELD];
static unsigned int first_held, end_held;

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
	if (strcmp(kind, "hold") == 0 && end_held < MOST_HELD) {
		held[end_held].frame = frame;
		held[end_held++].due = rte_rdtsc() + HOLD_SECONDS * rte_get_tsc_hz();
		memmove(frames + at, frames + at + 1, (count - at - 1) * sizeof(*frames));
		left--;
		return count - 1;
	}
	if (strcmp(kind, "mac") == 0) {
		memset(rte_pktmbuf_mtod(frame, void *), 0x42, 12);
		left--;
	}
	if (strcmp(kind, "flip") == 0) {
		flip(frame);
		left--;
	}
	return count;
}

static uint16_t
let_go(struct rte_mbuf **frames, uint16_t count, uint16_t room)
{
	while (first_held < end_held && count < room && rte_rdtsc() >= held[first_held].due)
		frames[count++] = held[first_held++].frame;
	return count;
}

static uint16_t
inject(struct rte_mbuf **frames, uint16_t count, uint16_t room)
{
	uint16_t now = let_go(frames, count, room);

	count = now;
	for (uint16_t i = 0; i < count && i < now; i++) {
		if (left == 0 || !is_verify(frames[i]))
			continue;
		if (after > 0) {
			after--;
			continue;
		}
		if (++seen < EVERY)
			continue;
		seen = 0;
		now = treat(frames, i, now, room);
		if (now < count)
			break;
	}
	return now;
}

static void __attribute__((constructor)) begin(void)
{
	if (sscanf(getenv("VIO_TEST_FAULT"), "%15[a-z]:%u:%u", kind, &left, &after) < 2)
		abort();
	receive_hook_set(inject);
}
