/* SPDX-License-Identifier: BSD-3-Clause */
/* vq_detach(): whatever the device still had comes back, each buffer exactly once. */
#include "rig.h"

#include <stdlib.h>

/* Marks one cookie as seen; twice is once too often. */
static void
mark(bool *seen, uint32_t count, const void *cookie)
{
	uint32_t number = rig_number(cookie);

	assert_in_range(number, 0, count - 1);
	assert_false(seen[number]);
	seen[number] = true;
}

static void
detach_all(struct rig *rig, bool *seen, uint32_t count)
{
	void *cookie;

	while ((cookie = vq_detach(rig->vq)) != NULL)
		mark(seen, count, cookie);
	assert_null(vq_detach(rig->vq));
	for (uint32_t i = 0; i < count; i++)
		assert_true(seen[i]);
	assert_int_equal(vq_in_flight(rig->vq), 0);
}

/* Some used and taken, some used only, some in flight, some not yet published. */
static void
from(struct rig *rig, uint32_t before, uint16_t used, uint16_t taken, bool publish_all)
{
	bool *seen = calloc(before + 2u * rig->conf.size, sizeof(*seen));
	uint32_t count = 0;

	rig_advance(rig, before);
	while (rig_add(rig, count % 2, 1 + count % 3, count) == 0)
		count++;
	rig_publish(rig);
	device_fetch(rig->dev, RIG_QUEUE);
	used = device_complete(rig->dev, RIG_QUEUE, used, DEVICE_RANDOM);
	for (uint16_t i = 0; i < taken && i < used; i++) {
		void *cookie;

		assert_int_equal(vq_get(rig->vq, &cookie, NULL, 1), 1);
		mark(seen, count, cookie);
	}
	while (rig_add(rig, 0, 1, count) == 0)
		count++;
	if (publish_all)
		rig_publish(rig);
	detach_all(rig, seen, count);
	free(seen);
}

static void
nothing(void **state)
{
	struct rig *rig = *state;

	rig_advance(rig, 5);
	assert_null(vq_detach(rig->vq));
}

static void
in_flight(void **state)
{
	from(*state, 1, 0, 0, true);
}

static void
some_taken(void **state)
{
	struct rig *rig = *state;

	from(rig, rig->conf.size / 2 + 1, (uint16_t)(rig->conf.size / 2 + 1),
	     (uint16_t)(rig->conf.size / 3 + 1), true);
}

static void
not_published(void **state)
{
	from(*state, 3, 2, 2, false);
}

/* In order, a batch of which some were delivered: the rest of it is the driver's still. */
static void
batch_half_taken(void **state)
{
	struct rig *rig = *state;
	bool seen[8] = { false };
	void *cookie;

	for (uint32_t i = 0; i < 8; i++)
		assert_int_equal(rig_add(rig, 0, 1, i), 0);
	rig_publish(rig);
	device_fetch(rig->dev, RIG_QUEUE);
	device_use_batch(rig->dev, RIG_QUEUE, 5, 16);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(vq_get(rig->vq, &cookie, NULL, 1), 1);
		mark(seen, 8, cookie);
	}
	detach_all(rig, seen, 8);
}

int
main(void)
{
	static const struct rig_test tests[] = {
		{ "an empty queue", nothing, 0, 0, 1 },
		{ "all in flight", in_flight, 0, 0, 1 },
		{ "some taken", some_taken, 0, 0, 1 },
		{ "some not published", not_published, 0, 0, 1 },
		{ "half a batch taken", batch_half_taken, VQ_IN_ORDER, 0, 8 },
	};
	static const uint16_t sizes[] = { 1, 2, 3, 4, 7, 8, 256, 496 };

	return rig_main(tests, ARRAY_SIZE(tests), sizes, ARRAY_SIZE(sizes));
}
