/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>

#include <rte_cycles.h>

#include "fwd.h"
#include "report.h"

/* One row of the traffic table: a queue, or a sum. */
struct traffic {
	uint64_t rx_packets, rx_bytes;
	uint64_t tx_packets, tx_bytes, tx_dropped;
};

static void
print_traffic(FILE *out, const char *port, const char *queue, const struct traffic *traffic,
	      double seconds)
{
	fprintf(out,
		"%5s %6s %15" PRIu64 " %18" PRIu64 " %10.3f %15" PRIu64 " %18" PRIu64
		" %10.3f %15" PRIu64 "\n",
		port, queue, traffic->rx_packets, traffic->rx_bytes,
		traffic->rx_packets / seconds / 1e6, traffic->tx_packets, traffic->tx_bytes,
		traffic->tx_packets / seconds / 1e6, traffic->tx_dropped);
}

static void
add_traffic(struct traffic *sum, const struct traffic *part)
{
	sum->rx_packets += part->rx_packets;
	sum->rx_bytes += part->rx_bytes;
	sum->tx_packets += part->tx_packets;
	sum->tx_bytes += part->tx_bytes;
	sum->tx_dropped += part->tx_dropped;
}

static struct traffic
queue_traffic(const struct port_result *result, uint16_t queue)
{
	struct traffic traffic = { 0 };

	if (queue < result->port->nb_rxq) {
		traffic.rx_packets = result->rx[queue].packets;
		traffic.rx_bytes = result->rx[queue].bytes;
	}
	if (queue < result->port->nb_txq) {
		traffic.tx_packets = result->tx[queue].packets;
		traffic.tx_bytes = result->tx[queue].bytes;
		traffic.tx_dropped = result->tx[queue].dropped;
	}
	return traffic;
}

static void
print_traffic_table(FILE *out, const struct results *results)
{
	double seconds = results->run->seconds;
	struct traffic all = { 0 };

	fprintf(out, "%5s %6s %15s %18s %10s %15s %18s %10s %15s\n", "port", "queue", "rx packets",
		"rx bytes", "rx Mpps", "tx packets", "tx bytes", "tx Mpps", "tx dropped");
	for (uint16_t i = 0; i < results->ports_count; i++) {
		const struct port_result *result = &results->ports[i];
		uint16_t queues = RTE_MAX(result->port->nb_rxq, result->port->nb_txq);
		char port[8], queue[8];

		snprintf(port, sizeof(port), "%u", result->port->id);
		for (uint16_t q = 0; q < queues; q++) {
			struct traffic traffic = queue_traffic(result, q);

			snprintf(queue, sizeof(queue), "%u", q);
			print_traffic(out, port, queue, &traffic, seconds);
			add_traffic(&all, &traffic);
		}
	}
	print_traffic(out, "all", "all", &all, seconds);
}

static void
print_driver_table(FILE *out, const struct results *results)
{
	fprintf(out, "\nCounted by the drivers:\n%5s %15s %15s %15s %15s %12s %12s %12s\n", "port",
		"rx packets", "tx packets", "rx missed", "rx no mbuf", "rx errors", "tx errors",
		"state");
	for (uint16_t i = 0; i < results->ports_count; i++) {
		const struct port_result *result = &results->ports[i];
		const struct rte_eth_stats *stats = &result->stats;
		const char *state = result->link.link_status == RTE_ETH_LINK_UP ? "up" : "down";

		if (!result->has_stats) {
			fprintf(out, "%5u %s\n", result->port->id,
				result->gone ? "gone: not to be asked" : "not told by the driver");
			continue;
		}
		fprintf(out,
			"%5u %15" PRIu64 " %15" PRIu64 " %15" PRIu64 " %15" PRIu64 " %12" PRIu64
			" %12" PRIu64 " %12s\n",
			result->port->id, stats->ipackets, stats->opackets, stats->imissed,
			stats->rx_nombuf, stats->ierrors, stats->oerrors, state);
	}
}

static void
print_path(FILE *out, const struct port *port, const char *way, uint16_t queue,
	   const struct queue_result *result)
{
	fprintf(out, "%5u %6u %4s  %s\n", port->id, queue, way,
		result->has_mode ? result->mode.info : "not told by the driver");
}

