/* SPDX-License-Identifier: BSD-3-Clause */
/* VIRTIO_F_IN_ORDER: one used entry may give back a batch (spec 2.7.9, 2.8.9). */
#include "rig.h"

/* n buffers of 1 to 3 elements, as many as fit. */
static uint16_t
offer(struct rig *rig, uint32_t first, uint16_t n)
{
	uint16_t added = 0;

	while (added < n &&
	       rig_add(rig, (first + added) % 2, 1 + (first + added) % 2, first + added) == 0)
		added++;
	rig_publish(rig);
	assert_int_equal(device_fetch(rig->dev, RIG_QUEUE), added);
	return added;
}

static uint32_t
room(uint32_t number)
{
	return 16 * (1 + number % 2);
}

/* The skipped ones count as used completely; the last has the length that the entry says. */
static void
one_entry_for_all(void **state)
{
	struct rig *rig = *state;
	uint32_t number = 0;

	for (unsigned lap = 0; lap < 200; lap++) {
		uint16_t n = offer(rig, number, (uint16_t)(1 + lap % 9));
		uint32_t len;

		assert_true(device_use_batch(rig->dev, RIG_QUEUE, n, 5));
		assert_int_equal(vq_used_count(rig->vq, UINT16_MAX), n);
		for (uint16_t i = 0; i < n; i++, number++) {
			assert_int_equal(rig_get(rig, &len), number);
			assert_int_equal(len, i + 1 < n ? room(number) : 5);
		}
		assert_int_equal(vq_in_flight(rig->vq), 0);
		assert_int_equal(vq_free_count(rig->vq), rig->conf.size);
	}
}

/* A batch may be taken in pieces, with more batches and single ones behind it. */
static void
in_pieces(void **state)
{
	struct rig *rig = *state;
	uint32_t number = 0;

	for (unsigned lap = 0; lap < 200; lap++) {
		uint16_t n = offer(rig, number, 64), piece = (uint16_t)(1 + lap % 5);
		uint16_t left = n, batch = (uint16_t)(1 + lap % 7);
		void *cookies[8];

		while (left > 0) {
			batch = batch < left ? batch : left;
			assert_true(device_use_batch(rig->dev, RIG_QUEUE, batch, 1));
			left = (uint16_t)(left - batch);
			if (left > 0) {
				assert_true(device_use(rig->dev, RIG_QUEUE, 0, 1));
				left--;
			}
		}
		while (n > 0) {
			uint16_t got;

			assert_int_equal(vq_used_count(rig->vq, UINT16_MAX), n);
			got = vq_get(rig->vq, cookies, NULL, piece);
			assert_in_range(got, 1, piece);
			for (uint16_t i = 0; i < got; i++, number++)
				assert_int_equal(rig_number(cookies[i]), number);
			n = (uint16_t)(n - got);
		}
		assert_int_equal(vq_get(rig->vq, cookies, NULL, 8), 0);
	}
}

/* Between the pieces the driver goes on adding, and the device goes on using. */
static void
pieces_while_adding(void **state)
{
	struct rig *rig = *state;
	uint32_t number = 0, expect = 0;

	for (unsigned step = 0; step < 6u * rig->conf.size + 600; step++) {
		uint16_t held;

		for (unsigned i = 0; i < 1 + step % 3; i++)
			number += rig_add(rig, 0, 1 + number % 2, number) == 0;
		rig_publish(rig);
		held = device_fetch(rig->dev, RIG_QUEUE);
		if (step % 3 == 2 && held > 0)
			device_use_batch(rig->dev, RIG_QUEUE, (uint16_t)(1 + step % held), 7);
		for (unsigned i = 0; i < 2; i++) {
			void *cookie;

			if (vq_get(rig->vq, &cookie, NULL, 1) == 1)
				assert_int_equal(rig_number(cookie), expect++);
		}
		assert_int_equal(vq_error(rig->vq), VQ_OK);
	}
	assert_true(expect > rig->conf.size);
}

/* A batch as large as the ring, wherever it starts. */
static void
whole_ring(void **state)
{
	struct rig *rig = *state;

	for (unsigned lap = 0; lap < 20; lap++) {
		for (uint32_t i = 0; i < rig->conf.size; i++)
			assert_int_equal(rig_add(rig, 0, 1, i), 0);
		rig_publish(rig);
		device_fetch(rig->dev, RIG_QUEUE);
		assert_true(device_use_batch(rig->dev, RIG_QUEUE, rig->conf.size, 16));
		for (uint32_t i = 0; i < rig->conf.size; i++)
			assert_int_equal(rig_get(rig, NULL), i);
		rig_advance(rig, 1);
	}
}

/* A batch that was begun counts as waiting when notifications are asked for again. */
static void
enable_in_the_middle(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(offer(rig, 0, 3), 3);
	vq_disable_cb(rig->vq);
	device_use_batch(rig->dev, RIG_QUEUE, 3, 16);
	assert_int_equal(rig_get(rig, NULL), 0);
	assert_true(vq_enable_cb(rig->vq));
	assert_int_equal(rig_get(rig, NULL), 1);
	assert_int_equal(rig_get(rig, NULL), 2);
	assert_false(vq_enable_cb(rig->vq));
}

int
main(void)
{
	static const struct rig_test tests[] = {
		{ "one entry for all", one_entry_for_all, VQ_IN_ORDER, 0, 3 },
		{ "in pieces", in_pieces, VQ_IN_ORDER, 0, 3 },
		{ "pieces while adding", pieces_while_adding, VQ_IN_ORDER, 0, 2 },
		{ "a batch as large as the ring", whole_ring, VQ_IN_ORDER, 0, 1 },
		{ "notifications in the middle", enable_in_the_middle, VQ_IN_ORDER, 0, 8 },
	};
	static const uint16_t sizes[] = { 1, 2, 3, 4, 7, 8, 256, 496 };

	return rig_main(tests, ARRAY_SIZE(tests), sizes, ARRAY_SIZE(sizes));
}
