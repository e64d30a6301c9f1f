/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Vectors against plain C: two queues, one history. A device that the test plays writes the same
 * used descriptors or entries into both rings; both must give the same buffers and lengths, come to
 * the same errors, and leave the same bytes on the ring.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "simd_pair.h"

static uint64_t seed;
static unsigned kicks;

static uint32_t
random_below(uint32_t n)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)(seed >> 33) % n;
}

static void
add_one(struct pair *p)
{
	uint64_t n = 4096 * (1 + random_below(1000));
	struct vq_sg sg[3] = { { n, 1 + random_below(3000) },
			       { 2 * n, 1 + random_below(3000) },
			       { 3 * n, 7 } };
	uint16_t all = random_below(20) == 0 ? 2 + random_below(2) : 1;
	uint16_t out = random_below(all + 1);
	int ret = vq_add(p->vq[0], sg, out, all - out, (void *)p->next_cookie);

	assert_int_equal(ret, vq_add(p->vq[1], sg, out, all - out, (void *)p->next_cookie));
	p->next_cookie++;
}

/* Many at once, all of one descriptor. */
static void
add_many(struct pair *p)
{
	struct vq_view view = {
		.addr_at = offsetof(struct object, addr),
		.in_offset = random_below(200),
		.in_len = 1 + random_below(3000),
		.offset_at = offsetof(struct object, offset),
		.len_at = offsetof(struct object, len),
		.before = random_below(100),
	};
	uint16_t n = random_below(MOST + 1), first = random_below(3 * MOST);
	bool in = random_below(2);
	void *objects[MOST];

	for (uint16_t i = 0; i < n; i++) {
		p->objects[first + i] = (struct object){
			.addr = UINT64_C(0x123456789abc) * (1 + random_below(1000)),
			.offset = random_below(65536),
			.len = random_below(65536),
		};
		objects[i] = &p->objects[first + i];
	}
	pair_add(p, objects, n, &view, in);
}

/* Some buffers, mostly of one descriptor, to both queues. */
static void
add_some(struct pair *p)
{
	for (uint32_t n = random_below(4); n > 0; n--)
		add_many(p);
	for (uint32_t n = random_below(4) == 0 ? random_below(MOST) : 0; n > 0; n--)
		add_one(p);
	if (random_below(10) == 0)
		return;
	if (random_below(4) == 0)
		pair_ask(p, random_below(4), random_below(65536));
	pair_publish(p);
}

/* Uses some of what is outstanding: in order or not, in batches if that was promised, rarely lying.
 */
static void
use_some(struct pair *p, bool lie)
{
	struct player *d = &p->device;
	bool in_order = p->flags & VQ_IN_ORDER;
	bool shuffled = !in_order && random_below(8) == 0;

	for (uint32_t n = random_below(d->n + 1); n > 0; n--) {
		uint16_t at = shuffled ? random_below(d->n) : 0;
		uint16_t batch = in_order && random_below(3) == 0 ? 1 + random_below(n) : 1;
		uint32_t id = d->outstanding[at + batch - 1].id;
		uint16_t count = 0;
		uint32_t len = random_below(30) == 0 ? UINT32_MAX - random_below(3)
						     : random_below(3100);

		if (lie && random_below(100) == 0)
			id = random_below(2) ? id + 65536 * (1 + random_below(9))
					     : random_below(p->size + 4);
		for (uint16_t i = 0; i < batch; i++)
			count += d->outstanding[at + i].count;
		pair_use(p, id, len, batch, count);
		memmove(&d->outstanding[at], &d->outstanding[at + batch],
			(d->n - at - batch) * sizeof(d->outstanding[0]));
		d->n -= batch;
		n -= batch - 1;
	}
}

/* Marks as used what was not made available: the ids that come next, each in its place. */
static void
use_too_much(struct pair *p)
{
	struct player *d = &p->device;
	uint16_t id = d->n > 0 ? d->outstanding[d->n - 1].id : random_below(p->size);

	for (unsigned i = 0; i < 16 && i < p->size; i++) {
		id = id + 1 == p->size ? 0 : id + 1;
		pair_use(p, id, 64, 1, 1);
	}
}

static void
get_some(struct pair *p)
{
	uint16_t n = 1 + random_below(MOST);

	pair_get(p, n, random_below(4) != 0);
}

/* One history, until a lie was found or it is long enough. Returns whether a queue broke. */
static bool
history(uint16_t size, unsigned flags, enum vq_simd simd, unsigned steps, bool lie)
{
	static struct pair p;
	bool broke;

	pair_init(&p, size, flags, simd);
	for (unsigned i = 0; i < steps && vq_error(p.vq[0]) == VQ_OK; i++) {
		add_some(&p);
		pair_fetch(&p);
		use_some(&p, lie);
		if (lie && p.device.n == 0 && random_below(10) == 0)
			use_too_much(&p);
		for (uint32_t n = random_below(4); n > 0; n--)
			get_some(&p);
		pair_compare(&p);
	}
	broke = vq_error(p.vq[0]) != VQ_OK;
	kicks += p.kicks;
	pair_detach(&p);
	pair_free(&p);
	return broke;
}

/* Other features of the ring, none of which is a matter of vectors. */
static unsigned
with_more(unsigned flags)
{
	flags |= random_below(2) ? VQ_EVENT_IDX : 0;
	flags |= random_below(2) ? VQ_INDIRECT : 0;
	return flags | (!(flags & VQ_PACKED) && random_below(3) == 0 ? VQ_LEGACY : 0);
}

static void
run(enum vq_simd simd)
{
	static const uint16_t sizes[] = { 1, 3, 4, 5, 7, 8, 9, 15, 16, 31, 64, 256, 496, 1001 };
	unsigned broke = 0;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (unsigned f = 0; f < 4; f++) {
			unsigned flags = (f & 1 ? VQ_IN_ORDER : 0) | (f & 2 ? VQ_PACKED : 0);

			if (vq_ring_bytes(sizes[i], flags) == 0)
				continue;
			seed = 1 + i * 4 + f;
			for (unsigned n = 0; n < 4; n++)
				assert_false(history(sizes[i], with_more(flags), simd, 800, false));
			for (unsigned n = 0; n < 50; n++)
				broke += history(sizes[i], with_more(flags), simd, 300, true);
		}
	}
	/* Else the lies were not seen. */
	assert_true(broke > 1000);
	assert_true(kicks > 1000);
}

SIMD_TESTS
