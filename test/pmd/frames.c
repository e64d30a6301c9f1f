/* SPDX-License-Identifier: BSD-3-Clause */
#include "frames.h"

#include <stdlib.h>
#include <string.h>

/* A burst of which all frames were dropped brings none, while others wait. */
enum { EMPTY_BURSTS = 3 };

uint16_t frames_burst = FRAMES_MOST;

uint64_t
frames_counter(const struct harness *h, const char *name)
{
	uint64_t id, value;

	assert_int_equal(rte_eth_xstats_get_id_by_name(h->port, name, &id), 0);
	assert_int_equal(rte_eth_xstats_get_by_id(h->port, &id, &value, 1), 1);
	return value;
}

void
frames_arrive(struct harness *h, uint8_t number)
{
	uint8_t frame[FRAME_LEN];

	memset(frame, number, sizeof(frame));
	assert_int_equal(device_receive_packet(h->dev, 0, NULL, frame, sizeof(frame)), 1);
}

static void
assert_frame(const uint8_t *data, uint8_t number)
{
	for (unsigned at = 0; at < FRAME_LEN; at++)
		assert_int_equal(data[at], number);
}

/* What the driver has to write, as a pool need not keep it. */
static void
spoil(struct rte_mbuf *mbuf)
{
	mbuf->data_off = mbuf->port = mbuf->data_len = mbuf->vlan_tci = 0x5555;
	mbuf->pkt_len = mbuf->packet_type = 0x55555555;
	mbuf->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_IP_CKSUM_BAD;
}

/* All at once, or burst by burst. */
static unsigned
take(const struct harness *h, struct rte_mbuf **got)
{
	unsigned total = rte_eth_rx_burst(h->port, 0, got, frames_burst);

	if (frames_burst == FRAMES_MOST)
		return total;
	for (unsigned empty = 0; empty < EMPTY_BURSTS && total < FRAMES_MOST;) {
		unsigned most = FRAMES_MOST - total;
		uint16_t n = rte_eth_rx_burst(h->port, 0, got + total, RTE_MIN(frames_burst, most));

		empty = n == 0 ? empty + 1 : 0;
		total += n;
	}
	return total;
}

void
frames_taken(struct harness *h, uint8_t first, unsigned n)
{
	struct rte_mbuf *got[FRAMES_MOST];

	assert_int_equal(take(h, got), n);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(got[i]->pkt_len, FRAME_LEN);
		assert_int_equal(got[i]->data_len, FRAME_LEN);
		assert_int_equal(got[i]->nb_segs, 1);
		assert_int_equal(got[i]->port, h->port);
		assert_int_equal(got[i]->data_off, RTE_PKTMBUF_HEADROOM);
		assert_int_equal(got[i]->packet_type, 0);
		assert_int_equal(got[i]->vlan_tci, 0);
		assert_int_equal(got[i]->ol_flags, 0);
		assert_frame(rte_pktmbuf_mtod(got[i], uint8_t *), (uint8_t)(first + i));
		spoil(got[i]);
		rte_pktmbuf_free(got[i]);
	}
}

static struct rte_mbuf *
make(uint8_t number, uint16_t segments)
{
	struct rte_mbuf *packet = NULL;

	for (uint16_t i = 0; i < segments; i++) {
		uint16_t len = FRAME_LEN / segments + (i == 0 ? FRAME_LEN % segments : 0);
		struct rte_mbuf *mbuf = rte_pktmbuf_alloc(harness_tx_pool);

		assert_non_null(mbuf);
		memset(rte_pktmbuf_append(mbuf, len), number, len);
		if (packet == NULL)
			packet = mbuf;
		else
			assert_int_equal(rte_pktmbuf_chain(packet, mbuf), 0);
	}
	return packet;
}

unsigned
frames_send(struct harness *h, uint8_t first, unsigned n, uint16_t segments)
{
	struct rte_mbuf *packets[FRAMES_MOST];
	unsigned sent;

	assert_in_range(n, 0, FRAMES_MOST);
	for (unsigned i = 0; i < n; i++)
		packets[i] = make((uint8_t)(first + i), segments);
	sent = rte_eth_tx_burst(h->port, 0, packets, (uint16_t)n);
	rte_pktmbuf_free_bulk(packets + sent, n - sent);
	return sent;
}

void
frames_sent(struct harness *h, uint8_t first, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct device_packet *packet = device_next_packet(h->dev, 0);

		assert_non_null(packet);
		assert_int_equal(packet->len, FRAME_LEN);
		assert_frame(packet->data, (uint8_t)(first + i));
		free(packet);
	}
	assert_null(device_next_packet(h->dev, 0));
}
