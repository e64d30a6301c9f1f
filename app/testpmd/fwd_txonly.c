/* SPDX-License-Identifier: BSD-3-Clause */
#include "fwd.h"
#include "stream.h"

static uint16_t
run(struct stream *stream)
{
	struct burst burst;
	uint16_t due = stream_frames_due(stream);

	if (due == 0)
		return 0;
	burst.count = frame_burst(stream->frame, burst.packets, due);
	if (unlikely(burst.count == 0)) {
		/* All mbufs are with drivers: ask for those of packets long sent. */
		counter_add(&stream->counters.no_mbufs, 1);
		rte_eth_tx_done_cleanup(stream->tx_port, stream->tx_queue, 0);
		return 0;
	}
	if (stream->frame->multi_flow)
		frame_vary_source(burst.packets, burst.count, &stream->flow);
	burst.bytes = (uint64_t)burst.count * stream->frame->length;
	return stream_send(stream, &burst);
}

const struct fwd_mode fwd_txonly = {
	.name = "txonly",
	.help = "send UDP frames, receive nothing",
	.sends = true,
	.makes_frames = true,
	.run = run,
};
