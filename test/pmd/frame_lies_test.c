/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Devices that lie about one frame, through the whole driver: that costs that frame, which is
 * counted by its cause, and those around it come as they were sent. In the end every mbuf is back
 * (harness_close()).
 */
#include "variants.h"

#include "net/vio/rx_chain.h"

enum { LEN = FRAME_LEN };

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
	{ DEVICE_LIE_NUM_BUFFERS, 0x101, true, false, "rx_q0_drop_num_buffers" },
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
	n = RTE_MIN(n, variant->burst);
	assert_int_equal(rte_eth_rx_burst(h.port, 0, mbufs, RTE_MIN(variant->burst, AROUND)), n);
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

/* The same where a buffer is a chain of mbufs, which longer frames fit into. */
static void
frames_of_chains(uint64_t layout)
{
	struct harness_options options = { .features = layout | BIT(GUEST_CSUM),
					   .devargs = variant->devargs };
	struct rte_eth_conf conf = { .rxmode = { .mtu = 4000,
						 .offloads = RTE_ETH_RX_OFFLOAD_SCATTER } };
	struct rte_eth_burst_mode mode;
	struct harness h;

	conf.rxmode.offloads |= variant->offloads ? RTE_ETH_RX_OFFLOAD_TCP_CKSUM : 0;
	frames_burst = variant->burst;
	assert_int_equal(harness_open(&h, &options), 0);
	assert_int_equal(harness_setup(&h, 1, 1, SIZE, &conf), 0);
	assert_int_equal(rte_eth_dev_start(h.port), 0);
	assert_int_equal(rte_eth_rx_burst_mode_get(h.port, 0, &mode), 0);
	assert_non_null(strstr(mode.info, "large buffers"));
	for (size_t i = 0; i < RTE_DIM(lies); i++)
		if (lies[i].lie == DEVICE_LIE_LENGTH && lies[i].arg != 12 + HARNESS_ROOM + 1)
			one_frame(&h, i);
	end(&h);
}

static void
about_a_chain(void **state)
{
	(void)state;
	FOR_EACH_VARIANT
	{
		frames_of_chains(0);
		frames_of_chains(BIT(RING_PACKED));
	}
}

/* Each buffer that the device says belongs to a frame is one; what it says of the ones after the
 * first is not believed, and no frame has more than came. */
static void
more_buffers_than_came(void)
{
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

/* Each is one of a frame that began in a burst before, though its bytes could be a header that says
 * otherwise. */
static void
the_rest_at_once(uint64_t layout)
{
	struct rte_mbuf *got[2 * AROUND] = { NULL };
	struct harness h;

	start(&h, layout);
	device_lie(h.dev, VIO_NET_RXQ(0), DEVICE_LIE_NUM_BUFFERS, AROUND + 1);
	frames_arrive(&h, 0);
	assert_int_equal(rte_eth_rx_burst(h.port, 0, got, RTE_DIM(got)), 0);
	for (unsigned n = 0; n < AROUND; n++)
		frames_arrive(&h, n);
	assert_int_equal(rte_eth_rx_burst(h.port, 0, got, RTE_DIM(got)), 1);
	assert_int_equal(got[0]->nb_segs, AROUND + 1);
	rte_pktmbuf_free(got[0]);
	end(&h);
}

static void
more_than_came(void **state)
{
	(void)state;
	FOR_EACH_VARIANT
	{
		more_buffers_than_came();
		for (size_t l = 0; l < RTE_DIM(layouts); l++)
			if (layouts[l] & BIT(MRG_RXBUF))
				the_rest_at_once(layouts[l]);
	}
}

/* --- a further buffer of a frame (rows 3, 4) ----------------------------------------------------
 */

/* A frame of as many buffers as lens has, with these used lengths. */
static void
arrive_in_pieces(struct harness *h, const uint32_t *lens, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (i == 0)
			device_lie(h->dev, VIO_NET_RXQ(0), DEVICE_LIE_NUM_BUFFERS, n);
		device_lie(h->dev, VIO_NET_RXQ(0), DEVICE_LIE_LENGTH, lens[i]);
		frames_arrive(h, 0);
	}
}

