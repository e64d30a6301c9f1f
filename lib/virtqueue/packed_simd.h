/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The packed layout by vectors: the one source behind each instruction set. A file includes a shim,
 * then this, and makes a table of PACKED_FAST.
 */
#ifndef VQ_PACKED_SIMD_H
#define VQ_PACKED_SIMD_H

#include "packed.h"
#include "simd_batch.h"

#define FLAGS(flags) ((uint64_t)(flags) << 48)

/* Takes used descriptors by LANES, as long as they all are of the simple kind. */
static inline __attribute__((always_inline)) uint16_t
packed_take(struct vq *vq, void **cookies, uint32_t *lens, uint16_t most, const bool shuffled)
{
	const struct packed_desc *desc = &vq->packed.desc[vq->packed.used];
	const struct lanes_tables by_id = lanes_tables(vq);
	struct lanes_ids ids = lanes_ids_from(vq, vq->id_tail);
	const vec flags = vec_set(FLAGS(vq->packed.used_flags));
	const vec looked_at = vec_set(FLAGS(DESC_AVAIL | DESC_USED) | UINT64_C(0xffff) << 32);
	uint16_t got;

	for (got = 0; got + LANES <= most; got += LANES) {
		vec used = vec_load_second(&desc[got]);

		if (!lanes_ids_look(&ids, shuffled) ||
		    !vec_all_equal(vec_and(used, looked_at), vec_or(vec_swap32(ids.all), flags)) ||
		    !lanes_leave(&by_id, ids.first, used, &cookies[got],
				 lens != NULL ? &lens[got] : NULL))
			break;
		lanes_ids_step(&ids);
	}
	return got;
}

static inline uint16_t
packed_get_lanes(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n)
{
	uint16_t most = least(n, vq->counts.size - vq->packed.used, vq->counts.size - vq->id_tail);
	uint16_t got;

	if (!vq->shuffled)
		got = packed_take(vq, cookies, lens, most, false);
	else
		got = packed_take(vq, cookies, lens, most, true);
	vq_packed_used_advance(vq, got);
	leave_account(vq, got);
	return got;
}

static inline bool
packed_leave_batch(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n)
{
	(void)n;
	if (!lanes_leave_batch(vq, cookies, lens))
		return false;
	vq_packed_used_advance(vq, LANES);
	return true;
}

/* Fewer than LANES are no vector's, and small bursts feel each instruction. */
static __attribute__((noinline)) uint16_t
packed_get_many(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n)
{
	uint16_t got = get_batch(vq, cookies, lens, n, packed_get_lanes, packed_leave_batch,
				 vq_packed_get);

	vq_barrier_read(vq->platform);
	return got;
}

static __attribute__((noinline)) uint16_t
packed_get_many_in_order(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n)
{
	uint16_t got = get_batch(vq, cookies, lens, n, packed_get_lanes, packed_leave_batch,
				 vq_packed_get_in_order);

	vq_barrier_read(vq->platform);
	return got;
}

static uint16_t
packed_get_fast(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n)
{
	return n < LANES ? vq_packed_get(vq, cookies, lens, n)
			 : packed_get_many(vq, cookies, lens, n);
}

static uint16_t
packed_get_in_order_fast(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n)
{
	return n < LANES ? vq_packed_get_in_order(vq, cookies, lens, n)
			 : packed_get_many_in_order(vq, cookies, lens, n);
}

/* Fills descriptors by LANES. The first since publish does not yet look available. */
static inline __attribute__((always_inline)) uint16_t
packed_put(struct vq *vq, void *const *objects, uint16_t most, const struct vq_view *view,
	   uint64_t flags, const bool in, const bool shuffled)
{
	struct packed_desc *desc = &vq->packed.desc[vq->packed.avail];
	const struct lanes_tables by_id = lanes_tables(vq);
	struct lanes_ids ids = lanes_ids_from(vq, vq->id_head);
	vec hold_back = vec_first(vq->packed.unpublished == 0 ? FLAGS(DESC_AVAIL) : 0);
	const struct vq_view v = *view;
	uint16_t done;

	for (done = 0; done + LANES <= most && lanes_ids_look(&ids, shuffled); done += LANES) {
		void *const *these = &objects[done];
		vec word = vec_or(lanes_len(these, &v, in), vec_set(FLAGS(flags)));

		word = vec_xor(vec_or(word, vec_swap32(ids.all)), hold_back);
		vec_store_pairs(&desc[done], lanes_iova(these, &v, in), word);
		lanes_fill(&by_id, ids.first, these, in ? v.in_len : 0);
		lanes_ids_step(&ids);
		hold_back = vec_set(0);
	}
	return done;
}

static inline __attribute__((always_inline)) uint16_t
packed_add_lanes(struct vq *vq, void *const *objects, uint16_t n, const struct vq_view *view,
		 const bool in)
{
	uint16_t most = least(n, vq->counts.size - vq->packed.avail, vq->counts.size - vq->id_head);
	uint64_t flags = vq->packed.avail_flags | (in ? DESC_WRITE : 0);
	uint16_t done;

	if (!vq->shuffled)
		done = packed_put(vq, objects, most, view, flags, in, false);
	else
		done = packed_put(vq, objects, most, view, flags, in, true);
	if (done > 0) {
		vq_packed_avail_advance(vq, done, flags);
		fill_account(vq, done);
	}
	return done;
}

static inline uint16_t
packed_add_in_lanes(struct vq *vq, void *const *objects, uint16_t n, const struct vq_view *view)
{
	return packed_add_lanes(vq, objects, n, view, true);
}

static inline uint16_t
packed_add_out_lanes(struct vq *vq, void *const *objects, uint16_t n, const struct vq_view *view)
{
	return packed_add_lanes(vq, objects, n, view, false);
}

static uint16_t
packed_add_in_fast(struct vq *vq, void *const *objects, uint16_t n, const struct vq_view *view)
{
	if (n < LANES)
		return vq_packed_add_in(vq, objects, n, view);
	return add_batch(vq, objects, n, view, packed_add_in_lanes, vq_packed_add_in);
}

static uint16_t
packed_add_out_fast(struct vq *vq, void *const *objects, uint16_t n, const struct vq_view *view)
{
	if (n < LANES)
		return vq_packed_add_out(vq, objects, n, view);
	return add_batch(vq, objects, n, view, packed_add_out_lanes, vq_packed_add_out);
}

/* Any order, and in order. */
#define PACKED_FAST                                                                            \
	{                                                                                      \
		{ packed_get_fast, packed_add_in_fast, packed_add_out_fast },                  \
			{ packed_get_in_order_fast, packed_add_in_fast, packed_add_out_fast }, \
	}

#endif
