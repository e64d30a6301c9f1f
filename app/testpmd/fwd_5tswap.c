/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <rte_ether.h>

#include "fwd.h"
#include "fwd_each.h"
#include "headers.h"

static inline __attribute__((always_inline)) void
swap(void *one, void *other, const size_t length)
{
	uint8_t kept[sizeof(struct rte_ipv6_hdr)];

	memcpy(kept, one, length);
	memcpy(one, other, length);
	memcpy(other, kept, length);
}

/* Each layer that is known has its two ends swapped; all checksums stay right. */
static inline void
swap_ends(struct stream *stream, struct rte_mbuf *packet)
{
	struct headers headers;

	RTE_SET_USED(stream);
	headers_parse(&headers, packet);
	if (headers.ether != NULL)
		swap(&headers.ether->dst_addr, &headers.ether->src_addr, RTE_ETHER_ADDR_LEN);
	if (headers.ipv4 != NULL)
		swap(&headers.ipv4->src_addr, &headers.ipv4->dst_addr, sizeof(rte_be32_t));
	if (headers.ipv6 != NULL)
		swap(headers.ipv6->src_addr, headers.ipv6->dst_addr,
		     sizeof(headers.ipv6->src_addr));
	if (headers.udp != NULL)
		swap(&headers.udp->src_port, &headers.udp->dst_port, sizeof(rte_be16_t));
	if (headers.tcp != NULL)
		swap(&headers.tcp->src_port, &headers.tcp->dst_port, sizeof(rte_be16_t));
}

static uint16_t
run(struct stream *stream)
{
	return fwd_each(stream, swap_ends);
}

const struct fwd_mode fwd_5tswap = {
	.name = "5tswap",
	.help = "swap MAC and IP addresses and UDP or TCP ports, send on",
	.receives = true,
	.sends = true,
	.run = run,
};
