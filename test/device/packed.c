/* SPDX-License-Identifier: BSD-3-Clause */
/* The device's side of a packed virtqueue (spec 2.8). */
#include <string.h>

#include "internal.h"

enum { EVENT_ENABLE = 0, EVENT_DISABLE = 1, EVENT_DESC = 2, EVENT_RESERVED = 3 };

static struct desc *
slot(struct queue *q, uint16_t pos)
{
	return (struct desc *)(q->desc + 16 * (size_t)pos);
}

/* Whether flags mean available to a device whose wrap counter is wrap (spec 2.8.1). */
static bool
is_available(uint16_t flags, bool wrap)
{
	return ((flags & DESC_AVAIL) != 0) == wrap && ((flags & DESC_USED) != 0) != wrap;
}

static void
advance(struct queue *q, uint16_t *pos, bool *wrap, uint32_t by)
{
	uint32_t to = *pos + by;

	if (to >= q->size) {
		to -= q->size;
		*wrap = !*wrap;
	}
	*pos = (uint16_t)to;
}

/* Zeroed, but for what the driver has made available before it enabled the queue. */
static void
check_zeroed(struct queue *q)
{
	uint16_t i = 0;

	while (i < q->size && is_available(get16(&slot(q, i)->packed.flags), true))
		i++;
	for (; i < q->size; i++) {
		static const struct desc zero;

		if (memcmp(slot(q, i), &zero, sizeof(zero)) == 0)
			continue;
		fault(q->dev, q->index, "PACKED-LAYOUT-07", "descriptor %u not zero at the start",
		      i);
		return;
	}
}

static bool
packed_check_areas(struct queue *q)
{
	const struct vio_queue_conf *c = &q->conf;
	struct device *dev = q->dev;

	if (c->desc_iova % 16 != 0)
		fault(dev, q->index, "PACKED-LAYOUT-01", "descriptor ring not aligned to 16");
	if (c->driver_iova % 4 != 0)
		fault(dev, q->index, "PACKED-LAYOUT-02",
		      "driver event suppression not aligned to 4");
	if (c->device_iova % 4 != 0)
		fault(dev, q->index, "PACKED-LAYOUT-03",
		      "device event suppression not aligned to 4");
	q->desc = reach(dev, q->index, c->desc_iova, 16 * (uint64_t)q->size, "the descriptor ring");
	q->driver = reach(dev, q->index, c->driver_iova, 4, "driver event suppression");
	q->device = reach(dev, q->index, c->device_iova, 4, "device event suppression");
	if (q->desc == NULL || q->driver == NULL || q->device == NULL)
		return false;
	check_zeroed(q);
	return true;
}

static void
check_suppression(struct queue *q)
{
	uint16_t event = get16(q->driver), flags = get16(q->driver + 2);

	if (flags & ~3)
		fault(q->dev, q->index, "PACKED-LAYOUT-08", "driver event flags 0x%x", flags);
	if ((flags & 3) == EVENT_RESERVED)
		fault(q->dev, q->index, "PACKED-EVENT-05", "driver event flags 0x%x", flags);
	if ((flags & 3) != EVENT_DESC)
		return;
	if (!has_feature(q->dev, DEVICE_F_EVENT_IDX))
		fault(q->dev, q->index, "PACKED-EVENT-04",
		      "a descriptor event without the feature");
	if ((event & 0x7fff) >= q->size)
		fault(q->dev, q->index, "spec 2.8.14", "driver event offset %u", event & 0x7fff);
}

static void
check_own_event(struct queue *q)
{
	if (get16(q->device) != q->own_event || get16(q->device + 2) != q->own_flags)
		fault(q->dev, q->index, "PACKED-EVENT-06",
		      "the driver wrote to the device's event suppression");
}

static void
check_slot(struct queue *q, uint16_t pos)
{
	if (q->owned[pos] && memcmp(&q->expect[pos], slot(q, pos), 16) != 0)
		fault(q->dev, q->index, "PACKED-DESC-02", "descriptor %u changed while available",
		      pos);
}

static void
packed_check(struct queue *q)
{
	check_suppression(q);
	check_own_event(q);
	for (uint16_t i = 0; i < q->size; i++)
		check_slot(q, i);
}

