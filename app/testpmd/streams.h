/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_STREAMS_H
#define TESTPMD_STREAMS_H

#include "ports.h"
#include "stream.h"

struct streams {
	struct stream *of; /* queue by queue, and for each queue port by port */
	uint32_t count;
};

/*
 * Pairs each port's queues with those of the port that the topology names. False when out of
 * memory, which has been printed.
 */
bool streams_make(struct streams *streams, const struct ports *ports,
		  const struct options *options);
void streams_free(struct streams *streams);

/* Sends bursts from each stream, from the calling thread, before the lcores run. */
void streams_send_first(struct streams *streams, uint32_t bursts);

/* From now on no stream makes frames; those that receive go on. */
void streams_quieten(struct streams *streams);

/* Sum of what all streams received and sent. */
struct stream_counters streams_total(const struct streams *streams);

/* What all streams have counted at one port: received from it, sent or dropped to it. */
struct stream_counters streams_port_counters(const struct streams *streams, uint16_t port);

/* Ends the polling of every stream that a port is part of. Any thread may call it. */
void streams_disable(struct streams *streams, uint16_t port);

/* True when no stream is polled any more. */
bool streams_all_disabled(const struct streams *streams);

/* The figures of a stream, while it runs or after. */
struct stream_counters stream_counters_read(const struct stream *stream);

#endif
