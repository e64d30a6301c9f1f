/* SPDX-License-Identifier: BSD-3-Clause */
/* When the driver is notified: vq_disable_cb(), vq_enable_cb(). */
#include "rig.h"

static void
offer(struct rig *rig, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(rig_add(rig, 0, 1 + i % 2, i), 0);
	rig_publish(rig);
	assert_int_equal(device_fetch(rig->dev, RIG_QUEUE), n);
}

static void
take(struct rig *rig, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(rig_get(rig, NULL), i);
}

/* Asked for, the next used buffer is notified; not asked for, none is: all round the ring. */
static void
asked_or_not(void **state)
{
	struct rig *rig = *state;
	unsigned n = rig->conf.size >= 4 ? 3 : 1, laps = 3u * rig->conf.size + 10;

	if (rig->conf.size == 256)
		rig_advance(rig, 65536 - 300);
	for (unsigned lap = 0; lap < laps; lap++) {
		uint64_t before;

		offer(rig, n - lap % 2 * (n > 1));
		assert_false(vq_enable_cb(rig->vq));
		before = device_interrupts(rig->dev, RIG_QUEUE);
		assert_true(device_use(rig->dev, RIG_QUEUE, 0, 1));
		assert_int_equal(device_interrupts(rig->dev, RIG_QUEUE), before + 1);
		vq_disable_cb(rig->vq);
		before = device_interrupts(rig->dev, RIG_QUEUE);
		device_complete(rig->dev, RIG_QUEUE, UINT16_MAX, DEVICE_OLDEST_FIRST);
		assert_int_equal(device_interrupts(rig->dev, RIG_QUEUE), before);
		take(rig, n - lap % 2 * (n > 1));
	}
}

/* Disabled before anything was used, it stays silent for a whole ring. */
static void
silent_for_a_ring(void **state)
{
	struct rig *rig = *state;
	uint64_t before;

	vq_disable_cb(rig->vq);
	before = device_interrupts(rig->dev, RIG_QUEUE);
	for (unsigned i = 0; i < 3u * rig->conf.size; i++) {
		offer(rig, 1);
		device_complete(rig->dev, RIG_QUEUE, 1, DEVICE_OLDEST_FIRST);
		take(rig, 1);
	}
	assert_int_equal(device_interrupts(rig->dev, RIG_QUEUE), before);
}

/* What was used before the device was asked comes without a notification: enabling says so. */
static void
tells_of_what_waits(void **state)
{
	struct rig *rig = *state;

	for (unsigned lap = 0; lap < 2u * rig->conf.size + 2; lap++) {
		unsigned n = rig->conf.size >= 4 ? 3 : 1;

		assert_false(vq_enable_cb(rig->vq));
		vq_disable_cb(rig->vq);
		offer(rig, n);
		assert_false(vq_enable_cb(rig->vq));
		vq_disable_cb(rig->vq);
		device_complete(rig->dev, RIG_QUEUE, UINT16_MAX, DEVICE_OLDEST_FIRST);
		for (unsigned i = 0; i < n; i++) {
			assert_true(vq_enable_cb(rig->vq));
			vq_disable_cb(rig->vq);
			assert_int_equal(rig_get(rig, NULL), i);
		}
	}
}

/* A new queue notifies: nothing has asked it not to. */
static void
at_the_start(void **state)
{
	struct rig *rig = *state;

	offer(rig, 1);
	device_use(rig->dev, RIG_QUEUE, 0, 16);
	assert_int_equal(device_interrupts(rig->dev, RIG_QUEUE), 1);
	take(rig, 1);
}

/* A driver that sleeps until it is notified gets everything. */
static void
woken_alone(void **state)
{
	struct rig *rig = *state;
	uint64_t seen = 0;
	unsigned in_flight = 0;

	for (unsigned round = 0; round < 500; round++) {
		while (rig_add(rig, 0, 1 + round % 2, 0) == 0)
			in_flight++;
		rig_publish(rig);
		device_fetch(rig->dev, RIG_QUEUE);
		if (vq_enable_cb(rig->vq))
			fail_msg("something waits, and all was taken");
		seen = device_interrupts(rig->dev, RIG_QUEUE);
		device_complete(rig->dev, RIG_QUEUE, (uint16_t)(1 + round % 5), DEVICE_RANDOM);
		assert_true(device_interrupts(rig->dev, RIG_QUEUE) > seen);
		vq_disable_cb(rig->vq);
		while (vq_get(rig->vq, (void *[1]){ 0 }, NULL, 1) == 1)
			in_flight--;
		assert_int_equal(vq_in_flight(rig->vq), in_flight);
	}
}

int
main(void)
{
	static const struct rig_test tests[] = {
		{ "asked or not", asked_or_not, 0, 0, 1 },
		{ "silent for a ring", silent_for_a_ring, 0, 0, 1 },
		{ "tells of what waits", tells_of_what_waits, 0, 0, 1 },
		{ "at the start", at_the_start, 0, 0, 1 },
		{ "woken by notifications alone", woken_alone, 0, 0, 2 },
	};
	static const uint16_t sizes[] = { 1, 2, 3, 7, 8, 256, 496 };

	return rig_main(tests, ARRAY_SIZE(tests), sizes, ARRAY_SIZE(sizes));
}
