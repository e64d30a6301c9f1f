/* SPDX-License-Identifier: BSD-3-Clause */
/* Packed flags and events that say what cannot be, and in-order entries that skip. */
#include "hostile.h"

/* Used flags on descriptors behind the next one: the driver stops at the next one. */
static void
used_ahead(void **state)
{
	struct rig *rig = *state;
	void *cookies[8];

	for (unsigned lap = 0; lap < 3u * rig->conf.size; lap++) {
		hostile_offer(rig, 0, 4, 1);
		device_lie(rig->dev, RIG_QUEUE, DEVICE_LIE_USED_AHEAD, 2);
		assert_int_equal(vq_get(rig->vq, cookies, NULL, 8), 0);
		assert_int_equal(vq_used_count(rig->vq, UINT16_MAX), 0);
		assert_int_equal(vq_error(rig->vq), VQ_OK);
		device_complete(rig->dev, RIG_QUEUE, 4, DEVICE_OLDEST_FIRST);
		assert_int_equal(vq_get(rig->vq, cookies, NULL, 8), 4);
	}
}

/* Marked used for the other round: not used. */
static void
wrong_wrap(void **state)
{
	struct rig *rig = *state;
	void *cookies[8];

	for (unsigned at = 0; at < 2u * rig->conf.size; at++) {
		struct rig *fresh = rig_new(&rig->conf);

		rig_advance(fresh, at);
		hostile_offer(fresh, 0, 3, 1);
		device_lie(fresh->dev, RIG_QUEUE, DEVICE_LIE_WRONG_WRAP, 0);
		device_use(fresh->dev, RIG_QUEUE, 0, 1);
		device_use(fresh->dev, RIG_QUEUE, 0, 1);
		assert_int_equal(vq_get(fresh->vq, cookies, NULL, 8), 0);
		assert_int_equal(vq_used_count(fresh->vq, UINT16_MAX), 0);
		for (unsigned i = 0; i < 3; i++)
			assert_non_null(vq_detach(fresh->vq));
		assert_null(vq_detach(fresh->vq));
		assert_int_equal(rig_free(fresh), 0);
	}
}

/* Any event suppression: an answer, whichever, and no more than that. */
static void
garbage_events(void **state)
{
	struct rig *rig = *state;

	for (uint32_t off_wrap = 0; off_wrap <= UINT16_MAX; off_wrap += 127) {
		for (uint16_t flags = 0; flags < 8; flags++) {
			device_lie(rig->dev, RIG_QUEUE, DEVICE_LIE_EVENT, off_wrap);
			device_lie(rig->dev, RIG_QUEUE, DEVICE_LIE_EVENT_FLAGS, flags);
			assert_int_equal(rig_add(rig, 0, 1, 1), 0);
			vq_publish(rig->vq);
			(void)vq_kick_prepare(rig->vq);
			device_lie(rig->dev, RIG_QUEUE, DEVICE_LIE_EVENT_FLAGS, 0);
			device_fetch(rig->dev, RIG_QUEUE);
			device_complete(rig->dev, RIG_QUEUE, 1, DEVICE_OLDEST_FIRST);
			assert_int_equal(rig_get(rig, NULL), 1);
		}
	}
}

/* Split, in order: the entry names the last of a batch, the index says one. */
static void
is_shorter(struct rig *rig, uint16_t batch)
{
	void *cookies[8];

	hostile_offer(rig, 0, 4, 1);
	device_lie(rig->dev, RIG_QUEUE, DEVICE_LIE_SKIP, 1);
	device_use_batch(rig->dev, RIG_QUEUE, batch, 5);
	assert_int_equal(vq_get(rig->vq, cookies, NULL, 8), 0);
	hostile_broken(rig, VQ_ERR_ORDER, 0, 3);
}

static void
shorter_than_it_says(void **state)
{
	is_shorter(*state, 3);
}

static void
shorter_by_one(void **state)
{
	is_shorter(*state, 2);
}

/* In order: what was given back before cannot end a batch, and neither can what was never offered.
 */
static void
order_goes_back(void **state)
{
	struct rig *rig = *state;
	void *cookies[8];

	hostile_offer(rig, 0, 4, 1);
	device_use(rig->dev, RIG_QUEUE, 0, 1);
	device_use(rig->dev, RIG_QUEUE, 0, 1);
	assert_int_equal(vq_get(rig->vq, cookies, NULL, 8), 2);
	device_lie(rig->dev, RIG_QUEUE, DEVICE_LIE_ID_REPEATED, 0);
	assert_int_equal(vq_get(rig->vq, cookies, NULL, 8), 0);
	assert_true(vq_error(rig->vq) == VQ_ERR_ORDER ||
		    vq_error(rig->vq) == VQ_ERR_ID_NOT_IN_FLIGHT);
	hostile_broken(rig, vq_error(rig->vq), 2, 3);
}

/* The entry after a batch lies: what the batch gave back is good. */
static void
lie_after_a_batch(void **state)
{
	struct rig *rig = *state;
	void *cookies[8];

	hostile_offer(rig, 0, 6, 1);
	device_use_batch(rig->dev, RIG_QUEUE, 3, 5);
	device_lie(rig->dev, RIG_QUEUE, DEVICE_LIE_ID, rig->conf.size);
	device_use_batch(rig->dev, RIG_QUEUE, 2, 5);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(rig_get(rig, NULL), i);
	assert_int_equal(vq_get(rig->vq, cookies, NULL, 8), 0);
	hostile_broken(rig, VQ_ERR_ID_RANGE, 3, 5);
}

int
main(void)
{
	static const struct rig_test tests[] = {
		{ "used flags ahead", used_ahead, VQ_PACKED, 0, 7 },
		{ "the wrong round", wrong_wrap, VQ_PACKED, VQ_INDIRECT, 7 },
		{ "garbage in event suppression", garbage_events, 0, VQ_INDIRECT, 3 },
		{ "a batch shorter than it says", shorter_than_it_says, VQ_IN_ORDER, VQ_PACKED, 8 },
		{ "a batch one shorter than it says", shorter_by_one, VQ_IN_ORDER, VQ_PACKED, 8 },
		{ "order goes back", order_goes_back, VQ_IN_ORDER, 0, 7 },
		{ "a lie after a batch", lie_after_a_batch, VQ_IN_ORDER, 0, 7 },
	};
	static const uint16_t sizes[] = { 3, 4, 7, 8, 31 };

	return rig_main(tests, ARRAY_SIZE(tests), sizes, ARRAY_SIZE(sizes));
}