/* A frame that is bad already, and whose last buffer never comes, holds one buffer beside the
 * ring's. */
static void
never_whole(uint64_t layout)
{
	struct rte_mbuf *mbuf = NULL;
	struct harness h;

	start(&h, layout);
	for (unsigned i = 0; i < SIZE - 1; i++) {
		if (i == 0)
			device_lie(h.dev, VIO_NET_RXQ(0), DEVICE_LIE_NUM_BUFFERS, SIZE);
		device_lie(h.dev, VIO_NET_RXQ(0), DEVICE_LIE_LENGTH, i == 2 ? 0 : 60);
		frames_arrive(&h, 0);
		assert_int_equal(rte_eth_rx_burst(h.port, 0, &mbuf, 1), 0);
	}
	assert_in_range(rte_mempool_in_use_count(harness_rx_pool), 1, SIZE + 1);
	/* It comes after all. */
	frames_arrive(&h, 0);
	assert_int_equal(rte_eth_rx_burst(h.port, 0, &mbuf, 1), 0);
	assert_int_equal(frames_counter(&h, "rx_q0_drop_length"), 1);
	assert_int_equal(frames_counter(&h, "rx_q0_errors"), 1);
	frames_arrive(&h, 2);
	frames_taken(&h, 2, 1);
	end(&h);
}

/* The frame before it, and the one after it, come; it does, with its length, or is counted. */
static void
in_pieces(uint64_t layout, const uint32_t *lens, unsigned n, bool good)
{
	struct rte_mbuf *mbuf = NULL;
	uint32_t len = 0;
	struct harness h;

	for (unsigned i = 0; i < n; i++)
		len += lens[i];
	start(&h, layout);
	frames_arrive(&h, 1);
	frames_taken(&h, 1, 1);
	arrive_in_pieces(&h, lens, n);
	for (unsigned i = 0; i < n && mbuf == NULL; i++)
		rte_eth_rx_burst(h.port, 0, &mbuf, 1);
	assert_int_equal(mbuf != NULL, good);
	if (good) {
		assert_int_equal(mbuf->pkt_len, len - 12);
		assert_int_equal(mbuf->nb_segs, n);
		rte_pktmbuf_free(mbuf);
	}
	assert_int_equal(frames_counter(&h, "rx_q0_drop_length"), !good);
	assert_int_equal(frames_counter(&h, "rx_q0_errors"), !good);
	frames_arrive(&h, 2);
	frames_taken(&h, 2, 1);
	end(&h);
}

static void
further_buffers(uint64_t layout)
{
	/* The last two are as long as any frame, and a byte longer. */
	static const uint32_t room = 12 + HARNESS_ROOM, whole = 12 + VIO_FRAME_MAX;
	static const uint32_t second[] = { 0, room + 1, 0x10000 + 72, 0x80000000, 0xffffffff };
	uint32_t lens[SIZE];
	unsigned n;

	for (size_t i = 0; i < RTE_DIM(second); i++) {
		in_pieces(layout, (uint32_t[]){ room, second[i] }, 2, false);
		in_pieces(layout, (uint32_t[]){ room, second[i], 1 }, 3, false);
	}
	in_pieces(layout, (uint32_t[]){ 12 + 14, 1 }, 2, true);
	in_pieces(layout, (uint32_t[]){ room, room, room }, 3, true);
	for (n = 0; (n + 1) * room < whole; n++)
		lens[n] = room;
	lens[n] = whole - n * room;
	in_pieces(layout, lens, n + 1, true);
	lens[n]++;
	in_pieces(layout, lens, n + 1, false);
}

static void
about_further_buffers(void **state)
{
	(void)state;
	FOR_EACH_VARIANT
	for (size_t l = 0; l < RTE_DIM(layouts); l++)
		if (layouts[l] & BIT(MRG_RXBUF)) {
			further_buffers(layouts[l]);
			never_whole(layouts[l]);
		}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(about_a_frame),
	cmocka_unit_test(about_a_chain),
	cmocka_unit_test(just_right),
	cmocka_unit_test(more_than_came),
	cmocka_unit_test(about_further_buffers),
};

HARNESS_MAIN(tests)
