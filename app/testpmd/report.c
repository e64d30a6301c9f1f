/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>

#include <rte_cycles.h>

#include "bench.h"
#include "fwd.h"
#include "report.h"
#include "search.h"

/* Bytes, or that nobody counted them. */
static const char *
bytes_text(char *text, size_t size, bool known, uint64_t bytes)
{
	if (!known)
		return "-";
	snprintf(text, size, "%" PRIu64, bytes);
	return text;
}

static void
print_traffic(FILE *out, const char *port, const char *queue, const struct queue_result *rx,
	      const struct queue_result *tx, double seconds)
{
	char rx_bytes[24], tx_bytes[24];

	fprintf(out, "%5s %6s %15" PRIu64 " %18s %10.3f %15" PRIu64 " %18s %10.3f %15" PRIu64 "\n",
		port, queue, rx->packets,
		bytes_text(rx_bytes, sizeof(rx_bytes), rx->bytes_known, rx->bytes),
		rx->packets / seconds / 1e6, tx->packets,
		bytes_text(tx_bytes, sizeof(tx_bytes), tx->bytes_known, tx->bytes),
		tx->packets / seconds / 1e6, tx->dropped);
}

static void
print_port_traffic(FILE *out, const struct port_result *result, double seconds)
{
	static const struct queue_result none = { .bytes_known = true };
	uint16_t queues = RTE_MAX(result->port->nb_rxq, result->port->nb_txq);
	char port[8], queue[8];

	snprintf(port, sizeof(port), "%u", result->port->id);
	for (uint16_t q = 0; q < queues; q++) {
		snprintf(queue, sizeof(queue), "%u", q);
		print_traffic(out, port, queue, q < result->port->nb_rxq ? &result->rx[q] : &none,
			      q < result->port->nb_txq ? &result->tx[q] : &none, seconds);
	}
}

static void
print_traffic_table(FILE *out, const struct results *results)
{
	double seconds = results->run->seconds;
	struct queue_result rx = { .packets = results->all.rx_packets,
				   .bytes = results->all.rx_bytes,
				   .bytes_known = results->rx_bytes_known };
	struct queue_result tx = { .packets = results->all.tx_packets,
				   .bytes = results->all.tx_bytes,
				   .bytes_known = results->tx_bytes_known,
				   .dropped = results->all.tx_dropped };

	fprintf(out, "%5s %6s %15s %18s %10s %15s %18s %10s %15s\n", "port", "queue", "rx packets",
		"rx bytes", "rx Mpps", "tx packets", "tx bytes", "tx Mpps", "tx dropped");
	for (uint16_t i = 0; i < results->ports_count; i++)
		print_port_traffic(out, &results->ports[i], seconds);
	print_traffic(out, "all", "all", &rx, &tx, seconds);
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
	fprintf(out, "\nTSC cycles (%.3f GHz), per packet where not in all:\n",
		rte_get_tsc_hz() / 1e9);
	fprintf(out, "%5s %15s %18s %18s %8s %13s %9s %9s %9s\n", "lcore", "packets", "busy",
		"idle", "busy %", "busy/packet", "receive", "transmit", "app");
	for (unsigned int i = 0; i < results->lcores->count; i++) {
		const struct lcore *lcore = &results->lcores->of[i];
		const struct cycles *cycles = &lcore->cycles;
		uint64_t busy = cycles_busy(cycles);

		fprintf(out,
			"%5u %15" PRIu64 " %18" PRIu64 " %18" PRIu64 " %8.2f %13.2f %9.2f %9.2f "
			"%9.2f\n",
			lcore->id, cycles->packets, busy, cycles->idle,
			100 * ratio(busy, busy + cycles->idle), ratio(busy, cycles->packets),
			ratio(cycles->rx, cycles->packets), ratio(cycles->tx, cycles->packets),
			ratio(cycles->app, cycles->packets));
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

static void
print_csum_line(FILE *out, const struct results *results)
{
	struct stream_counters sum = streams_total(results->run->watch.streams);

	fprintf(out,
		"\nReceived with bad checksums, as the devices say: IP %" PRIu64
		", UDP or TCP %" PRIu64 "\n",
		sum.bad_ip_csum, sum.bad_l4_csum);
}

void
report_print_traffic(FILE *out, const struct results *results)
{
	print_traffic_table(out, results);
	if (results->has_verify)
		report_verify_print(out, results);
	fflush(out);
}

void
report_print(FILE *out, const struct results *results)
{
	fprintf(out, "\nMode %s, %.3f s, ended by: %s\n\n", results->options->mode->name,
		results->run->seconds, run_end_text(results->run->end));
	print_traffic_table(out, results);
	print_driver_table(out, results);
	print_path_table(out, results);
	if (results->options->mode == &fwd_csum)
		print_csum_line(out, results);
	if (results->has_verify)
		report_verify_print(out, results);
	if (results->options->record_core_cycles)
		print_cycles_table(out, results);
	if (results->options->record_burst_stats)
		print_fill_lines(out, results);
	if (results->bench != NULL && results->bench->count > 1)
		report_bench_print(out, results->bench, results->options);
	if (results->search != NULL)
		report_search_print(out, results->search, results->ports_count);
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
