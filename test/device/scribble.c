/* SPDX-License-Identifier: BSD-3-Clause */
/* Random bytes over everything that a device can write. */
#include <string.h>

#include "internal.h"

struct target {
	uint8_t *at;
	size_t len;
};

/* xorshift32: a history can be repeated from its seed. */
static uint32_t
next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static struct target
used_area(const struct queue *q)
{
	return (struct target){ q->device, q->ops == &packed_ops ? 4 : 6 + 8 * (size_t)q->size };
}

static struct target
avail_area(const struct queue *q)
{
	return (struct target){ q->driver, q->ops == &packed_ops ? 4 : 6 + 2 * (size_t)q->size };
}

static const struct device_buffer *
random_held(struct queue *q, uint32_t *state)
{
	return q->count == 0 ? NULL
			     : device_held(q->dev, q->index, (uint16_t)(next(state) % q->count));
}

static struct target
some_buffer(struct queue *q, uint32_t *state)
{
	const struct device_buffer *b = random_held(q, state);
	const struct segment *s;

	if (b == NULL || b->bad || b->in == 0)
		return (struct target){ NULL, 0 };
	s = &b->segs[b->out + next(state) % b->in];
	return (struct target){ s->data, s->len };
}

static struct target
some_table(struct queue *q, uint32_t *state)
{
	const struct device_buffer *b = random_held(q, state);

	return b == NULL || b->bad ? (struct target){ NULL, 0 }
				   : (struct target){ b->indirect, b->table_len };
}

static struct target
choose(struct queue *q, enum device_area area, uint32_t *state)
{
	switch (area) {
	case DEVICE_AREA_DESCRIPTORS:
		return (struct target){ q->desc, 16 * (size_t)q->size };
	case DEVICE_AREA_USED:
		return used_area(q);
	case DEVICE_AREA_AVAIL:
		return avail_area(q);
	case DEVICE_AREA_BUFFERS:
		return some_buffer(q, state);
	default:
		return some_table(q, state);
	}
}

/* Not only noise: numbers near what stands there, and small ones, pass for ids and indices. */
static void
store(const struct queue *q, struct target t, uint32_t *state)
{
	size_t width = (size_t)1 << next(state) % 4;
	uint64_t value, old = 0;
	uint8_t *at;

	if (t.at == NULL || t.len == 0)
		return;
	while (width > t.len)
		width /= 2;
	at = t.at + next(state) % (t.len / width) * width;
	memcpy(&old, at, width);
	switch (next(state) % 5) {
	case 0:
		value = next(state) | (uint64_t)next(state) << 32;
		break;
	case 1:
		value = next(state) % (2u * q->size);
		break;
	case 2:
		value = old + (int32_t)(next(state) % 7) - 3;
		break;
	case 3:
		value = old ^ UINT64_C(1) << next(state) % (8 * width);
		break;
	default:
		value = next(state) % 2 ? 0 : UINT64_MAX;
		break;
	}
	memcpy(at, &value, width);
}

void
device_scribble(struct device *dev, uint32_t *state, unsigned areas, unsigned count)
{
	enum device_area chosen[8];
	unsigned n = 0;

	for (unsigned area = 1; area < DEVICE_AREA_ALL; area <<= 1)
		if (areas & area)
			chosen[n++] = (enum device_area)area;
	for (; count > 0 && n > 0; count--) {
		struct queue *q = &dev->queues[next(state) % dev->queue_count];

		if (q->enabled)
			store(q, choose(q, chosen[next(state) % n], state), state);
	}
}

void
device_keep_off(struct device *dev, bool on)
{
	dev->keeps_off = on;
}
