/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_VERIFY_RESULT_H
#define TESTPMD_VERIFY_RESULT_H

#include "latency.h"
#include "ports.h"
#include "verify.h"

struct flow_result {
	uint32_t sender;
	uint16_t id;
	bool own;
	bool total_known; /* else `sent` is up to the last frame that came */
	uint64_t sent, lost;
	struct verify_counts counts;
};

/* What mode verify found out, over all flows. */
struct verify_result {
	struct flow_result *flows;
	uint32_t flows_count;
	struct flow_result all;
	uint64_t foreign;      /* frames of other programs */
	uint64_t unattributed; /* corrupted frames whose flow cannot be told */
	uint64_t dropped;      /* by the ports, as their counters say */
	uint64_t unexplained;  /* lost, and neither dropped nor unattributed */
	bool receives;
	struct latency one_way, round_trip;
};

/* False when out of memory. */
bool verify_result_gather(struct verify_result *result, const struct streams *streams,
			  const struct ports *ports);
void verify_result_free(struct verify_result *result);

/* The frames that a port says it dropped in this run; those it refused to send are none. */
uint64_t port_dropped(const struct port *port, const struct streams *streams);

#endif
