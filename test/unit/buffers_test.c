/* SPDX-License-Identifier: BSD-3-Clause */
/* One buffer from the driver to the device and back, in every shape. */
#include "rig.h"

#include <endian.h>
#include <errno.h>

#include <string.h>

/* What the device sees of a buffer, and what the driver sees of what the device wrote. */
static void
exchange(struct rig *rig, uint16_t out, uint16_t in)
{
	const struct device_buffer *b = device_held(rig->dev, RIG_QUEUE, 0);
	uint32_t readable = 16u * out, writable = 16u * in, len;
	uint8_t seen[1024], reply[1024];

	assert_int_equal(device_buffer_out(b), out);
	assert_int_equal(device_buffer_in(b), in);
	assert_int_equal(device_buffer_readable(b), readable);
	assert_int_equal(device_buffer_writable(b), writable);
	assert_int_equal(device_buffer_read(b, 0, seen, sizeof(seen)), readable);
	assert_memory_equal(seen, rig->data, readable);
	memset(reply, 0xc3, sizeof(reply));
	assert_int_equal(device_buffer_write(b, 0, reply, sizeof(reply)), writable);
	assert_true(device_use(rig->dev, RIG_QUEUE, 0, writable));
	assert_int_equal(rig_get(rig, &len), 99);
	assert_int_equal(len, writable);
	assert_memory_equal(rig->data + readable, reply, writable);
}

static void
every_shape(void **state)
{
	struct rig *rig = *state;
	uint16_t size = rig->conf.size;

	for (unsigned shape = 1; shape < 100; shape++) {
		uint16_t out = (uint16_t)(shape / 10), in = (uint16_t)(shape % 10);
		uint16_t cost = rig_cost(rig, out + in), id = vq_next_id(rig->vq);

		for (unsigned i = 0; i < 1024; i++)
			rig->data[i] = (uint8_t)(i * 7 + shape);
		if (out + in > size) {
			assert_int_equal(rig_add(rig, out, in, 99), -EINVAL);
			assert_int_equal(vq_free_count(rig->vq), size);
			continue;
		}
		assert_int_equal(rig_add(rig, out, in, 99), 0);
		assert_int_equal(vq_free_count(rig->vq), size - cost);
		assert_int_equal(device_fetch(rig->dev, RIG_QUEUE), 0); /* not published yet */
		assert_true(rig_publish(rig));
		assert_int_equal(vq_in_flight(rig->vq), 1);
		assert_int_equal(device_fetch(rig->dev, RIG_QUEUE), 1);
		assert_int_equal(device_buffer_id(device_held(rig->dev, RIG_QUEUE, 0)), id);
		assert_int_equal(device_buffer_descs(device_held(rig->dev, RIG_QUEUE, 0)), cost);
		exchange(rig, out, in);
		assert_int_equal(vq_free_count(rig->vq), size);
		assert_int_equal(vq_in_flight(rig->vq), 0);
		assert_int_equal(vq_get(rig->vq, (void *[1]){ 0 }, NULL, 1), 0);
	}
}

/* Buffers come back in the order in which the device used them. */
static void
order_of_use(void **state)
{
	struct rig *rig = *state;
	static const uint16_t pick[] = { 2, 0, 1, 0 };
	static const uint32_t expect[] = { 2, 0, 3, 1 };

	for (unsigned lap = 0; lap < 3u * rig->conf.size; lap++) {
		for (uint32_t i = 0; i < 4; i++)
			assert_int_equal(rig_add(rig, 0, 1, i), 0);
		rig_publish(rig);
		assert_int_equal(device_fetch(rig->dev, RIG_QUEUE), 4);
		for (unsigned i = 0; i < 4; i++)
			assert_true(device_use(rig->dev, RIG_QUEUE, pick[i], i));
		for (unsigned i = 0; i < 4; i++) {
			uint32_t len;

			assert_int_equal(rig_get(rig, &len), expect[i]);
			assert_int_equal(len, i);
		}
	}
}

/* The id said in advance is the one used, whatever came back before, in which order. */
static void
next_id(void **state)
{
	struct rig *rig = *state;
	uint16_t half = (uint16_t)(rig->conf.size / 2);
	uint32_t number = 0;

	for (unsigned round = 0; round < 64; round++) {
		uint16_t held = device_fetch(rig->dev, RIG_QUEUE);

		while (vq_free_count(rig->vq) > half) {
			uint16_t id = vq_next_id(rig->vq);

			assert_in_range(id, 0, rig->conf.size - 1);
			assert_int_equal(rig_add(rig, 1, round % 2, number++), 0);
			rig_publish(rig);
			assert_int_equal(device_fetch(rig->dev, RIG_QUEUE), ++held);
			assert_int_equal(device_buffer_id(device_held(rig->dev, RIG_QUEUE,
								      (uint16_t)(held - 1))),
					 id);
		}
		device_complete(rig->dev, RIG_QUEUE, (uint16_t)(held / 2 + 1), DEVICE_RANDOM);
		while (vq_get(rig->vq, (void *[1]){ 0 }, NULL, 1) == 1)
			;
	}
}

/* The flag that makes a used length valid (spec 2.8.3) is left out by devices in wide use, QEMU's
 * among them: the length counts without it, and is bounded without it. */
static void
length_without_flag(void **state)
{
	struct rig *rig = *state;
	uint32_t len = 1;

	for (uint32_t claim = 0; claim <= 17; claim++) {
		assert_int_equal(rig_add(rig, 0, 1, 5), 0);
		rig_publish(rig);
		device_fetch(rig->dev, RIG_QUEUE);
		device_lie(rig->dev, RIG_QUEUE, DEVICE_LIE_LENGTH_UNFLAGGED, claim);
		assert_true(device_use(rig->dev, RIG_QUEUE, 0, 0));
		assert_int_equal(rig_get(rig, &len), 5);
		assert_int_equal(len, claim <= 16 ? claim : VQ_LENGTH_LIE);
	}
}

/* Of a used descriptor's flags, only those that tell of its use count (spec 2.8.6, PACKED-DESC-09).
 */
static void
other_flags_of_used(void **state)
{
	struct rig *rig = *state;
	uint16_t *ring = rig->ring;
	uint32_t len;

	for (uint16_t i = 0; i < 2 * rig->conf.size + 16; i++) {
		uint16_t slot = i % rig->conf.size;

		assert_int_equal(rig_add(rig, 0, 1, i), 0);
		rig_publish(rig);
		device_fetch(rig->dev, RIG_QUEUE);
		assert_true(device_use(rig->dev, RIG_QUEUE, 0, 9));
		ring[8 * slot + 7] ^= htole16(0x7f7f);
		assert_int_equal(rig_get(rig, &len), i);
		assert_int_equal(len, 9);
	}
}

int
main(void)
{
	static const struct rig_test tests[] = {
		{ "every shape of buffer", every_shape, 0, 0, 1 },
		{ "used in any order", order_of_use, 0, VQ_IN_ORDER, 4 },
		{ "next id", next_id, 0, 0, 4 },
		{ "length without its flag", length_without_flag, VQ_PACKED, 0, 1 },
		{ "other flags of a used descriptor", other_flags_of_used, VQ_PACKED, 0, 1 },
	};
	static const uint16_t sizes[] = { 1, 2, 3, 4, 7, 256, 496 };

	return rig_main(tests, ARRAY_SIZE(tests), sizes, ARRAY_SIZE(sizes));
}
