/* SPDX-License-Identifier: BSD-3-Clause */
#include "simd_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define F_NEXT  1
#define F_AVAIL (1 << 7)
#define F_USED  (1 << 15)

/* Of an indirect table. */
#define TABLE_ELEMENTS 4

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

struct packed_event {
	uint16_t off_wrap, flags;
};

/* Not a byte more than that, for whoever watches. */
static void *
memory(size_t bytes)
{
	void *found = NULL;

	assert_int_equal(posix_memalign(&found, VQ_LEGACY_ALIGN, bytes), 0);
	return found;
}

void
pair_init(struct pair *p, uint16_t size, unsigned flags, enum vq_simd simd)
{
	*p = (struct pair){ .size = size, .flags = flags, .next_cookie = 1 };
	p->ring_bytes = vq_ring_bytes(size, flags);
	p->tables_bytes = (size_t)size * TABLE_ELEMENTS * sizeof(struct split_desc);
	for (unsigned i = 0; i < 2; i++) {
		struct vq_params params = { .size = size, .flags = flags };

		p->ring[i] = memory(p->ring_bytes);
		p->tables[i] = memory(p->tables_bytes);
		p->state[i] = memory(vq_state_bytes(size));
		memset(p->tables[i], 0, p->tables_bytes);
		params.ring = p->ring[i];
		params.indirect = p->tables[i];
		params.indirect_max = TABLE_ELEMENTS;
		params.state = p->state[i];
		params.simd = i == 0 ? VQ_SIMD_NONE : simd;
		p->vq[i] = vq_init(&params);
		assert_non_null(p->vq[i]);
		vq_get_areas(p->vq[i], &p->areas[i]);
	}
	p->device.avail_wrap = p->device.used_wrap = true;
}

void
pair_free(struct pair *p)
{
	for (unsigned i = 0; i < 2; i++) {
		free(p->ring[i]);
		free(p->state[i]);
		free(p->tables[i]);
	}
}

uint16_t
pair_add(struct pair *p, void *const *objects, uint16_t n, const struct vq_view *view, bool in)
{
	uint16_t added[2];

	for (unsigned i = 0; i < 2; i++)
		added[i] = in ? vq_add_in(p->vq[i], objects, n, view)
			      : vq_add_out(p->vq[i], objects, n, view);
	assert_int_equal(added[0], added[1]);
	return added[0];
}

void
pair_compare(const struct pair *p)
{
	assert_memory_equal(p->ring[0], p->ring[1], p->ring_bytes);
	assert_memory_equal(p->tables[0], p->tables[1], p->tables_bytes);
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

void
pair_use(struct pair *p, uint32_t id, uint32_t len, uint16_t buffers, uint16_t descriptors)
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

void
pair_fetch(struct pair *p)
{
	if (p->flags & VQ_PACKED)
		fetch_packed(p);
	else
		fetch_split(p);
}

void
pair_publish(struct pair *p)
{
	bool kick;

	vq_publish(p->vq[0]);
	vq_publish(p->vq[1]);
	kick = vq_kick_prepare(p->vq[0]);
	assert_int_equal(kick, vq_kick_prepare(p->vq[1]));
	assert_int_equal(vq_notify_data(p->vq[0]), vq_notify_data(p->vq[1]));
	p->kicks += kick;
}

void
pair_ask(struct pair *p, uint16_t flags, uint16_t index)
{
	for (unsigned i = 0; i < 2; i++) {
		struct packed_event *event = p->areas[i].device;
		uint16_t *words = p->areas[i].device;

		if (p->flags & VQ_PACKED) {
			event->flags = flags;
			event->off_wrap = index;
		} else {
			words[0] = flags & 1;
			words[2 + 4 * p->size] = index; /* behind the ring: the avail event */
		}
	}
}

uint16_t
pair_get(struct pair *p, uint16_t n, bool with_lens)
{
	void *cookies[2][MOST];
	uint32_t lens[2][MOST];
	uint16_t got;

	got = vq_get(p->vq[0], cookies[0], with_lens ? lens[0] : NULL, n);
	assert_int_equal(vq_get(p->vq[1], cookies[1], with_lens ? lens[1] : NULL, n), got);
	assert_memory_equal(cookies[0], cookies[1], got * sizeof(cookies[0][0]));
	if (with_lens)
		assert_memory_equal(lens[0], lens[1], got * sizeof(lens[0][0]));
	assert_int_equal(vq_error(p->vq[0]), vq_error(p->vq[1]));
	assert_int_equal(vq_free_count(p->vq[0]), vq_free_count(p->vq[1]));
	assert_int_equal(vq_in_flight(p->vq[0]), vq_in_flight(p->vq[1]));
	assert_int_equal(vq_used_count(p->vq[0], MOST), vq_used_count(p->vq[1], MOST));
	return got;
}

void
pair_detach(struct pair *p)
{
	void *cookie;

	do {
		cookie = vq_detach(p->vq[0]);
		assert_ptr_equal(cookie, vq_detach(p->vq[1]));
	} while (cookie != NULL);
}
