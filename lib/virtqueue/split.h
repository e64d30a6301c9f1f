/* SPDX-License-Identifier: BSD-3-Clause */
/* What the split layout's plain C and its vectors share. */
#ifndef VQ_SPLIT_H
#define VQ_SPLIT_H

#include "queue.h"

uint16_t vq_split_get(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n);
uint16_t vq_split_get_in_order(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n);
uint16_t vq_split_add_in(struct vq *vq, void *const *objects, uint16_t n,
			 const struct vq_view *view);
uint16_t vq_split_add_out(struct vq *vq, void *const *objects, uint16_t n,
			  const struct vq_view *view);

/*
 * Returns how many used entries may be taken, at most n. The used index, which the device keeps
 * writing, is loaded only where what it said last is not enough; each load, once, is checked
 * against what is in flight.
 */
static inline uint16_t
vq_split_used_begin(struct vq *vq, uint16_t n)
{
	struct split_state *s = &vq->split;
	uint16_t pending = s->used_seen - s->used_idx;

	if (vq->counts.error != VQ_OK)
		return 0;
	if (pending < n) {
		s->used_seen = le16toh(__atomic_load_n(&s->used->idx, __ATOMIC_RELAXED));
		pending = s->used_seen - s->used_idx;
		if (pending > vq->counts.in_flight) {
			vq->counts.error = VQ_ERR_INDEX_JUMP;
			return 0;
		}
		/* The index before the entries that it covers, and their buffers (SPLIT-USED-04).
		 */
		vq_barrier_read(vq->platform);
	}
	return pending < n ? pending : n;
}

#endif