static void
print_path_table(FILE *out, const struct results *results)
{
	fprintf(out, "\nPaths:\n%5s %6s %4s  %s\n", "port", "queue", "way",
		"in the driver's words");
	for (uint16_t i = 0; i < results->ports_count; i++) {
		const struct port_result *result = &results->ports[i];

		for (uint16_t q = 0; q < result->port->nb_rxq; q++)
			print_path(out, result->port, "rx", q, &result->rx[q]);
		for (uint16_t q = 0; q < result->port->nb_txq; q++)
			print_path(out, result->port, "tx", q, &result->tx[q]);
	}
}

static double
ratio(uint64_t part, uint64_t whole)
{
	return whole == 0 ? 0 : (double)part / whole;
}

static void
print_cycles_table(FILE *out, const struct results *results)
{
	fprintf(out, "\nTSC cycles (%.3f GHz):\n%5s %15s %18s %18s %13s %8s\n",
		rte_get_tsc_hz() / 1e9, "lcore", "packets", "busy", "idle", "busy/packet",
		"busy %");
	for (unsigned int i = 0; i < results->lcores->count; i++) {
		const struct lcore *lcore = &results->lcores->of[i];
		const struct cycles *cycles = &lcore->cycles;

		fprintf(out, "%5u %15" PRIu64 " %18" PRIu64 " %18" PRIu64 " %13.2f %8.2f\n",
			lcore->id, cycles->packets, cycles->busy, cycles->idle,
			ratio(cycles->busy, cycles->packets),
			100 * ratio(cycles->busy, cycles->busy + cycles->idle));
	}
}

/* Bursts by fill: none, then by powers of two. */
static void
print_fill(FILE *out, uint16_t port, const char *way, uint16_t queue, const uint64_t *fill)
{
	uint64_t all = 0, part;

	for (uint32_t i = 0; i <= MAX_BURST; i++)
		all += fill[i];
	fprintf(out, "  port %u %s queue %u: %" PRIu64 " bursts", port, way, queue, all);
	if (fill[0] != 0)
		fprintf(out, "  0: %.2f%%", 100 * ratio(fill[0], all));
	for (uint32_t low = 1; low <= MAX_BURST; low *= 2) {
		part = 0;
		for (uint32_t i = low; i < 2 * low && i <= MAX_BURST; i++)
			part += fill[i];
		if (part != 0)
			fprintf(out, "  %u-%u: %.2f%%", low, RTE_MIN(2 * low - 1, MAX_BURST),
				100 * ratio(part, all));
	}
	fputc('\n', out);
}

static void
print_fill_lines(FILE *out, const struct results *results)
{
	fprintf(out, "\nBursts by packets in them:\n");
	for (uint16_t i = 0; i < results->ports_count; i++) {
		const struct port_result *result = &results->ports[i];

		for (uint16_t q = 0; q < result->port->nb_rxq; q++)
			if (result->rx[q].fill != NULL)
				print_fill(out, result->port->id, "rx", q, result->rx[q].fill);
		for (uint16_t q = 0; q < result->port->nb_txq; q++)
			if (result->tx[q].fill != NULL && results->options->mode->sends)
				print_fill(out, result->port->id, "tx", q, result->tx[q].fill);
	}
}

void
report_print(FILE *out, const struct results *results)
{
	fprintf(out, "\nMode %s, %.3f s, ended by: %s\n\n", results->options->mode->name,
		results->run->seconds, run_end_text(results->run->end));
	print_traffic_table(out, results);
	print_driver_table(out, results);
	print_path_table(out, results);
	if (results->options->record_core_cycles)
		print_cycles_table(out, results);
	if (results->options->record_burst_stats)
		print_fill_lines(out, results);
	fflush(out);
}

void
report_print_mbufs(FILE *out, const struct results *results)
{
	if (!results->mbufs_counted)
		fprintf(out, "\nmbufs: not counted, as a port is still polled\n");
	else if (results->mbufs_missing == 0)
		fprintf(out, "\nmbufs: all back in their pools\n");
	else
		fprintf(out,
			"\nmbufs: WARNING: %u are missing after the ports were stopped, %u after "
			"they were closed: a driver keeps them\n",
			results->mbufs_missing, results->mbufs_missing_closed);
	fflush(out);
}
