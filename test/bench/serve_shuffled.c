/* SPDX-License-Identifier: BSD-3-Clause */
/* Out of order: of the buffers that wait, groups of up to 16 are used in a random order. For tests
 * of drivers, not for figures. */
#include "packed.h"

#define GROUP 16

struct pending {
	uint16_t id;
	uint16_t count; /* descriptors */
};

/* xorshift32: repeatable, and good enough to mix 16 entries. */
static uint32_t
next_random(struct queue *q)
{
	q->random ^= q->random << 13;
	q->random ^= q->random >> 17;
	q->random ^= q->random << 5;
	return q->random;
}

static void
mix(struct queue *q, struct pending *group, unsigned n)
{
	for (unsigned i = n; i > 1; i--) {
		unsigned j = next_random(q) % i;
		struct pending taken = group[i - 1];

		group[i - 1] = group[j];
		group[j] = taken;
	}
}

/* Reads the buffers that wait, from where the queue stands, without using any. */
static unsigned
gather_packed(struct queue *q, struct pending *group, bool receive, enum touch touch)
{
	struct queue ahead = *q;
	unsigned n;

	for (n = 0; n < GROUP; n++) {
		struct vring_packed_desc *desc = &q->packed[ahead.next];
		uint64_t word = __atomic_load_n(packed_word(desc), __ATOMIC_ACQUIRE);

		if ((word_flags(word) & PACKED_STATE) != packed_available(ahead.wrap))
			break;
		group[n].count = packed_chain(q, ahead.next, &group[n].id);
		if (group[n].count == 0) {
			serve_fault(q, "a chain of descriptors has no end");
			break;
		}
		if (!serve_buffer(q, desc->addr, (uint32_t)word, word_flags(word), receive, touch))
			break;
		packed_advance(&ahead, group[n].count);
	}
	return n;
}

/* A used descriptor takes the place of as many as its buffer has (spec 2.8.6). */
static inline unsigned
shuffled_packed(struct queue *q, unsigned limit, bool receive, enum touch touch)
{
	struct pending group[GROUP];
	unsigned n = gather_packed(q, group, receive, touch);

	(void)limit;
	mix(q, group, n);
	for (unsigned i = 0; i < n; i++) {
		packed_use(q, &q->packed[q->next], group[i].id, receive);
		packed_advance(q, group[i].count);
	}
	return n;
}

static unsigned
gather_split(struct queue *q, struct pending *group, bool receive, enum touch touch)
{
	uint16_t waiting = __atomic_load_n(&q->avail->idx, __ATOMIC_ACQUIRE) - q->next;
	unsigned n;

	for (n = 0; n < GROUP && n < waiting; n++) {
		uint16_t head = q->avail->ring[(uint16_t)(q->next + n) & (q->size - 1)];
		const struct vring_desc *desc = &q->desc[head];

		if (head >= q->size) {
			serve_fault(q, "an available entry names a descriptor beyond the ring");
			break;
		}
		if (!serve_buffer(q, desc->addr, desc->len, desc->flags, receive, touch))
			break;
		group[n].id = head;
	}
	return n;
}

static inline unsigned
shuffled_split(struct queue *q, unsigned limit, bool receive, enum touch touch)
{
	struct pending group[GROUP];
	unsigned n = gather_split(q, group, receive, touch);

	(void)limit;
	mix(q, group, n);
	for (unsigned i = 0; i < n; i++) {
		struct vring_used_elem *used = &q->used->ring[q->next++ & (q->size - 1)];

		used->id = group[i].id;
		used->len = receive ? q->used_bytes : 0;
	}
	if (n > 0)
		__atomic_store_n(&q->used->idx, q->next, __ATOMIC_RELEASE);
	return n;
}

SERVE_INSTANCES(serve_shuffled_packed, shuffled_packed);
SERVE_INSTANCES(serve_shuffled_split, shuffled_split);
