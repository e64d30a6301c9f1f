/* SPDX-License-Identifier: BSD-3-Clause */
/* The batched forms: many buffers added, taken and counted at once. */
#include "rig.h"

#include <string.h>

/* Those that are written are all of 64 bytes: a batch has one length for them. */
static uint32_t
length(uint32_t number, bool in)
{
	return in ? 64 : 64 - number % 32;
}

static void
lay_out(struct rig *rig, void **objects, uint32_t first, uint16_t n, bool in)
{
	for (uint16_t i = 0; i < n; i++)
		objects[i] = rig_object(rig, first + i, 64 * ((first + i) % 1024),
					length(first + i, in));
}

/* Adds in batches of n, one kind or the other, until the queue is full. */
static uint32_t
add_batches(struct rig *rig, uint32_t number, uint16_t n, bool in)
{
	void *objects[64];
	uint16_t done, room;

	do {
		lay_out(rig, objects, number, n, in);
		room = vq_free_count(rig->vq);
		done = rig_add_many(rig, objects, n, in, length(0, true));
		assert_int_equal(done, room < n ? room : n);
		number += done;
	} while (done == n);
	return number;
}

static void
check_held(struct rig *rig, uint32_t first, bool in)
{
	uint16_t held = device_fetch(rig->dev, RIG_QUEUE);

	for (uint16_t i = 0; i < held; i++) {
		const struct device_buffer *b = device_held(rig->dev, RIG_QUEUE, i);
		uint32_t len = length(first + i, in);

		assert_int_equal(device_buffer_in(b), in);
		assert_int_equal(device_buffer_out(b), !in);
		assert_int_equal(in ? device_buffer_writable(b) : device_buffer_readable(b), len);
	}
}

static void
add_and_get(void **state)
{
	struct rig *rig = *state;
	uint32_t number = 0, expect = 0;

	for (uint16_t n = 1; n <= 40; n++) {
		bool in = n % 2;
		uint32_t first = number;
		void *cookies[8];
		uint32_t lens[8];
		uint16_t got;

		number = add_batches(rig, number, n, in);
		rig_publish(rig);
		check_held(rig, first, in);
		assert_int_equal(
			device_complete(rig->dev, RIG_QUEUE, UINT16_MAX, DEVICE_OLDEST_FIRST),
			rig->conf.size);
		while ((got = vq_get(rig->vq, cookies, lens, 1 + n % 8)) > 0) {
			assert_in_range(got, 1, 1 + n % 8);
			for (uint16_t i = 0; i < got; i++, expect++) {
				assert_int_equal(rig_number(cookies[i]), expect);
				assert_int_equal(lens[i], in ? length(expect, in) : 0);
			}
		}
		assert_int_equal(expect, number);
	}
}

/* Contents, too, and only what was offered. */
static void
contents(void **state)
{
	struct rig *rig = *state;
	void *objects[4];
	uint8_t seen[64], reply[64];

	for (unsigned lap = 0; lap < 20; lap++) {
		for (unsigned i = 0; i < 256; i++)
			rig->data[i] = (uint8_t)(i + lap);
		lay_out(rig, objects, 0, 2, false);
		lay_out(rig, objects + 2, 2, 2, true);
		assert_int_equal(rig_add_many(rig, objects, 2, false, 64), 2);
		assert_int_equal(rig_add_many(rig, objects + 2, 2, true, 64), 2);
		rig_publish(rig);
		assert_int_equal(device_fetch(rig->dev, RIG_QUEUE), 4);
		device_buffer_read(device_held(rig->dev, RIG_QUEUE, 1), 0, seen, 64);
		assert_memory_equal(seen, rig->data + 64, 63);
		memset(reply, (int)lap, sizeof(reply));
		assert_int_equal(
			device_buffer_write(device_held(rig->dev, RIG_QUEUE, 2), 0, reply, 64), 64);
		device_complete(rig->dev, RIG_QUEUE, 4, DEVICE_OLDEST_FIRST);
		assert_memory_equal(rig->data + 128, reply, 64);
		for (uint32_t i = 0; i < 4; i++)
			assert_int_equal(rig_get(rig, NULL), i);
	}
}

static void
used_count(void **state)
{
	struct rig *rig = *state;
	uint16_t size = rig->conf.size;

	for (unsigned lap = 0; lap < 10; lap++) {
		uint16_t held = 0;

		while (rig_add(rig, lap % 2, 1, held) == 0)
			held++;
		rig_publish(rig);
		device_fetch(rig->dev, RIG_QUEUE);
		for (uint16_t used = 0; used <= held && used < 50; used++) {
			assert_int_equal(vq_used_count(rig->vq, 0), 0);
			assert_int_equal(vq_used_count(rig->vq, UINT16_MAX), used);
			assert_int_equal(vq_used_count(rig->vq, size), used);
			if (used > 0)
				assert_int_equal(vq_used_count(rig->vq, used - 1), used - 1);
			device_complete(rig->dev, RIG_QUEUE, 1, DEVICE_NEWEST_FIRST);
		}
		device_complete(rig->dev, RIG_QUEUE, UINT16_MAX, DEVICE_RANDOM);
		for (uint16_t left = held; left > 0; left--) {
			assert_int_equal(vq_used_count(rig->vq, UINT16_MAX), left);
			rig_get(rig, NULL);
		}
		assert_int_equal(vq_used_count(rig->vq, UINT16_MAX), 0);
	}
}

/* To take none is to take none. */
static void
get_none(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(rig_add(rig, 0, 1, 3), 0);
	rig_publish(rig);
	device_fetch(rig->dev, RIG_QUEUE);
	device_use(rig->dev, RIG_QUEUE, 0, 16);
	assert_int_equal(vq_get(rig->vq, NULL, NULL, 0), 0);
	assert_int_equal(vq_in_flight(rig->vq), 1);
	assert_int_equal(rig_get(rig, NULL), 3);
	assert_int_equal(rig_add_many(rig, NULL, 0, true, 64), 0);
	vq_publish(rig->vq);
	assert_int_equal(device_fetch(rig->dev, RIG_QUEUE), 0);
}

int
main(void)
{
	static const struct rig_test tests[] = {
		{ "add and get in batches", add_and_get, 0, 0, 1 },
		{ "contents", contents, 0, 0, 4 },
		{ "used count", used_count, 0, 0, 2 },
		{ "none", get_none, 0, 0, 1 },
	};
	static const uint16_t sizes[] = { 1, 2, 3, 4, 7, 256, 496 };

	return rig_main(tests, ARRAY_SIZE(tests), sizes, ARRAY_SIZE(sizes));
}
