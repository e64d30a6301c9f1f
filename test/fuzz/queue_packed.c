/* SPDX-License-Identifier: BSD-3-Clause */
/* The packed layout (spec 2.8), as a device sees it. */
#include "queue.h"

enum {
	F_NEXT = 1,
	F_WRITE = 2,
	F_INDIRECT = 4,
	F_AVAIL = 1 << 7,
	F_USED = 1 << 15,
};

enum { EVENT_DISABLE = 1, EVENT_DESC = 2 };

/* What stands at a slot. */
struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t id;
	uint16_t flags;
};

static struct desc
desc_at(const void *table, uint16_t slot)
{
	struct desc desc;

	memcpy(&desc, (const char *)table + sizeof(desc) * slot, sizeof(desc));
	return desc;
}

/* Steps over n slots of the ring. */
static void
step(const struct queue *q, uint16_t *slot, bool *wrap, uint16_t n)
{
	uint32_t next = *slot + n;

	if (next >= q->size) {
		next -= q->size;
		*wrap = !*wrap;
	}
	*slot = (uint16_t)next;
}

static void
check_table(const struct twin *twin, const struct desc *desc, const struct vq_sg *sg, uint16_t out,
	    uint16_t elements)
{
	size_t at = 16u * INDIRECT_MAX * (size_t)desc->id;

	must(desc->addr == TABLE_IOVA + at, "a table is the id's own");
	must(desc->len == 16u * elements, "and as long as its elements");
	for (uint16_t i = 0; i < elements; i++) {
		struct desc entry = desc_at((char *)twin->indirect + at, i);

		must(entry.addr == sg[i].iova && entry.len == sg[i].len,
		     "an element is where and as long as told");
		must(entry.flags == (i < out ? 0 : F_WRITE), "and flagged so");
	}
}

/* The flags of the first descriptor since publish still say what they said. */
static void
check_list(const struct queue *q, const struct twin *twin, const struct vq_sg *sg, uint16_t out,
	   uint16_t elements)
{
	uint16_t slot = q->avail;
	bool wrap = q->avail_wrap;

	for (uint16_t i = 0; i < elements; i++) {
		struct desc desc = desc_at(twin->areas.desc, slot);
		uint16_t flags = wrap ? F_AVAIL : F_USED;

		flags |= (i < out ? 0 : F_WRITE) | (i + 1 < elements ? F_NEXT : 0);
		must(desc.addr == sg[i].iova && desc.len == sg[i].len,
		     "an element is where and as long as told");
		must(desc.flags == flags || (i == 0 && q->unpublished == 0), "and flagged so");
		step(q, &slot, &wrap, 1);
	}
}

static void
packed_learn(struct queue *q, struct buffer *buffer, const struct vq_sg *sg, uint16_t out,
	     uint16_t elements, uint16_t position)
{
	uint16_t last = (uint16_t)((position + buffer->descriptors - 1u) % q->size);

	buffer->id = desc_at(q->twins[0].areas.desc, last).id;
	must(buffer->id < q->size, "an id is below the size");
	for (unsigned i = 0; i < q->n_twins; i++) {
		const struct twin *twin = &q->twins[i];
		struct desc desc = desc_at(twin->areas.desc, position);

		if (buffer->descriptors < elements)
			check_table(twin, &desc, sg, out, elements);
		else
			check_list(q, twin, sg, out, elements);
	}
	step(q, &q->avail, &q->avail_wrap, buffer->descriptors);
	q->unpublished += buffer->descriptors;
}

static uint16_t
packed_pending(struct queue *q, uint16_t n)
{
	(void)q;
	return n;
}

static bool
packed_next_used(const struct queue *q, uint32_t *id, uint32_t *len)
{
	uint16_t flags = (uint16_t)area_get(q, DESC, 16 * (size_t)q->used + 14, 2);

	*len = (uint32_t)area_get(q, DESC, 16 * (size_t)q->used + 8, 4);
	*id = (uint32_t)area_get(q, DESC, 16 * (size_t)q->used + 12, 2);
	return !!(flags & F_AVAIL) == q->used_wrap && !!(flags & F_USED) == q->used_wrap;
}

static void
packed_advance_used(struct queue *q, const struct buffer *buffer)
{
	step(q, &q->used, &q->used_wrap, buffer->descriptors);
}

static uint16_t
packed_batch_limit(const struct queue *q)
{
	return q->flight;
}

