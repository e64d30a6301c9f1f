/* SPDX-License-Identifier: BSD-3-Clause */
#include "packed.h"

#include <sys/param.h>

#define LINE  4 /* descriptors in a cache line */
#define LINES 8 /* at most at once */

/* The words of a line whose descriptors are all available and buffers of their own. */
serve_inline bool
load_line(const struct queue *q, struct vring_packed_desc *desc, uint64_t *words)
{
	uint16_t available = packed_available(q->wrap);

	for (int i = 0; i < LINE; i++) {
		words[i] = __atomic_load_n(packed_word(&desc[i]), __ATOMIC_ACQUIRE);
		if ((word_flags(words[i]) & (PACKED_STATE | VRING_DESC_F_NEXT)) != available)
			return false;
	}
	return true;
}

/*
 * Whole cache lines of buffers with one descriptor each. All are looked at before the first is
 * written, so that the lines come from the driver's cache at the same time and not one after the
 * other. They are written from the last to the first: a driver that sees the first sees all, as
 * with a device that writes its completions in one piece. Returns the number of buffers.
 */
serve_inline unsigned
use_lines(struct queue *q, unsigned limit, bool receive, enum touch touch)
{
	struct vring_packed_desc *desc = &q->packed[q->next];
	uint64_t words[LINES * LINE];
	unsigned n = 0,
		 most = MIN(limit, MIN((unsigned)(LINES * LINE), (unsigned)(q->size - q->next)));

	if (q->next % LINE != 0)
		return 0;
	while (n + LINE <= most && load_line(q, &desc[n], &words[n]))
		n += LINE;
	for (unsigned i = 0; i < n; i++)
		if (!serve_buffer(q, desc[i].addr, (uint32_t)words[i], word_flags(words[i]),
				  receive, touch))
			return 0;
	for (unsigned i = n; i-- > 0;)
		packed_use(q, &desc[i], word_id(words[i]), receive);
	packed_advance(q, n);
	return n;
}

serve_inline bool
use_one(struct queue *q, bool receive, enum touch touch)
{
	struct vring_packed_desc *desc = &q->packed[q->next];
	uint64_t word = __atomic_load_n(packed_word(desc), __ATOMIC_ACQUIRE);
	uint16_t count, id;

	if ((word_flags(word) & PACKED_STATE) != packed_available(q->wrap))
		return false;
	count = packed_chain(q, q->next, &id);
	if (count == 0)
		return serve_fault(q, "a chain of descriptors has no end");
	if (!serve_buffer(q, desc->addr, (uint32_t)word, word_flags(word), receive, touch))
		return false;
	packed_use(q, desc, id, receive);
	packed_advance(q, count);
	return true;
}

serve_inline unsigned
packed(struct queue *q, unsigned limit, bool receive, enum touch touch)
{
	unsigned done = 0;

	while (done < limit) {
		unsigned n = use_lines(q, limit - done, receive, touch);

		if (n == 0 && q->fault == NULL)
			n = use_one(q, receive, touch);
		if (n == 0)
			break;
		done += n;
	}
	return done;
}

SERVE_INSTANCES(serve_packed, packed);
