/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Taking used descriptors of a packed ring by vectors: the one source behind each instruction set.
 * A file includes a shim (LANES, vec, vec_*), then this, and names the result.
 *
 * The vector takes LANES descriptors at once where they complete buffers of one descriptor each, in
 * the order in which those were added, whether or not the device promised that order. Everything
 * else falls to plain C for those descriptors, and comes back. So ids are compared with the
 * driver's own circle, never looked up: a lie cannot but fail the comparison, and then meets the
 * checks of the plain path.
 */
#include "packed.h"

/* Takes LANES used descriptors, if they all are of the simple kind. */
static inline bool
take_lanes(struct vq *vq, void **cookies, uint32_t *lens)
{
	const uint16_t *circle = &vq->ids[vq->id_tail];
	vec used = vec_load_used(&vq->packed.desc[vq->packed.used]);
	vec want = vec_set((uint64_t)vq->packed.used_flags << 48);
	vec ids = vec_ids(used);
	uint16_t first = circle[0];

	/* Used; the oldest buffers, in their order; whose ids follow each other; of one descriptor.
	 */
	if (!vec_all_equal(vec_and(used, (uint64_t)(DESC_AVAIL | DESC_USED) << 48), want) ||
	    !vec_all_equal(ids, vec_load16(circle)) || !vec_all_equal(ids, vec_count_up(first)) ||
	    !counts_are_one(&vq->count[first]))
		return false;
	vec_copy_cookies(cookies, &vq->cookies[first]);
	if (lens != NULL)
		vec_store_lens(lens, used, &vq->room[first]);
	counts_clear(&vq->count[first]);
	return true;
}

/* How many more descriptors lie before the end of the ring, or of the circle. */
static inline uint16_t
before_an_end(const struct vq *vq)
{
	uint16_t ring = vq->counts.size - vq->packed.used, circle = vq->counts.size - vq->id_tail;

	return ring < circle ? ring : circle;
}

/* Accounts for n buffers of one descriptor each that left in order: the circle stays as it is. */
static inline void
leave_in_order(struct vq *vq, uint16_t n)
{
	vq->packed.used += n;
	if (vq->packed.used == vq->counts.size) {
		vq->packed.used = 0;
		vq->packed.used_flags ^= DESC_AVAIL | DESC_USED;
	}
	vq->id_tail += n;
	if (vq->id_tail == vq->counts.size)
		vq->id_tail = 0;
	vq->counts.free += n;
	vq->counts.in_flight -= n;
}

static inline uint16_t
get_by_lanes(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n)
{
	uint16_t most = before_an_end(vq), got = 0;

	if (most > n)
		most = n;
	while (got + LANES <= most) {
		if (!take_lanes(vq, cookies + got, lens != NULL ? lens + got : NULL))
			break;
		leave_in_order(vq, LANES);
		got += LANES;
	}
	return got;
}

/* plain takes what vectors cannot, LANES at a time. */
static inline uint16_t
get_by_vectors(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n,
	       uint16_t (*plain)(struct vq *, void **, uint32_t *, uint16_t))
{
	uint16_t got = 0, some, wanted;

	if (vq->counts.error != VQ_OK)
		return 0;
	do {
		/* What was not published, or waits in a batch already, is the plain path's. */
		if (vq->counts.held == 0 && vq->batch_left == 0)
			got += get_by_lanes(vq, cookies + got, lens != NULL ? lens + got : NULL,
					    n - got);
		wanted = n - got < LANES ? n - got : LANES;
		some = plain(vq, cookies + got, lens != NULL ? lens + got : NULL, wanted);
		got += some;
	} while (some == wanted && got < n);
	vq_barrier_read(vq->platform);
	return got;
}
