/* SPDX-License-Identifier: BSD-3-Clause */
#include "hostile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void
hostile_offer(struct rig *rig, uint32_t first, uint16_t n, uint16_t elements)
{
	uint16_t held = device_fetch(rig->dev, RIG_QUEUE);

	for (uint16_t i = 0; i < n; i++)
		assert_int_equal(rig_add(rig, 0, elements, first + i), 0);
	rig_publish(rig);
	assert_int_equal(device_fetch(rig->dev, RIG_QUEUE), held + n);
}

static void *
copy_of(const void *from, size_t len)
{
	void *p = malloc(len);

	assert_non_null(p);
	memcpy(p, from, len);
	return p;
}

static void
every_operation_is_dead(struct rig *rig)
{
	void *object = rig_object(rig, 1, 0, 16);
	void *cookies[4] = { rig_cookie(1), NULL, NULL, NULL };
	uint32_t lens[4];

	assert_int_equal(rig_add(rig, 0, 1, 1), -EIO);
	assert_int_equal(rig_add(rig, 1, 1, 1), -EIO);
	assert_int_equal(rig_add_many(rig, &object, 1, true, 16), 0);
	assert_int_equal(rig_add_many(rig, &object, 1, false, 16), 0);
	vq_publish(rig->vq);
	assert_false(vq_kick_prepare(rig->vq));
	assert_int_equal(vq_get(rig->vq, cookies, lens, 4), 0);
	assert_int_equal(vq_used_count(rig->vq, UINT16_MAX), 0);
}

static void
comes_back_once(struct rig *rig, uint32_t first, uint32_t last)
{
	bool *seen = calloc(last + 1, sizeof(*seen));
	void *cookie;

	assert_non_null(seen);
	while ((cookie = vq_detach(rig->vq)) != NULL) {
		uint32_t number = rig_number(cookie);

		assert_in_range(number, first, last);
		assert_false(seen[number]);
		seen[number] = true;
	}
	for (uint32_t i = first; i <= last; i++)
		assert_true(seen[i]);
	free(seen);
}

void
hostile_broken(struct rig *rig, enum vq_error error, uint32_t first, uint32_t last)
{
	const struct device_buffer *held = device_held(rig->dev, RIG_QUEUE, 0);
	size_t len = vq_ring_bytes(rig->conf.size, rig->conf.flags);
	void *before;

	assert_int_equal(vq_error(rig->vq), error);
	if (held != NULL) /* the lie is taken back: too late */
		device_lie(rig->dev, RIG_QUEUE, DEVICE_LIE_REWRITE_USED, device_buffer_id(held));
	before = copy_of(rig->ring, len);
	assert_string_not_equal(vq_error_text(error), vq_error_text(VQ_OK));
	every_operation_is_dead(rig);
	assert_memory_equal(rig->ring, before, len);
	vq_disable_cb(rig->vq);
	assert_memory_equal(rig->ring, before, len);
	vq_enable_cb(rig->vq);
	assert_memory_equal(rig->ring, before, len);
	assert_int_equal(vq_error(rig->vq), error);
	comes_back_once(rig, first, last);
	assert_memory_equal(rig->ring, before, len);
	free(before);
}
