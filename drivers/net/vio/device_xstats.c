/* SPDX-License-Identifier: BSD-3-Clause */
/* The device's own counters as xstats: device_rx_qN_*, device_tx_qN_*, device_ctrl_*. */
#include "device_stats.h"
#include "device_stats_kinds.h"
#include "port.h"

static unsigned
count_of(const struct vio_stat_kind *kind, uint64_t types)
{
	unsigned n = 0;

	for (uint8_t i = 0; i < kind->n; i++)
		if (vio_has_stat_type(types, &kind->types[i]))
			n += kind->types[i].n;
	return n;
}

uint64_t
vio_device_stats_types(const struct rte_eth_dev *dev)
{
	return __atomic_load_n(&vio_port(dev)->device_stats.types, __ATOMIC_RELAXED);
}

unsigned
vio_device_stats_count(const struct rte_eth_dev *dev, uint64_t types)
{
	return dev->data->nb_rx_queues * count_of(&vio_stats_receive, types) +
	       dev->data->nb_tx_queues * count_of(&vio_stats_transmit, types) +
	       count_of(&vio_stats_control, types);
}

/* number: of the queue; "" for the only one. */
static unsigned
put_names(struct rte_eth_xstat_name *names, const struct vio_stat_kind *kind, const char *number,
	  uint64_t types)
{
	unsigned at = 0;

	for (uint8_t i = 0; i < kind->n; i++)
		for (uint8_t c = 0;
		     vio_has_stat_type(types, &kind->types[i]) && c < kind->types[i].n; c++)
			snprintf(names[at++].name, sizeof(names->name), "device_%s%s_%s",
				 kind->prefix, number, kind->types[i].names[c]);
	return at;
}

static unsigned
put_queue_names(struct rte_eth_xstat_name *names, const struct vio_stat_kind *kind, uint16_t queues,
		uint64_t types)
{
	char number[8];
	unsigned at = 0;

	for (uint16_t i = 0; i < queues; i++) {
		snprintf(number, sizeof(number), "%u", i);
		at += put_names(names + at, kind, number, types);
	}
	return at;
}

unsigned
vio_device_stats_names(const struct rte_eth_dev *dev, uint64_t types,
		       struct rte_eth_xstat_name *names)
{
	unsigned at = put_queue_names(names, &vio_stats_receive, dev->data->nb_rx_queues, types);

	at += put_queue_names(names + at, &vio_stats_transmit, dev->data->nb_tx_queues, types);
	return at + put_names(names + at, &vio_stats_control, "", types);
}

/* counters: NULL for a queue that is not set up. */
static unsigned
put_values(struct rte_eth_xstat *xstats, unsigned id, const struct vio_stat_kind *kind,
	   uint64_t types, const struct vio_device_counters *counters)
{
	unsigned at = 0;

	for (uint8_t i = 0; i < kind->n; i++) {
		const struct vio_stat_type *type = &kind->types[i];

		for (uint8_t c = type->at; vio_has_stat_type(types, type) && c < type->at + type->n;
		     c++) {
			xstats[at].id = id + at;
			xstats[at++].value = counters == NULL
						     ? 0
						     : counters->now[c] - counters->from[c];
		}
	}
	return at;
}

unsigned
vio_device_stats_get(struct rte_eth_dev *dev, uint64_t types, struct rte_eth_xstat *xstats,
		     unsigned first_id)
{
	struct vio_port *port = vio_port(dev);
	unsigned at = 0;

	if (types == 0)
		return 0;
	vio_device_stats_refresh(port);
	for (uint16_t i = 0; i < dev->data->nb_rx_queues; i++) {
		const struct vio_rxq *q = dev->data->rx_queues[i];

		at += put_values(xstats + at, first_id + at, &vio_stats_receive, types,
				 q == NULL ? NULL : &q->device_counters);
	}
	for (uint16_t i = 0; i < dev->data->nb_tx_queues; i++) {
		const struct vio_txq *q = dev->data->tx_queues[i];

		at += put_values(xstats + at, first_id + at, &vio_stats_transmit, types,
				 q == NULL ? NULL : &q->device_counters);
	}
	return at + put_values(xstats + at, first_id + at, &vio_stats_control, types,
			       &port->device_stats.ctrl);
}

static void
begin_anew(struct vio_device_counters *counters)
{
	memcpy(counters->from, counters->now, sizeof(counters->from));
}

void
vio_device_stats_reset(struct rte_eth_dev *dev)
{
	struct vio_port *port = vio_port(dev);

	if (port->device_stats.types == 0)
		return;
	vio_device_stats_refresh(port);
	for (uint16_t i = 0; i < dev->data->nb_rx_queues; i++) {
		struct vio_rxq *q = dev->data->rx_queues[i];

		if (q != NULL)
			begin_anew(&q->device_counters);
	}
	for (uint16_t i = 0; i < dev->data->nb_tx_queues; i++) {
		struct vio_txq *q = dev->data->tx_queues[i];

		if (q != NULL)
			begin_anew(&q->device_counters);
	}
	begin_anew(&port->device_stats.ctrl);
}
