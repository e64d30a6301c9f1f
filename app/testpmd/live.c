/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fwd.h"
#include "latency.h"
#include "live.h"
#include "run.h"
#include "verify.h"

/* What is below the ports' lines is cut so that no line wraps. */
#define COLUMNS_FALLBACK 80

/* Where the mode does not count bytes, the driver does. */
static struct stream_counters
port_counters(const struct live *live, const struct port *port)
{
	struct stream_counters now = streams_port_counters(live->run->watch.streams, port->id);
	struct rte_eth_stats stats;

	if (live->run->options->mode->bytes_from_driver && port_stats(port, &stats)) {
		now.rx_bytes = stats.ibytes;
		now.tx_bytes = stats.obytes;
	}
	return now;
}

static double
period(const struct live *live)
{
	return live->run->options->stats_period > 0 ? live->run->options->stats_period : INFINITY;
}

void
live_begin(struct live *live, const struct run *run, bool redraws)
{
	*live = (struct live){ .run = run, .begun = run->start, .redraws = redraws };
	live->next = run->start + period(live);
	for (uint16_t i = 0; i < run->watch.ports->count; i++)
		live->before[i] = port_counters(live, &run->watch.ports->of[i]);
}

bool
live_is_due(const struct live *live)
{
	return run_now() >= live->next;
}

static void
print_port(struct live *live, uint16_t position, double seconds)
{
	const struct port *port = &live->run->watch.ports->of[position];
	struct stream_counters now = port_counters(live, port);
	struct stream_counters *before = &live->before[position];
	double since = seconds - live->at;

	/* A device that went away takes its counters along. */
	now.rx_bytes = RTE_MAX(now.rx_bytes, before->rx_bytes);
	now.tx_bytes = RTE_MAX(now.tx_bytes, before->tx_bytes);
	printf("%8.1f s  port %2u%s  rx %9.3f Mpps %8.3f Gbit/s  tx %9.3f Mpps %8.3f Gbit/s  "
	       "dropped %9.3f Mpps\n",
	       seconds, port->id, port_is_gone(port) ? " gone" : "",
	       (now.rx_packets - before->rx_packets) / since / 1e6,
	       (now.rx_bytes - before->rx_bytes) * 8 / since / 1e9,
	       (now.tx_packets - before->tx_packets) / since / 1e6,
	       (now.tx_bytes - before->tx_bytes) * 8 / since / 1e9,
	       (now.tx_dropped - before->tx_dropped) / since / 1e6);
	*before = now;
}

static int
columns(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return COLUMNS_FALLBACK;
	return size.ws_col;
}

static uint32_t
print_latency_line(const char *name, const struct latency *latency)
{
	if (latency->count == 0)
		return 0;
	printf("  %s latency, us: p50 %.1f  p90 %.1f  p99 %.1f  p99.9 %.1f  max %.1f\n", name,
	       latency->p50 / 1e3, latency->p90 / 1e3, latency->p99 / 1e3, latency->p999 / 1e3,
	       latency->max / 1e3);
	return 1;
}

static uint32_t
print_verify_lines(const struct streams *streams)
{
	struct verify_flow *const *flows;
	uint32_t count = verify_flows(&flows), lines;
	struct verify_counts sum = { 0 };
	uint64_t sent = 0;
	struct latency latency;

	for (uint32_t i = 0; i < count; i++) {
		sent += verify_flow_total(flows[i]);
		sum.unique += flows[i]->counts.unique;
		sum.duplicated += flows[i]->counts.duplicated;
		sum.reordered += flows[i]->counts.reordered;
		sum.corrupted += flows[i]->counts.corrupted;
	}
	printf("  flows %u: %" PRIu64 " not back yet or lost, %" PRIu64 " duplicated, %" PRIu64
	       " reordered, %" PRIu64 " corrupted\n",
	       count, sent - RTE_MIN(sent, sum.unique), sum.duplicated, sum.reordered,
	       sum.corrupted);
	lines = 1;
	latency_gather(&latency, streams, LATENCY_ONE_WAY);
	lines += print_latency_line("one-way", &latency);
	latency_gather(&latency, streams, LATENCY_ROUND_TRIP);
	lines += print_latency_line("round-trip", &latency);
	return lines;
}

static double
mean_fill(const uint64_t *fill)
{
	uint64_t bursts = 0, packets = 0;

	for (uint32_t i = 1; i <= MAX_BURST; i++) {
		bursts += fill[i];
		packets += i * fill[i];
	}
	return bursts == 0 ? 0 : (double)packets / bursts;
}

/* One line per stream: how full its bursts are, and by which paths they go. */
static void
print_stream(const struct stream *stream, int width)
{
	struct rte_eth_burst_mode rx, tx;
	char line[512];
	int used = snprintf(line, sizeof(line), "  port %u queue %u", stream->rx_port,
			    stream->rx_queue);

	if (stream->disabled)
		return;
	if (stream->fill != NULL)
		used += snprintf(line + used, sizeof(line) - used, "  burst rx %.1f tx %.1f",
				 mean_fill(stream->fill->rx), mean_fill(stream->fill->tx));
	if (rte_eth_rx_burst_mode_get(stream->rx_port, stream->rx_queue, &rx) == 0)
		used += snprintf(line + used, sizeof(line) - used, "  rx: %.150s", rx.info);
	if (rte_eth_tx_burst_mode_get(stream->tx_port, stream->tx_queue, &tx) == 0)
		snprintf(line + used, sizeof(line) - used, "  tx: %.150s", tx.info);
	printf("%.*s\n", width - 1, line);
}

/* Returns the number of lines. */
static uint32_t
print_details(const struct live *live)
{
	const struct streams *streams = live->run->watch.streams;
	uint32_t lines = 0;
	int width = columns();

	if (live->run->options->mode == &fwd_verify)
		lines += print_verify_lines(streams);
	for (uint32_t i = 0; i < streams->count; i++) {
		if (streams->of[i].disabled)
			continue;
		print_stream(&streams->of[i], width);
		lines++;
	}
	return lines;
}

void
live_print(struct live *live)
{
	double seconds = run_now() - live->run->start;
	uint16_t count = live->run->watch.ports->count;

	/* Up to the first of the lines drawn before, then clear to the end of the screen. */
	if (live->redraws && live->drawn > 0)
		printf("\033[%uA\033[J", live->drawn);
	for (uint16_t i = 0; i < count; i++)
		print_port(live, i, seconds);
	live->drawn = count;
	if (live->redraws)
		live->drawn += print_details(live);
	fflush(stdout);
	live->at = seconds;
	live->next += period(live);
}
