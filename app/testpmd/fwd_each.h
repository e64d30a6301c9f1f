/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_FWD_EACH_H
#define TESTPMD_FWD_EACH_H

#include <rte_prefetch.h>

#include "stream.h"

/* How far ahead the headers are fetched, in packets. */
#define FETCH_AHEAD 4

/* Receives a burst, edits each packet where it lies, sends it on. Returns the burst's size. */
static inline __attribute__((always_inline)) uint16_t
fwd_each(struct stream *stream, void (*const edit)(struct stream *, struct rte_mbuf *))
{
	struct burst burst;

	if (stream_receive(stream, &burst) == 0)
		return 0;
	for (uint16_t i = 0; i < burst.count; i++) {
		if (i + FETCH_AHEAD < burst.count)
			rte_prefetch0(rte_pktmbuf_mtod(burst.packets[i + FETCH_AHEAD], void *));
		edit(stream, burst.packets[i]);
	}
	stream_send(stream, &burst);
	return burst.count;
}

#endif
