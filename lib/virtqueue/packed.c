/* SPDX-License-Identifier: BSD-3-Clause */
/* The packed layout (spec 2.8). */
#include <errno.h>

#include "packed.h"

/*
 * The flags of the first descriptor since publish are kept back: with this AVAIL bit it does not
 * look available. The device takes descriptors in ring order, so none of the others is its before
 * that one is (PACKED-SG-06).
 */
static inline uint16_t
held_back(const struct packed_state *p, uint16_t flags)
{
	return p->unpublished == 0 ? flags ^ DESC_AVAIL : flags;
}

/* Fills one slot. */
static inline void
put_desc(struct vq *vq, uint64_t iova, uint32_t len, uint16_t id, uint16_t flags)
{
	struct packed_state *p = &vq->packed;
	struct packed_desc *desc = &p->desc[p->avail];

	flags |= p->avail_flags;
	desc->addr = htole64(iova);
	desc->used = htole64(len | (uint64_t)id << 32 | (uint64_t)held_back(p, flags) << 48);
	vq_packed_avail_advance(vq, 1, flags);
}

/* Elements of an indirect table carry WRITE and nothing else (PACKED-IND-02). */
static void
put_indirect(struct vq *vq, const struct vq_sg *sg, uint16_t out, uint16_t elements, uint16_t id)
{
	size_t offset = (size_t)id * vq->indirect_max * sizeof(struct packed_desc);
	struct packed_desc *table = (struct packed_desc *)((char *)vq->indirect + offset);

	for (uint16_t i = 0; i < elements; i++) {
		uint64_t flags = i < out ? 0 : DESC_WRITE;

		table[i].addr = htole64(sg[i].iova);
		table[i].used = htole64(sg[i].len | flags << 48);
	}
	put_desc(vq, vq->indirect_iova + offset, elements * sizeof(struct packed_desc), id,
		 DESC_INDIRECT);
}

static void
put_list(struct vq *vq, const struct vq_sg *sg, uint16_t out, uint16_t elements, uint16_t id)
{
	for (uint16_t i = 0; i < elements; i++) {
		uint16_t flags = i < out ? 0 : DESC_WRITE;

		flags |= i + 1 < elements ? DESC_NEXT : 0;
		put_desc(vq, sg[i].iova, sg[i].len, id, flags);
	}
}

static int
packed_add(struct vq *vq, const struct vq_sg *sg, uint16_t out, uint16_t in, void *cookie)
{
	struct buffer_shape shape;
	uint16_t id;
	int ret;

	if (vq->counts.error != VQ_OK)
		return -EIO;
	ret = vq_buffer_shape(vq, sg, out, in, &shape);
	if (ret < 0)
		return ret;
	if (shape.descriptors > vq->counts.free)
		return -ENOSPC;
	id = id_take(vq);
	slot_fill(vq, id, cookie, shape.room, shape.descriptors);
	if (shape.descriptors < shape.elements)
		put_indirect(vq, sg, out, shape.elements, id);
	else
		put_list(vq, sg, out, shape.elements, id);
	return 0;
}

/* How many more buffers of one descriptor go before the ring, or the circle of ids, ends. */
static inline uint16_t
room_before_an_end(const struct vq *vq, uint16_t n)
{
	uint16_t ring = vq->counts.size - vq->packed.avail, circle = vq->counts.size - vq->id_head;

	n = ring < n ? ring : n;
	return circle < n ? circle : n;
}

