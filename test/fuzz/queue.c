/* SPDX-License-Identifier: BSD-3-Clause */
#include "queue.h"

#include <errno.h>

/* --- memory ------------------------------------------------------------------------------------
 */

static void *
area_of(const struct twin *twin, enum area area)
{
	void *const areas[] = { twin->areas.desc, twin->areas.driver, twin->areas.device };

	return areas[area];
}

uint64_t
area_get(const struct queue *q, enum area area, size_t offset, unsigned width)
{
	uint64_t value = 0;

	memcpy(&value, (char *)area_of(&q->twins[0], area) + offset, width);
	return value;
}

void
area_put(struct queue *q, enum area area, size_t offset, uint64_t value, unsigned width)
{
	for (unsigned i = 0; i < q->n_twins; i++)
		memcpy((char *)area_of(&q->twins[i], area) + offset, &value, width);
}

/* Exactly as long as asked for, so that the first byte beyond is seen. */
static void *
memory(size_t align, size_t bytes)
{
	void *p = NULL;

	must(posix_memalign(&p, align, bytes) == 0, "there is memory");
	memset(p, 0xa5, bytes);
	return p;
}

static void
twin_init(struct queue *q, struct twin *twin, enum vq_simd simd)
{
	struct vq_params params = {
		.size = q->size,
		.flags = q->flags,
		.ring_iova = RING_IOVA,
		.simd = simd,
	};

	params.ring = twin->ring = memory(q->flags & VQ_LEGACY ? VQ_LEGACY_ALIGN : VQ_ALIGN,
					  vq_ring_bytes(q->size, q->flags));
	params.state = twin->state = memory(VQ_ALIGN, vq_state_bytes(q->size));
	twin->indirect = NULL;
	if (q->flags & VQ_INDIRECT) {
		params.indirect = twin->indirect = memory(VQ_ALIGN, 16u * INDIRECT_MAX * q->size);
		params.indirect_iova = TABLE_IOVA;
		params.indirect_max = INDIRECT_MAX;
	}
	twin->vq = vq_init(&params);
	must(twin->vq != NULL, "a queue of valid parameters is made");
	vq_get_areas(twin->vq, &twin->areas);
}

static void
queue_init(struct queue *q, struct input *in)
{
	static const uint16_t sizes[] = { 1, 2, 4, 8, 16, 32, 64, 128 };
	uint8_t flags = take8(in);

	q->flags = flags & (VQ_IN_ORDER | VQ_EVENT_IDX | VQ_INDIRECT | VQ_ORDER_PLATFORM);
	q->size = sizes[take8(in) % 8];
	if (q->side == &packed_side) {
		q->flags |= VQ_PACKED;
		if (flags & 0x80) /* not a power of two */
			q->size = 1 + take8(in) % QUEUE_MAX;
	} else {
		q->flags |= flags & VQ_LEGACY;
	}
	q->n_twins = 0;
	for (enum vq_simd simd = 0; simd < VQ_SIMD_COUNT; simd++)
		if (vq_simd_runs(simd))
			twin_init(q, &q->twins[q->n_twins++], simd);
	q->flight = q->held = q->batch_left = 0;
	q->free = q->size;
	q->error = VQ_OK;
	q->avail = q->used = q->device_used = q->used_seen = 0;
	q->avail_wrap = q->used_wrap = q->device_wrap = true;
	q->unpublished = q->unkicked = 0;
}

/* --- what must hold at any time ----------------------------------------------------------------
 */

static void
check_counts(const struct queue *q)
{
	uint32_t total = q->free;

	for (uint16_t i = 0; i < q->flight + q->held; i++)
		total += q->fifo[i].descriptors;
	must(total == q->size, "the model's free descriptors and those in flight are the size");
	for (unsigned i = 0; i < q->n_twins; i++) {
		const struct vq *vq = q->twins[i].vq;

		must(vq_error(vq) == q->error, "the queue is broken when, and as, the device lied");
		must(vq_size(vq) == q->size, "the size stays");
		must(vq_free_count(vq) == q->free, "free descriptors are those not in flight");
		must(vq_in_flight(vq) == q->flight + q->held, "buffers in flight are counted");
	}
}

/* The twins' ring memory is one and the same, and on a broken queue it stays as it was. */
static void
check_rings(const struct queue *q, const void *before)
{
	size_t bytes = vq_ring_bytes(q->size, q->flags);

	for (unsigned i = 1; i < q->n_twins; i++)
		must(memcmp(q->twins[0].ring, q->twins[i].ring, bytes) == 0,
		     "every kind of vectors leaves the same ring");
	if (before != NULL)
		must(memcmp(q->twins[0].ring, before, bytes) == 0,
		     "nothing is written to the ring of a broken queue");
}

