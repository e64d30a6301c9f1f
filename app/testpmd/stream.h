/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_STREAM_H
#define TESTPMD_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_branch_prediction.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "frame.h"
#include "options.h"

/* How many bursts had how many packets. */
struct burst_fill {
	uint64_t rx[MAX_BURST + 1];
	uint64_t tx[MAX_BURST + 1];
};

/* Written by the polling lcore alone, read by the main one while it runs. */
struct stream_counters {
	uint64_t rx_packets, rx_bytes;
	uint64_t tx_packets, tx_bytes;
	uint64_t tx_dropped; /* packets that the driver did not accept */
	uint64_t no_mbufs;   /* turns in which the pool had none */
};

/* One receive queue, one transmit queue, polled by one lcore. */
struct stream {
	_Alignas(RTE_CACHE_LINE_SIZE) uint16_t rx_port;
	uint16_t rx_queue;
	uint16_t tx_port, tx_queue;
	uint16_t burst;          /* packets to ask for; the polling lcore lowers it near the end */
	bool disabled;           /* a port of it is gone; set by the thread that learns it */
	struct burst_fill *fill; /* NULL unless recorded */
	const struct frame *frame; /* NULL unless the stream makes frames */
	struct stream_counters counters;
};

/* A burst on its way through a forward mode. */
struct burst {
	struct rte_mbuf *packets[MAX_BURST];
	uint64_t bytes;
	uint16_t count;
};

/* No lock prefix: there is one writer. Atomic for the reader's sake only. */
static inline void
counter_add(uint64_t *counter, uint64_t amount)
{
	__atomic_store_n(counter, *counter + amount, __ATOMIC_RELAXED);
}

/*
 * Eight at a turn, in four sums: a plain loop costs 1 cycle per packet more, in a mode that costs
 * about 20. A burst's bytes fit into 32 bits.
 */
static inline uint32_t
packets_bytes(struct rte_mbuf *const *packets, uint16_t count)
{
	struct rte_mbuf *const *const end = packets + count;
	uint32_t bytes[4] = { 0 };

	for (; packets + 8 <= end; packets += 8)
		for (unsigned int lane = 0; lane < 8; lane++)
			bytes[lane % 4] += packets[lane]->pkt_len;
	for (; packets < end; packets++)
		bytes[0] += packets[0]->pkt_len;
	return bytes[0] + bytes[1] + bytes[2] + bytes[3];
}

/* Receives a burst. Returns its size, 0 when nothing was there. */
static inline uint16_t
stream_receive(struct stream *stream, struct burst *burst)
{
	uint16_t count = rte_eth_rx_burst(stream->rx_port, stream->rx_queue, burst->packets,
					  stream->burst);

	burst->count = count;
	if (unlikely(stream->fill != NULL))
		stream->fill->rx[count]++;
	if (count == 0)
		return 0;
	burst->bytes = packets_bytes(burst->packets, count);
	counter_add(&stream->counters.rx_packets, count);
	counter_add(&stream->counters.rx_bytes, burst->bytes);
	return count;
}

/* Sends a burst and frees what the driver does not take. Returns how many it took. */
static inline uint16_t
stream_send(struct stream *stream, struct burst *burst)
{
	uint16_t sent = rte_eth_tx_burst(stream->tx_port, stream->tx_queue, burst->packets,
					 burst->count);

	if (unlikely(stream->fill != NULL))
		stream->fill->tx[sent]++;
	if (unlikely(sent < burst->count)) {
		burst->bytes -= packets_bytes(burst->packets + sent, burst->count - sent);
		counter_add(&stream->counters.tx_dropped, burst->count - sent);
		rte_pktmbuf_free_bulk(burst->packets + sent, burst->count - sent);
	}
	counter_add(&stream->counters.tx_packets, sent);
	counter_add(&stream->counters.tx_bytes, burst->bytes);
	return sent;
}

#endif
