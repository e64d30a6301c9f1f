/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "msg.h"
#include "verify_result.h"

static void
gather_flow(struct flow_result *result, const struct verify_flow *flow, bool receives)
{
	*result = (struct flow_result){
		.sender = flow->sender,
		.id = flow->id,
		.own = flow->own,
		.total_known = flow->own || flow->ended,
		.sent = verify_flow_total(flow),
		.counts = flow->counts,
	};
	if (receives && result->sent > result->counts.unique)
		result->lost = result->sent - result->counts.unique;
}

static void
add_flow(struct flow_result *all, const struct flow_result *flow)
{
	all->total_known = all->total_known && flow->total_known;
	all->sent += flow->sent;
	all->lost += flow->lost;
	all->counts.received += flow->counts.received;
	all->counts.unique += flow->counts.unique;
	all->counts.duplicated += flow->counts.duplicated;
	all->counts.reordered += flow->counts.reordered;
	all->counts.corrupted += flow->counts.corrupted;
	all->counts.too_late += flow->counts.too_late;
}

uint64_t
port_dropped(const struct port *port, const struct streams *streams)
{
	uint64_t refused = streams_port_counters(streams, port->id).tx_dropped;
	struct rte_eth_stats stats;

	if (!port_stats(port, &stats))
		return 0;
	/* Some drivers count as errors what they refused. One that has fewer does not. */
	if (stats.oerrors >= refused)
		stats.oerrors -= refused;
	return stats.imissed + stats.ierrors + stats.rx_nombuf + stats.oerrors;
}

bool
verify_result_gather(struct verify_result *result, const struct streams *streams,
		     const struct ports *ports)
{
	struct verify_flow *const *flows;
	uint32_t count = verify_flows(&flows);
	uint64_t explained;

	*result = (struct verify_result){
		.flows = calloc(count + 1, sizeof(*result->flows)),
		.all = { .total_known = true },
	};
	if (result->flows == NULL) {
		msg_error("out of memory for the results of %u flows", count);
		return false;
	}
	for (uint32_t i = 0; i < streams->count; i++) {
		result->foreign += streams->of[i].verify->foreign;
		result->unattributed += streams->of[i].verify->unattributed;
		result->receives = streams->of[i].verify->receives;
	}
	for (uint32_t i = 0; i < count; i++) {
		gather_flow(&result->flows[i], flows[i], result->receives);
		add_flow(&result->all, &result->flows[i]);
	}
	result->flows_count = count;
	for (uint16_t i = 0; i < ports->count; i++)
		result->dropped += port_dropped(&ports->of[i], streams);
	explained = result->dropped + result->unattributed;
	if (result->all.lost > explained)
		result->unexplained = result->all.lost - explained;
	latency_gather(&result->one_way, streams, LATENCY_ONE_WAY);
	latency_gather(&result->round_trip, streams, LATENCY_ROUND_TRIP);
	return true;
}

void
verify_result_free(struct verify_result *result)
{
	free(result->flows);
	*result = (struct verify_result){ 0 };
}
