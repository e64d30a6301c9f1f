/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <unistd.h>

#include "stats_line.h"

void
stats_line_begin(struct stats_line *line, const struct ports *ports, const struct streams *streams)
{
	*line = (struct stats_line){
		.ports = ports,
		.streams = streams,
		.redraws = isatty(STDOUT_FILENO) == 1,
	};
	for (uint16_t i = 0; i < ports->count; i++)
		line->before[i] = streams_port_counters(streams, ports->of[i].id);
}

struct stream_counters
streams_port_counters(const struct streams *streams, uint16_t port)
{
	struct stream_counters sum = { 0 };

	for (uint32_t i = 0; i < streams->count; i++) {
		struct stream_counters counters = stream_counters_read(&streams->of[i]);

		if (streams->of[i].rx_port == port) {
			sum.rx_packets += counters.rx_packets;
			sum.rx_bytes += counters.rx_bytes;
		}
		if (streams->of[i].tx_port == port) {
			sum.tx_packets += counters.tx_packets;
			sum.tx_bytes += counters.tx_bytes;
			sum.tx_dropped += counters.tx_dropped;
			sum.no_mbufs += counters.no_mbufs;
		}
	}
	return sum;
}

static void
print_port(struct stats_line *line, uint16_t position, double seconds)
{
	const struct port *port = &line->ports->of[position];
	struct stream_counters now = streams_port_counters(line->streams, port->id);
	struct stream_counters *before = &line->before[position];
	double period = seconds - line->at;

	printf("%8.1f s  port %2u%s  rx %9.3f Mpps %8.3f Gbit/s  tx %9.3f Mpps %8.3f Gbit/s  "
	       "dropped %9.3f Mpps\n",
	       seconds, port->id, port_is_gone(port) ? " gone" : "",
	       (now.rx_packets - before->rx_packets) / period / 1e6,
	       (now.rx_bytes - before->rx_bytes) * 8 / period / 1e9,
	       (now.tx_packets - before->tx_packets) / period / 1e6,
	       (now.tx_bytes - before->tx_bytes) * 8 / period / 1e9,
	       (now.tx_dropped - before->tx_dropped) / period / 1e6);
	*before = now;
}

void
stats_line_print(struct stats_line *line, double seconds)
{
	/* Up to the first of the lines drawn before, then clear to the end of the screen. */
	if (line->redraws && line->drawn)
		printf("\033[%uA\033[J", line->ports->count);
	for (uint16_t i = 0; i < line->ports->count; i++)
		print_port(line, i, seconds);
	fflush(stdout);
	line->at = seconds;
	line->drawn = true;
}
