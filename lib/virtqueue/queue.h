/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The driver's private side of a virtqueue, common to both layouts.
 *
 * Ids. Every buffer in flight has an id: split, the index of its first descriptor; packed, the
 * Buffer ID. Free ids wait in a circle, handed out at its head and returned at its tail. While the
 * device completes in the order in which buffers were added, the circle never changes and ids
 * simply count up, modulo the size: that is what IN_ORDER needs, and what lets whole lines of
 * descriptors be handled at once. A device that completes out of order merely permutes the circle.
 *
 * A split chain takes one id per descriptor, a packed list one id in all.
 */
#ifndef VQ_QUEUE_H
#define VQ_QUEUE_H

#include "barrier.h"
#include "ring.h"
#include "virtqueue.h"

struct vq_layout {
	int (*add)(struct vq *vq, const struct vq_sg *sg, uint16_t out, uint16_t in, void *cookie);
	void (*publish)(struct vq *vq);
	bool (*kick_prepare)(struct vq *vq);
	uint16_t (*notify_data)(const struct vq *vq);
	void (*prefetch)(const struct vq *vq, uint16_t n, bool in);
	uint16_t (*used_count)(const struct vq *vq, uint16_t limit);
	void (*disable_cb)(struct vq *vq);
	bool (*enable_cb)(struct vq *vq);
	void (*monitor)(const struct vq *vq, struct vq_monitor *monitor);
	bool packed;
};

/* What is done to many buffers at once, for which there are vectors. */
struct vq_fast {
	uint16_t (*get)(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n);
	uint16_t (*add_in)(struct vq *vq, void *const *objects, uint16_t n,
			   const struct vq_view *view);
	uint16_t (*add_out)(struct vq *vq, void *const *objects, uint16_t n,
			    const struct vq_view *view);
};

/* Hidden, as others are found by their distance from it. */
extern const struct vq_layout vq_split_layout __attribute__((visibility("hidden")));
/* From here on by whether buffers are used in order. */
extern const struct vq_layout vq_packed_layout[2];
extern const struct vq_fast vq_split_plain[2], vq_packed_plain[2];
extern const struct vq_fast vq_split_words[2], vq_packed_words[2];
extern const struct vq_fast vq_split_avx2[2], vq_packed_avx2[2];
extern const struct vq_fast vq_split_avx512[2], vq_packed_avx512[2];
extern const struct vq_fast vq_split_neon[2], vq_packed_neon[2];

/* Those of an instruction set that the CPU has. */
const struct vq_fast *vq_fast_of(enum vq_simd simd, bool packed, bool in_order);

/* What each layout alone needs. Written by the polling thread only. */
struct split_state {
	struct split_desc *desc;
	struct split_avail *avail;
	struct split_used *used;
	uint16_t mask;       /* size - 1 */
	uint16_t avail_idx;  /* of the next buffer; the device sees it at publish */
	uint16_t used_idx;   /* of the next used entry to take */
	uint16_t used_seen;  /* what the device's used index was when last looked at */
	uint16_t kicked_idx; /* avail_idx at the last kick_prepare() */
};

struct packed_state {
	struct packed_desc *desc;
	struct packed_event *driver_event;
	struct packed_event *device_event;
	uint16_t avail;       /* next slot to fill */
	uint16_t used;        /* next slot to take */
	uint16_t avail_flags; /* AVAIL and USED bits that mean "available" in this round */
	uint16_t used_flags;  /* AVAIL and USED bits that mean "used" in this round */
	uint16_t first;       /* slot of the first descriptor added since publish, */
	uint16_t first_flags; /* and its flags, which are stored last; */
	uint32_t unpublished; /* descriptors added since publish */
	uint32_t unkicked;    /* descriptors published since the last kick_prepare() */
};

struct vq {
	struct vq_counts counts; /* first: what callers read without a call */
	/* Tables of functions, in bytes from vq_split_layout: two processes that share a queue run
	 * the same code at different addresses. */
	intptr_t fast;
	intptr_t layout;
	union {
		struct split_state split;
		struct packed_state packed;
	};
	bool platform; /* VQ_ORDER_PLATFORM */
	bool event_idx;
	bool shuffled;       /* was a buffer ever used out of order? Else ids[i] is i */
	uint16_t id_head;    /* circle position of the next id to hand out */
	uint16_t held_head;  /* id_head at the last publish: the ids from there on are held */
	uint16_t id_tail;    /* circle position for the next id that returns */
	uint16_t batch_left; /* in order: buffers that the last used entry covers, not yet taken, */
	uint32_t batch_len;  /* and the length that it gave for the last of them */
	uint16_t *ids;       /* [size] the circle */
	uint16_t *link;      /* [size] split: the next descriptor of a chain */
	uint16_t *count; /* [size] by id: descriptors of the buffer in flight, 0: none in flight */
	uint32_t *room;  /* [size] by id: bytes that the device may write */
	void **cookies;  /* [size] by id */
	void *indirect;  /* [size][indirect_max] entries of 16 bytes, by id */
	uint64_t indirect_iova;
	uint16_t indirect_max;
	uint16_t detached; /* ids below it were taken by vq_detach() */
	uint64_t ring_iova;
};

