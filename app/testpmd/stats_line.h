/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_STATS_LINE_H
#define TESTPMD_STATS_LINE_H

#include "ports.h"
#include "streams.h"

/* The periodic statistics: what was counted up to the line before. */
struct stats_line {
	const struct ports *ports;
	const struct streams *streams;
	struct stream_counters before[RTE_MAX_ETHPORTS]; /* by position */
	double at;                                       /* seconds into the run */
	bool redraws;                                    /* stdout is a terminal */
	bool drawn;
};

void stats_line_begin(struct stats_line *line, const struct ports *ports,
		      const struct streams *streams);

/*
 * Prints one line per port with the rates since the call before. On a terminal the new lines
 * replace the old ones.
 */
void stats_line_print(struct stats_line *line, double seconds);

/* What all streams have counted at one port: received from it, sent or dropped to it. */
struct stream_counters streams_port_counters(const struct streams *streams, uint16_t port);

#endif
