/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <rte_malloc.h>

#include "fwd.h"
#include "msg.h"
#include "streams.h"
#include "verify.h"

/* The positions of the receiving port's partner, by topology. */
static uint16_t
partner_paired(uint16_t position, uint16_t count)
{
	/* An odd port at the end has only itself. */
	return (position ^ 1) < count ? position ^ 1 : position;
}

static uint16_t
partner_chained(uint16_t position, uint16_t count)
{
	return (position + 1) % count;
}

static uint16_t
partner_loop(uint16_t position, uint16_t count)
{
	RTE_SET_USED(count);
	return position;
}

static uint16_t (*const partner_of[])(uint16_t position, uint16_t count) = {
	[TOPOLOGY_PAIRED] = partner_paired,
	[TOPOLOGY_CHAINED] = partner_chained,
	[TOPOLOGY_LOOP] = partner_loop,
};

/* A mode that uses both ways has as many streams per port as there are queue pairs. */
static uint16_t
queues_used(const struct options *options)
{
	uint16_t queues = options->mode->receives ? options->rxq : options->txq;

	if (options->mode->receives && options->mode->sends)
		queues = RTE_MIN(options->rxq, options->txq);
	if (options->mode->receives && queues < options->rxq)
		msg_notice("--rxq %u is more than --txq %u: receive queues from %u on are not "
			   "polled",
			   options->rxq, options->txq, queues);
	return queues;
}

static bool
give_frame(struct stream *stream, const struct port *port, const struct options *options)
{
	struct frame *frame = rte_zmalloc(NULL, sizeof(*frame), RTE_CACHE_LINE_SIZE);

	if (frame == NULL)
		return false;
	frame_make(frame, &options->txpkts, &port->mac, &options->peers.of_port[port->id],
		   port->pool);
	frame->multi_flow = options->txonly_multi_flow;
	stream->frame = frame;
	return true;
}

/* Bursts of so many seconds at most: short enough not to be a load of their own. */
#define PACE_BURST_SECONDS 20e-6

static void
set_pace(struct stream *stream, const struct port *port, const struct options *options)
{
	double pps = options->rate.value / (port->nb_txq / options->num_procs);
	double at_once;

	if (options->rate.value == 0)
		return;
	if (options->rate.bits)
		pps /= tx_segments_total(&options->txpkts) * 8;
	at_once = pps * PACE_BURST_SECONDS;
	stream->pace.gap = rte_get_tsc_hz() / pps;
	stream->pace.burst = at_once < 1 ? 1 : RTE_MIN(at_once, stream->burst);
}

/* Drivers may not be called for a queue that is stopped, or when the device is gone. */
static bool
can_be_polled(const struct port *rx_port, const struct port *tx_port, uint16_t queue,
	      const struct fwd_mode *mode)
{
	bool rx_stopped = mode->receives && rx_port->rxq_stopped[queue];
	bool tx_stopped = mode->sends && tx_port->txq_stopped[queue];

	if (port_is_gone(rx_port) || port_is_gone(tx_port))
		return false;
	if (rx_stopped || tx_stopped)
		msg_notice("port %u %s queue %u is stopped: port %u queue %u is not polled",
			   rx_stopped ? rx_port->id : tx_port->id,
			   rx_stopped ? "receive" : "transmit", queue, rx_port->id, queue);
	return !rx_stopped && !tx_stopped;
}

static bool
make_stream(struct stream *stream, const struct port *rx_port, const struct port *tx_port,
	    uint16_t queue, const struct options *options)
{
	uint32_t burst = options->burst;

	if (burst == 0)
		burst = rx_port->info.default_rxportconf.burst_size;
	if (burst == 0 || burst > MAX_BURST)
		burst = 32;
	stream->rx_port = rx_port->id;
	stream->rx_queue = queue;
	stream->tx_port = tx_port->id;
	stream->tx_queue = queue;
	stream->burst = stream->limit = burst;
	stream->mac = tx_port->mac;
	stream->peer = options->peers.of_port[tx_port->id];
	stream->tx_offloads = tx_port->tx_offloads;
	stream->tso_segment_size = tx_port->tso_segment_size;
	stream->inserts_vlan = tx_port->inserts_vlan;
	stream->vlan_tci = tx_port->vlan_tci;
	stream->disabled = !can_be_polled(rx_port, tx_port, queue, options->mode);
	set_pace(stream, tx_port, options);
	if (options->record_burst_stats) {
		stream->fill = rte_zmalloc(NULL, sizeof(*stream->fill), RTE_CACHE_LINE_SIZE);
		if (stream->fill == NULL)
			return false;
		stream->records_fill = true;
	}
	return !options_make_frames(options) || give_frame(stream, tx_port, options);
}

