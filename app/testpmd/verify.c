/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <sys/random.h>

#include <rte_malloc.h>

#include "msg.h"
#include "verify_flow.h"
#include "verify_frame.h"

/* Ends are sent so often, as they can be lost like any frame; and tried so often, while rings are
 * full because the peer is kept from its CPU. */
#define ENDS     8
#define ENDS_MAX 100

/* This process has had so many senders: the first is drawn, each run takes the next one. */
static uint32_t first_sender, senders;

static uint32_t
draw_sender(void)
{
	if (senders == 0 &&
	    getrandom(&first_sender, sizeof(first_sender), GRND_NONBLOCK) != sizeof(first_sender))
		first_sender = rte_rdtsc();
	return (first_sender + senders++) & VERIFY_SENDER_MASK;
}

bool
verify_is_old_sender(uint32_t sender)
{
	return senders > 0 && ((sender - first_sender) & VERIFY_SENDER_MASK) < senders - 1;
}

static bool
prepare_stream(struct stream *stream, uint16_t id, uint32_t sender, const struct options *options)
{
	struct verify_stream *verify = rte_zmalloc(NULL, sizeof(*stream->verify),
						   RTE_CACHE_LINE_SIZE);
	struct verify_flow *flow;

	stream->verify = verify;
	if (verify == NULL)
		return false;
	verify->sends = options->verify_role != VERIFY_ROLE_RECEIVE;
	verify->receives = options->verify_role != VERIFY_ROLE_SEND;
	verify->any_mac = options->verify_any_mac;
	verify->header.sender = sender;
	verify->header.flow = id;
	verify_frame_make((struct frame *)(uintptr_t)stream->frame, id);
	if (!verify->sends)
		return true;
	flow = verify_flow_get(sender, id);
	if (flow == NULL)
		return false;
	flow->own = true;
	flow->sent = &verify->sent;
	flow->tx_port = stream->tx_port;
	return true;
}

bool
verify_prepare(struct streams *streams, const struct options *options)
{
	uint32_t sender = draw_sender();

	verify_flows_clear();
	for (uint32_t i = 0; i < streams->count; i++)
		if (!prepare_stream(&streams->of[i], i, sender, options))
			return false;
	return true;
}

void
verify_free(struct streams *streams)
{
	for (uint32_t i = 0; i < streams->count; i++) {
		rte_free(streams->of[i].verify);
		streams->of[i].verify = NULL;
	}
	verify_flows_clear();
}

bool
verify_all_back(void)
{
	struct verify_flow *const *flows;
	uint32_t count = verify_flows(&flows);

	/* A few reads while it runs: exact once nothing is polled. */
	for (uint32_t i = 0; i < count; i++)
		if (flows[i]->own && flows[i]->counts.unique < verify_flow_total(flows[i]))
			return false;
	return true;
}

uint64_t
verify_came(void)
{
	struct verify_flow *const *flows;
	uint32_t count = verify_flows(&flows);
	uint64_t came = 0;

	for (uint32_t i = 0; i < count; i++)
		came += __atomic_load_n(&flows[i]->counts.received, __ATOMIC_RELAXED);
	return came;
}

bool
verify_peers_ended(void)
{
	struct verify_flow *const *flows;
	uint32_t count = verify_flows(&flows), ended = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (flows[i]->own)
			continue;
		if (!flows[i]->ended)
			return false;
		ended++;
	}
	return ended > 0;
}

static bool
send_end(struct stream *stream)
{
	struct verify_header header = stream->verify->header;
	struct rte_mbuf *packet;
	uint32_t sum;

	if (frame_burst(stream->frame, &packet, 1) == 0)
		return false;
	header.flow |= VERIFY_END;
	verify_frame_fill(stream->frame, packet, &header, stream->verify->any_mac, &sum);
	verify_frame_stamp(packet, &header, sum);
	if (rte_eth_tx_burst(stream->tx_port, stream->tx_queue, &packet, 1) == 1)
		return true;
	rte_pktmbuf_free(packet);
	return false;
}

void
verify_send_ends(struct streams *streams)
{
	for (int sent = 0, tried = 0; sent < ENDS && tried < ENDS_MAX; tried++) {
		bool taken = true;

		for (uint32_t n = 0; n < streams->count; n++)
			if (streams->of[n].verify->sends && !streams->of[n].disabled)
				taken = send_end(&streams->of[n]) && taken;
		sent += taken;
		/* Time for a peer to take them out of a short ring. */
		rte_delay_us_sleep(5000);
	}
}