/* n buffers that lie side by side on the ring and whose ids do on the circle. */
static inline __attribute__((always_inline)) void
add_run(struct vq *vq, void *const *objects, uint16_t n, const struct vq_view *view, const bool in)
{
	struct packed_state *p = &vq->packed;
	struct packed_desc *desc = &p->desc[p->avail];
	const uint16_t *ids = &vq->ids[vq->id_head];
	const struct vq_view v = *view;
	uint64_t flags = p->avail_flags | (in ? DESC_WRITE : 0);
	uint64_t first_flags = held_back(p, flags);
	uint32_t *room = vq->room;
	uint16_t *count = vq->count;
	void **slots = vq->cookies;

	for (uint16_t i = 0; i < n; i++) {
		struct vq_sg sg = object_element(objects[i], &v, in);
		uint16_t id = ids[i];

		slots[id] = objects[i];
		room[id] = in ? sg.len : 0;
		count[id] = 1;
		desc[i].addr = htole64(sg.iova);
		desc[i].used = htole64(sg.len | (uint64_t)id << 32 |
				       (i == 0 ? first_flags : flags) << 48);
	}
	vq_packed_avail_advance(vq, n, flags);
	vq->id_head = vq->id_head + n == vq->counts.size ? 0 : vq->id_head + n;
	vq->counts.free -= n;
	vq->counts.held += n;
}

static inline __attribute__((always_inline)) uint16_t
add_singles(struct vq *vq, void *const *objects, uint16_t n, const struct vq_view *view,
	    const bool in)
{
	uint16_t done = 0;

	if (vq->counts.error != VQ_OK)
		return 0;
	if (n > vq->counts.free)
		n = vq->counts.free;
	while (done < n) {
		uint16_t run = room_before_an_end(vq, n - done);

		add_run(vq, objects + done, run, view, in);
		done += run;
	}
	return n;
}

uint16_t
vq_packed_add_in(struct vq *vq, void *const *objects, uint16_t n, const struct vq_view *view)
{
	return add_singles(vq, objects, n, view, true);
}

uint16_t
vq_packed_add_out(struct vq *vq, void *const *objects, uint16_t n, const struct vq_view *view)
{
	return add_singles(vq, objects, n, view, false);
}

/* One release for the whole batch: every store before it, in any descriptor, is visible to a device
 * that has seen these flags (PACKED-SUPPLY-01); it pairs with the device's acquire of the flags. */
static void
packed_publish(struct vq *vq)
{
	struct packed_state *p = &vq->packed;

	if (p->unpublished == 0)
		return;
	vq_barrier_write(vq->platform);
	__atomic_store_n(&p->desc[p->first].flags, htole16(p->first_flags), __ATOMIC_RELAXED);
	p->unkicked += p->unpublished;
	p->unpublished = 0;
	held_publish(vq);
}

/* The slot behind the last one published, and flags that tell its round. */
static inline uint16_t
published_end(const struct vq *vq, uint16_t *flags)
{
	const struct packed_state *p = &vq->packed;

	*flags = p->unpublished == 0 ? p->avail_flags : p->first_flags;
	return p->unpublished == 0 ? p->avail : p->first;
}

/*
 * Is the descriptor that the device waits for among the last count ones (PACKED-EVENT-03)? Offsets
 * of the round before count as lying one ring length back.
 */
static bool
packed_event_passed(const struct vq *vq, uint16_t off_wrap, uint32_t count)
{
	uint16_t flags, now = published_end(vq, &flags);
	uint16_t event = off_wrap & 0x7fff;
	bool wrap = off_wrap >> 15;

	if (count >= vq->counts.size)
		return true;
	if (wrap != !!(flags & DESC_AVAIL))
		event -= vq->counts.size;
	return event_passed(event, now, now - count);
}

static bool
packed_kick_prepare(struct vq *vq)
{
	struct packed_state *p = &vq->packed;
	uint32_t count = p->unkicked;
	struct packed_event event;

	if (count == 0)
		return false;
	p->unkicked = 0;
	/* The flags just stored before the event that is loaded next (PACKED-NOTIFY-01); it pairs
	 * with the device's barrier between enabling notifications and its last look at the ring.
	 */
	vq_barrier_full(vq->platform);
	event.whole = __atomic_load_n(&p->device_event->whole, __ATOMIC_RELAXED);
	switch (le16toh(event.flags) & 3) {
	case EVENT_DISABLE:
		return false;
	case EVENT_DESC:
		if (vq->event_idx)
			return packed_event_passed(vq, le16toh(event.off_wrap), count);
		return true;
	default:
		return true;
	}
}

