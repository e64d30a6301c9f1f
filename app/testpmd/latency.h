/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_LATENCY_H
#define TESTPMD_LATENCY_H

#include <stdint.h>

#include "streams.h"

enum latency_kind {
	LATENCY_ONE_WAY,    /* out by one port, in by another */
	LATENCY_ROUND_TRIP, /* back at the port that sent it */
};

/* What the frames of mode verify took, in nanoseconds, to within 1 %. */
struct latency {
	uint64_t count; /* frames; 0: the rest is 0 */
	double p50, p90, p99, p999, max;
};

/* Sums over all streams; they may run. */
void latency_gather(struct latency *latency, const struct streams *streams, enum latency_kind kind);

#endif
