/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A virtqueue under a device that writes what the fuzzer wants, and a model of what its driver may
 * then say. The model reads the ring by the specification alone and keeps its own list of buffers,
 * so that for each call it knows the one right answer: which cookies come back, with which lengths,
 * and whether the queue breaks.
 *
 * The queue exists once for each kind of vector instructions that runs here. All get the same calls
 * and the same writes of the device, and must give the same answers.
 */
#ifndef FUZZ_QUEUE_H
#define FUZZ_QUEUE_H

#include "input.h"
#include "virtqueue/virtqueue.h"

#define QUEUE_MAX    128 /* descriptors */
#define ELEMENTS_MAX 8   /* of a buffer */
#define INDIRECT_MAX 4   /* elements of an indirect table */
#define RING_IOVA    UINT64_C(0x123400000000)
#define TABLE_IOVA   UINT64_C(0x567800000000)

/* One queue for a kind of vectors. */
struct twin {
	struct vq *vq;
	void *ring, *state, *indirect;
	struct vq_areas areas;
};

/* A buffer that was added and has not come back. */
struct buffer {
	void *cookie;
	uint32_t room;
	uint16_t id;
	uint16_t descriptors;
	bool returned; /* the device, while it was honest, gave it back */
};

/* What comes back of it. */
struct returned {
	void *cookie;
	uint32_t len;
};

/* What a buffer is made from by vq_add_in() and vq_add_out(). */
struct object {
	uint64_t addr;
	uint16_t offset, len;
};

struct side;

struct queue {
	const struct side *side; /* split or packed */
	uint16_t size;
	unsigned flags; /* enum vq_flag */
	bool receive;   /* buffers are mostly for the device to write to */
	struct twin twins[VQ_SIMD_COUNT];
	unsigned n_twins;
	uintptr_t serial; /* of the last cookie handed in */

	struct buffer fifo[QUEUE_MAX]; /* by age: those in flight, then those held */
	uint16_t flight, held;
	uint16_t free; /* descriptors */
	enum vq_error error;
	uint16_t batch_left; /* in order: buffers that the last used entry covers, not yet taken */
	uint32_t batch_len;

	/* Positions. Split: free-running indexes. Packed: slots, with wrap counters. */
	uint16_t avail, used, device_used;
	uint16_t used_seen; /* split: the used index when last looked at */
	bool avail_wrap, used_wrap, device_wrap;
	uint32_t unpublished; /* descriptors (packed), buffers (split) */
	uint32_t unkicked;
};

/* What the layouts do differently. */
struct side {
	/* Looks at what the driver has written for the newest buffer; learns its id. */
	void (*learn)(struct queue *q, struct buffer *buffer, const struct vq_sg *sg, uint16_t out,
		      uint16_t elements, uint16_t position);
	/* May up to n be taken, as far as an index goes? Breaks the model where the index lies. */
	uint16_t (*pending)(struct queue *q, uint16_t n);
	/* The next used entry, if there is one. */
	bool (*next_used)(const struct queue *q, uint32_t *id, uint32_t *len);
	void (*advance_used)(struct queue *q, const struct buffer *buffer);
	/* In order, the buffers that an entry may stand for: the oldest ones. */
	uint16_t (*batch_limit)(const struct queue *q);
	/* Gives back the batch that ends with the buffer of this age. */
	void (*device_use)(struct queue *q, uint16_t age, uint16_t batch, uint32_t len);
	/* Writes an entry that may be a lie, distance entries past the next that the driver looks
	 * at. */
	void (*device_lie)(struct queue *q, uint16_t distance, uint32_t id, uint32_t len,
			   uint16_t extra);
	void (*device_event)(struct queue *q, uint16_t a, uint16_t b);
	/* Is a kick wanted? 1, 0, or -1: either may be said. */
	int (*kick)(const struct queue *q);
	uint16_t (*notify_data)(const struct queue *q);
	void (*check_callbacks)(const struct queue *q, const struct twin *twin, bool enabled);
	bool exact_count; /* vq_used_count() looks at an index, not at entries */
};

extern const struct side split_side, packed_side;

/* Reads and writes of the device, little-endian; writes go to every twin. */
enum area { DESC, DRIVER, DEVICE };
uint64_t area_get(const struct queue *q, enum area area, size_t offset, unsigned width);
void area_put(struct queue *q, enum area area, size_t offset, uint64_t value, unsigned width);

/* The index in fifo of the buffer in flight with this id, or -1. */
int find_id(const struct queue *q, uint32_t id);

/* One input of a target. */
int fuzz_queue(const struct side *side, bool receive, const uint8_t *data, size_t size);

#endif
