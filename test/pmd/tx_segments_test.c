/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets of many segments: rte_eth_tx_prepare() tells which a queue's ring has room for. */
#include "harness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_errno.h>

/* Bytes of each segment. */
#define PART 20

static struct rte_mbuf *
make(uint16_t segments)
{
	struct rte_mbuf *packet = NULL;

	while (segments-- > 0) {
		struct rte_mbuf *mbuf = rte_pktmbuf_alloc(harness_tx_pool);

		assert_non_null(mbuf);
		memset(rte_pktmbuf_append(mbuf, PART), 0, PART);
		if (packet != NULL)
			assert_int_equal(rte_pktmbuf_chain(mbuf, packet), 0);
		packet = mbuf;
	}
	return packet;
}

static uint64_t
dropped(const struct harness *h)
{
	uint64_t id, value;

	assert_int_equal(rte_eth_xstats_get_id_by_name(h->port, "tx_q0_drop_segments", &id), 0);
	assert_int_equal(rte_eth_xstats_get_by_id(h->port, &id, &value, 1), 1);
	return value;
}

/* What prepare lets pass arrives; what it refuses, a burst drops and counts. */
static void
send_one(struct harness *h, struct rte_mbuf *packet, bool fits)
{
	uint32_t len = packet->pkt_len;
	uint64_t before = dropped(h);
	struct device_packet *sent;

	rte_errno = 0;
	assert_int_equal(rte_eth_tx_prepare(h->port, 0, &packet, 1), fits);
	assert_int_equal(rte_errno, fits ? 0 : EINVAL);
	assert_int_equal(rte_eth_tx_burst(h->port, 0, &packet, 1), 1);
	assert_int_equal(dropped(h) - before, !fits);
	harness_poll(h);
	sent = device_next_packet(h->dev, 0);
	assert_int_equal(sent != NULL, fits);
	if (sent != NULL)
		assert_int_equal(sent->len, len);
	free(sent);
	rte_eth_tx_done_cleanup(h->port, 0, 0);
}

static void
many_segments(void **state)
{
	static const struct {
		uint16_t ring, segments;
		bool shared; /* the header then takes a descriptor of its own */
		bool fits;
	} cases[] = {
		{ 64, 63, false, true },   { 64, 63, true, true },   { 64, 64, false, true },
		{ 64, 64, true, false },   { 64, 65, false, false }, { 64, 128, false, false },
		{ 128, 128, false, true }, { 256, 128, true, true }, { 256, 129, false, false },
	};
	static const uint64_t features[] = { 0, DEVICE_BIT(DEVICE_F_RING_PACKED),
					     DEVICE_BIT(DEVICE_F_INDIRECT_DESC) };

	(void)state;
	for (size_t i = 0; i < RTE_DIM(cases) * RTE_DIM(features); i++) {
		struct harness_options options = { .features = features[i % RTE_DIM(features)] };
		size_t at = i / RTE_DIM(features);
		struct rte_mbuf *packet = make(cases[at].segments);
		struct harness h;

		assert_int_equal(harness_open(&h, &options), 0);
		assert_int_equal(harness_setup(&h, 1, 1, cases[at].ring, NULL), 0);
		assert_int_equal(rte_eth_dev_start(h.port), 0);
		if (cases[at].shared)
			rte_mbuf_refcnt_update(packet, 1);
		send_one(&h, packet, cases[at].fits);
		if (cases[at].shared)
			rte_pktmbuf_free_seg(packet);
		assert_int_equal(harness_pass(&h, 30, 100), 0);
		assert_int_equal(harness_close(&h), 0);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(many_segments),
};

HARNESS_MAIN(tests)
