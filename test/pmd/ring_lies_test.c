/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Devices that lie in rings and headers, through the whole driver: what is wrong about one frame
 * costs that frame, which is counted by its cause, and those around it come as they were sent; what
 * is wrong about a ring breaks its queue. In the end every mbuf is back (harness_close()).
 */
#include "frames.h"

#include <stdio.h>
#include <string.h>

#include "virtio/net.h"

#define BIT(feature) DEVICE_BIT(DEVICE_F_##feature)

enum { SIZE = 64, LEN = FRAME_LEN, AROUND = 8 };

static const uint64_t layouts[] = {
	0,
	BIT(MRG_RXBUF),
	BIT(IN_ORDER),
	BIT(RING_PACKED),
	BIT(RING_PACKED) | BIT(MRG_RXBUF),
	BIT(RING_PACKED) | BIT(IN_ORDER) | BIT(MRG_RXBUF),
};

/* Vectors, and the receive functions with and without offloads. */
static const struct variant {
	const char *devargs;
	bool offloads;
} variants[] = {
	{ "simd=auto", true },   { "simd=auto", false },  { "simd=words", true },
	{ "simd=words", false }, { "simd=scalar", true }, { "simd=scalar", false },
};
static const struct variant *variant = &variants[0];

/* In turn; the first again in the end. */
#define FOR_EACH_VARIANT         \
	for (variant = variants; \
	     variant < variants + RTE_DIM(variants) || (variant = variants, 0); variant++)

static void
start(struct harness *h, uint64_t features)
{
	struct harness_options options = {
		.features = features | BIT(GUEST_CSUM),
		.devargs = variant->devargs,
	};
	struct rte_eth_conf conf = {
		.rxmode.offloads = variant->offloads ? RTE_ETH_RX_OFFLOAD_TCP_CKSUM : 0,
	};

	assert_int_equal(harness_open(h, &options), 0);
	assert_int_equal(harness_setup(h, 1, 1, SIZE, &conf), 0);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
}

/* After a restart frames go both ways. */
static void
end(struct harness *h)
{
	device_honest(h->dev);
	assert_int_equal(rte_eth_dev_stop(h->port), 0);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
	assert_int_equal(harness_pass(h, 3 * SIZE, 100), 0);
	assert_int_equal(harness_close(h), 0);
}

/* --- one frame (rows 3, 4, 8, 9, 10) -----------------------------------------------------------
 */

#define CSUM(start, offset) ((uint64_t)(start) << 16 | (offset))

static const struct {
	enum device_lie lie;
	uint64_t arg;
	bool mergeable; /* without MRG_RXBUF the field means nothing, */
	bool offloads;  /* or without offloads */
	const char *counter;
} lies[] = {
	{ DEVICE_LIE_LENGTH, 12 + HARNESS_ROOM + 1, false, false, "rx_q0_drop_length" },
	{ DEVICE_LIE_LENGTH, 0x10000 + 72, false, false, "rx_q0_drop_length" },
	{ DEVICE_LIE_LENGTH, 0x80000000, false, false, "rx_q0_drop_length" },
	{ DEVICE_LIE_LENGTH, 0xffffffff, false, false, "rx_q0_drop_length" },
	{ DEVICE_LIE_LENGTH, 0, false, false, "rx_q0_drop_short" },
	{ DEVICE_LIE_LENGTH, 11, false, false, "rx_q0_drop_short" },
	{ DEVICE_LIE_LENGTH, 12, false, false, "rx_q0_drop_short" },
	{ DEVICE_LIE_LENGTH, 12 + 13, false, false, "rx_q0_drop_short" },
	{ DEVICE_LIE_NUM_BUFFERS, 0, true, false, "rx_q0_drop_num_buffers" },
	{ DEVICE_LIE_NUM_BUFFERS, SIZE + 1, true, false, "rx_q0_drop_num_buffers" },
	{ DEVICE_LIE_NUM_BUFFERS, 0xffff, true, false, "rx_q0_drop_num_buffers" },
	{ DEVICE_LIE_CSUM, CSUM(0xffff, 0xffff), false, true, "rx_q0_drop_csum" },
	{ DEVICE_LIE_CSUM, CSUM(LEN, 0), false, true, "rx_q0_drop_csum" },
	{ DEVICE_LIE_CSUM, CSUM(LEN - 1, 0), false, true, "rx_q0_drop_csum" },
	{ DEVICE_LIE_CSUM, CSUM(0, LEN - 1), false, true, "rx_q0_drop_csum" },
	{ DEVICE_LIE_CSUM, CSUM(0xfff0, 0x20), false, true, "rx_q0_drop_csum" },
	{ DEVICE_LIE_GSO_TYPE, 0x7f, false, true, "rx_q0_drop_gso_type" },
	{ DEVICE_LIE_GSO_TYPE, DEVICE_GSO_TCPV4, false, true, "rx_q0_drop_gso_type" },
};

