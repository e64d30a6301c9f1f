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
			rx->fill = stream->fill == NULL ? NULL : stream->fill->rx;
		}
		if (stream->tx_port == result->port->id &&
		    stream->tx_queue < result->port->nb_txq) {
			struct queue_result *tx = &result->tx[stream->tx_queue];

			tx->packets = counters.tx_packets;
			tx->bytes = counters.tx_bytes;
			tx->dropped = counters.tx_dropped;
			tx->no_mbufs = counters.no_mbufs;
			tx->fill = stream->fill == NULL ? NULL : stream->fill->tx;
		}
	}
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
	if (result->gone)
		return true;
	rte_eth_link_get_nowait(port->id, &result->link);
	rte_eth_dev_get_mtu(port->id, &result->mtu);
	result->has_stats = rte_eth_stats_get(port->id, &result->stats) == 0;
	gather_xstats(result);
	gather_dump(result);
	return true;
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
	};
	if (results->ports == NULL) {
		msg_error("out of memory for the results of %u ports", ports->count);
		return false;
	}
	for (uint16_t i = 0; i < ports->count; i++)
		if (!gather_port(&results->ports[i], &ports->of[i], run))
			return false;
	return true;
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
	*results = (struct results){ 0 };
}
