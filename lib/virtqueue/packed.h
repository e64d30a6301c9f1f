/* SPDX-License-Identifier: BSD-3-Clause */
/* What the packed layout's plain C and its vectors share. */
#ifndef VQ_PACKED_H
#define VQ_PACKED_H

#include "queue.h"

#define WRAP_BITS ((uint16_t)(DESC_AVAIL | DESC_USED))

uint16_t vq_packed_get(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n);
uint16_t vq_packed_get_in_order(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n);
uint16_t vq_packed_add_in(struct vq *vq, void *const *objects, uint16_t n,
			  const struct vq_view *view);
uint16_t vq_packed_add_out(struct vq *vq, void *const *objects, uint16_t n,
			   const struct vq_view *view);

/* Skips the n slots of used buffers; n is at most the size (PACKED-WRAP-05). */
static inline void
vq_packed_used_advance(struct vq *vq, uint16_t n)
{
	struct packed_state *p = &vq->packed;
	uint32_t next = (uint32_t)p->used + n;

	if (next >= vq->counts.size) {
		next -= vq->counts.size;
		p->used_flags ^= WRAP_BITS;
	}
	p->used = next;
}

/*
 * n slots were filled, not beyond the ring's end; flags are the first one's. At the end the Driver
 * Ring Wrap Counter flips (PACKED-WRAP-02).
 */
static inline void
vq_packed_avail_advance(struct vq *vq, uint16_t n, uint16_t flags)
{
	struct packed_state *p = &vq->packed;

	if (p->unpublished == 0) {
		p->first = p->avail;
		p->first_flags = flags;
	}
	p->unpublished += n;
	p->avail += n;
	if (p->avail == vq->counts.size) {
		p->avail = 0;
		p->avail_flags ^= WRAP_BITS;
	}
}

#endif