/* The lie stands in the middle of a burst, so that vectors meet it, too. */
static void
one_frame(struct harness *h, size_t i)
{
	uint64_t before = frames_counter(h, lies[i].counter),
		 errors = frames_counter(h, "rx_q0_errors");

	for (unsigned n = 0; n < 2 * AROUND + 1; n++) {
		if (n == AROUND)
			device_lie(h->dev, VIO_NET_RXQ(0), lies[i].lie, lies[i].arg);
		frames_arrive(h, n <= AROUND ? n : n - 1);
	}
	/* The first AROUND, and those after the lie, whose numbers follow. */
	frames_taken(h, 0, 2 * AROUND);
	assert_int_equal(frames_counter(h, lies[i].counter), before + 1);
	assert_int_equal(frames_counter(h, "rx_q0_errors"), errors + 1);
	assert_int_equal(frames_counter(h, "rx_q0_broken"), 0);
}

static void
frames_of(uint64_t layout)
{
	struct harness h;

	start(&h, layout);
	for (unsigned round = 0; round < 5; round++)
		for (size_t i = 0; i < RTE_DIM(lies); i++)
			if ((!lies[i].mergeable || layout & BIT(MRG_RXBUF)) &&
			    (!lies[i].offloads || variant->offloads))
				one_frame(&h, i);
	end(&h);
}

static void
about_a_frame(void **state)
{
	(void)state;
	FOR_EACH_VARIANT
	for (size_t l = 0; l < RTE_DIM(layouts); l++)
		frames_of(layouts[l]);
}

/* The least and the most that a buffer can hold are no lies. */
static void
just_this(uint64_t layout, uint32_t len, unsigned n)
{
	struct rte_mbuf *mbufs[AROUND];
	struct harness h;

	start(&h, layout);
	device_lie(h.dev, VIO_NET_RXQ(0), DEVICE_LIE_LENGTH, len);
	for (unsigned i = 0; i < n; i++)
		frames_arrive(&h, i);
	assert_int_equal(rte_eth_rx_burst(h.port, 0, mbufs, AROUND), n);
	assert_int_equal(mbufs[0]->pkt_len, len - 12);
	assert_int_equal(mbufs[0]->data_len, len - 12);
	rte_pktmbuf_free_bulk(mbufs, n);
	end(&h);
}

/* Alone, and as one of those that are received at once. */
static void
just_right(void **state)
{
	(void)state;
	FOR_EACH_VARIANT
	{
		for (size_t l = 0; l < RTE_DIM(layouts); l++) {
			for (unsigned n = 1; n <= AROUND; n += AROUND - 1) {
				just_this(layouts[l], 12 + 14, n);
				just_this(layouts[l], 12 + HARNESS_ROOM, n);
			}
		}
	}
}

/* Each buffer that the device says belongs to a frame is one; what it says of the ones after the
 * first is not believed, and no frame has more than came. */
static void
more_than_came(void **state)
{
	(void)state;
	for (size_t l = 0; l < RTE_DIM(layouts); l++) {
		struct rte_mbuf *mbuf = NULL;
		struct harness h;

		if (!(layouts[l] & BIT(MRG_RXBUF)))
			continue;
		start(&h, layouts[l]);
		device_lie(h.dev, VIO_NET_RXQ(0), DEVICE_LIE_NUM_BUFFERS, 3);
		for (unsigned n = 0; n < 2; n++) {
			frames_arrive(&h, n);
			assert_int_equal(rte_eth_rx_burst(h.port, 0, &mbuf, 1), 0);
		}
		frames_arrive(&h, 2);
		assert_int_equal(rte_eth_rx_burst(h.port, 0, &mbuf, 1), 1);
		assert_int_equal(mbuf->nb_segs, 3);
		rte_pktmbuf_free(mbuf);
		/* Stopped while one waits: its buffers come back, too. */
		device_lie(h.dev, VIO_NET_RXQ(0), DEVICE_LIE_NUM_BUFFERS, 3);
		frames_arrive(&h, 3);
		assert_int_equal(rte_eth_rx_burst(h.port, 0, &mbuf, 1), 0);
		end(&h);
	}
}

/* --- a ring (rows 1, 2, 6) ---------------------------------------------------------------------
 */

