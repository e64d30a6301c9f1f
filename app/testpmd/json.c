/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>
#include <rte_cycles.h>
#include <rte_version.h>

#include "fwd.h"
#include "json.h"
#include "json_parts.h"
#include "msg.h"

/* As Linux names it; "unknown" elsewhere. */
static json_t *
cpu_model(void)
{
	FILE *file = fopen("/proc/cpuinfo", "r");
	json_t *model = NULL;
	char line[256];

	while (file != NULL && model == NULL && fgets(line, sizeof(line), file) != NULL) {
		char *colon = strstr(line, ": ");

		if (strncmp(line, "model name", 10) == 0 && colon != NULL)
			model = json_stringn(colon + 2, strcspn(colon + 2, "\n"));
	}
	if (file != NULL)
		fclose(file);
	return model != NULL ? model : json_string("unknown");
}

static json_t *
link_json(const struct rte_eth_link *link)
{
	return json_pack("{s:s, s:I, s:b, s:b}", "status",
			 link->link_status == RTE_ETH_LINK_UP ? "up" : "down", "speed_mbps",
			 (json_int_t)link->link_speed, "full_duplex",
			 link->link_duplex == RTE_ETH_LINK_FULL_DUPLEX, "autoneg",
			 link->link_autoneg == RTE_ETH_LINK_AUTONEG);
}

static json_t *
offloads_json(uint64_t offloads, const char *(*name_of)(uint64_t))
{
	json_t *names = json_array();

	for (unsigned int bit = 0; bit < 64; bit++)
		if (offloads & RTE_BIT64(bit))
			json_array_append_new(names, json_string(name_of(RTE_BIT64(bit))));
	return names;
}

/* [packets in the burst, number of such bursts], where there were any. */
static json_t *
fill_json(const uint64_t *fill)
{
	json_t *pairs;

	if (fill == NULL)
		return json_null();
	pairs = json_array();
	for (uint32_t i = 0; i <= MAX_BURST; i++)
		if (fill[i] != 0)
			json_array_append_new(pairs, json_pack("[i, I]", i, (json_int_t)fill[i]));
	return pairs;
}

/* null where nobody counted them. */
static json_t *
bytes_json(bool known, uint64_t bytes)
{
	return known ? json_integer(bytes) : json_null();
}

static json_t *
queue_json(const struct queue_result *queue, uint16_t number, double seconds)
{
	return json_pack("{s:i, s:i, s:o, s:I, s:o, s:f, s:o, s:o}", "queue", number, "ring_size",
			 queue->ring, "burst_mode",
			 queue->has_mode ? json_string(queue->mode.info) : json_null(), "packets",
			 (json_int_t)queue->packets, "bytes",
			 bytes_json(queue->bytes_known, queue->bytes), "pps",
			 queue->packets / seconds, "bps",
			 queue->bytes_known ? json_real(queue->bytes * 8 / seconds) : json_null(),
			 "bursts", fill_json(queue->fill));
}

static json_t *
rx_queues_json(const struct port_result *result, double seconds)
{
	json_t *queues = json_array();

	for (uint16_t i = 0; i < result->port->nb_rxq; i++)
		json_array_append_new(queues, queue_json(&result->rx[i], i, seconds));
	return queues;
}

static json_t *
tx_queues_json(const struct port_result *result, double seconds)
{
	json_t *queues = json_array();

	for (uint16_t i = 0; i < result->port->nb_txq; i++) {
		json_t *queue = queue_json(&result->tx[i], i, seconds);

		json_object_set_new(queue, "dropped", json_integer(result->tx[i].dropped));
		json_object_set_new(queue, "no_mbufs", json_integer(result->tx[i].no_mbufs));
		json_array_append_new(queues, queue);
	}
	return queues;
}

static json_t *
stats_json(const struct port_result *result)
{
	const struct rte_eth_stats *stats = &result->stats;

	if (!result->has_stats)
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "ipackets",
			 (json_int_t)stats->ipackets, "opackets", (json_int_t)stats->opackets,
			 "ibytes", (json_int_t)stats->ibytes, "obytes", (json_int_t)stats->obytes,
			 "imissed", (json_int_t)stats->imissed, "ierrors",
			 (json_int_t)stats->ierrors, "oerrors", (json_int_t)stats->oerrors,
			 "rx_nombuf", (json_int_t)stats->rx_nombuf);
}

static json_t *
xstats_json(const struct port_result *result)
{
	json_t *object = json_object();

	for (uint32_t i = 0; i < result->xstats_count; i++)
		json_object_set_new(object, result->xstats[i].name,
				    json_integer(result->xstats[i].value));
	return object;
}

static json_t *
dump_json(const char *dump)
{
	json_t *lines = json_array();

	while (dump != NULL && *dump != '\0') {
		size_t length = strcspn(dump, "\n");

		json_array_append_new(lines, json_stringn(dump, length));
		dump += length + (dump[length] == '\n');
	}
	return lines;
}

static json_t *
port_json(const struct port_result *result, double seconds)
{
	const struct port *port = result->port;
	char mac[RTE_ETHER_ADDR_FMT_SIZE];

	rte_ether_format_addr(mac, sizeof(mac), &port->mac);
	return json_pack(
		"{s:i, s:s, s:s, s:s, s:b, s:o, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "port",
		port->id, "name", port->name, "driver", port->driver, "mac", mac, "gone",
		result->gone, "link", link_json(&result->link), "mtu", result->mtu, "rx_offloads",
		offloads_json(port->rx_offloads, rte_eth_dev_rx_offload_name), "tx_offloads",
		offloads_json(port->tx_offloads, rte_eth_dev_tx_offload_name), "rx_queues",
		rx_queues_json(result, seconds), "tx_queues", tx_queues_json(result, seconds),
		"stats", stats_json(result), "xstats", xstats_json(result), "driver_dump",
		dump_json(result->dump));
}

