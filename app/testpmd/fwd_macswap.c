/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_ether.h>
#include <rte_prefetch.h>

#include "fwd.h"
#include "stream.h"

/* How far ahead the headers are fetched, in packets. */
#define AHEAD 4

static inline void
swap_addresses(struct rte_mbuf *packet)
{
	struct rte_ether_hdr *ether = rte_pktmbuf_mtod(packet, struct rte_ether_hdr *);
	struct rte_ether_addr destination = ether->dst_addr;

	ether->dst_addr = ether->src_addr;
	ether->src_addr = destination;
}

static uint16_t
run(struct stream *stream)
{
	struct burst burst;

	if (stream_receive(stream, &burst) == 0)
		return 0;
	for (uint16_t i = 0; i < burst.count; i++) {
		if (i + AHEAD < burst.count)
			rte_prefetch0(rte_pktmbuf_mtod(burst.packets[i + AHEAD], void *));
		swap_addresses(burst.packets[i]);
	}
	stream_send(stream, &burst);
	return burst.count;
}

const struct fwd_mode fwd_macswap = {
	.name = "macswap",
	.help = "swap source and destination address, send on",
	.receives = true,
	.sends = true,
	.run = run,
};
