/* SPDX-License-Identifier: BSD-3-Clause */
/* The split layout (spec 2.7), as a device sees it. */
#include "queue.h"

enum { F_NEXT = 1, F_WRITE = 2, F_INDIRECT = 4 };

static size_t
avail_entry(const struct queue *q, uint16_t index)
{
	return 4 + 2 * (size_t)(index % q->size);
}

static size_t
used_entry(const struct queue *q, uint16_t index)
{
	return 4 + 8 * (size_t)(index % q->size);
}

/* Element i of a buffer, in the table of descriptors or in an indirect one. */
static void
check_element(const uint8_t *desc, const struct vq_sg *sg, bool writable, bool more)
{
	uint64_t addr;
	uint32_t len;
	uint16_t flags;

	memcpy(&addr, desc, sizeof(addr));
	memcpy(&len, desc + 8, sizeof(len));
	memcpy(&flags, desc + 12, sizeof(flags));
	must(addr == sg->iova && len == sg->len, "an element is where and as long as told");
	must(flags == ((writable ? F_WRITE : 0) | (more ? F_NEXT : 0)), "and flagged so");
}

static void
check_chain(const struct queue *q, const uint8_t *table, uint16_t entries, uint16_t at,
	    const struct vq_sg *sg, uint16_t out, uint16_t elements)
{
	(void)q;
	for (uint16_t i = 0; i < elements; i++) {
		uint16_t next;

		must(at < entries, "a chain stays inside its table");
		check_element(table + 16 * (size_t)at, &sg[i], i >= out, i + 1 < elements);
		memcpy(&next, table + 16 * (size_t)at + 14, sizeof(next));
		at = next;
	}
}

static void
split_learn(struct queue *q, struct buffer *buffer, const struct vq_sg *sg, uint16_t out,
	    uint16_t elements, uint16_t position)
{
	buffer->id = (uint16_t)area_get(q, DRIVER, avail_entry(q, position), 2);
	must(buffer->id < q->size, "a head is below the size");
	for (unsigned i = 0; i < q->n_twins; i++) {
		const struct twin *twin = &q->twins[i];
		const uint8_t *table = twin->areas.desc;
		uint16_t at = buffer->id, entries = q->size;
		const uint8_t *desc = table + 16 * (size_t)at;

		if (buffer->descriptors < elements) {
			uint64_t addr;

			memcpy(&addr, desc, sizeof(addr));
			must(desc[12] == F_INDIRECT && desc[13] == 0, "a table is flagged so");
			must(addr == TABLE_IOVA + 16u * INDIRECT_MAX * at, "and is the id's own");
			table = (uint8_t *)twin->indirect + 16u * INDIRECT_MAX * at;
			entries = elements;
			at = 0;
		}
		check_chain(q, table, entries, at, sg, out, elements);
	}
	q->avail++;
	q->unpublished++;
}

static uint16_t
split_pending(struct queue *q, uint16_t n)
{
	uint16_t pending = q->used_seen - q->used;

	/* The index is looked at only where what it said last is not enough. */
	if (pending >= n)
		return n;
	q->used_seen = (uint16_t)area_get(q, DEVICE, 2, 2);
	pending = q->used_seen - q->used;
	if (pending > q->flight) {
		q->error = VQ_ERR_INDEX_JUMP;
		return 0;
	}
	return n < pending ? n : pending;
}

static bool
split_next_used(const struct queue *q, uint32_t *id, uint32_t *len)
{
	*id = (uint32_t)area_get(q, DEVICE, used_entry(q, q->used), 4);
	*len = (uint32_t)area_get(q, DEVICE, used_entry(q, q->used) + 4, 4);
	return true;
}

static void
split_advance_used(struct queue *q, const struct buffer *buffer)
{
	(void)buffer;
	q->used++;
}

static uint16_t
split_batch_limit(const struct queue *q)
{
	return q->used_seen - q->used;
}

static void
split_device_use(struct queue *q, uint16_t age, uint16_t batch, uint32_t len)
{
	size_t at = used_entry(q, q->device_used);

	area_put(q, DEVICE, at, q->fifo[age].id, 4);
	area_put(q, DEVICE, at + 4, len, 4);
	q->device_used += batch;
	area_put(q, DEVICE, 2, q->device_used, 2);
}

/* Bits of extra: leave the index alone; move it a little; put it anywhere. */
static void
split_device_lie(struct queue *q, uint16_t distance, uint32_t id, uint32_t len, uint16_t extra)
{
	size_t at = used_entry(q, q->used + distance);

	area_put(q, DEVICE, at, id, 4);
	area_put(q, DEVICE, at + 4, len, 4);
	if (extra & 1)
		q->device_used = q->used + distance + 1;
	else if (extra & 2)
		q->device_used += extra >> 2;
	else if (extra & 4)
		q->device_used -= extra >> 3;
	area_put(q, DEVICE, 2, q->device_used, 2);
}

static void
split_device_event(struct queue *q, uint16_t a, uint16_t b)
{
	bool near = b & 0x100;

	area_put(q, DEVICE, 0, b & 0xff, 2);
	area_put(q, DEVICE, used_entry(q, 0) + 8 * (size_t)q->size,
		 near ? (uint16_t)(q->avail - 4 + a % 8) : a, 2);
}

static int
split_kick(const struct queue *q)
{
	uint16_t event;

	if (!(q->flags & VQ_EVENT_IDX))
		return !(area_get(q, DEVICE, 0, 2) & 1);
	event = (uint16_t)area_get(q, DEVICE, used_entry(q, 0) + 8 * (size_t)q->size, 2);
	for (uint32_t i = 0; i < q->unkicked; i++)
		if ((uint16_t)(q->avail - q->unpublished - 1 - i) == event)
			return 1;
	return 0;
}

static uint16_t
split_notify_data(const struct queue *q)
{
	return q->avail;
}

static void
split_check_callbacks(const struct queue *q, const struct twin *twin, bool enabled)
{
	uint16_t flags, event;

	memcpy(&flags, twin->areas.driver, sizeof(flags));
	memcpy(&event, (char *)twin->areas.driver + 4 + 2 * (size_t)q->size, sizeof(event));
	if (!(q->flags & VQ_EVENT_IDX))
		must(flags == !enabled, "flags tell whether callbacks are wanted");
	else
		must((event == q->used) == enabled, "used_event is the next one if wanted");
}

const struct side split_side = {
	.learn = split_learn,
	.pending = split_pending,
	.next_used = split_next_used,
	.advance_used = split_advance_used,
	.batch_limit = split_batch_limit,
	.device_use = split_device_use,
	.device_lie = split_device_lie,
	.device_event = split_device_event,
	.kick = split_kick,
	.notify_data = split_notify_data,
	.check_callbacks = split_check_callbacks,
	.exact_count = true,
};
