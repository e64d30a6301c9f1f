/* SPDX-License-Identifier: BSD-3-Clause */
/* What code that looks at several descriptors at once could overlook: half of what marks them as
 * used, and the upper half of an id. */
#include "hostile.h"

#include <endian.h>

enum { AVAIL = 1 << 7, USED = 1 << 15, N = 16, FAR = 256 };

static uint16_t *
flags_of(struct rig *rig, unsigned slot)
{
	struct vq_areas areas;

	vq_get_areas(rig->vq, &areas);
	return (uint16_t *)areas.desc + 8 * (slot % rig->conf.size) + 7;
}

/* One of both marks says used, in either round of the ring: that is not used. */
static void
half_marked(void **state)
{
	struct rig *rig = *state;
	void *cookies[N];

	for (unsigned round = 0; round < 4; round++) {
		uint16_t marks[2] = { AVAIL, USED }, before[N];

		hostile_offer(rig, 0, N, 1);
		for (unsigned i = 0; i < N; i++)
			before[i] = *flags_of(rig, i);
		for (unsigned m = 0; m < 2; m++) {
			for (unsigned i = 0; i < N; i++)
				*flags_of(rig, i) = htole16(marks[m]);
			assert_int_equal(vq_get(rig->vq, cookies, NULL, N), 0);
			assert_int_equal(vq_error(rig->vq), VQ_OK);
		}
		for (unsigned i = 0; i < N; i++)
			*flags_of(rig, i) = before[i];
		device_complete(rig->dev, RIG_QUEUE, N, DEVICE_OLDEST_FIRST);
		assert_int_equal(vq_get(rig->vq, cookies, NULL, N), N);
		rig_advance(rig, rig->conf.size - N);
	}
}

/* Buffers whose ids differ in the upper byte alone from those that would be next. */
static void
far_ids(void **state)
{
	struct rig *rig = *state;
	void *cookies[N];

	hostile_offer(rig, 0, FAR + N, 1);
	for (unsigned i = 0; i < N; i++)
		assert_true(device_use(rig->dev, RIG_QUEUE, FAR, 1));
	assert_int_equal(vq_get(rig->vq, cookies, NULL, N), N);
	for (unsigned i = 0; i < N; i++)
		assert_int_equal(rig_number(cookies[i]), FAR + i);
	device_complete(rig->dev, RIG_QUEUE, FAR, DEVICE_OLDEST_FIRST);
	for (unsigned i = 0; i < FAR; i++)
		assert_int_equal(rig_get(rig, NULL), i);
}

int
main(void)
{
	static const struct rig_test tests[] = {
		{ "half marked as used", half_marked, VQ_PACKED, 0, N },
		{ "ids far away", far_ids, 0, VQ_IN_ORDER, FAR + N },
	};
	static const uint16_t sizes[] = { 16, 31, 512 };

	return rig_main(tests, ARRAY_SIZE(tests), sizes, ARRAY_SIZE(sizes));
}
