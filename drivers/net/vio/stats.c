/* SPDX-License-Identifier: BSD-3-Clause */
/* Counters: ethdev's basic ones, and one xstat for each counter of each queue and of the port. */
#include <inttypes.h>

#include "look.h"
#include "port.h"

struct counter {
	const char *name; /* after rx_qN_ or tx_qN_, where it is a queue's */
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
	RX("drop_csum", drop_header[VIO_RX_BAD_CSUM]),
	RX("drop_gso_type", drop_header[VIO_RX_BAD_GSO_TYPE]),
	RX("drop_gso_size", drop_header[VIO_RX_BAD_GSO_SIZE]),
	RX("drop_hdr_len", drop_header[VIO_RX_BAD_HDR_LEN]),
	RX("lro_packets", lro),
	RX("vlan_stripped_packets", vlan_stripped),
	RX("bad_hash_packets", bad_hash),
	RX("drop_recovery", drop_recovery),
	RX("broken", broken),
	RX("broken_id_range", broken_by[VQ_ERR_ID_RANGE]),
	RX("broken_id_not_in_flight", broken_by[VQ_ERR_ID_NOT_IN_FLIGHT]),
	RX("broken_index_jump", broken_by[VQ_ERR_INDEX_JUMP]),
	RX("broken_order", broken_by[VQ_ERR_ORDER]),
};

static const struct counter tx_counters[] = {
	TX("good_packets", packets),
	TX("good_bytes", bytes),
	TX("kicks", kicks),
	TX("full_bursts", full),
	TX("multi_segment_packets", multi_segment),
	TX("header_apart_packets", header_apart),
	TX("drop_segments", drop_segments),
	TX("drop_mtu", drop_mtu),
	TX("drop_offload", drop_offload),
	TX("drop_recovery", drop_recovery),
	TX("broken", broken),
	TX("broken_id_range", broken_by[VQ_ERR_ID_RANGE]),
	TX("broken_id_not_in_flight", broken_by[VQ_ERR_ID_NOT_IN_FLIGHT]),
	TX("broken_index_jump", broken_by[VQ_ERR_INDEX_JUMP]),
	TX("broken_order", broken_by[VQ_ERR_ORDER]),
};

#define PORT(name, field)                              \
	{                                              \
		name, offsetof(struct vio_port, field) \
	}

static const struct counter port_counters[] = {
	PORT("recoveries", recovery.recoveries),
	PORT("recovery_failures", recovery.failures),
	PORT("recovery_restart_failed", recovery.causes[VIO_CAUSE_RESTART]),
	PORT("recovery_broken_queue", recovery.causes[VIO_CAUSE_QUEUE]),
	PORT("recovery_control_queue", recovery.causes[VIO_CAUSE_CONTROL]),
	PORT("recovery_needs_reset", recovery.causes[VIO_CAUSE_NEEDS_RESET]),
	PORT("recovery_peer_gone", recovery.causes[VIO_CAUSE_PEER]),
	PORT("recovery_unplugged", recovery.causes[VIO_CAUSE_UNPLUGGED]),
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
		stats->imissed += q->stats.drop_recovery;
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
		stats->oerrors += q->stats.drop_segments + q->stats.drop_recovery +
				  q->stats.drop_mtu + q->stats.drop_offload;
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
	for (size_t c = 0; c < RTE_DIM(port_counters); c++)
		*(uint64_t *)RTE_PTR_ADD(vio_port(dev), port_counters[c].offset) = 0;
	dev->data->rx_mbuf_alloc_failed = 0;
	vio_device_stats_reset(dev);
	return 0;
}

static unsigned
xstats_count(const struct rte_eth_dev *dev, uint64_t types)
{
	return dev->data->nb_rx_queues * RTE_DIM(rx_counters) +
	       dev->data->nb_tx_queues * RTE_DIM(tx_counters) + RTE_DIM(port_counters) +
	       vio_device_stats_count(dev, types);
}

static uint64_t
counter_value(const void *stats, const struct counter *counter)
{
	return stats == NULL ? 0 : *(const uint64_t *)RTE_PTR_ADD(stats, counter->offset);
}

const char *
vio_rx_counter(const struct rte_eth_dev *dev, uint16_t id, size_t i, uint64_t *value)
{
	const struct vio_rxq *q = __atomic_load_n(&vio_port(dev)->known_rx[id], __ATOMIC_ACQUIRE);

	if (q == NULL || i >= RTE_DIM(rx_counters))
		return NULL;
	*value = counter_value(&q->stats, &rx_counters[i]);
	return rx_counters[i].name;
}

const char *
vio_tx_counter(const struct rte_eth_dev *dev, uint16_t id, size_t i, uint64_t *value)
{
	const struct vio_txq *q = __atomic_load_n(&vio_port(dev)->known_tx[id], __ATOMIC_ACQUIRE);

	if (q == NULL || i >= RTE_DIM(tx_counters))
		return NULL;
	*value = counter_value(&q->stats, &tx_counters[i]);
	return tx_counters[i].name;
}

const char *
vio_port_counter(const struct rte_eth_dev *dev, size_t i, uint64_t *value)
{
	if (i >= RTE_DIM(port_counters))
		return NULL;
	*value = counter_value(vio_port(dev), &port_counters[i]);
	return port_counters[i].name;
}

int
vio_xstats_get(struct rte_eth_dev *dev, struct rte_eth_xstat *xstats, unsigned n)
{
	uint64_t types = vio_device_stats_types(dev);
	unsigned at = 0;

	if (n < xstats_count(dev, types))
		return xstats_count(dev, types);
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
	for (size_t c = 0; c < RTE_DIM(port_counters); c++, at++) {
		xstats[at].id = at;
		xstats[at].value = counter_value(vio_port(dev), &port_counters[c]);
	}
	return at + vio_device_stats_get(dev, types, xstats + at, at);
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
	uint64_t types = vio_device_stats_types(dev);
	unsigned at;

	if (names == NULL || n < xstats_count(dev, types))
		return xstats_count(dev, types);
	at = put_names(names, "rx", dev->data->nb_rx_queues, rx_counters, RTE_DIM(rx_counters));
	at += put_names(names + at, "tx", dev->data->nb_tx_queues, tx_counters,
			RTE_DIM(tx_counters));
	for (size_t c = 0; c < RTE_DIM(port_counters); c++)
		snprintf(names[at++].name, sizeof(names->name), "%s", port_counters[c].name);
	return at + vio_device_stats_names(dev, types, names + at);
}
