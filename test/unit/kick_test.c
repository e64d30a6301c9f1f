/* SPDX-License-Identifier: BSD-3-Clause */
/* When the device must be notified: vq_kick_prepare() against the specification's rules, spelled
 * out. */
#include "rig.h"

/* Takes back all that is in flight, so that the next round starts with an empty queue. */
static void
drain(struct rig *rig)
{
	device_fetch(rig->dev, RIG_QUEUE);
	device_complete(rig->dev, RIG_QUEUE, UINT16_MAX, DEVICE_OLDEST_FIRST);
	while (vq_get(rig->vq, (void *[1]){ 0 }, NULL, 1) == 1)
		;
}

static void
always_and_never(void **state)
{
	struct rig *rig = *state;

	for (unsigned lap = 0; lap < 3u * rig->conf.size + 3; lap++) {
		device_want_kicks(rig->dev, RIG_QUEUE, DEVICE_KICK_ALWAYS, 0);
		assert_int_equal(rig_add(rig, 1, 0, 0), 0);
		vq_publish(rig->vq);
		assert_true(vq_kick_prepare(rig->vq));
		drain(rig);
		device_want_kicks(rig->dev, RIG_QUEUE, DEVICE_KICK_NEVER, 0);
		assert_int_equal(rig_add(rig, 1, 0, 0), 0);
		vq_publish(rig->vq);
		assert_false(vq_kick_prepare(rig->vq));
		drain(rig);
	}
}

/* A position that has been passed. */
struct passed {
	uint16_t positions[64];
	unsigned count;
};

/* Where the next buffer goes: split: the free-running index; packed: offset and wrap counter, as
 * the event names them. Kept by the test, not asked of the code under test. */
struct position {
	struct rig *rig;
	uint16_t index;
	bool wrap;
};

static uint16_t
event_of(const struct position *p)
{
	if (!rig_has(p->rig, VQ_PACKED))
		return p->index;
	return (uint16_t)(p->index | p->wrap << 15);
}

static void
step(struct position *p)
{
	p->index++;
	if (rig_has(p->rig, VQ_PACKED) && p->index == p->rig->conf.size) {
		p->index = 0;
		p->wrap = !p->wrap;
	}
}

/* Publishes n buffers of so many elements, and says which positions they took. */
static void
publish(struct position *p, unsigned n, uint16_t elements, struct passed *passed)
{
	bool packed = rig_has(p->rig, VQ_PACKED);

	passed->count = 0;
	while (n-- > 0 && rig_add(p->rig, elements, 0, 0) == 0) {
		for (uint16_t i = 0; i < (packed ? rig_cost(p->rig, elements) : 1); i++) {
			passed->positions[passed->count++] = event_of(p);
			step(p);
		}
	}
	vq_publish(p->rig->vq);
}

static bool
expected(const struct passed *passed, uint16_t event)
{
	for (unsigned i = 0; i < passed->count; i++)
		if (passed->positions[i] == event)
			return true;
	return false;
}

static void
one_case(struct position *p, unsigned n, uint16_t elements, uint16_t event)
{
	struct passed passed;
	bool wanted, kick;

	device_want_kicks(p->rig->dev, RIG_QUEUE, DEVICE_KICK_AT, event);
	publish(p, n, elements, &passed);
	wanted = expected(&passed, event);
	kick = vq_kick_prepare(p->rig->vq);
	/* After a whole packed ring offsets say no more how far it went: one kick too many is
	 * right. */
	if (kick && rig_has(p->rig, VQ_PACKED) && passed.count >= p->rig->conf.size)
		wanted = true;
	if (kick != wanted)
		fail_msg("event 0x%x, %u passed up to 0x%x: %s wanted", event, passed.count,
			 event_of(p), wanted ? "a kick" : "no kick");
	assert_false(vq_kick_prepare(p->rig->vq)); /* nothing new since */
	drain(p->rig);
}

/* Every event that could be confused with another, from every position. */
static void
events(struct position *p, unsigned rounds)
{
	static const int near[] = { -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 32766, 32767, -32768 };
	uint16_t size = p->rig->conf.size;
	unsigned n = 0;

	while (rounds-- > 0) {
		for (unsigned i = 0; i < ARRAY_SIZE(near); i++) {
			uint16_t elements = (uint16_t)(1 + n % (size > 2 ? 3 : 1));
			uint16_t event = (uint16_t)(p->index + near[i]);

			if (rig_has(p->rig, VQ_PACKED))
				event = (uint16_t)((p->index + size + near[i] % size) % size |
						   (n & 1 ? 0x8000 : 0));
			one_case(p, n % 6, elements, event);
			n++;
		}
	}
}