/* --- adding ------------------------------------------------------------------------------------
 */

/* Cookies are objects, each of its own as long as it can be in flight. */
static struct object *
new_cookie(struct queue *q)
{
	static struct object objects[1 << 14];

	return &objects[++q->serial % (sizeof(objects) / sizeof(objects[0]))];
}

/* Mostly small, at times so long that sums pass 32 bits. */
static uint32_t
take_len(struct input *in)
{
	uint8_t kind = take8(in);

	if (kind < 200)
		return kind + 1;
	return kind < 250 ? 1u + take16(in) : UINT32_MAX - take8(in);
}

/* The buffer is the newest now; the queue has accepted it. */
static void
remember(struct queue *q, void *cookie, uint32_t room, const struct vq_sg *sg, uint16_t out,
	 uint16_t elements, uint16_t descriptors)
{
	struct buffer *buffer = &q->fifo[q->flight + q->held];
	uint16_t position = q->avail;

	*buffer = (struct buffer){ .cookie = cookie, .room = room, .descriptors = descriptors };
	q->side->learn(q, buffer, sg, out, elements, position);
	must(buffer->id < q->size, "an id is below the size");
	for (uint16_t i = 0; i < q->flight + q->held; i++)
		must(q->fifo[i].id != buffer->id, "no id is in flight twice");
	q->held++;
	q->free -= descriptors;
}

static uint16_t
take_elements(struct input *in, struct queue *q, struct vq_sg *sg)
{
	uint16_t n = take8(in) % (ELEMENTS_MAX + 1);

	for (uint16_t i = 0; i < n; i++) {
		sg[i].iova = (uint64_t)q->serial << 32 | (uint64_t)i << 24;
		sg[i].len = take_len(in);
	}
	return n;
}

static int
expected_add(const struct queue *q, const struct vq_sg *sg, uint16_t elements, uint16_t descriptors)
{
	uint64_t total = 0;

	for (uint16_t i = 0; i < elements; i++)
		total += sg[i].len;
	if (q->error != VQ_OK)
		return -EIO;
	if (elements == 0 || elements > q->size || total >= UINT32_MAX)
		return -EINVAL;
	return descriptors > q->free ? -ENOSPC : 0;
}

static void
add_one(struct queue *q, struct input *in)
{
	void *cookie = new_cookie(q);
	struct vq_sg sg[ELEMENTS_MAX];
	uint16_t elements = take_elements(in, q, sg);
	uint16_t out = take8(in) % (elements + 1), descriptors = elements;
	uint32_t room = 0;
	int want;

	if (q->flags & VQ_INDIRECT && elements > 1 && elements <= INDIRECT_MAX)
		descriptors = 1;
	for (uint16_t i = out; i < elements; i++)
		room += sg[i].len;
	want = expected_add(q, sg, elements, descriptors);
	for (unsigned i = 0; i < q->n_twins; i++)
		must(vq_add(q->twins[i].vq, sg, out, elements - out, cookie) == want,
		     "vq_add() accepts what fits, and nothing else");
	if (want == 0)
		remember(q, cookie, room, sg, out, elements, descriptors);
}

/* An element as the view makes it of an object, by the words of its comment. */
static struct vq_sg
make_object(struct object *object, const struct vq_view *view, bool writable, uint16_t shape)
{
	object->addr = (uint64_t)(uintptr_t)object << 8 | shape;
	object->offset = shape & 0x3ff;
	object->len = 1 + (shape >> 4);
	if (writable)
		return (struct vq_sg){ object->addr + view->in_offset, view->in_len };
	return (struct vq_sg){ object->addr + object->offset - view->before,
			       (uint32_t)object->len + view->before };
}

static void
add_many(struct queue *q, struct input *in)
{
	bool writable = q->receive != (take8(in) % 16 == 0);
	uint16_t n = take8(in) % 80, want = n < q->free ? n : q->free;
	struct vq_view view = {
		.addr_at = offsetof(struct object, addr),
		.in_offset = take8(in),
		.in_len = take_len(in),
		.offset_at = offsetof(struct object, offset),
		.len_at = offsetof(struct object, len),
		.before = 12,
	};
	uint16_t (*add)(struct vq *, void *const *, uint16_t,
			const struct vq_view *) = writable ? vq_add_in : vq_add_out;
	struct vq_sg sg[80];
	void *objects[80];

	for (uint16_t i = 0; i < n; i++) {
		objects[i] = new_cookie(q);
		sg[i] = make_object(objects[i], &view, writable, (uint16_t)(i * 4099));
	}
	want = q->error == VQ_OK ? want : 0;
	for (unsigned i = 0; i < q->n_twins; i++)
		must(add(q->twins[i].vq, objects, n, &view) == want,
		     "as many buffers are added as descriptors are free");
	for (uint16_t i = 0; i < want; i++)
		remember(q, objects[i], writable ? view.in_len : 0, &sg[i], writable ? 0 : 1, 1, 1);
}

