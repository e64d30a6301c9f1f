/* SPDX-License-Identifier: BSD-3-Clause */
/* The misbehaviours that are written into a ring or a header; the rest look at their own switch. */
#include <string.h>

#include "internal.h"

static const uint64_t GARBAGE = UINT64_C(0xdeadbeefcafef00d);

bool
lie_on(struct device *dev, int queue, enum device_lie lie, uint64_t *arg)
{
	const struct lie_state *l = &dev->lies[lie];

	if (!l->armed || (queue >= 0 && l->queue != queue))
		return false;
	if (arg != NULL)
		*arg = l->arg;
	return true;
}

bool
lie_take(struct device *dev, int queue, enum device_lie lie, uint64_t *arg)
{
	if (!lie_on(dev, queue, lie, arg))
		return false;
	dev->lies[lie].armed = false;
	return true;
}

void
device_honest(struct device *dev)
{
	memset(dev->lies, 0, sizeof(dev->lies));
}

static bool
id_in_flight(struct queue *q, uint16_t id)
{
	for (uint16_t i = 0; i < q->count; i++)
		if (device_held(q->dev, q->index, i)->id == id)
			return true;
	return false;
}

static bool
id_is_free(struct queue *q, uint16_t id)
{
	return !id_in_flight(q, id) && !(q->ops == &split_ops && q->owned[id]);
}

/* The one used last, if it can be: a driver whose ids go round gives it out again last, and so does
 * not have it in flight when it gets to look. */
static uint32_t
free_id(struct queue *q)
{
	if (q->last_id < q->size && id_is_free(q, (uint16_t)q->last_id))
		return q->last_id;
	for (uint16_t id = 0; id < q->size; id++)
		if (id_is_free(q, id))
			return id;
	return q->size; /* all are in flight: at least none of them */
}

static uint32_t
second_of_a_chain(struct queue *q)
{
	for (uint16_t i = 0; i < q->count; i++) {
		const struct device_buffer *b = device_held(q->dev, q->index, i);

		if (b->descs > 1)
			return le16toh(q->shadow[b->id].split.next);
	}
	return q->size;
}

void
lie_entry(struct queue *q, struct used_entry *e)
{
	struct device *dev = q->dev;
	uint64_t arg;

	if (lie_take(dev, q->index, DEVICE_LIE_ID, &arg))
		e->id = (uint32_t)arg;
	if (lie_take(dev, q->index, DEVICE_LIE_ID_NOT_IN_FLIGHT, NULL))
		e->id = free_id(q);
	if (lie_take(dev, q->index, DEVICE_LIE_ID_NOT_HEAD, NULL))
		e->id = second_of_a_chain(q);
	if (lie_take(dev, q->index, DEVICE_LIE_ID_REPEATED, NULL))
		e->id = q->last_id;
	if (lie_take(dev, q->index, DEVICE_LIE_LENGTH, &arg)) {
		e->len = (uint32_t)arg;
		e->writes = true;
	}
	if (lie_take(dev, q->index, DEVICE_LIE_LENGTH_UNFLAGGED, &arg)) {
		e->len = (uint32_t)arg;
		e->writes = false;
	}
	if (lie_take(dev, q->index, DEVICE_LIE_WRONG_WRAP, NULL))
		e->wrong_wrap = true;
	if (lie_take(dev, q->index, DEVICE_LIE_SKIP, &arg))
		e->advance = e->descs = (uint16_t)arg;
}

void
lie_header(struct device *dev, uint16_t queue, struct device_net_header *h)
{
	uint64_t arg;

	if (lie_take(dev, queue, DEVICE_LIE_NUM_BUFFERS, &arg))
		h->num_buffers = (uint16_t)arg;
	if (lie_take(dev, queue, DEVICE_LIE_CSUM, &arg)) {
		h->flags |= DEVICE_HDR_NEEDS_CSUM;
		h->csum_start = (uint16_t)(arg >> 16);
		h->csum_offset = (uint16_t)arg;
	}
	if (lie_take(dev, queue, DEVICE_LIE_GSO_TYPE, &arg))
		h->gso_type = (uint8_t)arg;
	if (lie_take(dev, queue, DEVICE_LIE_GSO_SIZE, &arg))
		h->gso_size = (uint16_t)arg;
	if (lie_take(dev, queue, DEVICE_LIE_HDR_LEN, &arg))
		h->hdr_len = (uint16_t)arg;
	if (lie_take(dev, queue, DEVICE_LIE_HASH_TYPE, &arg))
		h->hash_report = (uint16_t)arg;
}

/* --- those that act at once ----------------------------------------------------------------------
 */

static void
move_index(struct queue *q, uint64_t by)
{
	q->used = (uint16_t)(q->used + by);
	set16(q->device + 2, q->used);
}

/* All of every descriptor that a driver could be tempted to read back. In a packed ring AVAIL and
 * USED stay: to change those is to claim that something was used. */
