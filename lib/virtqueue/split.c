/* SPDX-License-Identifier: BSD-3-Clause */
/* The split layout (spec 2.7). */
#include <errno.h>

#include "split.h"

/* used_event and avail_event follow the last entry of the other side's ring (spec 2.7.7, 2.7.9). */
static inline uint16_t *
used_event(const struct vq *vq)
{
	return &vq->split.avail->ring[vq->counts.size];
}

static inline uint16_t *
avail_event(const struct vq *vq)
{
	return (uint16_t *)&vq->split.used->ring[vq->counts.size];
}

static inline void
write_desc(struct split_desc *desc, const struct vq_sg *sg, uint16_t flags, uint16_t next)
{
	desc->addr = htole64(sg->iova);
	desc->len = htole32(sg->len);
	desc->flags = htole16(flags);
	desc->next = htole16(next);
}

static inline void
offer(struct vq *vq, uint16_t head)
{
	struct split_state *s = &vq->split;

	s->avail->ring[s->avail_idx & s->mask] = htole16(head);
	s->avail_idx++;
}

/* Next of the table's entries counts up from 1, in order or not (SPLIT-IND-05). */
static void
put_indirect(struct vq *vq, const struct vq_sg *sg, uint16_t out, uint16_t elements, uint16_t head)
{
	size_t offset = (size_t)head * vq->indirect_max * sizeof(struct split_desc);
	struct split_desc *table = (struct split_desc *)((char *)vq->indirect + offset);
	struct vq_sg whole = {
		.iova = vq->indirect_iova + offset,
		.len = elements * sizeof(struct split_desc),
	};

	for (uint16_t i = 0; i < elements; i++) {
		bool more = i + 1 < elements;

		write_desc(&table[i], &sg[i], (i < out ? 0 : DESC_WRITE) | (more ? DESC_NEXT : 0),
			   more ? i + 1 : 0);
	}
	write_desc(&vq->split.desc[head], &whole, DESC_INDIRECT, 0);
}

/* In order, the circle of ids has never been permuted, so next counts up and returns to 0 at the
 * end of the table (SPLIT-DESC-03, SPLIT-DESC-04). */
static void
put_chain(struct vq *vq, const struct vq_sg *sg, uint16_t out, uint16_t elements, uint16_t head)
{
	uint16_t at = head;

	for (uint16_t i = 0; i < elements; i++) {
		bool more = i + 1 < elements;
		uint16_t next = more ? id_take(vq) : 0;

		write_desc(&vq->split.desc[at], &sg[i],
			   (i < out ? 0 : DESC_WRITE) | (more ? DESC_NEXT : 0), next);
		vq->link[at] = next;
		at = next;
	}
}

static int
split_add(struct vq *vq, const struct vq_sg *sg, uint16_t out, uint16_t in, void *cookie)
{
	struct buffer_shape shape;
	uint16_t head;
	int ret;

	if (vq->counts.error != VQ_OK)
		return -EIO;
	ret = vq_buffer_shape(vq, sg, out, in, &shape);
	if (ret < 0)
		return ret;
	if (shape.descriptors > vq->counts.free)
		return -ENOSPC;
	head = id_take(vq);
	slot_fill(vq, head, cookie, shape.room, shape.descriptors);
	if (shape.descriptors < shape.elements)
		put_indirect(vq, sg, out, shape.elements, head);
	else
		put_chain(vq, sg, out, shape.elements, head);
	offer(vq, head);
	return 0;
}

static inline __attribute__((always_inline)) uint16_t
add_singles(struct vq *vq, void *const *objects, uint16_t n, const struct vq_view *view,
	    const bool in)
{
	struct split_state *s = &vq->split;
	struct split_desc *desc = s->desc;
	uint16_t *avail = s->avail->ring, *count = vq->count, head = vq->id_head;
	const struct vq_view v = *view;
	const uint16_t *ids = vq->ids;
	uint32_t *room = vq->room;
	void **slots = vq->cookies;

	if (vq->counts.error != VQ_OK)
		return 0;
	if (n > vq->counts.free)
		n = vq->counts.free;
	for (uint16_t i = 0; i < n; i++) {
		struct vq_sg sg = object_element(objects[i], &v, in);
		uint16_t id = ids[(uint16_t)(head + i) & s->mask];

		slots[id] = objects[i];
		room[id] = in ? sg.len : 0;
		count[id] = 1;
		write_desc(&desc[id], &sg, in ? DESC_WRITE : 0, 0);
		avail[(uint16_t)(s->avail_idx + i) & s->mask] = htole16(id);
	}
	s->avail_idx += n;
	vq->id_head = (uint16_t)(head + n) & s->mask;
	vq->counts.free -= n;
	vq->counts.held += n;
	return n;
}

