/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_SEARCH_H
#define TESTPMD_SEARCH_H

#include "bench.h"
#include "latency.h"

/* What was found for one frame size. */
struct throughput {
	uint16_t size; /* bytes, with CRC */
	uint32_t trials;
	bool found; /* false: even the lowest rate lost frames */
	double pps; /* of each port: the highest rate with no more loss than accepted */
	double loss_percent;
	struct latency latency; /* at that rate; one-way where there is one */
};

struct search {
	struct throughput of[MAX_FRAME_SIZES];
	uint16_t count;
};

/* RFC 2544 throughput, by bisection, for each frame size. False when a trial could not begin. */
bool search_run(struct search *search, struct session *session);

#endif
