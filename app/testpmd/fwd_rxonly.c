/* SPDX-License-Identifier: BSD-3-Clause */
#include "fwd.h"
#include "stream.h"

static uint16_t
run(struct stream *stream)
{
	struct burst burst;

	if (stream_receive(stream, &burst) > 0)
		rte_pktmbuf_free_bulk(burst.packets, burst.count);
	return burst.count;
}

const struct fwd_mode fwd_rxonly = {
	.name = "rxonly",
	.help = "receive and free",
	.receives = true,
	.run = run,
};
