/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include <rte_string_fns.h>

#include "fwd.h"
#include "msg.h"
#include "results.h"

static void
gather_rx_queues(struct port_result *result)
{
	const struct port *port = result->port;
	struct rte_eth_rxq_info info;

	for (uint16_t queue = 0; queue < port->nb_rxq; queue++) {
		struct queue_result *rx = &result->rx[queue];

		rx->ring = port->rxd;
		if (result->gone)
			continue;
		if (rte_eth_rx_queue_info_get(port->id, queue, &info) == 0)
			rx->ring = info.nb_desc;
		rx->has_mode = rte_eth_rx_burst_mode_get(port->id, queue, &rx->mode) == 0;
	}
}

static void
gather_tx_queues(struct port_result *result)
{
	const struct port *port = result->port;
	struct rte_eth_txq_info info;

	for (uint16_t queue = 0; queue < port->nb_txq; queue++) {
		struct queue_result *tx = &result->tx[queue];

		tx->ring = port->txd;
		if (result->gone)
			continue;
		if (rte_eth_tx_queue_info_get(port->id, queue, &info) == 0)
			tx->ring = info.nb_desc;
		tx->has_mode = rte_eth_tx_burst_mode_get(port->id, queue, &tx->mode) == 0;
	}
}

/* Every queue has at most one stream. */
static void
gather_streams(struct port_result *result, const struct run *run)
{
	const struct streams *streams = run->watch.streams;
	bool receives = run->options->mode->receives;

	for (uint32_t i = 0; i < streams->count; i++) {
		const struct stream *stream = &streams->of[i];
		struct stream_counters counters = stream_counters_read(stream);

		if (receives && stream->rx_port == result->port->id) {
			struct queue_result *rx = &result->rx[stream->rx_queue];

			rx->packets = counters.rx_packets;
			rx->bytes = counters.rx_bytes;
			rx->bytes_known = true;
			rx->fill = stream->fill == NULL ? NULL : stream->fill->rx;
		}
		if (stream->tx_port == result->port->id &&
		    stream->tx_queue < result->port->nb_txq) {
			struct queue_result *tx = &result->tx[stream->tx_queue];

			tx->packets = counters.tx_packets;
			tx->bytes = counters.tx_bytes;
			tx->bytes_known = true;
			tx->dropped = counters.tx_dropped;
			tx->no_mbufs = counters.no_mbufs;
			tx->fill = stream->fill == NULL ? NULL : stream->fill->tx;
		}
	}
}

/*
 * The bytes of one way's queues by the driver's counters: by queue where it has those and they
 * account for all, else by port where that has one queue.
 */
static void
take_bytes(struct queue_result *queues, uint16_t count, uint64_t port_packets, uint64_t port_bytes,
	   const uint64_t *by_queue)
{
	uint64_t sum = 0;
	bool by_port;

	for (uint16_t i = 0; i < RTE_ETHDEV_QUEUE_STAT_CNTRS; i++)
		sum += by_queue[i];
	by_port = count == 1 && (port_bytes > 0 || port_packets == 0);
	for (uint16_t i = 0; i < count; i++) {
		bool told = i < RTE_ETHDEV_QUEUE_STAT_CNTRS && sum > 0 && sum == port_bytes;

		queues[i].bytes = by_port ? port_bytes : told ? by_queue[i] : 0;
		queues[i].bytes_known = by_port || told || queues[i].packets == 0;
	}
}

static void
gather_bytes(struct port_result *result)
{
	const struct rte_eth_stats *stats = &result->stats;

	take_bytes(result->rx, result->port->nb_rxq, stats->ipackets, stats->ibytes,
		   stats->q_ibytes);
	take_bytes(result->tx, result->port->nb_txq, stats->opackets, stats->obytes,
		   stats->q_obytes);
}

