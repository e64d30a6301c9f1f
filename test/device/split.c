/* SPDX-License-Identifier: BSD-3-Clause */
/* The device's side of a split virtqueue (spec 2.7). */
#include <string.h>

#include "internal.h"

/* struct virtq_avail and struct virtq_used: flags, idx, ring, event (spec 2.7.6, 2.7.8). */
static uint8_t *
avail_idx(struct queue *q)
{
	return q->driver + 2;
}

static uint8_t *
avail_entry(struct queue *q, uint16_t index)
{
	return q->driver + 4 + 2 * (index % q->size);
}

static uint8_t *
used_event(struct queue *q)
{
	return q->driver + 4 + 2 * (size_t)q->size;
}

static uint8_t *
used_entry(struct queue *q, uint16_t index)
{
	return q->device + 4 + 8 * (size_t)(index % q->size);
}

static uint8_t *
avail_event(struct queue *q)
{
	return q->device + 4 + 8 * (size_t)q->size;
}

static bool
split_check_areas(struct queue *q)
{
	const struct vio_queue_conf *c = &q->conf;
	struct device *dev = q->dev;
	size_t size = q->size;

	if ((size & (size - 1)) != 0) {
		fault(dev, q->index, "SPLIT-LAYOUT-05", "size %zu is no power of two", size);
		return false;
	}
	if (c->desc_iova % 16 != 0)
		fault(dev, q->index, "SPLIT-LAYOUT-01", "descriptor table not aligned to 16");
	if (c->driver_iova % 2 != 0)
		fault(dev, q->index, "SPLIT-LAYOUT-02", "available ring not aligned to 2");
	if (c->device_iova % 4 != 0)
		fault(dev, q->index, "SPLIT-LAYOUT-03", "used ring not aligned to 4");
	q->desc = reach(dev, q->index, c->desc_iova, 16 * size, "the descriptor table");
	q->driver = reach(dev, q->index, c->driver_iova, 6 + 2 * size, "the available ring");
	q->device = reach(dev, q->index, c->device_iova, 6 + 8 * size, "the used ring");
	if (q->desc == NULL || q->driver == NULL || q->device == NULL)
		return false;
	if (get16(q->device) != 0)
		fault(dev, q->index, "SPLIT-ABNS-01", "used ring flags not 0 at the start");
	if (get16(q->device + 2) != 0)
		fault(dev, q->index, "spec 2.7.8", "used index not 0 at the start");
	q->own_event = get16(avail_event(q));
	return true;
}

static void
check_suppression(struct queue *q)
{
	uint16_t flags = get16(q->driver);

	if (has_feature(q->dev, DEVICE_F_EVENT_IDX) && flags != 0)
		fault(q->dev, q->index, "SPLIT-UBNS-03", "available ring flags are 0x%x", flags);
	else if (flags > 1)
		fault(q->dev, q->index, "SPLIT-UBNS-01", "available ring flags are 0x%x", flags);
}

/* The used ring is the device's alone (spec 2.7.8). */
static void
check_used_ring(struct queue *q)
{
	if (get16(q->device) != q->own_flags || get16(q->device + 2) != q->used ||
	    get16(avail_event(q)) != q->own_event)
		fault(q->dev, q->index, "spec 2.7.8", "the driver wrote to the used ring");
}

static void
check_desc(struct queue *q, uint16_t i)
{
	if (q->owned[i] && memcmp(&q->expect[i], q->desc + 16 * (size_t)i, 16) != 0)
		fault(q->dev, q->index, "INIT-CLEANUP-01", "descriptor %u changed in flight", i);
}

static void
split_check(struct queue *q)
{
	check_suppression(q);
	check_used_ring(q);
	for (uint16_t i = 0; i < q->size; i++)
		check_desc(q, i);
}

/* One element of a direct chain or an indirect table; false ends the walk. */
static bool
take_element(struct queue *q, struct device_buffer *b, const struct desc *d)
{
	uint16_t flags = le16toh(d->split.flags);

	if (flags & ~(DESC_NEXT | DESC_WRITE)) {
		fault(q->dev, q->index, "SPLIT-DESC-05", "id %u: flags 0x%x", b->id, flags);
		return false;
	}
	return buffer_add(q, b, le64toh(d->addr), le32toh(d->len), (flags & DESC_WRITE) != 0,
			  "SPLIT-FRAME-01");
}

static bool
walk_table(struct queue *q, struct device_buffer *b, const struct desc *head)
{
	uint16_t entries, i = 0, n = 0;

	if (!buffer_table(q, b, le64toh(head->addr), le32toh(head->len), "SPLIT-IND-06"))
		return false;
	entries = (uint16_t)(b->table_len / sizeof(struct desc));
	for (;;) {
		struct desc d;

		memcpy(&d, b->was + 16 * (size_t)i, sizeof(d));
		if (le16toh(d.split.flags) & DESC_INDIRECT) {
			fault(q->dev, q->index, "SPLIT-IND-02", "id %u: a table in a table", b->id);
			return false;
		}
		if (!take_element(q, b, &d))
			return false;
		n++;
		if (!(le16toh(d.split.flags) & DESC_NEXT))
			break;
		if (le16toh(d.split.next) >= entries || n == entries) {
			fault(q->dev, q->index, "SPLIT-DESC-02", "id %u: its table loops", b->id);
			return false;
		}
		if (has_feature(q->dev, DEVICE_F_IN_ORDER) && le16toh(d.split.next) != i + 1) {
			fault(q->dev, q->index, "SPLIT-IND-05", "id %u: table not in order", b->id);
			return false;
		}
		i = le16toh(d.split.next);
	}
	if (n != entries)
		fault(q->dev, q->index, "SPLIT-IND-06", "id %u: %u of %u entries used", b->id, n,
		      entries);
	return true;
}

