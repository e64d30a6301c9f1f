/* SPDX-License-Identifier: BSD-3-Clause */
/* Indexes and wrap counters that wrap, many times over. */
#include "rig.h"

/* Adds up to n buffers of 1 to 3 elements, starting with number from. Returns how many. */
static uint32_t
add_some(struct rig *rig, uint32_t from, uint32_t n)
{
	uint32_t added = 0;

	while (added < n &&
	       rig_add(rig, (from + added) % 2, 1 + (from + added) % 2, from + added) == 0)
		added++;
	return added;
}

static uint32_t
take_all(struct rig *rig, uint32_t expect)
{
	void *cookies[16];
	uint32_t lens[16];
	uint16_t n;

	while ((n = vq_get(rig->vq, cookies, lens, 16)) > 0) {
		for (uint16_t i = 0; i < n; i++, expect++) {
			assert_int_equal(rig_number(cookies[i]), expect);
			assert_int_equal(lens[i], 16 * (1 + expect % 2));
		}
	}
	return expect;
}

static void
run(struct rig *rig, uint32_t buffers)
{
	uint32_t added = 0, taken = 0;

	while (taken < buffers) {
		added += add_some(rig, added, 1 + added % 13);
		rig_publish(rig);
		device_fetch(rig->dev, RIG_QUEUE);
		device_complete(rig->dev, RIG_QUEUE, (uint16_t)(1 + added % 11),
				DEVICE_OLDEST_FIRST);
		taken = take_all(rig, taken);
	}
	assert_int_equal(vq_in_flight(rig->vq), added - taken);
}

/* Past 65536, where split indexes wrap, with mixed chains. */
static void
index_wraps(void **state)
{
	struct rig *rig = *state;

	rig_advance(rig, 30000); /* cheaper than chains */
	run(rig, 36000);
}

static void
counter_wraps(void **state)
{
	struct rig *rig = *state;

	run(rig, 40u * rig->conf.size + 40);
}

/* Full rings in a row, begun just before the wrap of the 16-bit index. */
static void
full_at_the_wrap(void **state)
{
	struct rig *rig = *state;
	uint32_t number = 0, expect = 0, laps = 3;

	rig_advance(rig, rig_has(rig, VQ_PACKED) ? rig->conf.size / 2 + 1
						 : 65536 - rig->conf.size / 2 - 1);
	while (laps-- > 0) {
		while (rig_add(rig, 0, 1, number) == 0)
			number++;
		rig_publish(rig);
		assert_int_equal(device_fetch(rig->dev, RIG_QUEUE), rig->conf.size);
		assert_int_equal(vq_used_count(rig->vq, UINT16_MAX), 0);
		device_complete(rig->dev, RIG_QUEUE, UINT16_MAX, DEVICE_OLDEST_FIRST);
		assert_int_equal(vq_used_count(rig->vq, UINT16_MAX), rig->conf.size);
		while (expect < number) {
			uint32_t len;

			assert_int_equal(rig_get(rig, &len), expect++);
			assert_int_equal(len, 16);
		}
	}
}

int
main(void)
{
	static const struct rig_test small[] = {
		{ "the index wraps", index_wraps, 0, VQ_PACKED, 4 },
		{ "the wrap counter wraps", counter_wraps, VQ_PACKED, 0, 3 },
	};
	static const struct rig_test large[] = {
		{ "a full ring at the wrap", full_at_the_wrap, 0, VQ_INDIRECT, 1 },
	};
	static const uint16_t some[] = { 3, 4, 7, 256, 496 };
	static const uint16_t all[] = { 1, 2, 496, 32767, 32768 };

	return rig_main(small, ARRAY_SIZE(small), some, ARRAY_SIZE(some)) |
	       rig_main(large, ARRAY_SIZE(large), all, ARRAY_SIZE(all));
}