static uint16_t
packed_notify_data(const struct vq *vq)
{
	uint16_t flags, slot = published_end(vq, &flags);

	return slot | (flags & DESC_AVAIL ? 0x8000 : 0);
}

/* What the device left at a slot: loaded once, whole. */
struct used_desc {
	uint32_t len;
	uint16_t id;
	uint16_t flags;
};

static inline struct used_desc
used_load(const struct vq *vq, uint16_t slot)
{
	uint64_t raw = le64toh(__atomic_load_n(&vq->packed.desc[slot].used, __ATOMIC_RELAXED));

	return (struct used_desc){ .len = raw, .id = raw >> 32, .flags = raw >> 48 };
}

/* In order, one used descriptor may stand for several buffers, the last of which it names
 * (PACKED-INORDER-01): how many. 0 where no buffer in flight can be the last. */
static inline uint16_t
batch_size(const struct vq *vq, uint16_t id)
{
	uint16_t oldest = vq->ids[vq->id_tail];
	uint32_t distance = (uint32_t)id + (id < oldest ? vq->counts.size : 0) - oldest;

	return distance < vq->counts.in_flight ? distance + 1 : 0;
}

static inline void
complete(struct vq *vq, uint16_t id)
{
	vq_packed_used_advance(vq, vq->count[id]);
	slot_clear(vq, id);
	id_return(vq, id);
}

uint16_t
vq_packed_get(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n)
{
	uint16_t got = 0;

	if (vq->counts.error != VQ_OK)
		return 0;
	for (; got < n; got++) {
		struct used_desc used = used_load(vq, vq->packed.used);

		if ((used.flags & WRAP_BITS) != vq->packed.used_flags)
			break;
		vq->counts.error = id_check(vq, used.id);
		if (vq->counts.error != VQ_OK)
			break;
		cookies[got] = vq->cookies[used.id];
		if (lens != NULL)
			lens[got] = length_check(vq, used.id, used.len);
		complete(vq, used.id);
	}
	/* The buffers' contents are read after this (PACKED-USED-02). */
	vq_barrier_read(vq->platform);
	return got;
}

/* Looks for the next batch. Returns whether there is one. */
static bool
batch_begin(struct vq *vq)
{
	struct used_desc used = used_load(vq, vq->packed.used);

	if ((used.flags & WRAP_BITS) != vq->packed.used_flags)
		return false;
	vq->counts.error = id_check(vq, used.id);
	if (vq->counts.error != VQ_OK)
		return false;
	vq->batch_left = batch_size(vq, used.id);
	vq->batch_len = used.len;
	if (vq->batch_left == 0)
		vq->counts.error = VQ_ERR_ORDER;
	return vq->counts.error == VQ_OK;
}

uint16_t
vq_packed_get_in_order(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n)
{
	uint16_t got = 0;

	if (vq->counts.error != VQ_OK)
		return 0;
	for (; got < n; got++) {
		uint16_t id;
		bool last;

		if (vq->batch_left == 0 && !batch_begin(vq))
			break;
		last = --vq->batch_left == 0;
		id = vq->ids[vq->id_tail];
		cookies[got] = vq->cookies[id];
		/* Buffers that were skipped count as wholly used (PACKED-INORDER-02). */
		if (lens != NULL)
			lens[got] = last ? length_check(vq, id, vq->batch_len) : vq->room[id];
		complete(vq, id);
	}
	vq_barrier_read(vq->platform);
	return got;
}

/*
 * To be written as well as read, whatever the buffers are for: the slots are refilled next, and a
 * line that comes for reading only has to be asked for twice.
 */
static void
packed_prefetch(const struct vq *vq, uint16_t n, bool in)
{
	uint16_t left = vq->counts.size - vq->packed.used;
	const struct packed_desc *desc = &vq->packed.desc[vq->packed.used];

	(void)in;
	if (n > left)
		n = left;
	for (uint16_t i = 0; i < n; i += VQ_ALIGN / sizeof(*desc))
		__builtin_prefetch(&desc[i], 1);
}

