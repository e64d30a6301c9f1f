/* SPDX-License-Identifier: BSD-3-Clause */
/* A queue of the device: what it holds, in which order it gives it back, and notifications. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

struct queue *
queue_at(struct device *dev, uint16_t index)
{
	if (index >= dev->queue_count)
		abort(); /* a mistake of the test's */
	return &dev->queues[index];
}

static struct device_buffer **
held_slot(struct queue *q, uint16_t i)
{
	return &q->held[((uint32_t)q->first + i) % q->size];
}

const struct device_buffer *
device_held(struct device *dev, uint16_t queue, uint16_t i)
{
	struct queue *q = queue_at(dev, queue);

	return i < q->count ? *held_slot(q, i) : NULL;
}

int
queue_setup(struct device *dev, uint16_t index, const struct vio_queue_conf *conf)
{
	struct queue *q = queue_at(dev, index);

	queue_stop(q);
	if (conf->size == 0 || conf->size > dev->options.queue_size) {
		fault(dev, index, "PCI-COMMON-15", "%u descriptors, at most %u", conf->size,
		      dev->options.queue_size);
		return -1;
	}
	memset(q, 0, sizeof(*q));
	q->dev = dev;
	q->index = index;
	q->conf = *conf;
	q->size = conf->size;
	q->ops = has_feature(dev, DEVICE_F_RING_PACKED) ? &packed_ops : &split_ops;
	q->avail_wrap = q->used_wrap = true;
	q->held = calloc(q->size, sizeof(*q->held));
	q->shadow = calloc(q->size, sizeof(*q->shadow));
	q->expect = calloc(q->size, sizeof(*q->expect));
	q->owned = calloc(q->size, sizeof(*q->owned));
	if (q->held == NULL || q->shadow == NULL || q->expect == NULL || q->owned == NULL)
		abort();
	q->enabled = q->ops->check_areas(q);
	if (!q->enabled)
		queue_stop(q);
	else
		device_want_kicks(dev, index, DEVICE_KICK_ALWAYS, 0);
	return q->enabled ? 0 : -1;
}

void
queue_stop(struct queue *q)
{
	for (uint16_t i = 0; i < q->count; i++)
		buffer_free(*held_slot(q, i));
	free(q->held);
	free(q->shadow);
	free(q->expect);
	free(q->owned);
	q->held = NULL;
	q->shadow = q->expect = NULL;
	q->owned = NULL;
	q->count = 0;
	q->enabled = false;
}

bool
device_queue_enabled(struct device *dev, uint16_t queue)
{
	return queue_at(dev, queue)->enabled;
}

uint16_t
device_queue_size(struct device *dev, uint16_t queue)
{
	return queue_at(dev, queue)->size;
}

uint16_t
device_queue_base(struct device *dev, uint16_t queue)
{
	const struct queue *q = queue_at(dev, queue);

	return q->ops == &packed_ops ? (uint16_t)(q->used | q->used_wrap << 15) : q->used;
}

void
device_queue_stop(struct device *dev, uint16_t queue)
{
	queue_stop(queue_at(dev, queue));
}

/* No more than the queue has descriptors, which a lie of the device's own can make it believe. */
static struct device_buffer *
fetch_one(struct queue *q)
{
	struct device_buffer *b = q->count == q->size ? NULL : q->ops->fetch(q);

	if (b != NULL && q->dev->keeps_off)
		b->bad = true;
	return b;
}

uint16_t
device_fetch(struct device *dev, uint16_t queue)
{
	struct queue *q = queue_at(dev, queue);
	struct device_buffer *b;

	if (!q->enabled || !(dev->status & DEVICE_S_DRIVER_OK))
		return 0;
	atomic_store(&q->kicked, false);
	do {
		while ((b = fetch_one(q)) != NULL)
			*held_slot(q, q->count++) = b;
		if (q->kicks_wanted != DEVICE_KICK_ALWAYS)
			break;
		/* Ask for the next one, then look again: it may have come before it was asked for.
		 */
		q->ops->want_kicks(q, 0);
		atomic_thread_fence(memory_order_seq_cst);
		b = fetch_one(q);
		if (b != NULL)
			*held_slot(q, q->count++) = b;
	} while (b != NULL);
	return q->count;
}

/* Moves the i-th oldest to the front; the others keep their order. */
static void
to_front(struct queue *q, uint16_t i)
{
	struct device_buffer *b = *held_slot(q, i);

	for (; i > 0; i--)
		*held_slot(q, i) = *held_slot(q, (uint16_t)(i - 1));
	*held_slot(q, 0) = b;
}

static void
drop_oldest(struct queue *q, uint32_t n)
{
	for (; n > 0 && q->count > 0; n--) {
		buffer_free(*held_slot(q, 0));
		q->first = (uint16_t)((q->first + 1u) % q->size);
		q->count--;
	}
}