uint16_t
vq_split_add_in(struct vq *vq, void *const *objects, uint16_t n, const struct vq_view *view)
{
	return add_singles(vq, objects, n, view, true);
}

uint16_t
vq_split_add_out(struct vq *vq, void *const *objects, uint16_t n, const struct vq_view *view)
{
	return add_singles(vq, objects, n, view, false);
}

/* Descriptors and ring entries before the index that covers them (SPLIT-SUPPLY-01); it pairs with
 * the device's acquire of the index. */
static void
split_publish(struct vq *vq)
{
	vq_barrier_write(vq->platform);
	__atomic_store_n(&vq->split.avail->idx, htole16(vq->split.avail_idx), __ATOMIC_RELAXED);
	held_publish(vq);
}

/* The index that the device sees: without what is held. */
static inline uint16_t
published_idx(const struct vq *vq)
{
	return vq->split.avail_idx - vq->counts.held;
}

static bool
split_kick_prepare(struct vq *vq)
{
	struct split_state *s = &vq->split;
	uint16_t before = s->kicked_idx;
	uint16_t now = published_idx(vq);
	uint16_t flags;

	if (now == before)
		return false;
	s->kicked_idx = now;
	/* The index just stored before the wish that is loaded next (SPLIT-SUPPLY-02); it pairs
	 * with the device's barrier between enabling notifications and its last look at the index.
	 */
	vq_barrier_full(vq->platform);
	if (vq->event_idx) {
		uint16_t event = le16toh(__atomic_load_n(avail_event(vq), __ATOMIC_RELAXED));

		return event_passed(event, now, before);
	}
	flags = le16toh(__atomic_load_n(&s->used->flags, __ATOMIC_RELAXED));
	return !(flags & USED_NO_NOTIFY);
}

static uint16_t
split_notify_data(const struct vq *vq)
{
	return published_idx(vq);
}

/* Entries are aligned to 8, but in the legacy layout to 4, as the specification has them. */
typedef uint64_t __attribute__((aligned(4))) entry_word;

/* A used entry, loaded once, whole. */
static inline struct split_used_elem
used_load(const struct vq *vq, uint16_t index)
{
	const struct split_used_elem *elem = &vq->split.used->ring[index & vq->split.mask];
	uint64_t raw = le64toh(*(const volatile entry_word *)elem);

	return (struct split_used_elem){ .id = raw, .len = raw >> 32 };
}

/* How many entries the used index offers. More than is in flight is a lie. */
static inline uint16_t
used_pending(const struct vq *vq)
{
	uint16_t idx = le16toh(__atomic_load_n(&vq->split.used->idx, __ATOMIC_RELAXED));

	return idx - vq->split.used_idx;
}

static inline void
complete(struct vq *vq, uint16_t head)
{
	uint16_t at = head;

	for (uint16_t i = vq->count[head]; i > 1; i--) {
		uint16_t next = vq->link[at];

		id_return(vq, at);
		at = next;
	}
	id_return(vq, at);
	slot_clear(vq, head);
	vq->split.used_idx++;
}

static inline uint16_t
smaller(uint16_t a, uint16_t b)
{
	return a < b ? a : b;
}

uint16_t
vq_split_get(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n)
{
	uint16_t got;

	n = vq_split_used_begin(vq, n);
	for (got = 0; got < n; got++) {
		struct split_used_elem elem = used_load(vq, vq->split.used_idx);

		vq->counts.error = id_check(vq, elem.id);
		if (vq->counts.error != VQ_OK)
			break;
		cookies[got] = vq->cookies[elem.id];
		if (lens != NULL)
			lens[got] = length_check(vq, elem.id, elem.len);
		complete(vq, elem.id);
	}
	return got;
}

/* The id that follows a buffer's descriptors on the circle, which in order is the next buffer's. */
static inline uint16_t
next_head(const struct vq *vq, uint16_t head)
{
	return (head + vq->count[head]) & vq->split.mask;
}

/*
 * In order, one used entry may stand for several buffers, the last of which it names
 * (SPLIT-INORDER-01). Finds how many, at most what the used index covers; 0: none of them is it.
 */
