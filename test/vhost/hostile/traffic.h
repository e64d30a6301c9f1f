/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames with a pattern, given to the driver, which is expected to send them back: every byte of
 * those that return is compared. All on queue pair 0.
 */
#ifndef HOSTILE_TRAFFIC_H
#define HOSTILE_TRAFFIC_H

#include <stdbool.h>
#include <stdint.h>

#include "device/device.h"
#include "device/net.h"

#define FRAME_MIN 60
#define FRAME_MAX 9000
#define RX_QUEUE  0
#define TX_QUEUE  1

struct traffic {
	uint32_t frame_bytes;
	bool joined; /* the device makes the driver join frames, to any length that a frame can have
		      */
	uint64_t given;    /* frames, */
	uint64_t returned; /* whole, once and in order; */
	uint64_t repeated; /* a frame that returned before, or out of order; */
	uint64_t changed;  /* with our mark, but other bytes or another length; */
	uint64_t strange;  /* without our mark; */
	uint64_t overlong; /* longer than any buffer had room for */
	uint64_t last;     /* number of the last one that returned */
	uint64_t longest;  /* bytes of the longest that came */
	uint64_t room;     /* the most bytes that a frame's buffers could take */
	uint64_t moved_ms; /* when a frame last returned */
	uint64_t first;    /* number of the first one of this connection */
	bool rests;        /* no more are given for now */
};

/* Gives one frame, with this header unless NULL. False where the driver has no buffer for it. */
bool traffic_give(struct traffic *t, struct device *dev, const struct device_net_header *header);
/* Looks at what the driver sent, and keeps the buffers: give them back by traffic_release(). */
void traffic_collect(struct traffic *t, struct device *dev);
void traffic_release(struct device *dev);
/* All that came from the driver, of whatever kind. */
uint64_t traffic_taken(const struct traffic *t);
/* Frames that are on their way; those are given up that have not moved for a while. */
uint64_t traffic_outstanding(struct traffic *t);

#endif