/* Where the chain goes on after descriptor i, or -1. */
static int
next_desc(struct queue *q, struct device_buffer *b, uint16_t i, const struct desc *d)
{
	uint16_t next = le16toh(d->split.next);

	if (next >= q->size || b->descs == q->size || q->owned[next]) {
		fault(q->dev, q->index, next < q->size ? "SPLIT-DESC-02" : "SPLIT-DESC-05",
		      "id %u: descriptor %u goes on at %u", b->id, i, next);
		return -1;
	}
	if (has_feature(q->dev, DEVICE_F_IN_ORDER) && next != (i + 1) % q->size) {
		fault(q->dev, q->index, "SPLIT-DESC-03", "descriptor %u goes on at %u", i, next);
		return -1;
	}
	return next;
}

static bool
walk_chain(struct queue *q, struct device_buffer *b)
{
	int i = b->id;

	do {
		struct desc *d = &q->shadow[i];
		uint16_t flags;

		memcpy(d, q->desc + 16 * (size_t)i, sizeof(*d));
		q->expect[i] = *d;
		q->owned[i] = true;
		b->descs++;
		flags = le16toh(d->split.flags);
		if (flags & DESC_INDIRECT) {
			if (flags & DESC_NEXT) {
				fault(q->dev, q->index, "SPLIT-IND-04", "id %u: flags 0x%x", b->id,
				      flags);
				return false;
			}
			return walk_table(q, b, d);
		}
		if (!take_element(q, b, d))
			return false;
		if (!(flags & DESC_NEXT))
			return true;
		i = next_desc(q, b, (uint16_t)i, d);
	} while (i >= 0);
	return false;
}

static bool
check_head(struct queue *q, uint16_t head)
{
	if (head >= q->size) {
		fault(q->dev, q->index, "spec 2.7.6", "available entry %u names descriptor %u",
		      q->avail, head);
		return false;
	}
	if (q->owned[head]) {
		fault(q->dev, q->index, "INIT-CLEANUP-01", "descriptor %u offered while in flight",
		      head);
		return false;
	}
	if (has_feature(q->dev, DEVICE_F_IN_ORDER) && head != q->in_order_next)
		fault(q->dev, q->index, "SPLIT-DESC-04", "head %u where %u comes next", head,
		      q->in_order_next);
	return true;
}

static struct device_buffer *
split_fetch(struct queue *q)
{
	uint16_t idx = get16(avail_idx(q)), fresh = (uint16_t)(idx - q->avail), head;
	struct device_buffer *b;

	check_suppression(q);
	if (fresh == 0)
		return NULL;
	/* No more than size can be in flight: an index further off has moved back, or jumped. */
	if (fresh > q->size - q->count) {
		fault(q->dev, q->index, "SPLIT-AVAIL-01",
		      "available index %u after %u, %u in flight", idx, q->avail, q->count);
		return NULL;
	}
	head = get16(avail_entry(q, q->avail));
	if (!check_head(q, head))
		return NULL;
	q->avail++;
	b = buffer_new(head);
	b->bad = !walk_chain(q, b);
	q->in_order_next = (uint16_t)((head + b->descs) % q->size);
	return b;
}

/* Frees the chain that begins at head, checking that it stayed as it was. */
static void
release(struct queue *q, const struct device_buffer *b)
{
	uint16_t i = b->id;

	for (uint16_t n = 0; n < b->descs; n++) {
		check_desc(q, i);
		q->owned[i] = false;
		i = le16toh(q->shadow[i].split.next);
	}
	buffer_check_table(q, b);
}

static void
split_put(struct queue *q, const struct used_entry *entries, uint16_t n)
{
	uint16_t given = 0, moved = 0;

	check_used_ring(q);
	for (uint16_t i = 0; i < n; i++) {
		uint8_t *e = used_entry(q, (uint16_t)(q->used + moved));

		set32(e, entries[i].id);
		set32(e + 4, entries[i].len);
		given = (uint16_t)(given + entries[i].buffers);
		moved = (uint16_t)(moved + entries[i].advance);
	}
	for (uint16_t i = 0; i < given && i < q->count; i++)
		release(q, device_held(q->dev, q->index, i));
	q->used = (uint16_t)(q->used + moved);
	set16(q->device + 2, q->used);
}

static bool
split_wants_interrupt(struct queue *q, uint16_t old_used, bool old_wrap, uint32_t moved)
{
	(void)old_wrap;
	if (!has_feature(q->dev, DEVICE_F_EVENT_IDX))
		return get16(q->driver) == 0;
	/* The entry at index used_event is among those written: old_used .. old_used + moved - 1.
	 */
	return (uint16_t)(get16(used_event(q)) - old_used) < moved;
}

static void
split_want_kicks(struct queue *q, uint16_t event)
{
	if (!has_feature(q->dev, DEVICE_F_EVENT_IDX)) {
		q->own_flags = q->kicks_wanted == DEVICE_KICK_NEVER;
		set16(q->device, q->own_flags);
		return;
	}
	if (q->kicks_wanted == DEVICE_KICK_ALWAYS)
		event = q->avail;
	else if (q->kicks_wanted == DEVICE_KICK_NEVER)
		event = (uint16_t)(q->avail -
				   1); /* passed 65535 buffers from now at the earliest */
	q->own_event = event;
	set16(avail_event(q), event);
}

static uint16_t
split_next_off(struct queue *q)
{
	return get16(avail_idx(q));
}

const struct ring_ops split_ops = {
	.check_areas = split_check_areas,
	.fetch = split_fetch,
	.put = split_put,
	.wants_interrupt = split_wants_interrupt,
	.want_kicks = split_want_kicks,
	.next_off = split_next_off,
	.check = split_check,
};
