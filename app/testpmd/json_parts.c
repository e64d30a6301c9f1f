/* SPDX-License-Identifier: BSD-3-Clause */
#include "json_parts.h"

json_t *
json_latency(const struct latency *latency)
{
	if (latency->count == 0)
		return json_null();
	return json_pack("{s:I, s:f, s:f, s:f, s:f, s:f}", "frames", (json_int_t)latency->count,
			 "p50_ns", latency->p50, "p90_ns", latency->p90, "p99_ns", latency->p99,
			 "p99_9_ns", latency->p999, "max_ns", latency->max);
}

static json_t *
flow_json(const struct flow_result *flow)
{
	const struct verify_counts *counts = &flow->counts;

	return json_pack("{s:o, s:i, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "sender",
			 json_sprintf("%06x", flow->sender), "flow", flow->id, "own", flow->own,
			 "total_known", flow->total_known, "sent", (json_int_t)flow->sent,
			 "received", (json_int_t)counts->received, "lost", (json_int_t)flow->lost,
			 "duplicated", (json_int_t)counts->duplicated, "reordered",
			 (json_int_t)counts->reordered, "corrupted", (json_int_t)counts->corrupted,
			 "too_late", (json_int_t)counts->too_late);
}

json_t *
json_verify(const struct results *results)
{
	const struct verify_result *verify = &results->verify;
	json_t *flows, *all;

	if (!results->has_verify)
		return json_null();
	flows = json_array();
	for (uint32_t i = 0; i < verify->flows_count; i++)
		json_array_append_new(flows, flow_json(&verify->flows[i]));
	all = flow_json(&verify->all);
	json_object_del(all, "sender");
	json_object_del(all, "flow");
	json_object_del(all, "own");
	return json_pack("{s:o, s:o, s:I, s:I, s:I, s:I, s:o, s:o}", "all", all, "flows", flows,
			 "foreign", (json_int_t)verify->foreign, "unattributed",
			 (json_int_t)verify->unattributed, "dropped_by_ports",
			 (json_int_t)verify->dropped, "unexplained",
			 (json_int_t)verify->unexplained, "one_way", json_latency(&verify->one_way),
			 "round_trip", json_latency(&verify->round_trip));
}

json_t *
json_bench_runs(const struct bench *bench)
{
	json_t *runs;

	if (bench == NULL)
		return json_null();
	runs = json_array();
	for (uint32_t i = 0; i < bench->count; i++) {
		const struct trial *trial = &bench->trials[i];

		json_array_append_new(runs,
				      json_pack("{s:f, s:f, s:f, s:f, s:f}", "duration",
						trial->seconds, "rx_pps", trial->rx_pps, "tx_pps",
						trial->tx_pps, "offered_pps", trial->offered_pps,
						"loss_percent", trial->loss_percent));
	}
	return runs;
}

json_t *
json_bench_summary(const struct bench *bench)
{
	const struct summary *summary;

	if (bench == NULL)
		return json_null();
	summary = &bench->summary;
	return json_pack("{s:f, s:f, s:f, s:f, s:f, s:b, s:b}", "median_pps", summary->median,
			 "lowest_pps", summary->lowest, "highest_pps", summary->highest,
			 "spread_percent", summary->spread_percent, "worst_loss_percent",
			 summary->worst_loss_percent, "loss_met", bench->loss_met, "pps_met",
			 bench->pps_met);
}

json_t *
json_search(const struct search *search)
{
	json_t *sizes;

	if (search == NULL)
		return json_null();
	sizes = json_array();
	for (uint16_t i = 0; i < search->count; i++) {
		const struct throughput *found = &search->of[i];

		json_array_append_new(sizes,
				      json_pack("{s:i, s:i, s:b, s:f, s:f, s:f, s:o}", "size",
						found->size, "trials", found->trials, "found",
						found->found, "pps", found->pps, "bps",
						found->pps * 8 * (found->size - RTE_ETHER_CRC_LEN),
						"loss_percent", found->loss_percent, "latency",
						json_latency(&found->latency)));
	}
	return sizes;
}
