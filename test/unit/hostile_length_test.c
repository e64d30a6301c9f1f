/* SPDX-License-Identifier: BSD-3-Clause */
/* Used lengths: at most the buffer's room, else VQ_LENGTH_LIE. The queue goes on. */
#include "hostile.h"

static void
one_length(struct rig *rig, uint16_t out, uint16_t in, uint32_t claim)
{
	uint32_t len = 77;

	assert_int_equal(rig_add(rig, out, in, 5), 0);
	rig_publish(rig);
	device_fetch(rig->dev, RIG_QUEUE);
	device_lie(rig->dev, RIG_QUEUE, DEVICE_LIE_LENGTH, claim);
	assert_true(device_use(rig->dev, RIG_QUEUE, 0, 0));
	assert_int_equal(rig_get(rig, &len), 5);
	assert_int_equal(len, claim <= 16u * in ? claim : VQ_LENGTH_LIE);
	assert_int_equal(vq_error(rig->vq), VQ_OK);
}

static void
lengths(void **state)
{
	static const uint32_t far[] = { 0x7fffffff, 0x80000000, 0xffff0000, 0xfffffffe,
					0xffffffff };
	struct rig *rig = *state;

	for (uint16_t shape = 1; shape < 16; shape++) {
		uint16_t out = shape / 4, in = shape % 4;

		if (out + in > rig->conf.size)
			continue;
		for (uint32_t claim = 0; claim < 70; claim++)
			one_length(rig, out, in, claim);
		for (size_t i = 0; i < ARRAY_SIZE(far); i++)
			one_length(rig, out, in, far[i]);
		one_length(rig, out, in, 16u * in + 65536);
	}
}

/* A caller that does not ask for lengths gets its cookies all the same: transmit. */
static void
not_asked_for(void **state)
{
	struct rig *rig = *state;

	for (unsigned lap = 0; lap < 10; lap++) {
		assert_int_equal(rig_add(rig, 1, 0, lap), 0);
		rig_publish(rig);
		device_fetch(rig->dev, RIG_QUEUE);
		device_lie(rig->dev, RIG_QUEUE, DEVICE_LIE_LENGTH, 0xffffffff - lap);
		assert_true(device_use(rig->dev, RIG_QUEUE, 0, 0));
		assert_int_equal(rig_get(rig, NULL), lap);
		assert_int_equal(vq_error(rig->vq), VQ_OK);
	}
}

/* In a batch of lies each keeps its own. */
static void
in_a_batch(void **state)
{
	struct rig *rig = *state;
	void *cookies[3];
	uint32_t lens[3];

	for (unsigned lap = 0; lap < 20; lap++) {
		hostile_offer(rig, 0, 3, 1);
		device_use(rig->dev, RIG_QUEUE, 0, 16);
		device_lie(rig->dev, RIG_QUEUE, DEVICE_LIE_LENGTH, 17);
		device_use(rig->dev, RIG_QUEUE, 0, 0);
		device_use(rig->dev, RIG_QUEUE, 0, 9);
		assert_int_equal(vq_get(rig->vq, cookies, lens, 3), 3);
		assert_int_equal(lens[0], 16);
		assert_int_equal(lens[1], VQ_LENGTH_LIE);
		assert_int_equal(lens[2], 9);
	}
}

int
main(void)
{
	static const struct rig_test tests[] = {
		{ "every length", lengths, 0, 0, 1 },
		{ "lengths not asked for", not_asked_for, 0, 0, 1 },
		{ "lies in a batch", in_a_batch, 0, 0, 3 },
	};
	static const uint16_t sizes[] = { 1, 2, 3, 8, 496 };

	return rig_main(tests, ARRAY_SIZE(tests), sizes, ARRAY_SIZE(sizes));
}
