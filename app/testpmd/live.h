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
	double begun;                                    /* the run's start */
	double next;                                     /* when to print, run_now() */
	bool redraws;                                    /* each picture over the one before */
	uint32_t drawn;                                  /* lines to go up */
};

/* To be called when the run has begun. To redraw, nothing else may print to the terminal. */
void live_begin(struct live *live, const struct run *run, bool redraws);

/* True when --stats-period is over. */
bool live_is_due(const struct live *live);

/*
 * Prints one line per port with the rates since the call before. Where it redraws, these lines,
 * and below them latency, verification, fill of the bursts and the path of each queue, replace
 * those of the time before.
 */
void live_print(struct live *live);

#endif
