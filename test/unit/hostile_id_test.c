/* SPDX-License-Identifier: BSD-3-Clause */
/* Used ids that name no buffer in flight: the queue is broken before anything is touched. */
#include "hostile.h"

/* The first entry is good, the second lies: the good one is delivered, and nothing after it. */
static void
good_then_lie(struct rig *rig, enum device_lie lie, uint64_t arg, enum vq_error error)
{
	void *cookies[4];
	uint32_t lens[4];

	hostile_offer(rig, 0, 4, 1);
	device_use(rig->dev, RIG_QUEUE, 0, 3);
	device_lie(rig->dev, RIG_QUEUE, lie, arg);
	device_use(rig->dev, RIG_QUEUE, 0, 3);
	device_use(rig->dev, RIG_QUEUE, 0, 3);
	assert_int_equal(vq_get(rig->vq, cookies, lens, 4), 1);
	assert_int_equal(rig_number(cookies[0]), 0);
	assert_int_equal(lens[0], 3);
	hostile_broken(rig, error, 1, 3);
}

static void
just_beyond(void **state)
{
	struct rig *rig = *state;

	good_then_lie(rig, DEVICE_LIE_ID, rig->conf.size, VQ_ERR_ID_RANGE);
}

static void
far_beyond(void **state)
{
	good_then_lie(*state, DEVICE_LIE_ID, 0xffff, VQ_ERR_ID_RANGE);
}

/* A split id has 32 bits: 0x10000 + k is not k. */
static void
beyond_16_bits(void **state)
{
	good_then_lie(*state, DEVICE_LIE_ID, 0x10001, VQ_ERR_ID_RANGE);
}

static void
all_ones(void **state)
{
	good_then_lie(*state, DEVICE_LIE_ID, 0xffffffff, VQ_ERR_ID_RANGE);
}

static void
top_bit(void **state)
{
	good_then_lie(*state, DEVICE_LIE_ID, 0x80000001, VQ_ERR_ID_RANGE);
}

static void
not_in_flight(void **state)
{
	good_then_lie(*state, DEVICE_LIE_ID_NOT_IN_FLIGHT, 0, VQ_ERR_ID_NOT_IN_FLIGHT);
}

/* Nothing was ever made available. */
static void
out_of_nothing(void **state)
{
	struct rig *rig = *state;
	void *cookie;

	device_lie(rig->dev, RIG_QUEUE, DEVICE_LIE_ID_REPEATED, 0);
	assert_int_equal(vq_get(rig->vq, &cookie, NULL, 1), 0);
	assert_null(vq_detach(rig->vq));
}

static void
not_a_head(void **state)
{
	struct rig *rig = *state;
	void *cookie;

	hostile_offer(rig, 0, 2, 3);
	device_lie(rig->dev, RIG_QUEUE, DEVICE_LIE_ID_NOT_HEAD, 0);
	device_use(rig->dev, RIG_QUEUE, 0, 3);
	assert_int_equal(vq_get(rig->vq, &cookie, NULL, 1), 0);
	hostile_broken(rig, VQ_ERR_ID_NOT_IN_FLIGHT, 0, 1);
}

/* The same id twice, both seen at once, or the second after the first was taken. */
static void
repeated(struct rig *rig, bool at_once)
{
	void *cookies[4];

	hostile_offer(rig, 0, 4, 1);
	device_use(rig->dev, RIG_QUEUE, 0, 3);
	if (!at_once)
		assert_int_equal(vq_get(rig->vq, cookies, NULL, 4), 1);
	device_lie(rig->dev, RIG_QUEUE, DEVICE_LIE_ID_REPEATED, 0);
	assert_int_equal(vq_get(rig->vq, cookies, NULL, 4), at_once ? 1 : 0);
	hostile_broken(rig, VQ_ERR_ID_NOT_IN_FLIGHT, 1, 3);
}

static void
repeated_at_once(void **state)
{
	repeated(*state, true);
}

static void
repeated_later(void **state)
{
	repeated(*state, false);
}

/* One lie, at every position of the ring and with either wrap counter. */
static void
everywhere(void **state)
{
	struct rig *first = *state;
	struct rig_conf conf = first->conf;

	for (unsigned at = 0; at < 2u * conf.size + 2; at++) {
		struct rig *rig = rig_new(&conf);

		rig_advance(rig, at);
		good_then_lie(rig, DEVICE_LIE_ID_NOT_IN_FLIGHT, 0, VQ_ERR_ID_NOT_IN_FLIGHT);
		assert_int_equal(rig_free(rig), 0);
	}
}

/* Every id a device could write, one after the other, in a queue where half of them are in flight.
 */
static void
every_id(void **state)
{
	struct rig *first = *state;
	struct rig_conf conf = first->conf;

	for (uint32_t id = 0; id < conf.size + 4u; id++) {
		struct rig *rig = rig_new(&conf);
		bool in_flight = false;
		void *cookie;

		rig_advance(rig, 3);
		hostile_offer(rig, 0, conf.size / 2, 1);
		for (uint16_t i = 0; i < conf.size / 2; i++)
			in_flight |= device_buffer_id(device_held(rig->dev, RIG_QUEUE, i)) == id;
		device_lie(rig->dev, RIG_QUEUE, DEVICE_LIE_ID, id);
		device_use(rig->dev, RIG_QUEUE, 0, 3);
		assert_int_equal(vq_get(rig->vq, &cookie, NULL, 1), in_flight);
		assert_int_equal(vq_error(rig->vq), in_flight        ? VQ_OK
						    : id < conf.size ? VQ_ERR_ID_NOT_IN_FLIGHT
								     : VQ_ERR_ID_RANGE);
		assert_int_equal(rig_free(rig), 0);
	}
}

int
main(void)
{
	static const struct rig_test tests[] = {
		{ "id just beyond the queue", just_beyond, 0, 0, 4 },
		{ "id 0xffff", far_beyond, 0, 0, 4 },
		{ "id 0x10001", beyond_16_bits, 0, VQ_PACKED, 4 },
		{ "id 0xffffffff", all_ones, 0, VQ_PACKED, 4 },
		{ "id 0x80000001", top_bit, 0, VQ_PACKED, 4 },
		{ "id not in flight", not_in_flight, 0, 0, 8 },
		{ "used, nothing in flight", out_of_nothing, 0, 0, 1 },
		{ "id of a chain's second descriptor", not_a_head, 0, VQ_PACKED | VQ_INDIRECT, 8 },
		{ "id repeated, seen at once", repeated_at_once, 0, 0, 4 },
		{ "id repeated later", repeated_later, 0, 0, 4 },
	};
	static const struct rig_test small[] = {
		{ "everywhere in the ring", everywhere, 0, 0, 7 },
		{ "every id", every_id, 0, VQ_IN_ORDER, 7 },
	};
	static const uint16_t sizes[] = { 4, 7, 8, 256, 496 };
	static const uint16_t small_sizes[] = { 7, 8 };

	return rig_main(tests, ARRAY_SIZE(tests), sizes, ARRAY_SIZE(sizes)) |
	       rig_main(small, ARRAY_SIZE(small), small_sizes, ARRAY_SIZE(small_sizes));
}
