/* SPDX-License-Identifier: BSD-3-Clause */
/* How many buffers are used, asked before one is taken: never more than the device has, and of
 * those that a lie names, none. */
#include "hostile.h"

#include <endian.h>
#include <string.h>

enum { LONGEST = 31 };

/* An id that no buffer has. */
static void
no_such_id(void **state)
{
	struct rig *rig = *state;
	void *cookie;

	hostile_offer(rig, 0, 2, 1);
	device_lie(rig->dev, RIG_QUEUE, DEVICE_LIE_ID, vq_next_id(rig->vq));
	device_use(rig->dev, RIG_QUEUE, 0, 1);
	assert_int_equal(vq_used_count(rig->vq, UINT16_MAX), 0);
	assert_int_equal(vq_error(rig->vq), VQ_OK);
	assert_int_equal(vq_get(rig->vq, &cookie, NULL, 1), 0);
	hostile_broken(rig, VQ_ERR_ID_NOT_IN_FLIGHT, 0, 1);
}

static void
id_beyond(void **state)
{
	struct rig *rig = *state;
	void *cookie;

	hostile_offer(rig, 0, 2, 1);
	device_lie(rig->dev, RIG_QUEUE, DEVICE_LIE_ID, UINT16_MAX);
	device_use(rig->dev, RIG_QUEUE, 0, 1);
	assert_int_equal(vq_used_count(rig->vq, UINT16_MAX), 0);
	assert_int_equal(vq_get(rig->vq, &cookie, NULL, 1), 0);
	hostile_broken(rig, VQ_ERR_ID_RANGE, 0, 1);
}

/* More descriptors marked as used than there are buffers, all with an id that is in flight. */
static void
more_than_there_are(void **state)
{
	struct rig *rig = *state;
	uint16_t id = vq_next_id(rig->vq), before[8 * LONGEST];
	size_t bytes = 16 * (size_t)rig->conf.size;
	struct vq_areas areas;
	uint16_t *desc;

	hostile_offer(rig, 0, 1, 1);
	vq_get_areas(rig->vq, &areas);
	desc = areas.desc;
	memcpy(before, desc, bytes);
	for (unsigned i = 0; i < rig->conf.size; i++) {
		desc[8 * i + 6] = htole16(id);
		desc[8 * i + 7] = htole16(1 << 7 | 1 << 15);
	}
	assert_int_equal(vq_used_count(rig->vq, UINT16_MAX), 1);
	memcpy(desc, before, bytes); /* for the model, which would take it for the driver's work */
}

int
main(void)
{
	static const struct rig_test tests[] = {
		{ "no such id", no_such_id, VQ_PACKED, 0, 4 },
		{ "an id beyond the queue", id_beyond, VQ_PACKED, 0, 4 },
		{ "more than there are", more_than_there_are, VQ_PACKED, 0, 4 },
	};
	static const uint16_t sizes[] = { 4, 7, 8, 31 };

	return rig_main(tests, ARRAY_SIZE(tests), sizes, ARRAY_SIZE(sizes));
}