static void
event_index(void **state)
{
	struct position p = { .rig = *state, .wrap = true };

	events(&p, 20);
}

/* Once more around 65535, where a split index wraps. */
static void
event_index_wraps(void **state)
{
	struct position p = { .rig = *state, .wrap = true };

	rig_advance(p.rig, 65536 - 60);
	device_fetch(p.rig->dev, RIG_QUEUE);
	p.index = (uint16_t)(65536 - 60);
	(void)vq_kick_prepare(p.rig->vq);
	events(&p, 20);
}

/* All offsets with both wrap counters, in a ring small enough for it. */
static void
packed_exhaustive(void **state)
{
	struct position p = { .rig = *state, .wrap = true };
	uint16_t size = p.rig->conf.size;

	for (unsigned start = 0; start < 2u * size; start++)
		for (unsigned n = 0; n <= size; n++)
			for (unsigned event = 0; event < 2u * size; event++)
				one_case(&p, n, 1,
					 (uint16_t)(event % size | (event >= size ? 0x8000 : 0)));
}

/* What is published in several steps counts from the last question on. */
static void
several_publications(void **state)
{
	struct position p = { .rig = *state, .wrap = true };
	struct passed one, two;

	for (unsigned lap = 0; lap < 2u * p.rig->conf.size + 2; lap++) {
		uint16_t event = event_of(&p);

		device_want_kicks(p.rig->dev, RIG_QUEUE, DEVICE_KICK_AT, event);
		publish(&p, 1, 1, &one);
		publish(&p, 1, 1, &two);
		assert_true(vq_kick_prepare(p.rig->vq));
		drain(p.rig);
	}
}

/* The other mechanism is not looked at (SPLIT-ABNS-02, SPLIT-ABNS-05). */
static void
ignores_the_other(void **state)
{
	struct rig *rig = *state;

	for (unsigned lap = 0; lap < 10; lap++) {
		if (rig_has(rig, VQ_EVENT_IDX)) {
			device_want_kicks(rig->dev, RIG_QUEUE, DEVICE_KICK_ALWAYS, 0);
			device_lie(rig->dev, RIG_QUEUE, DEVICE_LIE_EVENT_FLAGS, 1);
		} else {
			device_want_kicks(rig->dev, RIG_QUEUE, DEVICE_KICK_ALWAYS, 0);
			device_lie(rig->dev, RIG_QUEUE, DEVICE_LIE_EVENT, 1000 + lap);
		}
		assert_int_equal(rig_add(rig, 1, 0, 0), 0);
		vq_publish(rig->vq);
		assert_true(vq_kick_prepare(rig->vq));
		drain(rig);
	}
}

/* The device, woken by kicks alone, never misses a buffer: each kind of ring, many rounds. */
static void
woken_by_kicks_alone(void **state)
{
	struct rig *rig = *state;
	uint32_t number = 0, expect = 0;

	for (unsigned round = 0; round < 500; round++) {
		for (unsigned i = 0; i < 1 + round % 4; i++)
			number += rig_add(rig, 1, round % 2, number) == 0;
		rig_publish(rig);
		if (device_was_kicked(rig->dev, RIG_QUEUE)) {
			device_fetch(rig->dev, RIG_QUEUE);
			device_complete(rig->dev, RIG_QUEUE, UINT16_MAX, DEVICE_OLDEST_FIRST);
		}
		while (vq_used_count(rig->vq, 1) == 1)
			assert_int_equal(rig_get(rig, NULL), expect++);
		assert_int_equal(expect, number);
	}
}

int
main(void)
{
	static const struct rig_test tests[] = {
		{ "always and never", always_and_never, 0, 0, 1 },
		{ "event index", event_index, VQ_EVENT_IDX, 0, 1 },
		{ "several publications", several_publications, VQ_EVENT_IDX, 0, 2 },
		{ "the other mechanism is ignored", ignores_the_other, 0, VQ_PACKED, 1 },
		{ "woken by kicks alone", woken_by_kicks_alone, 0, 0, 1 },
		{ "event index wraps", event_index_wraps, VQ_EVENT_IDX, VQ_PACKED, 256 },
	};
	static const struct rig_test small[] = {
		{ "every event", packed_exhaustive, VQ_EVENT_IDX | VQ_PACKED, VQ_INDIRECT, 1 },
	};
	static const uint16_t sizes[] = { 1, 2, 3, 4, 7, 256, 496 };
	static const uint16_t small_sizes[] = { 1, 2, 3, 4, 7 };

	return rig_main(tests, ARRAY_SIZE(tests), sizes, ARRAY_SIZE(sizes)) |
	       rig_main(small, ARRAY_SIZE(small), small_sizes, ARRAY_SIZE(small_sizes));
}
