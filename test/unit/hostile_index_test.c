/* SPDX-License-Identifier: BSD-3-Clause */
/* A split used index that claims more than is in flight, or less than before. */
#include "hostile.h"

static void
jump(struct rig *rig, uint16_t by)
{
	void *cookies[8];

	hostile_offer(rig, 0, 4, 1);
	device_use(rig->dev, RIG_QUEUE, 0, 3);
	assert_int_equal(rig_get(rig, NULL), 0);
	device_lie(rig->dev, RIG_QUEUE, DEVICE_LIE_INDEX, by);
	assert_int_equal(vq_get(rig->vq, cookies, NULL, 8), 0);
	hostile_broken(rig, VQ_ERR_INDEX_JUMP, 1, 3);
}

static void
one_too_many(void **state)
{
	jump(*state, 4);
}

static void
a_ring_ahead(void **state)
{
	struct rig *rig = *state;

	jump(rig, rig->conf.size);
}

static void
beyond_a_ring(void **state)
{
	struct rig *rig = *state;

	jump(rig, rig->conf.size + 1);
}

static void
half_the_space(void **state)
{
	jump(*state, 0x8000);
}

static void
back_by_one(void **state)
{
	jump(*state, 0xffff);
}

static void
back_by_a_few(void **state)
{
	jump(*state, 0xfffd);
}

/* Near 65535 the difference still counts modulo 65536. */
static void
back_at_the_wrap(void **state)
{
	struct rig *rig = *state;

	rig_advance(rig, 65535);
	jump(rig, 0xffff);
}

/* Counting and enabling notifications look at the index too, and must not believe it. */
static void
only_looked_at(void **state)
{
	struct rig *rig = *state;
	void *cookies[8];

	hostile_offer(rig, 0, 2, 1);
	device_lie(rig->dev, RIG_QUEUE, DEVICE_LIE_INDEX, 40000);
	assert_in_range(vq_used_count(rig->vq, UINT16_MAX), 0, rig->conf.size);
	vq_enable_cb(rig->vq);
	assert_int_equal(vq_get(rig->vq, cookies, NULL, 8), 0);
	hostile_broken(rig, VQ_ERR_INDEX_JUMP, 0, 1);
}

int
main(void)
{
	static const struct rig_test tests[] = {
		{ "one more than in flight", one_too_many, 0, VQ_PACKED, 4 },
		{ "a ring ahead", a_ring_ahead, 0, VQ_PACKED, 4 },
		{ "beyond a ring", beyond_a_ring, 0, VQ_PACKED, 4 },
		{ "half the space", half_the_space, 0, VQ_PACKED, 4 },
		{ "back by one", back_by_one, 0, VQ_PACKED, 4 },
		{ "back by a few", back_by_a_few, 0, VQ_PACKED, 4 },
		{ "back at the wrap", back_at_the_wrap, 0, VQ_PACKED, 4 },
		{ "only looked at", only_looked_at, 0, VQ_PACKED, 4 },
	};
	static const uint16_t sizes[] = { 4, 8, 256 };

	return rig_main(tests, ARRAY_SIZE(tests), sizes, ARRAY_SIZE(sizes));
}
