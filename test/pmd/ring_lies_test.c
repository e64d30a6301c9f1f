/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Devices that lie about a ring, through the whole driver: that breaks its queue, which is counted
 * by its cause and moves nothing until the port was restarted. In the end every mbuf is back
 * (harness_close()).
 */
#include "variants.h"

#include <stdio.h>
#include <string.h>

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
break_receive_ring(size_t layout, size_t i)
{
	struct rte_mbuf *got[SIZE];
	struct harness h;
	uint16_t n;

	start(&h, layouts[layout]);
	/* Some are with the driver, so that there are ids that are not in flight. */
	for (unsigned k = 0; k < AROUND; k++)
		frames_arrive(&h, k);
	frames_taken(&h, 0, AROUND);
	frames_arrive(&h, 0);
	device_lie(h.dev, VIO_NET_RXQ(0), breaks[i].lie, breaks[i].arg);
	if (breaks[i].lie != DEVICE_LIE_INDEX)
		frames_arrive(&h, 1);
	for (unsigned k = 0; k < 3; k++) {
		n = rte_eth_rx_burst(h.port, 0, got, RTE_MIN(variant->burst, SIZE));
		assert_in_range(n, 0, k == 0 ? 1 : 0);
		rte_pktmbuf_free_bulk(got, n);
	}
	is_broken(&h, "rx_q0", layout, i);
	end(&h);
}

static void
about_a_receive_ring(void **state)
{
	(void)state;
	FOR_EACH_VARIANT
	for (size_t l = 0; l < RTE_DIM(layouts); l++)
		for (size_t i = 0; i < RTE_DIM(breaks); i++)
			if (applies(l, i))
				break_receive_ring(l, i);
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
break_transmit_ring(size_t layout, size_t i)
{
	struct harness h;

	start(&h, layouts[layout]);
	assert_int_equal(harness_pass(&h, AROUND, 100), 0);
	assert_int_equal(frames_send(&h, 0, 1, 1), 1);
	if (breaks[i].lie != DEVICE_LIE_INDEX)
		harness_poll(&h);
	device_lie(h.dev, VIO_NET_TXQ(0), breaks[i].lie, breaks[i].arg);
	for (unsigned k = 0; k < 3 * SIZE; k++) {
		frames_send(&h, 0, 1, 1);
		harness_poll(&h);
	}
	is_broken(&h, "tx_q0", layout, i);
	assert_int_equal(frames_send(&h, 0, 1, 1), 0);
	end(&h);
}

static void
about_a_transmit_ring(void **state)
{
	(void)state;
	FOR_EACH_VARIANT
	for (size_t l = 0; l < RTE_DIM(layouts); l++)
		for (size_t i = 0; i < RTE_DIM(breaks); i++)
			if (applies(l, i) && !is_not_seen(l, i))
				break_transmit_ring(l, i);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(about_a_receive_ring),
	cmocka_unit_test(about_a_transmit_ring),
};

HARNESS_MAIN(tests)
