/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device's own counters (spec 5.1.6.5.10): asked for by control commands whenever somebody
 * reads xstats, so that the packet path knows nothing of them.
 *
 * They are shown as the device tells them. It alone knows whether they go on after a reset.
 */
#include "device_stats.h"

#include <endian.h>
#include <errno.h>

#include "device_stats_kinds.h"
#include "log.h"
#include "port.h"

static uint64_t
all_types(const struct vio_stat_kind *kind, uint64_t features)
{
	uint64_t types = 0;

	for (uint8_t i = 0; i < kind->n; i++)
		if (kind->types[i].any == 0 || kind->types[i].any & features)
			types |= UINT64_C(1) << kind->types[i].bit;
	return types;
}

static uint16_t
reply_len(const struct vio_stat_type *type)
{
	return sizeof(struct vio_net_stats_reply) + type->n * sizeof(uint64_t);
}

static void
begin_anew(struct vio_device_counters *counters)
{
	memset(counters->from, 0, sizeof(counters->from));
	counters->refused = false;
}

/* The device may have begun anew itself. */
static void
forget_resets(struct vio_port *port)
{
	const struct rte_eth_dev_data *data = port->dev->data;

	for (uint16_t i = 0; i < data->nb_rx_queues; i++) {
		struct vio_rxq *q = data->rx_queues[i];

		begin_anew(&q->device_counters);
	}
	for (uint16_t i = 0; i < data->nb_tx_queues; i++) {
		struct vio_txq *q = data->tx_queues[i];

		begin_anew(&q->device_counters);
	}
	begin_anew(&port->device_stats.ctrl);
}

int
vio_device_stats_restore(struct vio_port *port)
{
	struct vio_device_stats *stats = &port->device_stats;
	uint64_t known, found;
	const struct vio_ctrl_command c = {
		.what = "which statistics there are",
		.class = VIO_NET_CTRL_STATS,
		.command = VIO_NET_CTRL_STATS_QUERY,
		.result = &found,
		.result_len = sizeof(found),
	};
	int ret = -ENOTSUP;

	found = 0;
	if (vio_has(port->features, VIRTIO_NET_F_DEVICE_STATS))
		ret = vio_ctrl_run(port, &c);
	forget_resets(port);
	known = all_types(&vio_stats_receive, port->features) |
		all_types(&vio_stats_transmit, port->features) |
		all_types(&vio_stats_control, port->features);
	stats->asked = ret == 0 ? le64toh(found) & known : 0;
	if (port->recovery.on)
		stats->asked &= stats->types;
	else
		__atomic_store_n(&stats->types, stats->asked, __ATOMIC_RELAXED);
	stats->told = false;
	/* Nobody needs them to receive or send. */
	return ret == -ETIMEDOUT ? ret : 0;
}

/* A question to a virtqueue, and where the answers go. */
struct question {
	const struct vio_stat_kind *kind;
	uint16_t index;
	uint64_t types;
	struct vio_device_counters *counters;
};

/* One reply of size bytes, its header's included. Returns the bit of its type, or 0 where it is no
 * answer to the question. */
static uint64_t
take_reply(const struct question *q, const uint8_t *reply, uint16_t size)
{
	struct vio_net_stats_reply hdr;

	memcpy(&hdr, reply, sizeof(hdr));
	for (uint8_t i = 0; i < q->kind->n; i++) {
		const struct vio_stat_type *type = &q->kind->types[i];

		if (type->bit != hdr.type || !vio_has_stat_type(q->types, type) ||
		    le16toh(hdr.vq_index) != q->index || size < reply_len(type))
			continue;
		for (uint8_t c = 0; c < type->n; c++) {
			uint64_t value;

			memcpy(&value, reply + sizeof(hdr) + c * sizeof(value), sizeof(value));
			q->counters->now[type->at + c] = le64toh(value);
		}
		return UINT64_C(1) << type->bit;
	}
	return 0;
}

/* Replies stand one behind the other, each as long as it says (NETCTRL-STATS-05). result is the
 * driver's own copy. Returns the types that were answered. */