static void
next_id(struct queue *q, struct input *in)
{
	uint16_t before = q->flight + q->held;
	uint16_t ids[VQ_SIMD_COUNT];

	for (unsigned i = 0; i < q->n_twins; i++)
		ids[i] = vq_next_id(q->twins[i].vq);
	add_one(q, in);
	for (unsigned i = 0; i < q->n_twins && q->flight + q->held > before; i++)
		must(ids[i] == q->fifo[before].id, "the next id is the one foretold");
}

static void
publish(struct queue *q)
{
	for (unsigned i = 0; i < q->n_twins; i++)
		vq_publish(q->twins[i].vq);
	if (q->error != VQ_OK)
		return;
	q->flight += q->held;
	q->held = 0;
	q->unkicked += q->unpublished;
	q->unpublished = 0;
	for (unsigned i = 0; i < q->n_twins; i++)
		must(vq_notify_data(q->twins[i].vq) == q->side->notify_data(q),
		     "notification data say where the next descriptor goes");
}

static void
kick(struct queue *q)
{
	int want = q->error != VQ_OK || q->unkicked == 0 ? 0 : q->side->kick(q);
	bool kicks[VQ_SIMD_COUNT];

	for (unsigned i = 0; i < q->n_twins; i++) {
		kicks[i] = vq_kick_prepare(q->twins[i].vq);
		must(kicks[i] == kicks[0], "every kind of vectors kicks alike");
		must(want < 0 || kicks[i] == want, "a kick is due exactly where the device asks");
	}
	if (q->error == VQ_OK)
		q->unkicked = 0;
}

/* --- taking back -------------------------------------------------------------------------------
 */

int
find_id(const struct queue *q, uint32_t id)
{
	for (uint16_t age = 0; age < q->flight; age++)
		if (q->fifo[age].id == id)
			return age;
	return -1;
}

/* Which buffer the next used entry gives back; -1: none, or a lie. */
static int
next_age(struct queue *q)
{
	uint32_t id, len;
	int age;

	if (q->batch_left > 0)
		return 0;
	if (!q->side->next_used(q, &id, &len))
		return -1;
	age = find_id(q, id);
	if (age < 0) {
		q->error = id >= q->size ? VQ_ERR_ID_RANGE : VQ_ERR_ID_NOT_IN_FLIGHT;
		return -1;
	}
	q->batch_len = len;
	if (!(q->flags & VQ_IN_ORDER))
		return age;
	if (age >= q->side->batch_limit(q)) {
		q->error = VQ_ERR_ORDER;
		return -1;
	}
	q->batch_left = age + 1;
	return 0;
}

static struct buffer
forget(struct queue *q, uint16_t age)
{
	struct buffer buffer = q->fifo[age];

	memmove(&q->fifo[age], &q->fifo[age + 1], (q->flight + q->held - age - 1) * sizeof(buffer));
	q->flight--;
	q->free += buffer.descriptors;
	return buffer;
}

/* Does to the model what vq_get() does to the queue. */
static uint16_t
expected_get(struct queue *q, struct returned *out, uint16_t n)
{
	uint16_t got;

	if (q->error != VQ_OK)
		return 0;
	n = q->side->pending(q, n);
	for (got = 0; got < n; got++) {
		int age = next_age(q);
		struct buffer buffer;
		bool skipped;

		if (age < 0)
			break;
		skipped = q->batch_left > 1;
		q->batch_left -= q->batch_left > 0;
		buffer = forget(q, (uint16_t)age);
		q->side->advance_used(q, &buffer);
		out[got].cookie = buffer.cookie;
		out[got].len = skipped                       ? buffer.room
			       : q->batch_len <= buffer.room ? q->batch_len
							     : VQ_LENGTH_LIE;
	}
	return got;
}

