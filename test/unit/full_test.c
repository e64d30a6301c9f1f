/* SPDX-License-Identifier: BSD-3-Clause */
/* A queue with no room left, and buffers that no queue could hold. */
#include "rig.h"

#include <errno.h>

static void
fill(struct rig *rig)
{
	for (uint32_t i = 0; i < rig->conf.size; i++) {
		assert_int_equal(vq_free_count(rig->vq), rig->conf.size - i);
		assert_int_equal(rig_add(rig, 1, 0, i), 0);
	}
	rig_publish(rig);
}

static void
no_room(void **state)
{
	struct rig *rig = *state;
	void *object = rig_object(rig, 0, 0, 16);

	for (unsigned lap = 0; lap < 5; lap++) {
		fill(rig);
		assert_int_equal(vq_free_count(rig->vq), 0);
		assert_int_equal(vq_in_flight(rig->vq), rig->conf.size);
		assert_int_equal(rig_add(rig, 1, 0, 0), -ENOSPC);
		assert_int_equal(rig_add_many(rig, &object, 1, true, 16), 0);
		assert_int_equal(rig_add_many(rig, &object, 1, false, 16), 0);
		vq_publish(rig->vq);
		assert_int_equal(device_fetch(rig->dev, RIG_QUEUE), rig->conf.size);
		for (uint32_t i = 0; i < rig->conf.size; i++) {
			assert_true(device_use(rig->dev, RIG_QUEUE, 0, 0));
			assert_int_equal(rig_get(rig, NULL), i);
			assert_int_equal(vq_free_count(rig->vq), i + 1);
		}
	}
}

/* A used buffer makes room only once it was taken back. */
static void
one_out_one_in(void **state)
{
	struct rig *rig = *state;
	uint32_t next = rig->conf.size, expect = 0;

	fill(rig);
	for (unsigned i = 0; i < 3u * rig->conf.size + 3; i++) {
		device_fetch(rig->dev, RIG_QUEUE);
		assert_true(device_use(rig->dev, RIG_QUEUE, 0, 0));
		assert_int_equal(rig_add(rig, 1, 0, next), -ENOSPC);
		assert_int_equal(rig_get(rig, NULL), expect++);
		assert_int_equal(rig_add(rig, 1, 0, next++), 0);
		rig_publish(rig);
	}
}

/* A chain that does not fit now changes nothing. */
static void
chain_no_room(void **state)
{
	struct rig *rig = *state;
	uint32_t singles = 0, used = 0;

	while (vq_free_count(rig->vq) > 2)
		assert_int_equal(rig_add(rig, 0, 1, singles++), 0);
	assert_int_equal(rig_add(rig, 2, 1, 900), -ENOSPC);
	assert_int_equal(vq_free_count(rig->vq), 2);
	assert_int_equal(rig_add(rig, 1, 1, 901), 0);
	assert_int_equal(vq_free_count(rig->vq), 0);
	rig_publish(rig);
	assert_int_equal(device_fetch(rig->dev, RIG_QUEUE), singles + 1);
	device_complete(rig->dev, RIG_QUEUE, UINT16_MAX, DEVICE_OLDEST_FIRST);
	for (; used < singles; used++)
		assert_int_equal(rig_get(rig, NULL), used);
	assert_int_equal(rig_get(rig, NULL), 901);
}

/* With indirect tables, as many chains fit as there are descriptors. */
static void
chains_in_tables(void **state)
{
	struct rig *rig = *state;
	uint16_t elements = RIG_INDIRECT_MAX < rig->conf.size ? RIG_INDIRECT_MAX : rig->conf.size;

	for (unsigned lap = 0; lap < 3; lap++) {
		for (uint32_t i = 0; i < rig->conf.size; i++)
			assert_int_equal(rig_add(rig, 1, elements - 1, i), 0);
		assert_int_equal(rig_add(rig, 1, 1, 0), -ENOSPC);
		rig_publish(rig);
		assert_int_equal(device_fetch(rig->dev, RIG_QUEUE), rig->conf.size);
		device_complete(rig->dev, RIG_QUEUE, UINT16_MAX, DEVICE_OLDEST_FIRST);
		for (uint32_t i = 0; i < rig->conf.size; i++) {
			uint32_t len;

			assert_int_equal(rig_get(rig, &len), i);
			assert_int_equal(len, 16 * (elements - 1));
		}
	}
}