static const struct {
	enum device_lie lie;
	uint64_t arg;
	bool split;        /* only there */
	const char *cause; /* NULL: more than one thing is wrong with it */
} breaks[] = {
	{ DEVICE_LIE_ID, SIZE, false, "broken_id_range" },
	{ DEVICE_LIE_ID, 0xffff, false, "broken_id_range" },
	{ DEVICE_LIE_ID, 0x10000, true, "broken_id_range" },
	{ DEVICE_LIE_ID, 0xffffffff, true, "broken_id_range" },
	{ DEVICE_LIE_ID_NOT_IN_FLIGHT, 0, false, "broken_id_not_in_flight" },
	{ DEVICE_LIE_ID_REPEATED, 0, false, NULL },
	{ DEVICE_LIE_INDEX, SIZE + 1, true, "broken_index_jump" },
	{ DEVICE_LIE_INDEX, 0x8000, true, "broken_index_jump" },
	{ DEVICE_LIE_INDEX, 0xfffe, true, "broken_index_jump" }, /* back */
};

static const char *const causes[] = { "broken_id_range", "broken_id_not_in_flight",
				      "broken_index_jump", "broken_order" };

/* Broken once, and counted by its cause and no other. */
static void
is_broken(const struct harness *h, const char *queue, size_t layout, size_t i)
{
	uint64_t sum = 0;
	char name[64];

	snprintf(name, sizeof(name), "%s_broken", queue);
	if (frames_counter(h, name) != 1)
		fail_msg("layout %zu, lie %zu: not broken", layout, i);
	for (size_t c = 0; c < RTE_DIM(causes); c++) {
		uint64_t value;

		snprintf(name, sizeof(name), "%s_%s", queue, causes[c]);
		value = frames_counter(h, name);
		sum += value;
		if (breaks[i].cause != NULL && value != !strcmp(breaks[i].cause, causes[c]))
			fail_msg("layout %zu, lie %zu: %s is %ju", layout, i, name,
				 (uintmax_t)value);
	}
	assert_int_equal(sum, 1);
}

static bool
applies(size_t layout, size_t i)
{
	return !breaks[i].split || !(layouts[layout] & BIT(RING_PACKED));
}

/* What was found before the lie may still be given; nothing after it, nor ever again. */
static void
about_a_receive_ring(void **state)
{
	(void)state;
	for (size_t l = 0; l < RTE_DIM(layouts); l++) {
		for (size_t i = 0; i < RTE_DIM(breaks); i++) {
			struct rte_mbuf *got[SIZE];
			struct harness h;
			uint16_t n;

			if (!applies(l, i))
				continue;
			start(&h, layouts[l]);
			/* Some are with the driver, so that there are ids that are not in flight.
			 */
			for (unsigned k = 0; k < AROUND; k++)
				frames_arrive(&h, k);
			frames_taken(&h, 0, AROUND);
			frames_arrive(&h, 0);
			device_lie(h.dev, VIO_NET_RXQ(0), breaks[i].lie, breaks[i].arg);
			if (breaks[i].lie != DEVICE_LIE_INDEX)
				frames_arrive(&h, 1);
			for (unsigned k = 0; k < 3; k++) {
				n = rte_eth_rx_burst(h.port, 0, got, SIZE);
				assert_in_range(n, 0, k == 0 ? 1 : 0);
				rte_pktmbuf_free_bulk(got, n);
			}
			is_broken(&h, "rx_q0", l, i);
			end(&h);
		}
	}
}

/* Sent packets are reclaimed late: by then an index that was a little behind is right again, and in
 * a packed ring an id that was repeated is overwritten. */
static bool
is_not_seen(size_t layout, size_t i)
{
	return breaks[i].arg == 0xfffe ||
	       (breaks[i].lie == DEVICE_LIE_ID_REPEATED && layouts[layout] & BIT(RING_PACKED));
}

static void
about_a_transmit_ring(void **state)
{
	(void)state;
	for (size_t l = 0; l < RTE_DIM(layouts); l++) {
		for (size_t i = 0; i < RTE_DIM(breaks); i++) {
			struct harness h;

			if (!applies(l, i) || is_not_seen(l, i))
				continue;
			start(&h, layouts[l]);
			assert_int_equal(harness_pass(&h, AROUND, 100), 0);
			assert_int_equal(frames_send(&h, 0, 1, 1), 1);
			if (breaks[i].lie != DEVICE_LIE_INDEX)
				harness_poll(&h);
			device_lie(h.dev, VIO_NET_TXQ(0), breaks[i].lie, breaks[i].arg);
			for (unsigned k = 0; k < 3 * SIZE; k++) {
				frames_send(&h, 0, 1, 1);
				harness_poll(&h);
			}
			is_broken(&h, "tx_q0", l, i);
			assert_int_equal(frames_send(&h, 0, 1, 1), 0);
			end(&h);
		}
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(about_a_frame),         cmocka_unit_test(just_right),
	cmocka_unit_test(more_than_came),        cmocka_unit_test(about_a_receive_ring),
	cmocka_unit_test(about_a_transmit_ring),
};

HARNESS_MAIN(tests)
