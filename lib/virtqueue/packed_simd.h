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

/* Takes LANES used descriptors, if they all are of the simple kind. */
static inline bool
packed_take(struct vq *vq, void **cookies, uint32_t *lens)
{
	const struct packed_state *p = &vq->packed;
	vec used = vec_load_second(&p->desc[p->used]);
	vec ids = vec_and(vec_swap32(used), vec_set(0xffff));

	return vec_all_equal(vec_and(used, vec_set(FLAGS(DESC_AVAIL | DESC_USED))),
			     vec_set(FLAGS(p->used_flags))) &&
	       lanes_leave(vq, ids, used, cookies, lens);
}

static inline uint16_t
packed_get_lanes(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n)
{
	struct packed_state *p = &vq->packed;
	uint16_t most = least(n, vq->counts.size - p->used, vq->counts.size - vq->id_tail);
	uint16_t got = 0;

	while (got + LANES <= most) {
		if (!packed_take(vq, cookies + got, lens != NULL ? lens + got : NULL))
			break;
		vq_packed_used_advance(vq, LANES);
		leave_account(vq, LANES);
		got += LANES;
	}
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

static uint16_t
packed_get_fast(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n)
{
	uint16_t got = get_batch(vq, cookies, lens, n, packed_get_lanes, packed_leave_batch,
				 vq_packed_get);

	vq_barrier_read(vq->platform);
	return got;
}

static uint16_t
packed_get_in_order_fast(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n)
{
	uint16_t got = get_batch(vq, cookies, lens, n, packed_get_lanes, packed_leave_batch,
				 vq_packed_get_in_order);

	vq_barrier_read(vq->platform);
	return got;
}

/* Fills LANES descriptors. The first since publish does not yet look available. */
static inline __attribute__((always_inline)) void
packed_put(struct vq *vq, void *const *objects, const struct vq_view *view, uint64_t flags,
	   const bool in)
{
	struct packed_state *p = &vq->packed;
	uint16_t first = vq->ids[vq->id_head];
	vec ids = vec_swap32(vec_count_up(first));
	vec word = vec_or(vec_or(lanes_len(objects, view, in), ids), vec_set(FLAGS(flags)));

	if (p->unpublished == 0)
		word = vec_xor(word, vec_first(FLAGS(DESC_AVAIL)));
	vec_store_pairs(&p->desc[p->avail], lanes_iova(objects, view, in), word);
	lanes_fill(vq, first, objects, in ? view->in_len : 0);
	vq_packed_avail_advance(vq, LANES, flags);
	fill_account(vq, LANES);
}

static inline __attribute__((always_inline)) uint16_t
packed_add_lanes(struct vq *vq, void *const *objects, uint16_t n, const struct vq_view *view,
		 const bool in)
{
	uint16_t most = least(n, vq->counts.size - vq->packed.avail, vq->counts.size - vq->id_head);
	uint64_t flags = vq->packed.avail_flags | (in ? DESC_WRITE : 0);
	uint16_t done;

	for (done = 0; done + LANES <= most && ids_count_up(&vq->ids[vq->id_head]); done += LANES)
		packed_put(vq, objects + done, view, flags, in);
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
	return add_batch(vq, objects, n, view, packed_add_in_lanes, vq_packed_add_in);
}

static uint16_t
packed_add_out_fast(struct vq *vq, void *const *objects, uint16_t n, const struct vq_view *view)
{
	return add_batch(vq, objects, n, view, packed_add_out_lanes, vq_packed_add_out);
}

/* Any order, and in order. */
#define PACKED_FAST                                                                            \
	{                                                                                      \
		{ packed_get_fast, packed_add_in_fast, packed_add_out_fast },                  \
			{ packed_get_in_order_fast, packed_add_in_fast, packed_add_out_fast }, \
	}

#endif