static json_t *
ports_json(const struct results *results)
{
	json_t *ports = json_array();

	for (uint16_t i = 0; i < results->ports_count; i++)
		json_array_append_new(ports, port_json(&results->ports[i], results->run->seconds));
	return ports;
}

/* The sum over all queues of all ports. */
static json_t *
forward_json(const struct results *results)
{
	const struct stream_counters *all = &results->all;
	double seconds = results->run->seconds;

	return json_pack("{s:I, s:o, s:I, s:o, s:I, s:f, s:f}", "rx_packets",
			 (json_int_t)all->rx_packets, "rx_bytes",
			 bytes_json(results->rx_bytes_known, all->rx_bytes), "tx_packets",
			 (json_int_t)all->tx_packets, "tx_bytes",
			 bytes_json(results->tx_bytes_known, all->tx_bytes), "tx_dropped",
			 (json_int_t)all->tx_dropped, "rx_pps", all->rx_packets / seconds, "tx_pps",
			 all->tx_packets / seconds);
}

static json_t *
per_packet_json(uint64_t cycles, uint64_t packets)
{
	return packets == 0 ? json_null() : json_real((double)cycles / packets);
}

static json_t *
lcore_cycles_json(const struct lcore *lcore)
{
	const struct cycles *cycles = &lcore->cycles;
	uint64_t packets = cycles->packets, busy = cycles_busy(cycles);

	return json_pack("{s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "lcore",
			 lcore->id, "packets", (json_int_t)packets, "busy", (json_int_t)busy,
			 "idle", (json_int_t)cycles->idle, "rx", (json_int_t)cycles->rx, "tx",
			 (json_int_t)cycles->tx, "app", (json_int_t)cycles->app, "busy_per_packet",
			 per_packet_json(busy, packets), "rx_per_packet",
			 per_packet_json(cycles->rx, packets), "tx_per_packet",
			 per_packet_json(cycles->tx, packets), "app_per_packet",
			 per_packet_json(cycles->app, packets));
}

static json_t *
cycles_json(const struct results *results)
{
	json_t *lcores;

	if (!results->options->record_core_cycles)
		return json_null();
	lcores = json_array();
	for (unsigned int i = 0; i < results->lcores->count; i++)
		json_array_append_new(lcores, lcore_cycles_json(&results->lcores->of[i]));
	return lcores;
}

static json_t *
csum_json(const struct results *results)
{
	struct stream_counters sum = streams_total(results->run->watch.streams);

	if (results->options->mode != &fwd_csum)
		return json_null();
	return json_pack("{s:I, s:I}", "bad_ip", (json_int_t)sum.bad_ip_csum, "bad_l4",
			 (json_int_t)sum.bad_l4_csum);
}

static json_t *
mbufs_json(const struct results *results, uint32_t missing)
{
	return results->mbufs_counted ? json_integer(missing) : json_null();
}

static json_t *
results_json(const struct results *results)
{
	json_t *document = json_pack(
		"{s:i, s:s, s:s, s:o, s:I, s:o, s:f, s:s, s:o, s:o, s:o, s:o, s:o}", "schema",
		JSON_SCHEMA, "program", "vio-testpmd", "dpdk_version", rte_version(), "cpu_model",
		cpu_model(), "tsc_hz", (json_int_t)rte_get_tsc_hz(), "options",
		options_json(results->options), "duration", results->run->seconds, "ended_by",
		run_end_text(results->run->end), "forward", forward_json(results), "cycles",
		cycles_json(results), "ports", ports_json(results), "mbufs_missing",
		mbufs_json(results, results->mbufs_missing), "mbufs_missing_closed",
		mbufs_json(results, results->mbufs_missing_closed));

	if (document == NULL)
		return NULL;
	json_object_set_new(document, "version", json_string(VIO_VERSION));
	json_object_set_new(document, "csum", csum_json(results));
	json_object_set_new(document, "verify", json_verify(results));
	json_object_set_new(document, "runs", json_bench_runs(results->bench));
	json_object_set_new(document, "summary", json_bench_summary(results->bench));
	json_object_set_new(document, "search", json_search(results->search));
	return document;
}

static bool
dump_to(FILE *file, json_t *document)
{
	bool written = file != NULL && json_dumpf(document, file, JSON_INDENT(2)) == 0 &&
		       fputc('\n', file) != EOF && fflush(file) == 0;

	if (file == NULL)
		return false;
	return fclose(file) == 0 && written;
}

/* A device or a pipe cannot be replaced by a file. */
static bool
is_special(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && !S_ISREG(status.st_mode);
}

static bool
write_document(const char *path, json_t *document)
{
	char temporary[PATH_MAX];
	int error;

	if (is_special(path))
		return dump_to(fopen(path, "w"), document);
	if ((size_t)snprintf(temporary, sizeof(temporary), "%s.%d.part", path, (int)getpid()) >=
	    sizeof(temporary)) {
		errno = ENAMETOOLONG;
		return false;
	}
	if (dump_to(fopen(temporary, "w"), document) && rename(temporary, path) == 0)
		return true;
	error = errno;
	unlink(temporary);
	errno = error;
	return false;
}

bool
json_write(const char *path, const struct results *results)
{
	json_t *document = results_json(results);
	bool written;

	if (document == NULL) {
		msg_error("--json %s: out of memory, or a driver's text is no UTF-8", path);
		return false;
	}
	written = write_document(path, document);
	if (!written) {
		msg_error("--json %s: %s", path, strerror(errno));
		msg_hint("check that the folder is there and has room");
	}
	json_decref(document);
	return written;
}