static void
gather_xstats(struct port_result *result)
{
	uint16_t id = result->port->id;
	int count = rte_eth_xstats_get_names(id, NULL, 0);
	struct rte_eth_xstat_name *names;
	struct rte_eth_xstat *values;

	if (count <= 0)
		return;
	names = calloc(count, sizeof(*names));
	values = calloc(count, sizeof(*values));
	result->xstats = calloc(count, sizeof(*result->xstats));
	if (names == NULL || values == NULL || result->xstats == NULL ||
	    rte_eth_xstats_get_names(id, names, count) != count)
		goto out;
	count = RTE_MIN(count, rte_eth_xstats_get(id, values, count));
	for (int i = 0; i < count; i++) {
		struct xstat_result *xstat = &result->xstats[result->xstats_count];

		if (values[i].value == 0)
			continue;
		strlcpy(xstat->name, names[values[i].id].name, sizeof(xstat->name));
		xstat->value = values[i].value;
		result->xstats_count++;
	}
out:
	free(names);
	free(values);
}

static void
gather_dump(struct port_result *result)
{
	size_t size = 0;
	FILE *stream = open_memstream(&result->dump, &size);
	int ret;

	if (stream == NULL)
		return;
	ret = rte_eth_dev_priv_dump(result->port->id, stream);
	fclose(stream);
	if (ret == 0)
		return;
	free(result->dump);
	result->dump = NULL;
}

static bool
gather_port(struct port_result *result, const struct port *port, const struct run *run)
{
	result->port = port;
	result->gone = port_is_gone(port);
	/* One more than needed: 0 queues one way are no failure. */
	result->rx = calloc(port->nb_rxq + 1, sizeof(*result->rx));
	result->tx = calloc(port->nb_txq + 1, sizeof(*result->tx));
	if (result->rx == NULL || result->tx == NULL) {
		msg_error("out of memory for the results of port %u", port->id);
		return false;
	}
	gather_rx_queues(result);
	gather_tx_queues(result);
	gather_streams(result, run);
	if (!result->gone)
		result->has_stats = port_stats(port, &result->stats);
	if (run->options->mode->bytes_from_driver)
		gather_bytes(result);
	if (result->gone)
		return true;
	rte_eth_link_get_nowait(port->id, &result->link);
	rte_eth_dev_get_mtu(port->id, &result->mtu);
	gather_xstats(result);
	gather_dump(result);
	return true;
}

static void
add_port(struct results *results, const struct port_result *result)
{
	struct stream_counters *all = &results->all;

	for (uint16_t i = 0; i < result->port->nb_rxq; i++) {
		all->rx_packets += result->rx[i].packets;
		all->rx_bytes += result->rx[i].bytes;
		if (result->rx[i].packets > 0 && !result->rx[i].bytes_known)
			results->rx_bytes_known = false;
	}
	for (uint16_t i = 0; i < result->port->nb_txq; i++) {
		all->tx_packets += result->tx[i].packets;
		all->tx_bytes += result->tx[i].bytes;
		all->tx_dropped += result->tx[i].dropped;
		if (result->tx[i].packets > 0 && !result->tx[i].bytes_known)
			results->tx_bytes_known = false;
	}
}

bool
results_gather(struct results *results, const struct run *run)
{
	const struct ports *ports = run->watch.ports;

	*results = (struct results){
		.options = run->options,
		.run = run,
		.lcores = run->lcores,
		.ports = calloc(ports->count, sizeof(*results->ports)),
		.ports_count = ports->count,
		.rx_bytes_known = true,
		.tx_bytes_known = true,
	};
	if (results->ports == NULL) {
		msg_error("out of memory for the results of %u ports", ports->count);
		return false;
	}
	for (uint16_t i = 0; i < ports->count; i++) {
		if (!gather_port(&results->ports[i], &ports->of[i], run))
			return false;
		add_port(results, &results->ports[i]);
	}
	if (run->options->mode != &fwd_verify)
		return true;
	results->has_verify = verify_result_gather(&results->verify, run->watch.streams, ports);
	return results->has_verify;
}

void
results_free(struct results *results)
{
	for (uint16_t i = 0; results->ports != NULL && i < results->ports_count; i++) {
		free(results->ports[i].rx);
		free(results->ports[i].tx);
		free(results->ports[i].xstats);
		free(results->ports[i].dump);
	}
	free(results->ports);
	verify_result_free(&results->verify);
	*results = (struct results){ 0 };
}
