/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames of one byte, repeated, through the first pair of queues: the next ones of a test can be
 * told from those before, and one that was changed from all of them.
 */
#ifndef PMD_FRAMES_H
#define PMD_FRAMES_H

#include "harness.h"

/* Bytes of a frame; the most frames that are received or sent at once. */
enum { FRAME_LEN = 200, FRAMES_MOST = 256 };

/* How many frames the application asks for at once: FRAMES_MOST, or what a test sets. The driver
 * has a function of its own for fewer than four. */
extern uint16_t frames_burst;

/* The device gives the driver a frame of these bytes. */
void frames_arrive(struct harness *h, uint8_t number);
/* The application gets n frames, first and those that follow, in this order, and no others. */
void frames_taken(struct harness *h, uint8_t first, unsigned n);
/* The application sends n such frames of so many segments each. Returns how many the driver took
 * from it. */
unsigned frames_send(struct harness *h, uint8_t first, unsigned n, uint16_t segments);
/* The device has collected n such frames since it was asked last, in this order, and no others. */
void frames_sent(struct harness *h, uint8_t first, unsigned n);

/* What an xstat says. */
uint64_t frames_counter(const struct harness *h, const char *name);

#endif
