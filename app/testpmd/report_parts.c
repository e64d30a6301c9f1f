/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>

#include "bench.h"
#include "report.h"
#include "search.h"

static void
print_latency(FILE *out, const char *name, const struct latency *latency)
{
	if (latency->count == 0)
		return;
	fprintf(out, "%11s %15" PRIu64 " %10.2f %10.2f %10.2f %10.2f %10.2f\n", name,
		latency->count, latency->p50 / 1e3, latency->p90 / 1e3, latency->p99 / 1e3,
		latency->p999 / 1e3, latency->max / 1e3);
}

static void
print_flow(FILE *out, const char *name, const struct flow_result *flow)
{
	const struct verify_counts *counts = &flow->counts;

	fprintf(out,
		"%12s %14" PRIu64 "%c %14" PRIu64 " %12" PRIu64 " %11" PRIu64 " %11" PRIu64
		" %11" PRIu64 "\n",
		name, flow->sent, flow->total_known ? ' ' : '+', counts->received, flow->lost,
		counts->duplicated, counts->reordered, counts->corrupted);
}

static void
print_missing(FILE *out, const struct verify_result *verify)
{
	fprintf(out,
		"lost %" PRIu64 ": dropped by ports, as they say %" PRIu64
		", corrupted beyond recognition %" PRIu64 ", unexplained %" PRIu64 "\n",
		verify->all.lost, verify->dropped, verify->unattributed, verify->unexplained);
	if (verify->foreign > 0)
		fprintf(out, "received besides, from other programs: %" PRIu64 "\n",
			verify->foreign);
	if (!verify->all.total_known)
		fprintf(out, "+ the sender has not said how many: lost ones are counted up to the "
			     "last that came\n");
	if (verify->all.counts.too_late > 0)
		fprintf(out,
			"%" PRIu64 " came more than %u frames late: late or twice, cannot be "
			"told apart\n",
			verify->all.counts.too_late, VERIFY_WINDOW);
}

void
report_verify_print(FILE *out, const struct results *results)
{
	const struct verify_result *verify = &results->verify;

	fprintf(out, "\nFrames by flow (sender-number):\n%12s %14s  %14s %12s %11s %11s %11s\n",
		"flow", "sent", "received", "lost", "duplicated", "reordered", "corrupted");
	for (uint32_t i = 0; i < verify->flows_count; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%06x-%u", verify->flows[i].sender,
			 verify->flows[i].id);
		print_flow(out, name, &verify->flows[i]);
	}
	print_flow(out, "all", &verify->all);
	if (verify->receives)
		print_missing(out, verify);
	if (verify->one_way.count + verify->round_trip.count == 0)
		return;
	fprintf(out, "\nLatency in microseconds:\n%11s %15s %10s %10s %10s %10s %10s\n", "",
		"frames", "p50", "p90", "p99", "p99.9", "max");
	print_latency(out, "one way", &verify->one_way);
	print_latency(out, "round trip", &verify->round_trip);
}

void
report_bench_print(FILE *out, const struct bench *bench, const struct options *options)
{
	const struct summary *summary = &bench->summary;

	fprintf(out, "\nRuns:\n%5s %10s %12s %12s\n", "run", "seconds", "Mpps", "loss %");
	for (uint32_t i = 0; i < bench->count; i++)
		fprintf(out, "%5u %10.3f %12.6f %12.6f\n", i + 1, bench->trials[i].seconds,
			bench_pps(&bench->trials[i], options) / 1e6, bench->trials[i].loss_percent);
	fprintf(out, "median %.6f Mpps, from %.6f to %.6f: spread %.2f %%\n", summary->median / 1e6,
		summary->lowest / 1e6, summary->highest / 1e6, summary->spread_percent);
}

void
report_search_print(FILE *out, const struct search *search, uint16_t ports)
{
	fprintf(out,
		"\nHighest rate without more loss than accepted, of each of %u port%s:\n"
		"%6s %12s %10s %10s %8s %12s %12s\n",
		ports, ports == 1 ? "" : "s", "size", "Mpps", "Gbit/s", "loss %", "trials",
		"p50 us", "p99 us");
	for (uint16_t i = 0; i < search->count; i++) {
		const struct throughput *found = &search->of[i];

		if (!found->found) {
			fprintf(out, "%6u %12s\n", found->size, "none");
			continue;
		}
		fprintf(out, "%6u %12.6f %10.4f %10.4f %8u %12.2f %12.2f\n", found->size,
			found->pps / 1e6, found->pps * 8 * (found->size - RTE_ETHER_CRC_LEN) / 1e9,
			found->loss_percent, found->trials, found->latency.p50 / 1e3,
			found->latency.p99 / 1e3);
	}
}
