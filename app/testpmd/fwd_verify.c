/* SPDX-License-Identifier: BSD-3-Clause */
#include "fwd.h"
#include "verify.h"
#include "verify_flow.h"
#include "verify_frame.h"

/* The time that a frame of our own took. Out by one port and in by another: one way. */
static void
add_latency(const struct stream *stream, const struct verify_flow *flow, uint64_t sent,
	    uint64_t now)
{
	struct verify_stream *verify = stream->verify;
	bool one_way = flow->tx_port != stream->rx_port;

	histogram_add(one_way ? &verify->one_way : &verify->round_trip,
		      (now - sent) & VERIFY_STAMP_MASK);
}

static struct verify_flow *
flow_of(struct verify_stream *verify, const struct verify_header *header, bool known_only)
{
	uint16_t id = header->flow & ~VERIFY_END;

	if (verify->last == NULL || verify->last->sender != header->sender ||
	    verify->last->id != id) {
		bool find = known_only || verify_is_old_sender(header->sender);
		struct verify_flow *flow = find ? verify_flow_find(header->sender, id)
						: verify_flow_get(header->sender, id);

		if (flow == NULL)
			return NULL;
		verify->last = flow;
	}
	return verify->last;
}

static void
take_damaged(struct verify_stream *verify, const struct verify_header *header, bool corrected)
{
	struct verify_flow *flow = flow_of(verify, header, true);

	/* The ends of flows are sent several times: one of them may be lost. */
	if (flow != NULL && (header->flow & VERIFY_END))
		return;
	if (flow != NULL && (corrected || verify_flow_plausible(flow, header->sequence)))
		verify_flow_take(flow, header, false);
	else
		counter_add(&verify->unattributed, 1);
}

static void
take_good(struct stream *stream, const struct verify_header *header, uint64_t now)
{
	struct verify_stream *verify = stream->verify;
	struct verify_flow *flow = flow_of(verify, header, false);

	if (unlikely(flow == NULL))
		counter_add(verify_is_old_sender(header->sender) ? &verify->foreign
								 : &verify->unattributed,
			    1);
	else if (unlikely(header->flow & VERIFY_END))
		verify_flow_end(flow, header->sequence);
	else if (verify_flow_take(flow, header, true) && flow->own)
		add_latency(stream, flow, header->stamp, now);
}

static void
take_packet(struct stream *stream, const struct rte_mbuf *packet, uint64_t now)
{
	struct verify_stream *verify = stream->verify;
	struct verify_header header = { 0 };

	switch (verify_frame_read(packet, verify->any_mac, &header)) {
	case VERIFY_GOOD:
		take_good(stream, &header, now);
		break;
	case VERIFY_CORRUPTED:
		take_damaged(verify, &header, true);
		break;
	case VERIFY_LOST_NAME:
		take_damaged(verify, &header, false);
		break;
	case VERIFY_FOREIGN:
		counter_add(&verify->foreign, 1);
		break;
	}
}

static uint16_t
receive_frames(struct stream *stream)
{
	struct burst burst;
	uint64_t now;

	if (stream_receive_up_to(stream, &burst, MAX_BURST, STREAM_ALL) == 0)
		return 0;
	now = rte_rdtsc();
	for (uint16_t i = 0; i < burst.count; i++)
		take_packet(stream, burst.packets[i], now);
	rte_pktmbuf_free_bulk(burst.packets, burst.count);
	return burst.count;
}

/* All payloads first: the stamp is to be as late as can be. */
static void
fill_burst(struct stream *stream, struct burst *burst)
{
	struct verify_stream *verify = stream->verify;
	struct verify_header header = verify->header;
	uint32_t sums[MAX_BURST];

	for (uint16_t i = 0; i < burst->count; i++, header.sequence++)
		verify_frame_fill(stream->frame, burst->packets[i], &header, verify->any_mac,
				  &sums[i]);
	header.sequence = verify->header.sequence;
	header.stamp = rte_rdtsc();
	for (uint16_t i = 0; i < burst->count; i++, header.sequence++)
		verify_frame_stamp(burst->packets[i], &header, sums[i]);
}

/* A frame that the driver did not take was never sent: its number goes to the next one. */
static uint16_t
send_frames(struct stream *stream, uint16_t due)
{
	struct verify_stream *verify = stream->verify;
	struct burst burst;
	uint16_t sent;

	burst.count = frame_burst(stream->frame, burst.packets, due);
	if (unlikely(burst.count == 0)) {
		counter_add(&stream->counters.no_mbufs, 1);
		rte_eth_tx_done_cleanup(stream->tx_port, stream->tx_queue, 0);
		return 0;
	}
	fill_burst(stream, &burst);
	burst.bytes = (uint64_t)burst.count * stream->frame->length;
	sent = stream_send(stream, &burst);
	verify->header.sequence += sent;
	counter_add(&verify->sent, sent);
	return sent;
}

static uint16_t
run(struct stream *stream)
{
	uint16_t due = 0;

	stream->aside = stream->verify->receives ? receive_frames(stream) : 0;
	if (stream->verify->sends)
		due = stream_frames_due(stream);
	return due == 0 ? 0 : send_frames(stream, due);
}

const struct fwd_mode fwd_verify = {
	.name = "verify",
	.help = "send numbered frames, say what came back lost, twice, late or corrupted",
	.receives = true,
	.sends = true,
	.makes_frames = true,
	.run = run,
};
