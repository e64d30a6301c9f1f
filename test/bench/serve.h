/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One queue as a null device sees it: every buffer that the driver makes available is used at once,
 * and nothing is done with it. How much of a buffer the device touches is enum touch; no byte of a
 * frame in any case.
 *
 * The driver is trusted as far as a benchmark may: a ring that makes no sense stops the queue, and
 * the fault says why.
 */
#ifndef BENCH_SERVE_H
#define BENCH_SERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <linux/virtio_ring.h>

#define REGIONS_MAX 64
/* struct virtio_net_hdr_v1 (spec 5.1.6): what a frame has in front of it in a buffer. */
#define HEADER_BYTES 12

/* A piece of the driver's memory: addresses of descriptors, and where it is mapped here. */
struct region {
	uint64_t from;
	uint64_t bytes;
	uint8_t *at;
};

struct memory {
	struct region regions[REGIONS_MAX];
	unsigned count;
};

struct queue;

/* Uses up to limit buffers; returns how many. */
typedef unsigned (*serve_fn)(struct queue *q, unsigned limit);

struct queue {
	serve_fn serve;
	union {
		struct vring_packed_desc *packed;
		struct {
			struct vring_desc *desc;
			struct vring_avail *avail;
			struct vring_used *used;
		};
	};
	uint16_t size; /* descriptors */
	uint16_t next; /* packed: a position; split: the free-running index */
	bool wrap;     /* packed: the wrap counter */
	bool receive;  /* the device writes these buffers */
	uint32_t used_bytes;
	uint64_t completed;
	uint32_t random; /* state of the shuffle, never 0 */
	const char *fault;
	const struct memory *memory;
};

enum touch {
	TOUCH_RING, /* only what says which buffers there are: in a packed ring, the descriptors */
	TOUCH_DESC, /* the first descriptor of each buffer, as a device that moves frames must */
	TOUCH_HEADER, /* that, and write the header in front of each received frame */
	N_TOUCH
};

struct serve_kind {
	bool packed;
	bool receive;
	bool shuffle; /* use buffers out of order */
	enum touch touch;
};

/* The function for a queue of this kind; the rest of struct queue is the caller's to fill in. */
serve_fn serve_choose(struct serve_kind kind);

extern const serve_fn serve_packed[2][N_TOUCH]; /* [receive] */
extern const serve_fn serve_split[2][N_TOUCH];
extern const serve_fn serve_shuffled_packed[2][N_TOUCH];
extern const serve_fn serve_shuffled_split[2][N_TOUCH];

/* One instance of a template, with both of its switches constant. */
#define SERVE_INSTANCE(name, template, receive, touch)        \
	static unsigned name(struct queue *q, unsigned limit) \
	{                                                     \
		return template(q, limit, receive, touch);    \
	}

/* All of them and their table. A transmit queue has no header to write. */
#define SERVE_INSTANCES(table, template)                                      \
	SERVE_INSTANCE(template##_out, template, false, TOUCH_RING)           \
	SERVE_INSTANCE(template##_out_desc, template, false, TOUCH_DESC)      \
	SERVE_INSTANCE(template##_in, template, true, TOUCH_RING)             \
	SERVE_INSTANCE(template##_in_desc, template, true, TOUCH_DESC)        \
	SERVE_INSTANCE(template##_in_header, template, true, TOUCH_HEADER)    \
	const serve_fn table[2][N_TOUCH] = {                                  \
		{ template##_out, template##_out_desc, template##_out_desc }, \
		{ template##_in, template##_in_desc, template##_in_header },  \
	}

#define serve_inline static inline __attribute__((always_inline))

/* Always returns false, for the callers' sake. */
static inline bool
serve_fault(struct queue *q, const char *text)
{
	q->fault = text;
	return false;
}

/* Where the driver's bytes at an address are mapped; NULL where they are not. */
static inline uint8_t *
serve_translate(const struct memory *memory, uint64_t address, uint64_t bytes)
{
	for (unsigned i = 0; i < memory->count; i++) {
		const struct region *region = &memory->regions[i];

		if (address - region->from < region->bytes &&
		    bytes <= region->bytes - (address - region->from))
			return region->at + (address - region->from);
	}
	return NULL;
}

/* Writes an empty header with num_buffers 1, as a device does for a frame that needs nothing done.
 * Two stores: the smaller covers csum_offset and num_buffers. */
serve_inline bool
serve_header(struct queue *q, uint64_t address)
{
	uint8_t *at = serve_translate(q->memory, address, HEADER_BYTES);
	const uint64_t none = 0;
	const uint16_t tail[2] = { 0, 1 };

	if (at == NULL)
		return serve_fault(q, "a buffer's address is in no memory that the driver shares");
	memcpy(at, &none, sizeof(none));
	memcpy(at + sizeof(none), tail, sizeof(tail));
	return true;
}

/* The checks and the header of one buffer, whatever the layout. len is of its first descriptor. */
serve_inline bool
serve_buffer(struct queue *q, uint64_t address, uint32_t len, uint16_t flags, bool receive,
	     enum touch touch)
{
	if (receive != !!(flags & VRING_DESC_F_WRITE) && !(flags & VRING_DESC_F_INDIRECT))
		return serve_fault(q, "a descriptor's WRITE flag does not fit its queue");
	if (receive && len < q->used_bytes)
		return serve_fault(q, "a receive buffer is smaller than header and frame");
	return touch < TOUCH_HEADER || serve_header(q, address);
}

#endif
