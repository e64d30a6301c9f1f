/* SPDX-License-Identifier: BSD-3-Clause */
/* A buffer as the device sees it: its elements, resolved once, when it is taken in. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

struct device_buffer *
buffer_new(uint16_t id)
{
	struct device_buffer *b = calloc(1, sizeof(*b));

	if (b == NULL)
		abort();
	b->id = id;
	return b;
}

void
buffer_free(struct device_buffer *b)
{
	if (b == NULL)
		return;
	free(b->segs);
	free(b->was);
	free(b);
}

/* Room for one more element. */
static struct segment *
next_segment(struct device_buffer *b)
{
	uint32_t n = (uint32_t)b->out + b->in;

	if (n == b->room) {
		b->room = n == 0 ? 4 : 2 * n;
		b->segs = realloc(b->segs, b->room * sizeof(*b->segs));
		if (b->segs == NULL)
			abort();
	}
	return &b->segs[n];
}

bool
buffer_add(struct queue *q, struct device_buffer *b, uint64_t addr, uint32_t len, bool write,
	   const char *rule_order)
{
	struct segment *s = next_segment(b);

	if (!write && b->in > 0) {
		fault(q->dev, q->index, rule_order,
		      "id %u: a readable element after a writable one", b->id);
		return false;
	}
	s->data = reach(q->dev, q->index, addr, len, "a buffer's element");
	if (s->data == NULL)
		return false;
	s->len = len;
	s->write = write;
	if (write) {
		b->in++;
		b->writable += len;
	} else {
		b->out++;
		b->readable += len;
	}
	if (b->readable + b->writable > UINT64_C(1) << 32) {
		fault(q->dev, q->index, "SPLIT-DESC-01", "id %u: longer than 2^32 bytes", b->id);
		return false;
	}
	return true;
}

bool
buffer_table(struct queue *q, struct device_buffer *b, uint64_t addr, uint32_t len,
	     const char *rule)
{
	if (!has_feature(q->dev, DEVICE_F_INDIRECT_DESC)) {
		fault(q->dev, q->index, q->ops == &packed_ops ? "PACKED-IND-01" : "SPLIT-IND-01",
		      "id %u: an indirect table without the feature", b->id);
		return false;
	}
	if (len == 0 || len % sizeof(struct desc) != 0) {
		fault(q->dev, q->index, rule, "id %u: an indirect table of %u bytes", b->id, len);
		return false;
	}
	if (len / sizeof(struct desc) > q->size) {
		fault(q->dev, q->index, q->ops == &packed_ops ? "PACKED-SG-02" : "SPLIT-IND-03",
		      "id %u: an indirect table of %zu entries, queue size %u", b->id,
		      len / sizeof(struct desc), q->size);
		return false;
	}
	b->indirect = reach(q->dev, q->index, addr, len, "an indirect table");
	if (b->indirect == NULL)
		return false;
	b->table_len = len;
	b->was = malloc(len);
	if (b->was == NULL)
		abort();
	memcpy(b->was, b->indirect, len);
	return true;
}

void
buffer_check_table(struct queue *q, const struct device_buffer *b)
{
	if (b->was != NULL && memcmp(b->was, b->indirect, b->table_len) != 0)
		fault(q->dev, q->index, "INIT-CLEANUP-01",
		      "id %u: its indirect table changed while in flight", b->id);
}

uint16_t
device_buffer_id(const struct device_buffer *b)
{
	return b->id;
}

uint16_t
device_buffer_out(const struct device_buffer *b)
{
	return b->out;
}

uint16_t
device_buffer_in(const struct device_buffer *b)
{
	return b->in;
}

uint32_t
device_buffer_readable(const struct device_buffer *b)
{
	return (uint32_t)b->readable;
}

uint32_t
device_buffer_writable(const struct device_buffer *b)
{
	return (uint32_t)b->writable;
}

uint16_t
device_buffer_descs(const struct device_buffer *b)
{
	return b->descs;
}

/* Copies between a flat range and the elements of one direction, from offset on. */
static uint32_t
copy(const struct device_buffer *b, bool write, uint32_t offset, uint8_t *flat, uint32_t len)
{
	uint32_t done = 0;

	for (unsigned i = 0; i < (unsigned)b->out + b->in && done < len && !b->bad; i++) {
		const struct segment *s = &b->segs[i];
		uint32_t n;

		if (s->write != write)
			continue;
		if (offset >= s->len) {
			offset -= s->len;
			continue;
		}
		n = s->len - offset < len - done ? s->len - offset : len - done;
		if (write)
			memcpy(s->data + offset, flat + done, n);
		else
			memcpy(flat + done, s->data + offset, n);
		done += n;
		offset = 0;
	}
	return done;
}

uint32_t
device_buffer_read(const struct device_buffer *b, uint32_t offset, void *to, uint32_t len)
{
	return copy(b, false, offset, to, len);
}

uint32_t
device_buffer_write(const struct device_buffer *b, uint32_t offset, const void *from, uint32_t len)
{
	return copy(b, true, offset, (uint8_t *)(uintptr_t)from, len);
}
