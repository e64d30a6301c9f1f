/* SPDX-License-Identifier: BSD-3-Clause */
#include "serve.h"

serve_inline bool
use_one(struct queue *q, uint16_t slot, bool receive, enum touch touch)
{
	uint16_t head = q->avail->ring[slot];
	const struct vring_desc *desc = &q->desc[head];

	if (head >= q->size)
		return serve_fault(q, "an available entry names a descriptor beyond the ring");
	if (touch >= TOUCH_DESC &&
	    !serve_buffer(q, desc->addr, desc->len, desc->flags, receive, touch))
		return false;
	q->used->ring[slot].id = head;
	q->used->ring[slot].len = receive ? q->used_bytes : 0;
	return true;
}

/* The used index is stored once for all. */
serve_inline unsigned
split(struct queue *q, unsigned limit, bool receive, enum touch touch)
{
	uint16_t waiting = __atomic_load_n(&q->avail->idx, __ATOMIC_ACQUIRE) - q->next;
	unsigned done;

	if (waiting > q->size) {
		serve_fault(q, "the available index is further ahead than the ring is long");
		return 0;
	}
	if (waiting > limit)
		waiting = limit;
	for (done = 0; done < waiting; done++)
		if (!use_one(q, (q->next + done) & (q->size - 1), receive, touch))
			break;
	if (done > 0) {
		q->next += done;
		__atomic_store_n(&q->used->idx, q->next, __ATOMIC_RELEASE);
	}
	return done;
}

SERVE_INSTANCES(serve_split, split);
