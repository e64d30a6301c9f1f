/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_STREAM_H
#define TESTPMD_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_branch_prediction.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "frame.h"
#include "options.h"

struct verify_stream;

/* What receiving and sending are to do in a mode: constants, so that what is not costs nothing. */
enum stream_part {
	STREAM_BYTES = 1,  /* count bytes; not where the mode leaves that to the driver */
	STREAM_EXTRAS = 2, /* struct stream's extras; not where they were seen to be 0 */
	STREAM_WORK = 4,   /* the mode works on the packets between receiving and sending */
	STREAM_ALL = 7,
};

/* How many bursts had how many packets. */
struct burst_fill {
	uint64_t rx[MAX_BURST + 1];
	uint64_t tx[MAX_BURST + 1];
};

/*
 * TSC cycles of one lcore. Turns that moved packets are busy, split by where the time went; the
 * others are idle. Written by that lcore alone, read by the main one.
 */
struct cycles {
	uint64_t rx, tx, app, idle;
	uint64_t packets; /* handled in the busy turns */
	uint64_t at;      /* up to where the time is spoken for */
	struct {
		uint64_t rx, tx, app;
	} turn; /* this turn's, not yet known to be busy */
};

/* Written by the polling lcore alone, read by the main one while it runs. */
struct stream_counters {
	uint64_t rx_packets, rx_bytes;
	uint64_t tx_packets, tx_bytes;
	uint64_t tx_dropped;               /* packets that the driver did not accept */
	uint64_t no_mbufs;                 /* turns in which the pool had none */
	uint64_t bad_ip_csum, bad_l4_csum; /* as the device says; mode csum */
};

/* When the next frames are due, in TSC cycles. */
struct pace {
	double gap;  /* cycles from one frame to the next; 0: no pacing */
	double next; /* 0: not begun */
	uint16_t burst;
};

/* One receive queue, one transmit queue, polled by one lcore. */
struct stream {
	_Alignas(RTE_CACHE_LINE_SIZE) uint16_t rx_port;
	uint16_t rx_queue;
	uint16_t tx_port, tx_queue;
	uint16_t burst; /* packets to ask a driver for */
	uint16_t limit; /* packets to handle in this turn: --packets lowers it at the end */
	uint16_t aside; /* packets of this turn that --packets does not count */
	bool disabled;  /* a port of it is gone; set by the thread that learns it */
	bool quiet;     /* a mode that makes frames makes no more; set by the main lcore */
	/* What is done besides. One word, since most runs ask for none of it. */
	union {
		struct {
			bool records_fill, records_cycles;
			bool verbose;      /* set while it runs, too */
			bool inserts_vlan; /* vlan_tci, into what is sent */
		};
		uint32_t extras;
	};
	struct burst_fill *fill;   /* NULL unless recorded */
	struct cycles *cycles;     /* NULL unless recorded */
	const struct frame *frame; /* NULL unless the stream makes frames */
	struct stream_counters counters;
	struct pace pace;
	struct verify_stream *verify;    /* mode verify only */
	struct rte_ether_addr mac, peer; /* of tx_port: what modes mac and csum write */
	uint32_t flow;                   /* where the frames that flowgen varies have got to */
	uint64_t tx_offloads;            /* of tx_port, for mode csum */
	uint16_t tso_segment_size;       /* 0: none */
	uint16_t vlan_tci;
};

/* A burst on its way through a forward mode. */
struct burst {
	/* Whole lines: drivers and the mempool copy these pointers by vectors. */
	_Alignas(RTE_CACHE_LINE_SIZE) struct rte_mbuf *packets[MAX_BURST];
	uint64_t bytes; /* 0 where the mode leaves counting them to the driver */
	uint16_t count;
};

static inline uint64_t
cycles_busy(const struct cycles *cycles)
{
	return cycles->rx + cycles->tx + cycles->app;
}

/* Adds the time since the mark before to *part. */
static inline void
cycles_mark(struct cycles *cycles, uint64_t *part)
{
	uint64_t now = rte_rdtsc();

	*part += now - cycles->at;
	cycles->at = now;
}

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

/* stream.c: prints each packet of a burst, for `set verbose`. */
void stream_print_burst(const struct stream *stream, const char *way, struct rte_mbuf **packets,
			uint16_t count);

/* stream.c: asks the device for a VLAN tag on each packet, for `tx_vlan set`. */
void stream_insert_vlan(const struct stream *stream, struct rte_mbuf **packets, uint16_t count);

