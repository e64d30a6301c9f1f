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

#include <endian.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "virtqueue/virtqueue.h"

#define F_NEXT  1
#define F_AVAIL (1 << 7)
#define F_USED  (1 << 15)
#define MOST    64

struct packed_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t id, flags;
};

struct split_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};

struct avail {
	uint16_t flags, idx, ring[];
};

struct used {
	uint16_t flags, idx;
	struct {
		uint32_t id, len;
	} ring[];
};

struct buffer {
	uint16_t id, count;
};

/* What is added many at a time. */
struct object {
	uint64_t addr;
	uint16_t offset, len;
};

/* What the device knows. It reads the plain queue's ring; the other is the same. */
struct player {
	uint16_t avail, used; /* packed: a position; split: an index */
	bool avail_wrap, used_wrap;
	struct buffer outstanding[VQ_SIZE_MAX];
	uint16_t n;
};

struct pair {
	uint16_t size;
	unsigned flags;
	size_t ring_bytes;
	void *ring[2], *state[2];
	struct vq *vq[2]; /* plain, vectors */
	struct vq_areas areas[2];
	struct player device;
	uintptr_t next_cookie;
	struct object objects[4 * MOST];
};

static uint64_t seed;

static uint32_t
random_below(uint32_t n)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)(seed >> 33) % n;
}

static void
pair_init(struct pair *p, uint16_t size, unsigned flags, enum vq_simd simd)
{
	*p = (struct pair){ .size = size, .flags = flags, .next_cookie = 1 };
	p->ring_bytes = vq_ring_bytes(size, flags);
	for (unsigned i = 0; i < 2; i++) {
		struct vq_params params = { .size = size, .flags = flags };

		p->ring[i] = aligned_alloc(VQ_ALIGN, p->ring_bytes);
		p->state[i] = aligned_alloc(VQ_ALIGN, vq_state_bytes(size));
		params.ring = p->ring[i];
		params.state = p->state[i];
		params.simd = i == 0 ? VQ_SIMD_NONE : simd;
		p->vq[i] = vq_init(&params);
		assert_non_null(p->vq[i]);
		vq_get_areas(p->vq[i], &p->areas[i]);
	}
	p->device.avail_wrap = p->device.used_wrap = true;
}

static void
pair_free(struct pair *p)
{
	for (unsigned i = 0; i < 2; i++) {
		free(p->ring[i]);
		free(p->state[i]);
	}
}

static void
add_one(struct pair *p)
{
	uint64_t n = 4096 * (1 + random_below(1000));
	struct vq_sg sg[3] = { { n, 1 + random_below(3000) },
			       { 2 * n, 1 + random_below(3000) },
			       { 3 * n, 7 } };
	uint16_t in = random_below(20) == 0 ? 2 + random_below(2) : 1;
	int ret = vq_add(p->vq[0], sg, 0, in, (void *)p->next_cookie);

	assert_int_equal(ret, vq_add(p->vq[1], sg, 0, in, (void *)p->next_cookie));
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
	uint16_t n = random_below(MOST + 1), first = random_below(3 * MOST), added;
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
	added = in ? vq_add_in(p->vq[0], objects, n, &view)
		   : vq_add_out(p->vq[0], objects, n, &view);
	assert_int_equal(in ? vq_add_in(p->vq[1], objects, n, &view)
			    : vq_add_out(p->vq[1], objects, n, &view),
			 added);
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
	vq_publish(p->vq[0]);
	vq_publish(p->vq[1]);
}

static void
fetch_packed(struct pair *p)
{
	struct player *d = &p->device;
	const struct packed_desc *ring = p->areas[0].desc;

	for (;;) {
		uint16_t flags = ring[d->avail].flags, count = 0;

		if (!!(flags & F_AVAIL) != d->avail_wrap || !!(flags & F_USED) == d->avail_wrap)
			return;
		do {
			flags = ring[d->avail].flags;
			d->outstanding[d->n].id = ring[d->avail].id;
			count++;
			if (++d->avail == p->size) {
				d->avail = 0;
				d->avail_wrap = !d->avail_wrap;
			}
		} while (flags & F_NEXT);
		d->outstanding[d->n++].count = count;
	}
}

static void
fetch_split(struct pair *p)
{
	struct player *d = &p->device;
	const struct split_desc *descs = p->areas[0].desc;
	const struct avail *avail = p->areas[0].driver;

	for (; d->avail != avail->idx; d->avail++) {
		uint16_t id = avail->ring[d->avail % p->size], at = id, count = 1;

		for (; descs[at].flags & F_NEXT; at = descs[at].next)
			count++;
		d->outstanding[d->n++] = (struct buffer){ id, count };
	}
}