static void
put_used(struct queue *q, uint16_t slot, uint32_t id, uint32_t len, uint16_t flags)
{
	area_put(q, DESC, 16 * (size_t)slot + 8, len, 4);
	area_put(q, DESC, 16 * (size_t)slot + 12, id, 2);
	area_put(q, DESC, 16 * (size_t)slot + 14, flags, 2);
}

static void
packed_device_use(struct queue *q, uint16_t age, uint16_t batch, uint32_t len)
{
	uint16_t flags = q->device_wrap ? F_AVAIL | F_USED : 0;

	flags |= len > 0 ? F_WRITE : 0;
	put_used(q, q->device_used, q->fifo[age].id, len, flags);
	for (uint16_t i = age + 1 - batch; i <= age; i++)
		step(q, &q->device_used, &q->device_wrap, q->fifo[i].descriptors);
}

/* Bits of extra: flags as they should be there; else any; the device goes on from there. */
static void
packed_device_lie(struct queue *q, uint16_t distance, uint32_t id, uint32_t len, uint16_t extra)
{
	uint16_t slot = q->used, flags;
	bool wrap = q->used_wrap;

	step(q, &slot, &wrap, distance % q->size);
	flags = wrap ? F_AVAIL | F_USED : 0;
	if (extra & 1)
		flags ^= (extra & 2 ? F_AVAIL : 0) | (extra & 4 ? F_USED : 0) | extra >> 3;
	put_used(q, slot, id, len, flags);
	if (extra & 8) {
		q->device_used = slot;
		q->device_wrap = wrap;
		step(q, &q->device_used, &q->device_wrap, 1);
	}
}

static void
packed_device_event(struct queue *q, uint16_t a, uint16_t b)
{
	uint16_t slot = q->avail;
	bool wrap = q->avail_wrap;

	/* Near the next slot, in this round or the one before. */
	if (b & 0x100) {
		uint16_t back = a % 8 % q->size;

		wrap ^= slot < back;
		slot = (uint16_t)((slot + q->size - back) % q->size);
		a = slot | (wrap != !!(b & 0x200) ? 0x8000 : 0);
	}
	area_put(q, DEVICE, 0, a, 2);
	area_put(q, DEVICE, 2, b & 0xff, 2);
}

/* The descriptors published since the last question, from the newest back. */
static int
event_kick(const struct queue *q, uint16_t off_wrap)
{
	uint32_t newest = q->unpublished + 1, slot;
	bool wrap;

	if ((off_wrap & 0x7fff) >= q->size || q->unkicked + q->unpublished >= q->size)
		return -1; /* a place that there is not, or every place */
	for (uint32_t back = newest; back < newest + q->unkicked; back++) {
		wrap = q->avail >= back ? q->avail_wrap : !q->avail_wrap;
		slot = (q->avail + q->size - back) % q->size;
		if (off_wrap == (slot | (wrap ? 0x8000u : 0)))
			return 1;
	}
	return 0;
}

static int
packed_kick(const struct queue *q)
{
	uint16_t off_wrap = (uint16_t)area_get(q, DEVICE, 0, 2);

	switch (area_get(q, DEVICE, 2, 2) & 3) {
	case EVENT_DISABLE:
		return 0;
	case EVENT_DESC:
		return q->flags & VQ_EVENT_IDX ? event_kick(q, off_wrap) : 1;
	default:
		return 1;
	}
}

static uint16_t
packed_notify_data(const struct queue *q)
{
	return q->avail | (q->avail_wrap ? 0x8000 : 0);
}

static void
packed_check_callbacks(const struct queue *q, const struct twin *twin, bool enabled)
{
	uint16_t off_wrap, flags;

	memcpy(&off_wrap, twin->areas.driver, sizeof(off_wrap));
	memcpy(&flags, (char *)twin->areas.driver + 2, sizeof(flags));
	if (!enabled) {
		must(flags == EVENT_DISABLE, "callbacks are disabled by their flags");
		return;
	}
	must(flags == (q->flags & VQ_EVENT_IDX ? EVENT_DESC : 0), "callbacks are enabled");
	if (q->flags & VQ_EVENT_IDX)
		must(off_wrap == (q->used | (q->used_wrap ? 0x8000 : 0)),
		     "at the next used descriptor");
}

const struct side packed_side = {
	.learn = packed_learn,
	.pending = packed_pending,
	.next_used = packed_next_used,
	.advance_used = packed_advance_used,
	.batch_limit = packed_batch_limit,
	.device_use = packed_device_use,
	.device_lie = packed_device_lie,
	.device_event = packed_device_event,
	.kick = packed_kick,
	.notify_data = packed_notify_data,
	.check_callbacks = packed_check_callbacks,
};
