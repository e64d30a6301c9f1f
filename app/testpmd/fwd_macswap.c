/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_ether.h>

#include "fwd.h"
#include "fwd_each.h"

static inline void
swap_addresses(struct stream *stream, struct rte_mbuf *packet)
{
	struct rte_ether_hdr *ether = rte_pktmbuf_mtod(packet, struct rte_ether_hdr *);
	struct rte_ether_addr destination = ether->dst_addr;

	RTE_SET_USED(stream);
	ether->dst_addr = ether->src_addr;
	ether->src_addr = destination;
}

static uint16_t
run(struct stream *stream)
{
	return fwd_each(stream, swap_addresses);
}

const struct fwd_mode fwd_macswap = {
	.name = "macswap",
	.help = "swap source and destination address, send on",
	.receives = true,
	.sends = true,
	.run = run,
};
