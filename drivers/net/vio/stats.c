/* SPDX-License-Identifier: BSD-3-Clause */
/* Counters: ethdev's basic ones, and one xstat for each counter of each queue. */
#include <inttypes.h>

#include "port.h"

struct counter {
	const char *name; /* after rx_qN_ or tx_qN_ */
	size_t offset;
};

#define RX(name, field)                                    \
	{                                                  \
		name, offsetof(struct vio_rx_stats, field) \
	}
#define TX(name, field)                                    \
	{                                                  \
		name, offsetof(struct vio_tx_stats, field) \
	}

static const struct counter rx_counters[] = {
	RX("good_packets", packets),
	RX("good_bytes", bytes),
	RX("errors", errors),
	RX("kicks", kicks),
	RX("multi_segment_packets", multi_segment),
	RX("no_mbuf", no_mbuf),
	RX("drop_short", drop_short),
	RX("drop_length", drop_length),
	RX("drop_num_buffers", drop_num_buffers),
	RX("drop_csum", drop_csum),
	RX("vlan_stripped_packets", vlan_stripped),
	RX("bad_hash_packets", bad_hash),
	RX("broken", broken),
};

static const struct counter tx_counters[] = {
	TX("good_packets", packets),
	TX("good_bytes", bytes),
	TX("kicks", kicks),
	TX("full_bursts", full),
	TX("multi_segment_packets", multi_segment),
	TX("header_apart_packets", header_apart),
	TX("drop_segments", drop_segments),
	TX("broken", broken),
};

int
vio_stats_get(struct rte_eth_dev *dev, struct rte_eth_stats *stats)
{
	for (uint16_t i = 0; i < dev->data->nb_rx_queues; i++) {
		const struct vio_rxq *q = dev->data->rx_queues[i];

		if (q == NULL)
			continue;
		stats->ipackets += q->stats.packets;
		stats->ibytes += q->stats.bytes;
		stats->ierrors += q->stats.errors;
		if (i < RTE_ETHDEV_QUEUE_STAT_CNTRS) {
			stats->q_ipackets[i] = q->stats.packets;
			stats->q_ibytes[i] = q->stats.bytes;
			stats->q_errors[i] = q->stats.errors;
		}
	}
	for (uint16_t i = 0; i < dev->data->nb_tx_queues; i++) {
		const struct vio_txq *q = dev->data->tx_queues[i];

		if (q == NULL)
			continue;
		stats->opackets += q->stats.packets;
		stats->obytes += q->stats.bytes;
		stats->oerrors += q->stats.drop_segments;
		if (i < RTE_ETHDEV_QUEUE_STAT_CNTRS) {
			stats->q_opackets[i] = q->stats.packets;
			stats->q_obytes[i] = q->stats.bytes;
		}
	}
	stats->rx_nombuf = dev->data->rx_mbuf_alloc_failed;
	return 0;
}

int
vio_stats_reset(struct rte_eth_dev *dev)
{
	for (uint16_t i = 0; i < dev->data->nb_rx_queues; i++) {
		struct vio_rxq *q = dev->data->rx_queues[i];

		if (q != NULL)
			memset(&q->stats, 0, sizeof(q->stats));
	}
	for (uint16_t i = 0; i < dev->data->nb_tx_queues; i++) {
		struct vio_txq *q = dev->data->tx_queues[i];

		if (q != NULL)
			memset(&q->stats, 0, sizeof(q->stats));
	}
	dev->data->rx_mbuf_alloc_failed = 0;
	return 0;
}

static unsigned
xstats_count(const struct rte_eth_dev *dev)
{
	return dev->data->nb_rx_queues * RTE_DIM(rx_counters) +
	       dev->data->nb_tx_queues * RTE_DIM(tx_counters);
}

static uint64_t
counter_value(const void *stats, const struct counter *counter)
{
	return stats == NULL ? 0 : *(const uint64_t *)RTE_PTR_ADD(stats, counter->offset);
}

int
vio_xstats_get(struct rte_eth_dev *dev, struct rte_eth_xstat *xstats, unsigned n)
{
	unsigned at = 0;

	if (n < xstats_count(dev))
		return xstats_count(dev);
	for (uint16_t i = 0; i < dev->data->nb_rx_queues; i++) {
		const struct vio_rxq *q = dev->data->rx_queues[i];

		for (size_t c = 0; c < RTE_DIM(rx_counters); c++, at++) {
			xstats[at].id = at;
			xstats[at].value = counter_value(q ? &q->stats : NULL, &rx_counters[c]);
		}
	}
	for (uint16_t i = 0; i < dev->data->nb_tx_queues; i++) {
		const struct vio_txq *q = dev->data->tx_queues[i];

		for (size_t c = 0; c < RTE_DIM(tx_counters); c++, at++) {
			xstats[at].id = at;
			xstats[at].value = counter_value(q ? &q->stats : NULL, &tx_counters[c]);
		}
	}
	return at;
}

static unsigned
put_names(struct rte_eth_xstat_name *names, const char *kind, uint16_t queues,
	  const struct counter *counters, size_t n)
{
	unsigned at = 0;

	for (uint16_t i = 0; i < queues; i++)
		for (size_t c = 0; c < n; c++)
			snprintf(names[at++].name, sizeof(names->name), "%s_q%u_%s", kind, i,
				 counters[c].name);
	return at;
}

int
vio_xstats_get_names(struct rte_eth_dev *dev, struct rte_eth_xstat_name *names, unsigned n)
{
	unsigned at;

	if (names == NULL || n < xstats_count(dev))
		return xstats_count(dev);
	at = put_names(names, "rx", dev->data->nb_rx_queues, rx_counters, RTE_DIM(rx_counters));
	at += put_names(names + at, "tx", dev->data->nb_tx_queues, tx_counters,
			RTE_DIM(tx_counters));
	return at;
}