static void
never_fits(void **state)
{
	struct rig *rig = *state;
	struct vq_sg sg[40];

	for (unsigned i = 0; i < ARRAY_SIZE(sg); i++)
		sg[i] = rig_sg(rig, 16 * i, 16);
	assert_int_equal(vq_add(rig->vq, sg, 0, 0, rig_cookie(0)), -EINVAL);
	if (rig->conf.size < ARRAY_SIZE(sg)) {
		uint16_t size = rig->conf.size;

		assert_int_equal(vq_add(rig->vq, sg, size + 1, 0, rig_cookie(0)), -EINVAL);
		assert_int_equal(vq_add(rig->vq, sg, 0, size + 1, rig_cookie(0)), -EINVAL);
		assert_int_equal(vq_add(rig->vq, sg, 1, size, rig_cookie(0)), -EINVAL);
	}
	assert_int_equal(vq_add(rig->vq, sg, UINT16_MAX, UINT16_MAX, rig_cookie(0)), -EINVAL);
	assert_int_equal(vq_add(rig->vq, sg, UINT16_MAX, 1, rig_cookie(0)), -EINVAL);
	assert_int_equal(vq_free_count(rig->vq), rig->conf.size);
	vq_publish(rig->vq);
	assert_int_equal(device_fetch(rig->dev, RIG_QUEUE), 0);
}

/* Nor do 2^32 bytes fit one buffer (SPLIT-DESC-01), whoever is to write them. */
static void
too_many_bytes(void **state)
{
	struct rig *rig = *state;
	struct vq_sg sg[4];

	for (unsigned i = 0; i < ARRAY_SIZE(sg); i++)
		sg[i] = (struct vq_sg){ .iova = RIG_IOVA, .len = UINT32_C(1) << 30 };
	for (uint16_t out = 0; out <= 4; out++)
		assert_int_equal(vq_add(rig->vq, sg, out, 4 - out, rig_cookie(0)), -EINVAL);
	sg[0].len = UINT32_MAX;
	assert_int_equal(vq_add(rig->vq, sg, 1, 0, rig_cookie(0)), -EINVAL);
	assert_int_equal(vq_add(rig->vq, sg, 0, 1, rig_cookie(0)), -EINVAL);
	assert_int_equal(vq_free_count(rig->vq), rig->conf.size);
}

/* A direct chain may take the whole ring, wherever it starts. */
static void
whole_ring(void **state)
{
	struct rig *rig = *state;
	uint16_t size = rig->conf.size < 60 ? rig->conf.size : 60;

	for (unsigned lap = 0; lap < 2u * rig->conf.size + 1; lap++) {
		assert_int_equal(rig_add(rig, size / 2, size - size / 2, lap), 0);
		rig_publish(rig);
		assert_int_equal(device_fetch(rig->dev, RIG_QUEUE), 1);
		assert_true(device_use(rig->dev, RIG_QUEUE, 0, 0));
		assert_int_equal(rig_get(rig, NULL), lap);
		rig_advance(rig, 1);
	}
}

int
main(void)
{
	static const struct rig_test tests[] = {
		{ "no room", no_room, 0, 0, 1 },
		{ "one out, one in", one_out_one_in, 0, 0, 1 },
		{ "a chain that does not fit now", chain_no_room, 0, VQ_INDIRECT, 3 },
		{ "chains in tables", chains_in_tables, VQ_INDIRECT, 0, 2 },
		{ "what never fits", never_fits, 0, 0, 1 },
		{ "too many bytes", too_many_bytes, 0, 0, 4 },
		{ "a chain as long as the ring", whole_ring, 0, 0, 1 },
	};
	static const uint16_t sizes[] = { 1, 2, 3, 4, 7, 256, 496 };

	return rig_main(tests, ARRAY_SIZE(tests), sizes, ARRAY_SIZE(sizes));
}