static inline intptr_t
table_distance(const void *table)
{
	return (intptr_t)table - (intptr_t)&vq_split_layout;
}

static inline const struct vq_layout *
layout_of(const struct vq *vq)
{
	return (const struct vq_layout *)((intptr_t)&vq_split_layout + vq->layout);
}

static inline const struct vq_fast *
fast_of(const struct vq *vq)
{
	return (const struct vq_fast *)((intptr_t)&vq_split_layout + vq->fast);
}

/* position + 1 on a circle of vq->counts.size. */
static inline uint16_t
circle_next(const struct vq *vq, uint16_t position)
{
	position++;
	return position == vq->counts.size ? 0 : position;
}

static inline uint16_t
id_take(struct vq *vq)
{
	uint16_t id = vq->ids[vq->id_head];

	vq->id_head = circle_next(vq, vq->id_head);
	return id;
}

static inline void
id_return(struct vq *vq, uint16_t id)
{
	vq->shuffled |= vq->ids[vq->id_tail] != id;
	vq->ids[vq->id_tail] = id;
	vq->id_tail = circle_next(vq, vq->id_tail);
}

/* Remembers a buffer that is about to be the device's. */
static inline void
slot_fill(struct vq *vq, uint16_t id, void *cookie, uint32_t room, uint16_t count)
{
	vq->cookies[id] = cookie;
	vq->room[id] = room;
	vq->count[id] = count;
	vq->counts.free -= count;
	vq->counts.held++;
}

/* All that is held becomes the device's. */
static inline void
held_publish(struct vq *vq)
{
	vq->counts.in_flight += vq->counts.held;
	vq->counts.held = 0;
	vq->held_head = vq->id_head;
}

/* Is the id one of a buffer that the device cannot know of yet? */
static inline bool
is_held(const struct vq *vq, uint16_t id)
{
	uint16_t at = vq->held_head;

	if (__builtin_expect(vq->counts.held == 0, 1))
		return false;
	do {
		if (vq->ids[at] == id)
			return true;
		at = circle_next(vq, at);
	} while (at != vq->id_head);
	return false;
}

/* Forgets it. Its id and descriptors go back by the layout's own way. */
static inline void *
slot_clear(struct vq *vq, uint16_t id)
{
	void *cookie = vq->cookies[id];

	vq->counts.free += vq->count[id];
	vq->count[id] = 0;
	vq->counts.in_flight--;
	return cookie;
}

/* What stands at a place in an object. */
static inline uint64_t
object_long(const void *object, size_t at)
{
	return *(const uint64_t *)((const char *)object + at);
}

static inline uint16_t
object_word(const void *object, size_t at)
{
	return *(const uint16_t *)((const char *)object + at);
}

/* The one element of an object's buffer. */
static inline __attribute__((always_inline)) struct vq_sg
object_element(const void *object, const struct vq_view *view, const bool in)
{
	if (in)
		return (struct vq_sg){ .iova = object_long(object, view->addr_at) + view->in_offset,
				       .len = view->in_len };
	return (struct vq_sg){
		.iova = object_long(object, view->addr_at) + object_word(object, view->offset_at) -
			view->before,
		.len = (uint32_t)object_word(object, view->len_at) + view->before,
	};
}

/* Every used id passes here before anything is indexed with it. */
static inline enum vq_error
id_check(const struct vq *vq, uint32_t id)
{
	if (id >= vq->counts.size)
		return VQ_ERR_ID_RANGE;
	if (vq->count[id] == 0 || is_held(vq, id))
		return VQ_ERR_ID_NOT_IN_FLIGHT;
	return VQ_OK;
}

static inline uint32_t
length_check(const struct vq *vq, uint16_t id, uint32_t len)
{
	return len <= vq->room[id] ? len : VQ_LENGTH_LIE;
}

/* Does event lie in the window (before, now], modulo 2^16 (spec 2.7.7.1, virtq_need_event)? */
static inline bool
event_passed(uint16_t event, uint16_t now, uint16_t before)
{
	return (uint16_t)(now - event - 1) < (uint16_t)(now - before);
}

/*
 * What a buffer of out + in elements takes and holds. Returns 0, or -EINVAL where it has no
 * element, more than the queue could ever hold, or more than 2^32 - 2 bytes (SPLIT-DESC-01).
 */
struct buffer_shape {
	uint16_t elements;
	uint16_t descriptors; /* 1 where an indirect table holds the elements */
	uint32_t room;
};

int vq_buffer_shape(const struct vq *vq, const struct vq_sg *sg, uint16_t out, uint16_t in,
		    struct buffer_shape *shape);

#endif