bool
streams_make(struct streams *streams, const struct ports *ports, const struct options *options)
{
	uint16_t queues = queues_used(options) / options->num_procs;
	uint16_t first = queues * options->proc_id;
	struct stream *stream;

	if (options->mode->receives && options->mode->sends &&
	    options->topology == TOPOLOGY_PAIRED && ports->count % 2 == 1)
		msg_notice("an odd number of ports: port %u is paired with itself",
			   ports->of[ports->count - 1].id);
	streams->count = (uint32_t)queues * ports->count;
	streams->of = rte_calloc(NULL, streams->count, sizeof(*stream), RTE_CACHE_LINE_SIZE);
	stream = streams->of;
	for (uint16_t queue = 0; stream != NULL && queue < queues; queue++) {
		for (uint16_t i = 0; i < ports->count; i++) {
			uint16_t to = partner_of[options->topology](i, ports->count);

			/* A mode with one way has the same port at both ends. */
			if (!options->mode->receives || !options->mode->sends ||
			    options->mode->answers)
				to = i;
			if (!make_stream(stream++, &ports->of[i], &ports->of[to], first + queue,
					 options))
				goto no_memory;
		}
	}
	if (streams->of != NULL &&
	    (options->mode != &fwd_verify || verify_prepare(streams, options)))
		return true;
no_memory:
	msg_error("out of memory for %u streams", streams->count);
	msg_hint("give EAL more memory (-m, hugepages)");
	return false;
}

void
streams_free(struct streams *streams)
{
	if (streams->of != NULL)
		verify_free(streams);
	for (uint32_t i = 0; streams->of != NULL && i < streams->count; i++) {
		rte_free(streams->of[i].fill);
		rte_free((void *)(uintptr_t)streams->of[i].frame);
	}
	rte_free(streams->of);
	*streams = (struct streams){ 0 };
}

void
streams_send_first(struct streams *streams, uint32_t bursts)
{
	for (uint32_t n = 0; n < bursts; n++)
		for (uint32_t i = 0; i < streams->count; i++)
			if (!streams->of[i].disabled)
				fwd_txonly.run(&streams->of[i]);
}

void
streams_quieten(struct streams *streams)
{
	for (uint32_t i = 0; i < streams->count; i++)
		__atomic_store_n(&streams->of[i].quiet, true, __ATOMIC_RELAXED);
}

void
streams_disable(struct streams *streams, uint16_t port)
{
	for (uint32_t i = 0; i < streams->count; i++) {
		struct stream *stream = &streams->of[i];

		if (stream->rx_port == port || stream->tx_port == port)
			__atomic_store_n(&stream->disabled, true, __ATOMIC_RELAXED);
	}
}

bool
streams_all_disabled(const struct streams *streams)
{
	for (uint32_t i = 0; i < streams->count; i++)
		if (!__atomic_load_n(&streams->of[i].disabled, __ATOMIC_RELAXED))
			return false;
	return true;
}

static uint64_t
counter_read(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

struct stream_counters
stream_counters_read(const struct stream *stream)
{
	const struct stream_counters *counters = &stream->counters;

	return (struct stream_counters){
		.rx_packets = counter_read(&counters->rx_packets),
		.rx_bytes = counter_read(&counters->rx_bytes),
		.tx_packets = counter_read(&counters->tx_packets),
		.tx_bytes = counter_read(&counters->tx_bytes),
		.tx_dropped = counter_read(&counters->tx_dropped),
		.no_mbufs = counter_read(&counters->no_mbufs),
		.bad_ip_csum = counter_read(&counters->bad_ip_csum),
		.bad_l4_csum = counter_read(&counters->bad_l4_csum),
	};
}

struct stream_counters
streams_total(const struct streams *streams)
{
	struct stream_counters sum = { 0 };

	for (uint32_t i = 0; i < streams->count; i++) {
		struct stream_counters counters = stream_counters_read(&streams->of[i]);

		sum.rx_packets += counters.rx_packets;
		sum.rx_bytes += counters.rx_bytes;
		sum.tx_packets += counters.tx_packets;
		sum.tx_bytes += counters.tx_bytes;
		sum.tx_dropped += counters.tx_dropped;
		sum.no_mbufs += counters.no_mbufs;
		sum.bad_ip_csum += counters.bad_ip_csum;
		sum.bad_l4_csum += counters.bad_l4_csum;
	}
	return sum;
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