/*
 * Receives a burst of at most `limit` packets and counts it. The driver is always asked for a whole
 * burst: some return nothing when asked for a few; what comes beyond the limit is freed and not
 * counted. Returns the burst's size.
 */
static inline uint16_t
stream_receive_up_to(struct stream *stream, struct burst *burst, uint16_t limit,
		     const unsigned int parts)
{
	const bool extras = parts & STREAM_EXTRAS;
	uint16_t count = rte_eth_rx_burst(stream->rx_port, stream->rx_queue, burst->packets,
					  stream->burst);

	burst->bytes = 0;
	if (unlikely(count > limit)) {
		rte_pktmbuf_free_bulk(burst->packets + limit, count - limit);
		count = limit;
	}
	burst->count = count;
	if (extras && unlikely(stream->records_fill))
		counter_add(&stream->fill->rx[count], 1);
	if (extras && unlikely(stream->records_cycles))
		cycles_mark(stream->cycles, &stream->cycles->turn.rx);
	if (count == 0)
		return 0;
	if (extras && unlikely(stream->verbose))
		stream_print_burst(stream, "received", burst->packets, count);
	if (parts & STREAM_BYTES) {
		burst->bytes = packets_bytes(burst->packets, count);
		counter_add(&stream->counters.rx_bytes, burst->bytes);
	}
	counter_add(&stream->counters.rx_packets, count);
	return count;
}

static inline uint16_t
stream_receive(struct stream *stream, struct burst *burst)
{
	return stream_receive_up_to(stream, burst, stream->limit, STREAM_ALL);
}

/* Sends a burst and frees what the driver does not take. Returns how many it took. */
static inline uint16_t
stream_send_parts(struct stream *stream, struct burst *burst, const unsigned int parts)
{
	const bool extras = parts & STREAM_EXTRAS;
	uint16_t sent;

	if (extras && unlikely(stream->inserts_vlan))
		stream_insert_vlan(stream, burst->packets, burst->count);
	if (extras && unlikely(stream->verbose))
		stream_print_burst(stream, "to send", burst->packets, burst->count);
	/* A look at the clock costs about a cycle per packet. */
	if (extras && parts & STREAM_WORK && unlikely(stream->records_cycles))
		cycles_mark(stream->cycles, &stream->cycles->turn.app);
	sent = rte_eth_tx_burst(stream->tx_port, stream->tx_queue, burst->packets, burst->count);
	if (extras && unlikely(stream->records_cycles))
		cycles_mark(stream->cycles, &stream->cycles->turn.tx);
	if (extras && unlikely(stream->records_fill))
		counter_add(&stream->fill->tx[sent], 1);
	if (unlikely(sent < burst->count)) {
		if (burst->bytes != 0)
			burst->bytes -= packets_bytes(burst->packets + sent, burst->count - sent);
		counter_add(&stream->counters.tx_dropped, burst->count - sent);
		rte_pktmbuf_free_bulk(burst->packets + sent, burst->count - sent);
	}
	counter_add(&stream->counters.tx_packets, sent);
	if (parts & STREAM_BYTES && burst->bytes != 0)
		counter_add(&stream->counters.tx_bytes, burst->bytes);
	return sent;
}

static inline uint16_t
stream_send(struct stream *stream, struct burst *burst)
{
	return stream_send_parts(stream, burst, STREAM_ALL);
}

/*
 * How many frames a mode may make now: a burst at most, 0 when none is due. What is allowed is
 * taken off the schedule, whether or not the driver then accepts it.
 */
static inline uint16_t
stream_frames_due(struct stream *stream)
{
	struct pace *pace = &stream->pace;
	double now, oldest;
	uint16_t due;

	if (unlikely(__atomic_load_n(&stream->quiet, __ATOMIC_RELAXED)))
		return 0;
	if (likely(pace->gap == 0))
		return stream->limit;
	now = rte_rdtsc();
	due = RTE_MIN(pace->burst, stream->limit);
	if (pace->next == 0)
		pace->next = now;
	if (now < pace->next)
		return 0;
	/* A lcore that lost its CPU makes up for it, within bounds. */
	oldest = now - rte_get_tsc_hz() / 10.0;
	if (pace->next < oldest)
		pace->next = oldest;
	pace->next += due * pace->gap;
	return due;
}

#endif