/* The used descriptors of one round stand where the lists that they complete began. */
static inline uint16_t
count_used(const struct vq *vq, uint16_t limit, bool in_order)
{
	uint16_t bits = vq->packed.used_flags;
	uint32_t slot = vq->packed.used;
	uint16_t oldest = vq->id_tail;
	uint16_t n = in_order ? vq->batch_left : 0;

	if (limit > vq->counts.in_flight)
		limit = vq->counts.in_flight;
	for (uint16_t i = 0; i < n; i++, oldest = circle_next(vq, oldest))
		slot += vq->count[vq->ids[oldest]];
	while (n < limit) {
		struct used_desc used;
		uint16_t id;

		if (slot >= vq->counts.size) {
			/* More than once round where the poller goes on meanwhile. */
			bits ^= slot / vq->counts.size % 2 != 0 ? WRAP_BITS : 0;
			slot %= vq->counts.size;
		}
		used = used_load(vq, slot);
		if ((used.flags & WRAP_BITS) != bits)
			break;
		if (id_check(vq, used.id) != VQ_OK) {
			/* How far a lie reaches nobody knows: one descriptor. */
			if (in_order || vq->counts.error == VQ_OK)
				break;
			slot++;
			n++;
			continue;
		}
		do {
			id = in_order ? vq->ids[oldest] : used.id;
			slot += vq->count[id];
			oldest = circle_next(vq, oldest);
			n++;
		} while (in_order && id != used.id && n < limit);
	}
	return n < limit ? n : limit;
}

static uint16_t
packed_used_count(const struct vq *vq, uint16_t limit)
{
	return count_used(vq, limit, false);
}

static uint16_t
packed_used_count_in_order(const struct vq *vq, uint16_t limit)
{
	return count_used(vq, limit, true);
}

static void
packed_disable_cb(struct vq *vq)
{
	__atomic_store_n(&vq->packed.driver_event->flags, htole16(EVENT_DISABLE), __ATOMIC_RELAXED);
}

static bool
packed_enable_cb(struct vq *vq)
{
	uint16_t wrap = vq->packed.used_flags & DESC_USED ? 0x8000 : 0;
	struct packed_event event = { .flags = htole16(EVENT_ENABLE) };

	if (vq->event_idx) {
		event.off_wrap = htole16(vq->packed.used | wrap);
		event.flags = htole16(EVENT_DESC);
	}
	/* In one store, so that no flag is ever seen without its place. */
	__atomic_store_n(&vq->packed.driver_event->whole, event.whole, __ATOMIC_RELAXED);
	/* The wish before the last look (PACKED-USED-01); it pairs with the device's barrier
	 * between storing a used descriptor and loading this event. */
	vq_barrier_full(vq->platform);
	return vq_used_count(vq, 1) != 0;
}

static void
packed_monitor(const struct vq *vq, struct vq_monitor *monitor)
{
	*monitor = (struct vq_monitor){
		.addr = &vq->packed.desc[vq->packed.used].flags,
		.mask = htole16(WRAP_BITS),
		.value = htole16(vq->packed.used_flags),
	};
}

#define COMMON_OPERATIONS                                                                          \
	.add = packed_add, .publish = packed_publish, .kick_prepare = packed_kick_prepare,         \
	.notify_data = packed_notify_data, .prefetch = packed_prefetch,                            \
	.disable_cb = packed_disable_cb, .enable_cb = packed_enable_cb, .monitor = packed_monitor, \
	.packed = true

const struct vq_layout vq_packed_layout[2] = {
	{ COMMON_OPERATIONS, .used_count = packed_used_count },
	{ COMMON_OPERATIONS, .used_count = packed_used_count_in_order },
};

const struct vq_fast vq_packed_plain[2] = {
	{ vq_packed_get, vq_packed_add_in, vq_packed_add_out },
	{ vq_packed_get_in_order, vq_packed_add_in, vq_packed_add_out },
};