static bool
walk_table(struct queue *q, struct device_buffer *b, const struct desc *head)
{
	if (!buffer_table(q, b, le64toh(head->addr), le32toh(head->len), "PACKED-IND-05"))
		return false;
	for (uint32_t i = 0; i < b->table_len / sizeof(struct desc); i++) {
		struct desc d;

		memcpy(&d, b->was + 16 * (size_t)i, sizeof(d));
		/* Wrong of the driver; the device ignores them. */
		if (le16toh(d.packed.flags) & ~DESC_WRITE)
			fault(q->dev, q->index, "PACKED-IND-02", "id %u: flags 0x%x in its table",
			      b->id, le16toh(d.packed.flags));
		if (!buffer_add(q, b, le64toh(d.addr), le32toh(d.len),
				(le16toh(d.packed.flags) & DESC_WRITE) != 0, "PACKED-SG-03"))
			return false;
	}
	return true;
}

static bool
take_element(struct queue *q, struct device_buffer *b, const struct desc *d)
{
	uint16_t flags = le16toh(d->packed.flags);

	if (flags & ~(DESC_NEXT | DESC_WRITE | DESC_INDIRECT | DESC_AVAIL | DESC_USED)) {
		fault(q->dev, q->index, "PACKED-DESC-07", "id %u: flags 0x%x", b->id, flags);
		return false;
	}
	if (!(flags & DESC_INDIRECT))
		return buffer_add(q, b, le64toh(d->addr), le32toh(d->len),
				  (flags & DESC_WRITE) != 0, "PACKED-SG-03");
	if ((flags & DESC_NEXT) || b->descs > 1) {
		fault(q->dev, q->index, "PACKED-IND-04", "id %u: a table in a chain", b->id);
		return false;
	}
	return walk_table(q, b, d);
}

/* How many slots the device has not yet got hold of. */
static uint32_t
slots_left(struct queue *q)
{
	if (q->avail_wrap == q->used_wrap)
		return q->size - (uint32_t)(q->avail - q->used);
	return (uint32_t)(q->used - q->avail);
}

/* Takes the list's slots, all of them to be marked available (spec 2.8.6). Returns their number, or
 * 0 where the list is not whole. */
static uint16_t
take_slots(struct queue *q, uint16_t first, bool wrap)
{
	uint32_t left = slots_left(q);
	uint16_t n = 0, pos = first;

	for (;;) {
		struct desc *d = &q->shadow[pos];

		if (n == left) {
			fault(q->dev, q->index, "PACKED-SG-02", "the list at %u is too long",
			      first);
			return 0;
		}
		memcpy(d, slot(q, pos), sizeof(*d));
		if (!is_available(le16toh(d->packed.flags), wrap)) {
			fault(q->dev, q->index, n == 0 ? "PACKED-WRAP-03" : "PACKED-SG-06",
			      "the list at %u: descriptor %u is not available", first, pos);
			return 0;
		}
		q->expect[pos] = *d;
		q->owned[pos] = true;
		n++;
		if (!(le16toh(d->packed.flags) & DESC_NEXT))
			return n;
		advance(q, &pos, &wrap, 1);
	}
}

static void
take_id(struct queue *q, struct device_buffer *b)
{
	uint8_t *byte = &q->ids[b->id / 8], mask = (uint8_t)(1 << b->id % 8);

	if (*byte & mask) {
		fault(q->dev, q->index, "PACKED-SUPPLY-02", "id %u is in use already", b->id);
		b->bad = true;
	}
	if (b->id >= q->size)
		fault(q->dev, q->index, "spec 2.8.21.3", "id %u, queue size %u", b->id, q->size);
	*byte |= mask;
}

static struct device_buffer *
packed_fetch(struct queue *q)
{
	uint16_t pos = q->avail, last, descs;
	bool wrap = q->avail_wrap;
	struct device_buffer *b;

	check_suppression(q);
	if (slots_left(q) == 0 || !is_available(get16(&slot(q, pos)->packed.flags), wrap))
		return NULL;
	descs = take_slots(q, pos, wrap);
	if (descs == 0)
		return NULL;
	last = (uint16_t)((pos + descs - 1u) % q->size);
	b = buffer_new(le16toh(q->shadow[last].packed.id));
	take_id(q, b);
	for (uint16_t i = 0; i < descs; i++) {
		b->descs++;
		if (!b->bad && !take_element(q, b, &q->shadow[(pos + i) % q->size]))
			b->bad = true;
	}
	advance(q, &q->avail, &q->avail_wrap, descs);
	return b;
}

