/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Buffers that were added and not published are the driver's still. A device that names one must
 * not get it completed: it would be made available after its owner has got it back.
 */
#include "hostile.h"

#include <endian.h>

static void
named_early(void **state)
{
	struct rig *rig = *state;
	struct vq_areas areas;
	void *cookie;
	uint16_t id;

	hostile_offer(rig, 0, 1, 1);
	id = vq_next_id(rig->vq);
	assert_int_equal(rig_add(rig, 0, 1, 1), 0);
	device_lie(rig->dev, RIG_QUEUE, DEVICE_LIE_ID, id);
	device_use(rig->dev, RIG_QUEUE, 0, 3);
	if (vq_get(rig->vq, &cookie, NULL, 1) == 0) {
		assert_true(vq_error(rig->vq) == VQ_ERR_ID_NOT_IN_FLIGHT ||
			    vq_error(rig->vq) == VQ_ERR_ORDER);
		hostile_broken(rig, vq_error(rig->vq), 0, 1);
		return;
	}
	vq_get_areas(rig->vq, &areas);
	if (rig_has(rig, VQ_PACKED)) /* its descriptor, the second, was marked available */
		assert_true(((uint16_t *)areas.desc)[8 + 7] & htole16(1 << 7));
	else
		assert_int_equal(((uint16_t *)areas.driver)[1], htole16(2));
}

/* The same of the second of several. */
static void
second_named_early(void **state)
{
	struct rig *rig = *state;
	void *cookie;
	uint16_t id;

	hostile_offer(rig, 0, 1, 1);
	assert_int_equal(rig_add(rig, 0, 1, 1), 0);
	id = vq_next_id(rig->vq);
	assert_int_equal(rig_add(rig, 0, 1, 2), 0);
	device_lie(rig->dev, RIG_QUEUE, DEVICE_LIE_ID, id);
	device_use(rig->dev, RIG_QUEUE, 0, 3);
	assert_int_equal(vq_get(rig->vq, &cookie, NULL, 1), 0);
	hostile_broken(rig, vq_error(rig->vq), 0, 2);
}

/* A queue that broke makes nothing available any more, nor asks for a notification. */
static void
broken_before_published(void **state)
{
	struct rig *rig = *state;
	void *cookie;

	hostile_offer(rig, 0, 2, 1);
	assert_int_equal(rig_add(rig, 0, 1, 2), 0);
	device_lie(rig->dev, RIG_QUEUE, DEVICE_LIE_ID, rig->conf.size);
	device_use(rig->dev, RIG_QUEUE, 0, 3);
	assert_int_equal(vq_get(rig->vq, &cookie, NULL, 1), 0);
	hostile_broken(rig, VQ_ERR_ID_RANGE, 0, 2);
}

/* Published and not yet asked about: a broken queue asks for no notification. */
static void
broken_before_kicked(void **state)
{
	struct rig *rig = *state;
	void *cookie;

	hostile_offer(rig, 0, 2, 1);
	assert_int_equal(rig_add(rig, 0, 1, 2), 0);
	vq_publish(rig->vq);
	device_fetch(rig->dev, RIG_QUEUE);
	device_lie(rig->dev, RIG_QUEUE, DEVICE_LIE_ID, rig->conf.size);
	device_use(rig->dev, RIG_QUEUE, 0, 3);
	assert_int_equal(vq_get(rig->vq, &cookie, NULL, 1), 0);
	hostile_broken(rig, VQ_ERR_ID_RANGE, 0, 2);
}

int
main(void)
{
	static const struct rig_test tests[] = {
		{ "named before it was published", named_early, 0, 0, 3 },
		{ "the second named before it was published", second_named_early, 0, 0, 3 },
		{ "broken before it was published", broken_before_published, 0, 0, 3 },
		{ "broken before the device was notified", broken_before_kicked, 0, 0, 3 },
	};
	static const uint16_t sizes[] = { 3, 4, 8, 31 };

	return rig_main(tests, ARRAY_SIZE(tests), sizes, ARRAY_SIZE(sizes));
}
