/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_ether.h>

#include "fwd.h"
#include "fwd_each.h"

static inline void
write_addresses(struct stream *stream, struct rte_mbuf *packet)
{
	struct rte_ether_hdr *ether = rte_pktmbuf_mtod(packet, struct rte_ether_hdr *);

	ether->dst_addr = stream->peer;
	ether->src_addr = stream->mac;
}

static uint16_t
run(struct stream *stream)
{
	return fwd_each(stream, write_addresses);
}

const struct fwd_mode fwd_mac = {
	.name = "mac",
	.help = "write the sending port's and its peer's address, send on",
	.receives = true,
	.sends = true,
	.run = run,
};