void
queue_put(struct queue *q, struct used_entry *entries, uint16_t n)
{
	uint16_t old = q->used;
	bool old_wrap = q->used_wrap;
	uint32_t buffers = 0, moved = 0;

	for (uint16_t i = 0; i < n; i++) {
		buffers += entries[i].buffers;
		lie_entry(q, &entries[i]);
		moved += q->ops == &packed_ops ? entries[i].descs : entries[i].advance;
		q->last_id = entries[i].id;
	}
	q->ops->put(q, entries, n);
	drop_oldest(q, buffers);
	/* The used entries before the question whether the driver wants to know (spec 2.7.7.2). */
	atomic_thread_fence(memory_order_seq_cst);
	if (q->ops->wants_interrupt(q, old, old_wrap, moved))
		atomic_fetch_add(&q->interrupts, 1);
}

static struct used_entry
entry_for(const struct device_buffer *b, uint32_t len)
{
	return (struct used_entry){
		.id = b->id,
		.len = len,
		.buffers = 1,
		.advance = 1,
		.descs = b->descs,
		.writes = b->writable > 0 && len > 0,
	};
}

bool
device_use(struct device *dev, uint16_t queue, uint16_t i, uint32_t len)
{
	struct queue *q = queue_at(dev, queue);
	struct used_entry entry;

	if (i >= q->count || (i > 0 && has_feature(dev, DEVICE_F_IN_ORDER)))
		return false;
	to_front(q, i);
	entry = entry_for(*held_slot(q, 0), len);
	queue_put(q, &entry, 1);
	return true;
}

bool
device_use_many(struct device *dev, uint16_t queue, const uint32_t *lens, uint16_t n)
{
	struct queue *q = queue_at(dev, queue);
	struct used_entry *entries;

	if (n == 0 || n > q->count)
		return false;
	entries = calloc(n, sizeof(*entries));
	if (entries == NULL)
		abort();
	for (uint16_t i = 0; i < n; i++)
		entries[i] = entry_for(*held_slot(q, i), lens[i]);
	queue_put(q, entries, n);
	free(entries);
	return true;
}

bool
device_use_batch(struct device *dev, uint16_t queue, uint16_t n, uint32_t len)
{
	struct queue *q = queue_at(dev, queue);
	struct used_entry entry;

	if (n == 0 || n > q->count || !has_feature(dev, DEVICE_F_IN_ORDER))
		return false;
	entry = entry_for(*held_slot(q, (uint16_t)(n - 1)), len);
	entry.buffers = entry.advance = n;
	for (uint16_t i = 0; i + 1 < n; i++)
		entry.descs = (uint16_t)(entry.descs + (*held_slot(q, i))->descs);
	queue_put(q, &entry, 1);
	return true;
}

/* A generator of its own, so that a history depends on nothing else. */
static uint32_t
next_random(void)
{
	static uint32_t state = 0x2545f491;

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

uint16_t
device_complete(struct device *dev, uint16_t queue, uint16_t n, enum device_order order)
{
	struct queue *q = queue_at(dev, queue);
	uint16_t done = 0;

	if (has_feature(dev, DEVICE_F_IN_ORDER))
		order = DEVICE_OLDEST_FIRST;
	for (; done < n && q->count > 0; done++) {
		uint16_t i = 0;

		if (order == DEVICE_NEWEST_FIRST)
			i = (uint16_t)(q->count - 1);
		else if (order == DEVICE_RANDOM)
			i = (uint16_t)(next_random() % q->count);
		device_use(dev, queue, i, (uint32_t)(*held_slot(q, i))->writable);
	}
	return done;
}

void
device_want_kicks(struct device *dev, uint16_t queue, enum device_kicks when, uint16_t event)
{
	struct queue *q = queue_at(dev, queue);

	if (when == DEVICE_KICK_AT && !has_feature(dev, DEVICE_F_EVENT_IDX))
		abort(); /* a mistake of the test's */
	q->kicks_wanted = when;
	q->ops->want_kicks(q, event);
}

void
queue_kick(const struct vio_notifier *notifier, uint16_t next)
{
	struct queue *q = (struct queue *)(uintptr_t)notifier->addr;
	struct device *dev = q->dev;

	if (!(dev->status & DEVICE_S_DRIVER_OK))
		fault(dev, q->index, "INIT-15", "a notification before DRIVER_OK");
	if (notifier->value != q->index)
		fault(dev, q->index, "NOTIF-02", "the notification says queue %u", notifier->value);
	if (q->enabled && has_feature(dev, DEVICE_F_NOTIFICATION_DATA) &&
	    next != q->ops->next_off(q))
		fault(dev, q->index, q->ops == &packed_ops ? "NOTIF-04" : "NOTIF-03",
		      "notification data 0x%x, expected 0x%x", next, q->ops->next_off(q));
	atomic_fetch_add(&q->kicks, 1);
	atomic_store(&q->kicked, true);
}

uint64_t
device_kicks(const struct device *dev, uint16_t queue)
{
	return atomic_load(&dev->queues[queue].kicks);
}

bool
device_was_kicked(const struct device *dev, uint16_t queue)
{
	return atomic_load(&dev->queues[queue].kicked);
}

uint64_t
device_interrupts(const struct device *dev, uint16_t queue)
{
	return atomic_load(&dev->queues[queue].interrupts);
}

void
device_check(struct device *dev, uint16_t queue)
{
	struct queue *q = queue_at(dev, queue);

	if (q->enabled)
		q->ops->check(q);
}