static void
release(struct queue *q, const struct device_buffer *b)
{
	q->ids[b->id / 8] &= (uint8_t) ~(1 << b->id % 8);
	buffer_check_table(q, b);
}

/* Addr stays as it is: it is reserved in a used descriptor. Flags go last, and those of the first
 * of several entries last of all (spec 2.8.10): the caller stores what this returns. */
static uint16_t
write_entry(struct queue *q, uint16_t pos, bool wrap, const struct used_entry *e)
{
	struct desc *d = slot(q, pos);
	uint16_t flags = e->writes ? DESC_WRITE : 0;

	if (e->wrong_wrap)
		wrap = !wrap;
	if (wrap)
		flags |= DESC_AVAIL | DESC_USED;
	set32(&d->len, e->len);
	set16(&d->packed.id, (uint16_t)e->id);
	return flags;
}

static void
packed_put(struct queue *q, const struct used_entry *entries, uint16_t n)
{
	uint16_t first = q->used, first_flags = 0, given = 0;

	check_own_event(q);
	for (uint16_t i = 0; i < n; i++) {
		uint16_t pos = q->used, at = pos, flags;

		for (uint16_t k = 0; k < entries[i].descs; k++) {
			check_slot(q, at);
			q->owned[at] = false;
			at = (uint16_t)((at + 1) % q->size);
		}
		flags = write_entry(q, pos, q->used_wrap, &entries[i]);
		if (i == 0)
			first_flags = flags;
		else
			set16(&slot(q, pos)->packed.flags, flags);
		advance(q, &q->used, &q->used_wrap, entries[i].descs);
		given = (uint16_t)(given + entries[i].buffers);
	}
	for (uint16_t i = 0; i < given && i < q->count; i++)
		release(q, device_held(q->dev, q->index, i));
	set16(&slot(q, first)->packed.flags, first_flags);
}

/* Whether the slot that event names was among the moved ones from old on (spec 2.8.10). */
static bool
event_hit(struct queue *q, uint16_t event, uint16_t old, bool old_wrap, uint32_t moved)
{
	uint16_t off = event & 0x7fff;
	bool wrap = event >> 15;

	if (wrap == old_wrap)
		return off >= old && (uint32_t)(off - old) < moved;
	return off < old && (uint32_t)(off + q->size - old) < moved;
}

static bool
packed_wants_interrupt(struct queue *q, uint16_t old_used, bool old_wrap, uint32_t moved)
{
	switch (get16(q->driver + 2) & 3) {
	case EVENT_ENABLE:
		return true;
	case EVENT_DESC:
		return event_hit(q, get16(q->driver), old_used, old_wrap, moved);
	default:
		return false;
	}
}

static void
packed_want_kicks(struct queue *q, uint16_t event)
{
	static const uint16_t flags[] = {
		[DEVICE_KICK_ALWAYS] = EVENT_ENABLE,
		[DEVICE_KICK_NEVER] = EVENT_DISABLE,
		[DEVICE_KICK_AT] = EVENT_DESC,
	};

	if (q->kicks_wanted == DEVICE_KICK_AT) {
		q->own_event = event;
		set16(q->device, event);
	}
	q->own_flags = flags[q->kicks_wanted];
	set16(q->device + 2, q->own_flags);
}

/* Looks ahead without taking anything: the first descriptor that is not available. */
static uint16_t
packed_next_off(struct queue *q)
{
	uint16_t pos = q->avail;
	bool wrap = q->avail_wrap;

	for (uint32_t n = slots_left(q); n > 0; n--) {
		if (!is_available(get16(&slot(q, pos)->packed.flags), wrap))
			break;
		advance(q, &pos, &wrap, 1);
	}
	return (uint16_t)(pos | wrap << 15);
}

const struct ring_ops packed_ops = {
	.check_areas = packed_check_areas,
	.fetch = packed_fetch,
	.put = packed_put,
	.wants_interrupt = packed_wants_interrupt,
	.want_kicks = packed_want_kicks,
	.next_off = packed_next_off,
	.check = packed_check,
};