static void
get(struct queue *q, struct input *in)
{
	uint8_t shape = take8(in);
	uint16_t n = shape & 0x7f;
	bool with_lens = q->receive == !(shape & 0x80);
	struct returned want[128];
	uint16_t count;

	/* Vectors leave these to plain C in pieces, and a piece may look at the used index later;
	 * so that all answer alike, there is one piece. */
	if (q->held > 0 || q->batch_left > 0)
		n %= 5;
	count = expected_get(q, want, n);

	for (unsigned i = 0; i < q->n_twins; i++) {
		void **cookies = memory(VQ_ALIGN, n * sizeof(*cookies));
		uint32_t *lens = with_lens ? memory(VQ_ALIGN, n * sizeof(*lens)) : NULL;

		must(vq_get(q->twins[i].vq, cookies, lens, n) == count,
		     "what the device gave back comes back, as far as it is no lie");
		for (uint16_t k = 0; k < count; k++) {
			must(cookies[k] == want[k].cookie, "each cookie is the used buffer's");
			must(lens == NULL || lens[k] == want[k].len,
			     "a length is the device's, if no more than the room");
		}
		free(cookies);
		free(lens);
	}
}

static void
used_count(struct queue *q, struct input *in)
{
	uint16_t limit = take8(in) < 128 ? UINT16_MAX : take8(in);
	struct queue copy = *q;
	struct returned ignored[QUEUE_MAX];
	uint16_t most = limit < QUEUE_MAX ? limit : QUEUE_MAX;
	uint16_t least;

	copy.used_seen = copy.used; /* it looks at the index in any case */
	least = expected_get(&copy, ignored, most);
	for (unsigned i = 0; i < q->n_twins; i++) {
		uint16_t count = vq_used_count(q->twins[i].vq, limit);

		must(count <= limit && count <= q->flight, "no more wait than are in flight");
		must(count >= least, "all that can be taken is counted");
		if (q->side->exact_count && q->error == VQ_OK && copy.error == VQ_OK)
			must(count == least, "what is counted can be taken");
	}
}

static void
callbacks(struct queue *q, bool enable)
{
	struct queue copy = *q;
	struct returned one;
	uint16_t waiting;

	copy.used_seen = copy.used;
	waiting = expected_get(&copy, &one, 1);
	for (unsigned i = 0; i < q->n_twins; i++) {
		bool found = false;

		if (enable)
			found = vq_enable_cb(q->twins[i].vq);
		else
			vq_disable_cb(q->twins[i].vq);
		must(!enable || copy.error != VQ_OK || found == (waiting > 0),
		     "enabling callbacks tells what waits already");
		must(!found || q->error == VQ_OK, "nothing waits on a broken queue");
		if (q->error == VQ_OK)
			q->side->check_callbacks(q, &q->twins[i], enable);
	}
}

/* Each buffer that the device has not given back comes once, and no other. */
static void
detach(struct queue *q)
{
	uint16_t all = q->flight + q->held;

	for (unsigned i = 0; i < q->n_twins; i++) {
		struct twin *twin = &q->twins[i];
		bool seen[QUEUE_MAX] = { false };
		void *cookie;

		for (uint16_t count = 0; (cookie = vq_detach(twin->vq)) != NULL; count++) {
			uint16_t age = 0;

			while (age < all && q->fifo[age].cookie != cookie)
				age++;
			must(age < all, "only buffers in flight are detached");
			must(!seen[age], "each is detached once");
			seen[age] = true;
		}
		for (uint16_t age = 0; age < all; age++)
			must(seen[age], "every buffer in flight is detached");
		must(vq_free_count(twin->vq) == q->size, "then every descriptor is free");
		must(vq_in_flight(twin->vq) == 0, "and none is in flight");
		free(twin->ring);
		free(twin->state);
		free(twin->indirect);
	}
}

/* --- the device --------------------------------------------------------------------------------
 */

static void
give_back(struct queue *q, uint16_t age, uint32_t len)
{
	q->side->device_use(q, age, 1, len);
	q->fifo[age].returned = true;
}

/* Out of order: those whose ids count up from the oldest one's. */
static void
give_back_by_id(struct queue *q, uint16_t n, uint32_t len)
{
	uint16_t first = 0;
	int age;

	while (first < q->flight && q->fifo[first].returned)
		first++;
	for (uint16_t i = 0; first < q->flight && i < n; i++) {
		age = find_id(q, (uint32_t)q->fifo[first].id + i);
		if (age >= 0 && !q->fifo[age].returned)
			give_back(q, (uint16_t)age, len);
	}
}

/* An honest device gives back up to n buffers, entry by entry; a hasty one goes on to those that it
 * was not given yet. */