static void
rewrite(struct queue *q, uint64_t arg)
{
	(void)arg;
	for (uint16_t i = 0; i < q->size; i++) {
		struct desc *d = (struct desc *)(q->desc + 16 * (size_t)i);

		d->addr = GARBAGE;
		d->len = (uint32_t)GARBAGE;
		if (q->ops == &packed_ops) {
			d->packed.id = (uint16_t)(i * 7 + 1);
			d->packed.flags ^= htole16(DESC_NEXT | DESC_WRITE | DESC_INDIRECT);
		} else {
			d->split.flags = (uint16_t)~d->split.flags;
			d->split.next = (uint16_t)(i * 7 + 1);
		}
		q->expect[i] = *d;
	}
}

/* The fields asked for, of descriptors that the device has: those that the driver fills meanwhile
 * stay as they are, so that the model can go on. */
static void
rewrite_held(struct queue *q, uint64_t fields)
{
	for (uint16_t i = 0; i < q->size; i++) {
		struct desc *d = (struct desc *)(q->desc + 16 * (size_t)i);

		if (!q->owned[i])
			continue;
		if (fields & DEVICE_FIELD_ADDR)
			d->addr += GARBAGE;
		if (fields & DEVICE_FIELD_LEN)
			d->len = d->len == htole32(1) ? (uint32_t)GARBAGE : htole32(1);
		if (q->ops == &packed_ops) {
			if (fields & DEVICE_FIELD_ID)
				d->packed.id ^= (uint16_t)GARBAGE;
			if (fields & DEVICE_FIELD_FLAGS)
				d->packed.flags ^= (uint16_t)~htole16(DESC_AVAIL | DESC_USED);
		} else {
			if (fields & DEVICE_FIELD_NEXT)
				d->split.next += (uint16_t)GARBAGE;
			if (fields & DEVICE_FIELD_FLAGS)
				d->split.flags = (uint16_t)~d->split.flags;
		}
		q->expect[i] = *d;
	}
}

/* As a device does that takes back a lie, or tells the next one. */
static void
rewrite_used(struct queue *q, uint64_t id)
{
	for (uint16_t i = 0; i < q->size; i++) {
		struct desc *d = (struct desc *)(q->desc + 16 * (size_t)i);

		if (q->ops == &split_ops) {
			set32(q->device + 4 + 8 * (size_t)i, (uint32_t)id);
			continue;
		}
		set16(&d->packed.id, (uint16_t)id);
		q->expect[i] = *d;
	}
}

static void
rewrite_indirect(struct queue *q, uint64_t arg)
{
	(void)arg;
	for (uint16_t i = 0; i < q->count; i++) {
		const struct device_buffer *b = device_held(q->dev, q->index, i);

		for (uint32_t k = 0; k < b->table_len; k++) {
			b->indirect[k] = (uint8_t)(GARBAGE >> 8 * (k % 8));
			b->was[k] = b->indirect[k];
		}
	}
}

static void
mark_ahead(struct queue *q, uint64_t n)
{
	uint16_t pos = q->used;
	bool wrap = q->used_wrap;

	while (n-- > 0) {
		struct desc *d;

		if (++pos == q->size) {
			pos = 0;
			wrap = !wrap;
		}
		d = (struct desc *)(q->desc + 16 * (size_t)pos);
		set16(&d->packed.flags, wrap ? DESC_AVAIL | DESC_USED : 0);
		q->expect[pos] = *d;
	}
}

static void
write_event(struct queue *q, uint64_t value)
{
	q->own_event = (uint16_t)value;
	if (q->ops == &packed_ops)
		set16(q->device, q->own_event);
	else
		set16(q->device + 4 + 8 * (size_t)q->size, q->own_event);
}

static void
write_event_flags(struct queue *q, uint64_t value)
{
	q->own_flags = (uint16_t)value;
	set16(q->ops == &packed_ops ? q->device + 2 : q->device, q->own_flags);
}

static void (*const at_once[DEVICE_LIE_COUNT])(struct queue *q, uint64_t arg) = {
	[DEVICE_LIE_INDEX] = move_index,
	[DEVICE_LIE_REWRITE] = rewrite,
	[DEVICE_LIE_REWRITE_HELD] = rewrite_held,
	[DEVICE_LIE_REWRITE_USED] = rewrite_used,
	[DEVICE_LIE_REWRITE_INDIRECT] = rewrite_indirect,
	[DEVICE_LIE_USED_AHEAD] = mark_ahead,
	[DEVICE_LIE_EVENT] = write_event,
	[DEVICE_LIE_EVENT_FLAGS] = write_event_flags,
};

void
device_lie(struct device *dev, uint16_t queue, enum device_lie lie, uint64_t arg)
{
	if (at_once[lie] != NULL) {
		at_once[lie](queue_at(dev, queue), arg);
		return;
	}
	dev->lies[lie] = (struct lie_state){ .armed = true, .queue = queue, .arg = arg };
	if (lie == DEVICE_LIE_ID_REPEATED) {
		/* An entry that gives back nothing: in a packed ring it takes one descriptor. */
		struct used_entry e = { .advance = 1, .descs = 1 };

		queue_put(queue_at(dev, queue), &e, 1);
	}
}
