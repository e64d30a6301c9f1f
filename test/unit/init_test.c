/* SPDX-License-Identifier: BSD-3-Clause */
/* What vq_init() takes and refuses, and where it puts things. */
#include "rig.h"

#include <stdlib.h>
#include <string.h>

struct memory {
	struct vq_params params;
	void *ring, *state, *indirect;
};

static void *
block(size_t len)
{
	void *p = NULL;

	assert_int_equal(posix_memalign(&p, VQ_ALIGN, len), 0);
	return p;
}

static struct memory
memory_for(uint16_t size, unsigned flags)
{
	struct memory m = { .params = { .size = size, .flags = flags } };

	m.params.ring = m.ring = block(vq_ring_bytes(size, flags) + VQ_ALIGN);
	m.params.ring_iova = 0x10000;
	m.params.state = m.state = block(vq_state_bytes(size) + VQ_ALIGN);
	if (flags & VQ_INDIRECT) {
		m.params.indirect = m.indirect = block(64u * size + VQ_ALIGN);
		m.params.indirect_iova = 0x80000;
		m.params.indirect_max = 4;
	}
	return m;
}

static void
release(struct memory *m)
{
	free(m->ring);
	free(m->state);
	free(m->indirect);
}

static bool
is_power_of_two(unsigned n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

static void
sizes(void **state)
{
	(void)state;
	for (unsigned size = 0; size <= UINT16_MAX; size++) {
		bool packed_ok = size >= 1 && size <= VQ_SIZE_MAX;
		bool split_ok = packed_ok && is_power_of_two(size);

		assert_true((vq_ring_bytes((uint16_t)size, VQ_PACKED) != 0) == packed_ok);
		assert_true((vq_ring_bytes((uint16_t)size, 0) != 0) == split_ok);
		if (packed_ok)
			assert_true(vq_ring_bytes((uint16_t)size, VQ_PACKED) >= 16u * size + 8);
		if (split_ok)
			assert_true(vq_ring_bytes((uint16_t)size, 0) >= 26u * size + 12);
	}
}

static void
refuses_sizes(void **state)
{
	static const uint16_t bad[] = { 0, 3, 7, 496, 32767, 32769, 65535 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct memory m = memory_for(VQ_SIZE_MAX, 0);

		m.params.size = bad[i];
		assert_null(vq_init(&m.params));
		m.params.flags = VQ_PACKED;
		assert_true((vq_init(&m.params) != NULL) == (bad[i] >= 1 && bad[i] <= VQ_SIZE_MAX));
		release(&m);
	}
}

static void
refuses_misaligned(void **state)
{
	(void)state;
	for (unsigned flags = 0; flags < 16; flags++) {
		struct memory m = memory_for(4, flags);
		struct vq_params p = m.params;

		assert_non_null(vq_init(&p));
		p.ring = (char *)m.ring + 8;
		assert_null(vq_init(&p));
		p = m.params;
		p.ring_iova += 8;
		assert_null(vq_init(&p));
		p = m.params;
		p.state = (char *)m.state + 8;
		assert_null(vq_init(&p));
		if (flags & VQ_INDIRECT) {
			p = m.params;
			p.indirect = (char *)m.indirect + 8;
			assert_null(vq_init(&p));
		}
		release(&m);
	}
}

/* Ring layouts, areas and their addresses (spec 2.7, 2.8.10.1). */
static void
areas(void **state)
{
	static const uint16_t some[] = { 1, 2, 3, 4, 7, 256, 496, 4096, 32767, 32768 };

	(void)state;
	for (unsigned k = 0; k < 2 * ARRAY_SIZE(some); k++) {
		bool packed = k % 2;
		uint16_t size = some[k / 2];
		unsigned flags = packed ? VQ_PACKED : 0;
		struct memory m;
		struct vq_areas a;
		char *start, *end;

		if (!packed && !is_power_of_two(size))
			continue;
		m = memory_for(size, flags);
		start = m.ring;
		end = start + vq_ring_bytes(size, flags);
		vq_get_areas(vq_init(&m.params), &a);
		assert_int_equal(a.desc_iova % 16, 0);
		assert_int_equal(a.driver_iova % (packed ? 4 : 2), 0);
		assert_int_equal(a.device_iova % 4, 0);
		assert_int_equal((char *)a.desc - start, a.desc_iova - m.params.ring_iova);
		assert_int_equal((char *)a.driver - start, a.driver_iova - m.params.ring_iova);
		assert_int_equal((char *)a.device - start, a.device_iova - m.params.ring_iova);
		assert_true((char *)a.desc >= start && (char *)a.desc + 16 * size <= end);
		assert_true((char *)a.driver >= (char *)a.desc + 16 * size);
		assert_true((char *)a.driver + (packed ? 4 : 6 + 2 * size) <= end);
		assert_true((char *)a.device + (packed ? 4 : 6 + 8 * size) <= end);
		assert_true((char *)a.device >= (char *)a.driver + (packed ? 4 : 6 + 2 * size) ||
			    (char *)a.driver >= (char *)a.device + (packed ? 4 : 6 + 8 * size));
		release(&m);
	}
}

/* The ring starts as zeroes, whatever was there (PACKED-LAYOUT-07, SPLIT-ABNS-01). */
static void
zeroed(void **state)
{
	(void)state;
	for (unsigned flags = 0; flags < 16; flags++) {
		struct memory m = memory_for(8, flags);
		size_t len = vq_ring_bytes(8, flags);
		char *ring = m.ring;
		struct vq *vq;

		memset(m.ring, 0xff, len);
		memset(m.state, 0xff, vq_state_bytes(8));
		vq = vq_init(&m.params);
		assert_non_null(vq);
		assert_ptr_equal(vq, m.state);
		for (size_t i = 0; i < len; i++)
			assert_int_equal(ring[i], 0);
		assert_int_equal(vq_free_count(vq), 8);
		assert_int_equal(vq_in_flight(vq), 0);
		assert_int_equal(vq_size(vq), 8);
		assert_int_equal(vq_error(vq), VQ_OK);
		assert_null(vq_detach(vq));
		release(&m);
	}
}

static void
error_texts(void **state)
{
	(void)state;
	for (int e = VQ_OK; e < VQ_ERR_COUNT; e++) {
		assert_non_null(vq_error_text(e));
		for (int other = VQ_OK; other < e; other++)
			assert_string_not_equal(vq_error_text(e), vq_error_text(other));
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(refuses_sizes),
		cmocka_unit_test(refuses_misaligned),
		cmocka_unit_test(areas),
		cmocka_unit_test(zeroed),
		cmocka_unit_test(error_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