static uint16_t
batch_size(const struct vq *vq, uint16_t last, uint16_t pending)
{
	uint16_t head = vq->ids[vq->id_tail];

	for (uint16_t n = 1; n <= pending; n++) {
		if (head == last)
			return n;
		head = next_head(vq, head);
	}
	return 0;
}

static bool
batch_begin(struct vq *vq, uint16_t pending)
{
	struct split_used_elem elem = used_load(vq, vq->split.used_idx);

	vq->counts.error = id_check(vq, elem.id);
	if (vq->counts.error != VQ_OK)
		return false;
	vq->batch_left = batch_size(vq, elem.id, pending);
	vq->batch_len = elem.len;
	if (vq->batch_left == 0)
		vq->counts.error = VQ_ERR_ORDER;
	return vq->counts.error == VQ_OK;
}

uint16_t
vq_split_get_in_order(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n)
{
	uint16_t pending, got;

	n = vq_split_used_begin(vq, n);
	pending = vq->split.used_seen - vq->split.used_idx;
	for (got = 0; got < n; got++) {
		uint16_t head;
		bool last;

		if (vq->batch_left == 0 && !batch_begin(vq, pending - got))
			break;
		last = --vq->batch_left == 0;
		head = vq->ids[vq->id_tail];
		cookies[got] = vq->cookies[head];
		/* Buffers that were skipped count as wholly used (SPLIT-INORDER-02). */
		if (lens != NULL)
			lens[got] = last ? length_check(vq, head, vq->batch_len) : vq->room[head];
		complete(vq, head);
	}
	return got;
}

/*
 * Used entries are only read. The descriptors of the buffers that they should name are filled next,
 * but of those to be sent the device has just read all: to fetch them back at once made both sides
 * slower than to let the stores wait (doc/performance.md).
 */
static void
split_prefetch(const struct vq *vq, uint16_t n, bool in)
{
	const struct split_state *s = &vq->split;
	uint16_t at = s->used_idx & s->mask, id = vq->ids[vq->id_tail];

	for (uint16_t i = 0; i < n; i += VQ_ALIGN / sizeof(struct split_used_elem))
		__builtin_prefetch(&s->used->ring[(at + i) & s->mask]);
	for (uint16_t i = 0; in && i < n; i += VQ_ALIGN / sizeof(struct split_desc))
		__builtin_prefetch(&s->desc[(id + i) & s->mask], 1);
}

static uint16_t
split_used_count(const struct vq *vq, uint16_t limit)
{
	uint16_t pending = used_pending(vq);

	if (pending > vq->counts.in_flight)
		return 0;
	return smaller(pending, limit);
}

/* With event index, flags stay 0 (SPLIT-UBNS-03), and the wish "not now" is an index that has just
 * gone by: it comes again after 65536 buffers, which is a notification too many and no harm. */
static void
split_disable_cb(struct vq *vq)
{
	if (vq->event_idx)
		__atomic_store_n(used_event(vq), htole16(vq->split.used_idx - 1), __ATOMIC_RELAXED);
	else
		__atomic_store_n(&vq->split.avail->flags, htole16(AVAIL_NO_INTERRUPT),
				 __ATOMIC_RELAXED);
}

static bool
split_enable_cb(struct vq *vq)
{
	if (vq->event_idx)
		__atomic_store_n(used_event(vq), htole16(vq->split.used_idx), __ATOMIC_RELAXED);
	else
		__atomic_store_n(&vq->split.avail->flags, 0, __ATOMIC_RELAXED);
	/* The wish before the last look (SPLIT-UBNS-06); it pairs with the device's barrier between
	 * storing the used index and loading this wish. */
	vq_barrier_full(vq->platform);
	return split_used_count(vq, 1) != 0;
}

static void
split_monitor(const struct vq *vq, struct vq_monitor *monitor)
{
	*monitor = (struct vq_monitor){
		.addr = &vq->split.used->idx,
		.mask = UINT16_MAX,
		.value = htole16(vq->split.used_idx),
		.unequal = true,
	};
}

const struct vq_layout vq_split_layout = {
	.add = split_add,
	.publish = split_publish,
	.kick_prepare = split_kick_prepare,
	.notify_data = split_notify_data,
	.prefetch = split_prefetch,
	.used_count = split_used_count,
	.disable_cb = split_disable_cb,
	.enable_cb = split_enable_cb,
	.monitor = split_monitor,
};

const struct vq_fast vq_split_plain[2] = {
	{ vq_split_get, vq_split_add_in, vq_split_add_out },
	{ vq_split_get_in_order, vq_split_add_in, vq_split_add_out },
};
