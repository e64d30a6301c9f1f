/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_LIVE_H
#define TESTPMD_LIVE_H

#include "ports.h"
#include "streams.h"

struct run;

/* The periodic statistics: what was counted up to the time before. */
struct live {
	const struct run *run;
	struct stream_counters before[RTE_MAX_ETHPORTS]; /* by position */
	double at;                                       /* seconds into the run */
	bool redraws;                                    /* stdout is a terminal */
	uint32_t drawn;                                  /* lines to go up */
};

void live_begin(struct live *live, const struct run *run);

/*
 * Prints one line per port with the rates since the call before. On a terminal these lines, and
 * below them latency, verification, fill of the bursts and the path of each queue, replace those
 * of the time before.
 */
void live_print(struct live *live);

#endif
