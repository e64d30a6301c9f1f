/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Vectors against plain C at each place of a ring: whatever the index is aligned to, wherever a
 * burst meets the ring's end, and with each remainder of what vectors leave.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>

#include "simd_pair.h"

#define FRAME 60

static const struct vq_view view = {
	.addr_at = offsetof(struct object, addr),
	.in_offset = 116,
	.in_len = 2060,
	.offset_at = offsetof(struct object, offset),
	.len_at = offsetof(struct object, len),
	.before = 12,
};

/* Uses all that is outstanding: each buffer by itself, or by one entry for all (IN_ORDER). */
static void
use_all(struct pair *p, bool batched)
{
	struct player *d = &p->device;

	if (batched) {
		pair_use(p, d->outstanding[d->n - 1].id, FRAME, d->n, d->n);
	} else {
		for (uint16_t i = 0; i < d->n; i++)
			pair_use(p, d->outstanding[i].id, FRAME + i, 1, 1);
	}
	d->n = 0;
}

/* n buffers there and back again. */
static void
round_trip(struct pair *p, uint16_t n, bool in, bool batched)
{
	void *objects[MOST];

	for (uint16_t i = 0; i < n; i++)
		objects[i] = &p->objects[(p->next_cookie + i) % (4 * MOST)];
	p->next_cookie += n;
	assert_int_equal(pair_add(p, objects, n, &view, in), n);
	pair_compare(p);
	pair_publish(p);
	pair_compare(p);
	pair_fetch(p);
	assert_int_equal(p->device.n, n);
	use_all(p, batched);
	assert_int_equal(pair_get(p, n, in), n);
	assert_int_equal(vq_error(p->vq[1]), VQ_OK);
	pair_compare(p);
}

/* A buffer of two descriptors, which takes one entry of a split ring and two ids: from here on
 * places and ids are apart. */
static void
pull_apart(struct pair *p)
{
	const struct vq_sg sg[2] = { { 4096, 12 }, { 8192, FRAME } };

	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(vq_add(p->vq[i], sg, 0, 2, p), 0);
	pair_publish(p);
	pair_fetch(p);
	assert_int_equal(p->device.n, 1);
	pair_use(p, p->device.outstanding[0].id, FRAME, 1, 2);
	p->device.n = 0;
	assert_int_equal(pair_get(p, 1, true), 1);
}

/* Both ways, from a place on. Twice the size of a packed ring comes back to the same wrap counter.
 */
static void
place(uint16_t size, unsigned flags, enum vq_simd simd, uint16_t apart, uint16_t start, uint16_t n)
{
	static struct pair p;

	pair_init(&p, size, flags, simd);
	for (unsigned i = 0; i < 4 * MOST; i++)
		p.objects[i] = (struct object){ 0x123456789abc + 4096 * i, 128 + i, 60 + i };
	for (uint16_t i = 0; i < apart; i++)
		pull_apart(&p);
	for (uint16_t left = start; left > 0;) {
		uint16_t step = left < size ? left : size;

		step = step < MOST ? step : MOST;
		round_trip(&p, step, true, false);
		left -= step;
	}
	round_trip(&p, n, true, false);
	round_trip(&p, n, false, false);
	if (flags & VQ_IN_ORDER) {
		round_trip(&p, n, true, true);
		round_trip(&p, n, false, true);
	}
	pair_free(&p);
}

static void
each_place(enum vq_simd simd, uint16_t size, unsigned flags, uint16_t apart)
{
	static const uint16_t bursts[] = { 1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 13, 15, 16, 17, 31, 33 };

	if (vq_ring_bytes(size, flags) == 0)
		return;
	for (uint16_t start = 0; start < 2 * size; start++) {
		for (size_t b = 0; b < sizeof(bursts) / sizeof(bursts[0]); b++)
			if (bursts[b] < size)
				place(size, flags, simd, apart, start, bursts[b]);
		place(size, flags, simd, apart, start, size);
	}
}

static void
run(enum vq_simd simd)
{
	static const uint16_t sizes[] = { 1, 2, 4, 5, 6, 7, 8, 9, 15, 16, 17, 22, 32, 35, 64 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (unsigned f = 0; f < 8; f++)
			each_place(simd, sizes[i],
				   (f & 1 ? VQ_IN_ORDER : 0) | (f & 2 ? VQ_PACKED : 0) |
					   (f & 4 ? VQ_EVENT_IDX : 0),
				   f & 4 && sizes[i] > 1 ? 3 : 0);
}

SIMD_TESTS