static void
device_complete(struct queue *q, struct input *in)
{
	uint16_t n = 1 + take8(in) % 64, order = take8(in), skip = order % 8;
	uint32_t len = take8(in);
	bool in_order = q->flags & VQ_IN_ORDER;
	uint16_t most = q->flight + (order & 0x40 ? q->held : 0);

	if (order >= 192 && !in_order) {
		give_back_by_id(q, n, len);
		return;
	}
	for (uint16_t age = 0; age < most && n > 0; age++) {
		if (q->fifo[age].returned)
			continue;
		if (skip > 0 && !in_order) { /* out of order: later ones first */
			skip--;
			continue;
		}
		give_back(q, age, len);
		n--;
	}
}

/* In order: one entry for several buffers. */
static void
device_batch(struct queue *q, struct input *in)
{
	uint16_t n = 1 + take8(in) % 16, first = 0, last;

	while (first < q->flight && q->fifo[first].returned)
		first++;
	last = first + n - 1;
	if (last >= q->flight || !(q->flags & VQ_IN_ORDER))
		return;
	q->side->device_use(q, last, n, take8(in));
	for (uint16_t age = first; age <= last; age++)
		q->fifo[age].returned = true;
}

static void
device_lie(struct queue *q, struct input *in)
{
	uint16_t distance = take8(in) % 8;
	uint32_t id = take8(in);
	uint32_t len = take_len(in);
	uint8_t kind = take8(in);

	if (kind & 1 && q->flight + q->held > 0) /* in flight, or to be so soon */
		id = q->fifo[id % (q->flight + q->held)].id;
	else if (kind & 2)
		id = id << 8 | take8(in);
	else if (kind & 4)
		id |= (uint32_t)take16(in) << 16;
	q->side->device_lie(q, distance, id, len, kind >> 3);
}

/* Bytes anywhere in what it shares with the driver, those that are the driver's to write too. */
static void
device_scribble(struct queue *q, struct input *in)
{
	size_t bytes = vq_ring_bytes(q->size, q->flags);
	size_t offset = take16(in) % bytes, n = 1 + take8(in) % 16;
	uint8_t data[16];

	n = n < bytes - offset ? n : bytes - offset;
	take_bytes(in, data, n);
	for (unsigned i = 0; i < q->n_twins; i++)
		memcpy((char *)q->twins[i].ring + offset, data, n);
}

static void
device_scribble_tables(struct queue *q, struct input *in)
{
	size_t bytes = 16u * INDIRECT_MAX * q->size, offset = take16(in) % bytes;

	for (unsigned i = 0; i < q->n_twins && q->flags & VQ_INDIRECT; i++)
		memset((char *)q->twins[i].indirect + offset, 0xee, bytes - offset);
}

static void
device_events(struct queue *q, struct input *in)
{
	uint16_t a = take16(in);

	q->side->device_event(q, a, take16(in));
}

/* --- turns -------------------------------------------------------------------------------------
 */

static void
offer(struct queue *q, struct input *in)
{
	add_many(q, in);
	publish(q);
}

static void
publish_turn(struct queue *q, struct input *in)
{
	(void)in;
	publish(q);
}

static void
kick_turn(struct queue *q, struct input *in)
{
	(void)in;
	kick(q);
}

static void
callbacks_turn(struct queue *q, struct input *in)
{
	callbacks(q, take8(in) & 1);
}

static void
reset(struct queue *q, struct input *in)
{
	detach(q);
	queue_init(q, in);
}

static const struct turn {
	void (*run)(struct queue *q, struct input *in);
	bool device;
} turns[] = {
	{ add_one, false },
	{ add_many, false },
	{ offer, false },
	{ next_id, false },
	{ publish_turn, false },
	{ kick_turn, false },
	{ get, false },
	{ get, false },
	{ used_count, false },
	{ callbacks_turn, false },
	{ reset, false },
	{ device_complete, true },
	{ device_batch, true },
	{ device_lie, true },
	{ device_scribble, true },
	{ device_scribble_tables, true },
	{ device_events, true },
};

static void
run_turn(struct queue *q, struct input *in)
{
	const struct turn *turn = &turns[take8(in) % (sizeof(turns) / sizeof(turns[0]))];
	void *before = NULL;

	if (q->error != VQ_OK && !turn->device && turn->run != reset) {
		before = memory(VQ_ALIGN, vq_ring_bytes(q->size, q->flags));
		memcpy(before, q->twins[0].ring, vq_ring_bytes(q->size, q->flags));
	}
	turn->run(q, in);
	check_counts(q);
	check_rings(q, before);
	free(before);
}

int
fuzz_queue(const struct side *side, bool receive, const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct queue q = { .side = side, .receive = receive };

	queue_init(&q, &in);
	while (in.left > 0)
		run_turn(&q, &in);
	detach(&q);
	return 0;
}
