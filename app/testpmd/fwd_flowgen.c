/* SPDX-License-Identifier: BSD-3-Clause */
#include "fwd.h"
#include "stream.h"

/* As many destinations as stock testpmd has flows by default. */
#define FLOWS 1024

/* What the driver did not take is made again next time, so that no flow is left out. */
static uint16_t
send_flows(struct stream *stream, uint16_t due)
{
	struct burst burst;
	uint16_t sent;

	burst.count = frame_burst(stream->frame, burst.packets, due);
	if (unlikely(burst.count == 0)) {
		counter_add(&stream->counters.no_mbufs, 1);
		rte_eth_tx_done_cleanup(stream->tx_port, stream->tx_queue, 0);
		return 0;
	}
	frame_vary_destination(burst.packets, burst.count, stream->flow, FLOWS);
	burst.bytes = (uint64_t)burst.count * stream->frame->length;
	sent = stream_send(stream, &burst);
	stream->flow = (stream->flow + sent) % FLOWS;
	return sent;
}

static uint16_t
run(struct stream *stream)
{
	struct burst received;
	uint16_t due;

	stream->aside = stream_receive_up_to(stream, &received, MAX_BURST, STREAM_ALL);
	if (received.count > 0)
		rte_pktmbuf_free_bulk(received.packets, received.count);
	due = stream_frames_due(stream);
	return due == 0 ? 0 : send_flows(stream, due);
}

const struct fwd_mode fwd_flowgen = {
	.name = "flowgen",
	.help = "send UDP frames to 1024 destinations in turn, free what is received",
	.receives = true,
	.sends = true,
	.makes_frames = true,
	.run = run,
};
