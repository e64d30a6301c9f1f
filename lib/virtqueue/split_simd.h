/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The split layout by vectors: the one source behind each instruction set. A file includes a shim,
 * then this, and makes a table of SPLIT_FAST.
 */
#ifndef VQ_SPLIT_SIMD_H
#define VQ_SPLIT_SIMD_H

#include "cache.h"
#include "simd_batch.h"
#include "split.h"

/* Takes used entries by LANES, as long as they all are of the simple kind. */
static inline __attribute__((always_inline)) uint16_t
split_take(struct vq *vq, void **cookies, uint32_t *lens, uint16_t most, const bool shuffled)
{
	const struct split_used_elem *entry =
		&vq->split.used->ring[vq->split.used_idx & vq->split.mask];
	const struct lanes_tables by_id = lanes_tables(vq);
	struct lanes_ids ids = lanes_ids_from(vq, vq->id_tail);
	uint16_t got;

	for (got = 0; got + LANES <= most; got += LANES) {
		/* Each is an id, and a length above it. */
		vec used = vec_load(&entry[got]);

		if (!lanes_ids_look(&ids, shuffled) ||
		    !vec_all_equal(vec_and(used, vec_set(UINT32_MAX)), ids.all) ||
		    !lanes_leave(&by_id, ids.first, vec_swap32(used), &cookies[got],
				 lens != NULL ? &lens[got] : NULL))
			break;
		lanes_ids_step(&ids);
	}
	return got;
}

static inline uint16_t
split_get_lanes(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n)
{
	struct split_state *s = &vq->split;
	uint16_t at = s->used_idx & s->mask;
	uint16_t most = least(vq_split_used_begin(vq, n), vq->counts.size - at,
			      vq->counts.size - vq->id_tail);
	uint16_t got;

	if (!vq->shuffled)
		got = split_take(vq, cookies, lens, most, false);
	else
		got = split_take(vq, cookies, lens, most, true);
	leave_account(vq, got);
	s->used_idx += got;
	return got;
}

static inline bool
split_leave_batch(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n)
{
	if (vq_split_used_begin(vq, n) < LANES || !lanes_leave_batch(vq, cookies, lens))
		return false;
	vq->split.used_idx += LANES;
	return true;
}

static uint16_t
split_get_fast(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n)
{
	if (n < LANES)
		return vq_split_get(vq, cookies, lens, n);
	return get_batch(vq, cookies, lens, n, split_get_lanes, split_leave_batch, vq_split_get);
}

static uint16_t
split_get_in_order_fast(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n)
{
	if (n < LANES)
		return vq_split_get_in_order(vq, cookies, lens, n);
	return get_batch(vq, cookies, lens, n, split_get_lanes, split_leave_batch,
			 vq_split_get_in_order);
}

/*
 * Of receive buffers alone, which wait in the ring until a frame comes: what is to be sent the
 * device reads at once, and letting go of that made both sides slower (doc/performance.md).
 */
static inline __attribute__((always_inline)) void
descs_let_go(const struct split_desc *desc)
{
	for (unsigned i = 0; i < LANES; i += VQ_ALIGN / sizeof(*desc))
		cache_let_go(&desc[i]);
}

/*
 * The queue is kept up to date at each turn, which takes more instructions than at the end of the
 * loop. But with those saved, a driver that has caught up with its device took more cycles a
 * packet, not fewer (doc/performance.md).
 */
static inline __attribute__((always_inline)) uint16_t
split_add_lanes(struct vq *vq, void *const *objects, uint16_t n, const struct vq_view *view,
		const bool in)
{
	struct split_state *s = &vq->split;
	uint16_t at = s->avail_idx & s->mask;
	uint16_t most = least(n, vq->counts.size - at, vq->counts.size - vq->id_head);
	vec flags = vec_set((uint64_t)(in ? DESC_WRITE : 0) << 32);
	uint16_t done;

	for (done = 0; done + LANES <= most && ids_count_up(&vq->ids[vq->id_head]); done += LANES) {
		const struct lanes_tables by_id = lanes_tables(vq);
		uint16_t first = vq->ids[vq->id_head];

		vec_store_pairs(&s->desc[first], lanes_iova(objects + done, view, in),
				vec_or(lanes_len(objects + done, view, in), flags));
		if (in)
			descs_let_go(&s->desc[first]);
		ids_store(&s->avail->ring[at + done], first);
		lanes_fill(&by_id, first, objects + done, in ? view->in_len : 0);
		fill_account(vq, LANES);
	}
	s->avail_idx += done;
	return done;
}

static inline uint16_t
split_add_in_lanes(struct vq *vq, void *const *objects, uint16_t n, const struct vq_view *view)
{
	return split_add_lanes(vq, objects, n, view, true);
}

static inline uint16_t
split_add_out_lanes(struct vq *vq, void *const *objects, uint16_t n, const struct vq_view *view)
{
	return split_add_lanes(vq, objects, n, view, false);
}

static uint16_t
split_add_in_fast(struct vq *vq, void *const *objects, uint16_t n, const struct vq_view *view)
{
	if (n < LANES)
		return vq_split_add_in(vq, objects, n, view);
	return add_batch(vq, objects, n, view, split_add_in_lanes, vq_split_add_in);
}

static uint16_t
split_add_out_fast(struct vq *vq, void *const *objects, uint16_t n, const struct vq_view *view)
{
	if (n < LANES)
		return vq_split_add_out(vq, objects, n, view);
	return add_batch(vq, objects, n, view, split_add_out_lanes, vq_split_add_out);
}

/* Any order, and in order. */
#define SPLIT_FAST                                                                          \
	{                                                                                   \
		{ split_get_fast, split_add_in_fast, split_add_out_fast },                  \
			{ split_get_in_order_fast, split_add_in_fast, split_add_out_fast }, \
	}

#endif
