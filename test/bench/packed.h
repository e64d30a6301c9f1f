/* SPDX-License-Identifier: BSD-3-Clause */
/* The packed ring from the device's side (spec 2.8). */
#ifndef BENCH_PACKED_H
#define BENCH_PACKED_H

#include "serve.h"

#define PACKED_AVAIL (1 << VRING_PACKED_DESC_F_AVAIL)
#define PACKED_USED  (1 << VRING_PACKED_DESC_F_USED)
#define PACKED_STATE (PACKED_AVAIL | PACKED_USED)

/* Length, id and flags of a descriptor, which lie in one aligned 8 bytes. */
static inline uint64_t *
packed_word(struct vring_packed_desc *desc)
{
	return (uint64_t *)(uintptr_t)((uint8_t *)desc + offsetof(struct vring_packed_desc, len));
}

static inline uint16_t
word_flags(uint64_t word)
{
	return word >> 48;
}

static inline uint16_t
word_id(uint64_t word)
{
	return word >> 32;
}

/* How the two state bits look on a descriptor that is available in this round. */
static inline uint16_t
packed_available(bool wrap)
{
	return wrap ? PACKED_AVAIL : PACKED_USED;
}

/* The flags of a used one. */
serve_inline uint16_t
packed_used(bool wrap, bool receive)
{
	return (wrap ? PACKED_STATE : 0) | (receive ? VRING_DESC_F_WRITE : 0);
}

serve_inline void
packed_use(struct queue *q, struct vring_packed_desc *desc, uint16_t id, bool receive)
{
	uint64_t word = (uint64_t)packed_used(q->wrap, receive) << 48 | (uint64_t)id << 32;

	/* Used lengths mean nothing where the device wrote nothing. */
	if (receive)
		word |= q->used_bytes;
	__atomic_store_n(packed_word(desc), word, __ATOMIC_RELEASE);
}

serve_inline void
packed_advance(struct queue *q, uint16_t count)
{
	unsigned next = q->next + count;

	if (next >= q->size) {
		next -= q->size;
		q->wrap = !q->wrap;
	}
	q->next = next;
}

/* How many descriptors the buffer at a position has, and its id, which stands in the last one;
 * 0 for a chain without an end. */
static inline uint16_t
packed_chain(const struct queue *q, uint16_t at, uint16_t *id)
{
	for (uint16_t count = 1; count <= q->size; count++) {
		const struct vring_packed_desc *desc = &q->packed[at];

		*id = desc->id;
		if (!(desc->flags & VRING_DESC_F_NEXT))
			return count;
		at = at + 1 < q->size ? at + 1 : 0;
	}
	return 0;
}

#endif