static uint64_t
take_replies(const struct question *q, const uint8_t *result, uint16_t len)
{
	uint64_t answered = 0;
	uint16_t size;

	for (uint16_t at = 0; len - at >= (int)sizeof(struct vio_net_stats_reply); at += size) {
		memcpy(&size, result + at + offsetof(struct vio_net_stats_reply, size),
		       sizeof(size));
		size = le16toh(size);
		if (size < sizeof(struct vio_net_stats_reply) || size > len - at)
			break;
		answered |= take_reply(q, result + at, size);
	}
	return answered;
}

/* Once with room for all that is known; where something is missing, a later device may tell more of
 * each, and there is all the room that can be had (NETCTRL-STATS-04). */
static int
ask(struct vio_port *port, const struct question *q)
{
	const struct vio_net_stats_get get = {
		.vq_index = htole16(q->index),
		.types = htole64(q->types),
	};
	uint8_t result[VIO_CTRL_RESULT_MAX];
	struct vio_ctrl_command c = {
		.what = "statistics of a virtqueue",
		.class = VIO_NET_CTRL_STATS,
		.command = VIO_NET_CTRL_STATS_GET,
		.data = &get,
		.len = sizeof(get),
		.result = result,
	};
	int ret;

	for (uint8_t i = 0; i < q->kind->n; i++)
		if (vio_has_stat_type(q->types, &q->kind->types[i]))
			c.result_len += reply_len(&q->kind->types[i]);
	for (unsigned tries = 0; tries < 2; tries++) {
		ret = vio_ctrl_run(port, &c);
		if (ret < 0)
			return ret;
		if (take_replies(q, result, c.result_len) == q->types)
			return 0;
		c.result_len = sizeof(result);
	}
	if (!port->device_stats.told)
		PORT_LOG(port, WARNING,
			 "virtqueue %u: the device does not tell all the statistics that it says "
			 "it has; some device_* stand still",
			 q->index);
	port->device_stats.told = true;
	return 0;
}

static int
ask_kind(struct vio_port *port, const struct vio_stat_kind *kind, uint16_t index,
	 struct vio_device_counters *counters)
{
	const struct question q = {
		.kind = kind,
		.index = index,
		.types = port->device_stats.asked & all_types(kind, port->features),
		.counters = counters,
	};

	int ret;

	if (q.types == 0 || counters->refused)
		return 0;
	ret = ask(port, &q);
	if (ret != -EIO)
		return ret;
	counters->refused = true;
	PORT_LOG(port, WARNING,
		 "virtqueue %u: the device does not tell its statistics: its device_* stand still "
		 "until the port is started again, or recovers",
		 index);
	return 0;
}

static int
ask_each(struct vio_port *port)
{
	const struct rte_eth_dev_data *data = port->dev->data;
	int ret = 0;

	for (uint16_t i = 0; i < data->nb_rx_queues && ret == 0; i++) {
		struct vio_rxq *q = data->rx_queues[i];

		ret = ask_kind(port, &vio_stats_receive, VIO_NET_RXQ(i), &q->device_counters);
	}
	for (uint16_t i = 0; i < data->nb_tx_queues && ret == 0; i++) {
		struct vio_txq *q = data->tx_queues[i];

		ret = ask_kind(port, &vio_stats_transmit, VIO_NET_TXQ(i), &q->device_counters);
	}
	if (ret == 0)
		ret = ask_kind(port, &vio_stats_control, vio_ctrl_index(port),
			       &port->device_stats.ctrl);
	return ret;
}

static int
ask_all(struct vio_port *port)
{
	int ret;

	vio_ctrl_begin_many(port);
	ret = ask_each(port);
	vio_ctrl_end_many(port);
	return ret;
}

/* Where the lock is taken, somebody is at work on the port, maybe for long: whoever reads counters
 * does not wait for that. */
void
vio_device_stats_refresh(struct vio_port *port)
{
	if (vio_in_secondary || pthread_mutex_trylock(&port->lock) != 0)
		return;
	if (port->ctrl.live && port->device_stats.asked != 0 && ask_all(port) < 0) {
		PORT_LOG(port, WARNING,
			 "the device does not tell its statistics: device_* stand still until the "
			 "port is started again");
		port->device_stats.asked = 0;
	}
	pthread_mutex_unlock(&port->lock);
}
