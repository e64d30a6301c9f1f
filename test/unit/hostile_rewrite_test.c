/* SPDX-License-Identifier: BSD-3-Clause */
/* A device that rewrites descriptors and indirect tables at any time: nothing is ever read back. */
#include "hostile.h"

static void
scribble(struct rig *rig)
{
	device_lie(rig->dev, RIG_QUEUE, DEVICE_LIE_REWRITE, 0);
	if (rig_has(rig, VQ_INDIRECT))
		device_lie(rig->dev, RIG_QUEUE, DEVICE_LIE_REWRITE_INDIRECT, 0);
}

/* All of a full ring overwritten: vq_detach() finds every buffer all the same. */
static void
detached(void **state)
{
	struct rig *rig = *state;
	uint32_t added = 0, back = 0;
	void *cookie;

	while (rig_add(rig, added % 2, 1 + added % 2, added) == 0)
		added++;
	rig_publish(rig);
	device_fetch(rig->dev, RIG_QUEUE);
	scribble(rig);
	assert_int_equal(vq_used_count(rig->vq, UINT16_MAX), 0);
	while ((cookie = vq_detach(rig->vq)) != NULL) {
		assert_in_range(rig_number(cookie), 0, added - 1);
		back++;
	}
	assert_int_equal(back, added);
}

/* Chains of 1 to 3 elements; the device overwrites everything between reading and using. */
static void
between(void **state)
{
	struct rig *rig = *state;
	uint32_t added = 0, expect = 0;

	for (unsigned round = 0; round < 3u * rig->conf.size + 20; round++) {
		while (added - expect < 5 && rig_add(rig, added % 2, 1 + added % 2, added) == 0)
			added++;
		rig_publish(rig);
		device_fetch(rig->dev, RIG_QUEUE);
		scribble(rig);
		assert_int_equal(device_complete(rig->dev, RIG_QUEUE, 2, DEVICE_OLDEST_FIRST) > 0,
				 true);
		while (vq_used_count(rig->vq, 1) > 0) {
			uint32_t len, number = rig_get(rig, &len);

			assert_int_equal(number, expect);
			assert_int_equal(len, 16 * (1 + number % 2));
			expect++;
		}
		assert_int_equal(vq_in_flight(rig->vq), added - expect);
	}
	scribble(rig);
	for (; expect < added; added--)
		assert_non_null(vq_detach(rig->vq));
	assert_null(vq_detach(rig->vq));
}

int
main(void)
{
	static const struct rig_test tests[] = {
		{ "rewritten and detached", detached, 0, 0, 1 },
		{ "rewritten between reading and using", between, 0, 0, 3 },
	};
	static const uint16_t sizes[] = { 1, 2, 3, 8, 256, 496 };

	return rig_main(tests, ARRAY_SIZE(tests), sizes, ARRAY_SIZE(sizes));
}