/* Uses a buffer, or in order a batch of so many, of so many descriptors in all. */
static void
write_used(struct pair *p, uint32_t id, uint32_t len, uint16_t buffers, uint16_t descriptors)
{
	struct player *d = &p->device;

	for (unsigned i = 0; i < 2; i++) {
		struct packed_desc *desc = p->areas[i].desc;
		struct used *used = p->areas[i].device;

		if (p->flags & VQ_PACKED) {
			desc[d->used].len = len;
			desc[d->used].id = id;
			desc[d->used].flags = d->used_wrap ? F_AVAIL | F_USED : 0;
		} else {
			used->ring[d->used % p->size].id = id;
			used->ring[d->used % p->size].len = len;
			used->idx = d->used + buffers;
		}
	}
	if (!(p->flags & VQ_PACKED)) {
		d->used += buffers;
		return;
	}
	d->used += descriptors;
	if (d->used >= p->size) {
		d->used -= p->size;
		d->used_wrap = !d->used_wrap;
	}
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
		write_used(p, id, len, batch, count);
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
		write_used(p, id, 64, 1, 1);
	}
}

static void
get_some(struct pair *p)
{
	uint16_t n = 1 + random_below(MOST), got;
	bool with_lens = random_below(4) != 0;
	void *cookies[2][MOST];
	uint32_t lens[2][MOST];

	got = vq_get(p->vq[0], cookies[0], with_lens ? lens[0] : NULL, n);
	assert_int_equal(vq_get(p->vq[1], cookies[1], with_lens ? lens[1] : NULL, n), got);
	assert_memory_equal(cookies[0], cookies[1], got * sizeof(cookies[0][0]));
	if (with_lens)
		assert_memory_equal(lens[0], lens[1], got * sizeof(lens[0][0]));
	assert_int_equal(vq_error(p->vq[0]), vq_error(p->vq[1]));
	assert_int_equal(vq_free_count(p->vq[0]), vq_free_count(p->vq[1]));
	assert_int_equal(vq_in_flight(p->vq[0]), vq_in_flight(p->vq[1]));
	assert_int_equal(vq_used_count(p->vq[0], MOST), vq_used_count(p->vq[1], MOST));
}

static void
detach_all(struct pair *p)
{
	void *cookie;

	do {
		cookie = vq_detach(p->vq[0]);
		assert_ptr_equal(cookie, vq_detach(p->vq[1]));
	} while (cookie != NULL);
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
		if (flags & VQ_PACKED)
			fetch_packed(&p);
		else
			fetch_split(&p);
		use_some(&p, lie);
		if (lie && p.device.n == 0 && random_below(10) == 0)
			use_too_much(&p);
		for (uint32_t n = random_below(4); n > 0; n--)
			get_some(&p);
		assert_memory_equal(p.ring[0], p.ring[1], p.ring_bytes);
	}
	broke = vq_error(p.vq[0]) != VQ_OK;
	detach_all(&p);
	pair_free(&p);
	return broke;
}

static void
run(enum vq_simd simd)
{
	static const uint16_t sizes[] = { 1, 3, 4, 5, 7, 8, 9, 15, 16, 31, 64, 256, 496, 1001 };
	unsigned broke = 0;

	if (!vq_simd_runs(simd)) {
		print_message("this CPU does not run %s\n", vq_simd_name(simd));
		skip();
	}
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (unsigned f = 0; f < 4; f++) {
			unsigned flags = (f & 1 ? VQ_IN_ORDER : 0) | (f & 2 ? VQ_PACKED : 0);

			if (vq_ring_bytes(sizes[i], flags) == 0)
				continue;
			seed = 1 + i * 4 + f;
			assert_false(history(sizes[i], flags, simd, 3000, false));
			for (unsigned n = 0; n < 50; n++)
				broke += history(sizes[i], flags, simd, 300, true);
		}
	}
	/* Else the lies were not seen. */
	assert_true(broke > 1000);
}

static void
words(void **state)
{
	(void)state;
	run(VQ_SIMD_WORDS);
}

static void
avx2(void **state)
{
	(void)state;
	run(VQ_SIMD_AVX2);
}

static void
avx512(void **state)
{
	(void)state;
	run(VQ_SIMD_AVX512);
}

static void
neon(void **state)
{
	(void)state;
	run(VQ_SIMD_NEON);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(avx2),
		cmocka_unit_test(avx512),
		cmocka_unit_test(neon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
