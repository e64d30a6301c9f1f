/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Vectors on the driver's own side of a queue: what both layouts do with LANES buffers at once.
 * Include a shim (LANES, vec, vec_*) before it.
 *
 * Vectors handle buffers of one descriptor each whose ids follow each other, both in number and on
 * the circle. Everything else falls to plain C for LANES buffers, and comes back. So used ids are
 * compared with what stands next on the circle, never looked up: a lie cannot but fail the
 * comparison, and then meets the checks of the plain code.
 */
#ifndef VQ_SIMD_LANES_H
#define VQ_SIMD_LANES_H

/* LANES numbers of 16 bits. */
struct lanes16 {
	uint64_t words[LANES / 4];
};

#define ONES16 UINT64_C(0x0001000100010001)

static inline bool
counts_are_one(const uint16_t *count)
{
	struct lanes16 counts;
	uint64_t other = 0;

	__builtin_memcpy(&counts, count, sizeof(counts));
	for (unsigned i = 0; i < LANES / 4; i++)
		other |= counts.words[i] ^ ONES16;
	return other == 0;
}

static inline void
counts_set(uint16_t *count, uint64_t ones)
{
	struct lanes16 counts;

	for (unsigned i = 0; i < LANES / 4; i++)
		counts.words[i] = ones;
	__builtin_memcpy(count, &counts, sizeof(counts));
}

/* first, first + 1, ... */
static inline void
ids_store(uint16_t *to, uint16_t first)
{
	struct lanes16 ids;

	for (unsigned i = 0; i < LANES / 4; i++)
		ids.words[i] = (first + 4 * i) * ONES16 + UINT64_C(0x0003000200010000);
	__builtin_memcpy(to, &ids, sizeof(ids));
}

static inline void
rooms_set(uint32_t *room, uint32_t bytes)
{
	struct {
		uint32_t of[LANES];
	} rooms;

	for (unsigned i = 0; i < LANES; i++)
		rooms.of[i] = bytes;
	__builtin_memcpy(room, &rooms, sizeof(rooms));
}

/* Do the ids that stand at a place of the circle count up? */
static inline bool
ids_count_up(const uint16_t *circle)
{
	return vec_all_equal(vec_load16(circle), vec_count_up(circle[0]));
}

/* The least of three. */
static inline uint16_t
least(uint16_t a, uint16_t b, uint16_t c)
{
	a = a < b ? a : b;
	return a < c ? a : c;
}

/*
 * What stands by id, as values of their own: a loop that keeps them in registers need not look in
 * the queue again after each store, which the compiler must think could have changed it.
 */
struct lanes_tables {
	uint16_t *count;
	uint32_t *room;
	void **cookies;
};

static inline struct lanes_tables
lanes_tables(const struct vq *vq)
{
	return (struct lanes_tables){ vq->count, vq->room, vq->cookies };
}

/* The ids of the LANES buffers at a place of the circle, which moves on by LANES. */
struct lanes_ids {
	const uint16_t *circle;
	vec all;
	uint16_t first;
};

static inline struct lanes_ids
lanes_ids_from(const struct vq *vq, uint16_t position)
{
	return (struct lanes_ids){ &vq->ids[position], vec_count_up(position), position };
}

/* Do they count up? Where no buffer was ever used out of order, they do without a look. */
static inline __attribute__((always_inline)) bool
lanes_ids_look(struct lanes_ids *ids, const bool shuffled)
{
	if (!shuffled) {
		if (LANES_MADE_ANEW)
			ids->all = vec_count_up(ids->first);
		return true;
	}
	ids->first = ids->circle[0];
	ids->all = vec_count_up(ids->first);
	return ids_count_up(ids->circle);
}

static inline void
lanes_ids_step(struct lanes_ids *ids)
{
	ids->circle += LANES;
	ids->all = vec_add(ids->all, vec_set(LANES));
	ids->first += LANES;
}

/*
 * Gives out the buffers from id first on, which are what the device says that it used, if they are
 * of the simple kind. lens hold the used lengths in their lower halves.
 */
static inline bool
lanes_leave(const struct lanes_tables *by_id, uint16_t first, vec used_lens, void **cookies,
	    uint32_t *lens)
{
	if (!counts_are_one(&by_id->count[first]))
		return false;
	vec_store(cookies, vec_load(&by_id->cookies[first]));
	if (lens != NULL)
		vec_store_lens(lens, used_lens, &by_id->room[first]);
	counts_set(&by_id->count[first], 0);
	return true;
}

/* Buffers of one descriptor each left in order: the circle stays as it is. */
static inline void
leave_account(struct vq *vq, uint16_t n)
{
	vq->id_tail += n;
	if (vq->id_tail == vq->counts.size)
		vq->id_tail = 0;
	vq->counts.free += n;
	vq->counts.in_flight -= n;
}

/*
 * In order, and one used entry covers more than LANES buffers: gives out that many, none of them
 * the last. Those that were skipped count as wholly used.
 */
static inline bool
lanes_leave_batch(struct vq *vq, void **cookies, uint32_t *lens)
{
	const uint16_t *circle = &vq->ids[vq->id_tail];
	uint16_t first = circle[0];

	if (vq->batch_left <= LANES || vq->counts.size - vq->id_tail < LANES ||
	    !ids_count_up(circle) || !counts_are_one(&vq->count[first]))
		return false;
	vec_store(cookies, vec_load(&vq->cookies[first]));
	if (lens != NULL)
		__builtin_memcpy(lens, &vq->room[first], LANES * sizeof(*lens));
	counts_set(&vq->count[first], 0);
	vq->batch_left -= LANES;
	leave_account(vq, LANES);
	return true;
}

/* One load each, as wide as it was stored: the caller may have just stored them, and a wider load
 * would wait until they have left for memory, behind all stores to the ring. */
static inline void
cookies_copy(void **to, void *const *from)
{
#pragma GCC unroll 8
	for (unsigned i = 0; i < LANES; i++)
		to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

/* Remembers LANES buffers whose ids count up from first. */
static inline void
lanes_fill(const struct lanes_tables *by_id, uint16_t first, void *const *objects, uint32_t room)
{
	cookies_copy(&by_id->cookies[first], objects);
	rooms_set(&by_id->room[first], room);
	counts_set(&by_id->count[first], ONES16);
}

/* Buffers of one descriptor each were added. */
static inline void
fill_account(struct vq *vq, uint16_t n)
{
	vq->id_head += n;
	if (vq->id_head == vq->counts.size)
		vq->id_head = 0;
	vq->counts.free -= n;
	vq->counts.held += n;
}

/* The device addresses of LANES objects' buffers. */
static inline __attribute__((always_inline)) vec
lanes_iova(void *const *objects, const struct vq_view *view, const bool in)
{
	vec iova = vec_gather64(objects, view->addr_at);

	if (in)
		return vec_add(iova, vec_set(view->in_offset));
	return vec_add(vec_add(iova, vec_gather16(objects, view->offset_at)),
		       vec_set(-(uint64_t)view->before));
}

/* And their lengths. */
static inline __attribute__((always_inline)) vec
lanes_len(void *const *objects, const struct vq_view *view, const bool in)
{
	if (in)
		return vec_set(view->in_len);
	return vec_add(vec_gather16(objects, view->len_at), vec_set(view->before));
}

#endif
