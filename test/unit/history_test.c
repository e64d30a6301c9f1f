/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random histories against a plain model: whatever driver and device do, in whatever order, each
 * buffer comes back exactly once, in the order of use, with the length and the bytes that the
 * device wrote. The seed is fixed; VIO_SEED in the environment sets another.
 */
#include "rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS        100000
#define ELEMENT      24
#define MAX_ELEMENTS 10

/* What the model knows of a buffer, by its number. */
struct record {
	uint16_t out, in;
	uint32_t written; /* by the device */
	uint8_t fill;     /* with this */
	bool taken;
};

struct history {
	struct rig *rig;
	uint32_t random;
	struct record *records; /* by number; STEPS * 8 of them */
	uint32_t *free_cells;   /* a stack of data memory's cells, one for each buffer */
	uint32_t *cell_of;
	uint32_t free_count;
	uint32_t added, published;
	uint32_t *held; /* numbers published and not used, the oldest first */
	uint32_t held_count;
	uint32_t *use_order; /* numbers, in the order of use */
	uint32_t used, taken;
};

static uint32_t
roll(struct history *h, uint32_t below)
{
	h->random = h->random * 1664525 + 1013904223;
	return (h->random >> 8) % below;
}

static uint8_t *
cell(struct history *h, uint32_t number)
{
	return h->rig->data + (size_t)h->cell_of[number] * MAX_ELEMENTS * ELEMENT;
}

static uint32_t
cells(void)
{
	return RIG_DATA / (MAX_ELEMENTS * ELEMENT);
}

/* --- driver ------------------------------------------------------------------------------------
 */

static void
fill_sg(struct history *h, struct vq_sg *sg, uint32_t number, unsigned n)
{
	uint32_t at = h->cell_of[number] * MAX_ELEMENTS * ELEMENT;

	for (unsigned i = 0; i < n; i++)
		sg[i] = rig_sg(h->rig, at + i * ELEMENT, ELEMENT);
}

static uint32_t
new_record(struct history *h, uint16_t out, uint16_t in)
{
	uint32_t number = h->added;

	h->cell_of[number] = h->free_cells[--h->free_count];
	h->records[number] = (struct record){ .out = out, .in = in };
	memset(cell(h, number), (int)(number % 251), (size_t)(out + in) * ELEMENT);
	return number;
}

static void
undo_record(struct history *h, uint32_t number)
{
	h->free_cells[h->free_count++] = h->cell_of[number];
}

static void
driver_adds(struct history *h)
{
	struct vq_sg sg[MAX_ELEMENTS];
	uint16_t out = (uint16_t)roll(h, 4), in = (uint16_t)roll(h, 4), cost;
	uint32_t number;
	int expect = 0;

	if (out + in == 0 || h->free_count == 0)
		return;
	cost = rig_cost(h->rig, out + in);
	if (out + in > h->rig->conf.size)
		expect = -EINVAL;
	else if (cost > vq_free_count(h->rig->vq))
		expect = -ENOSPC;
	number = new_record(h, out, in);
	fill_sg(h, sg, number, (unsigned)out + in);
	assert_int_equal(vq_add(h->rig->vq, sg, out, in, rig_cookie(number)), expect);
	if (expect == 0)
		h->added++;
	else
		undo_record(h, number);
}

static void
driver_adds_many(struct history *h)
{
	void *objects[24];
	bool in = roll(h, 2);
	uint16_t n = (uint16_t)(1 + roll(h, 24)), room = vq_free_count(h->rig->vq), done;

	if (h->free_count < n)
		return;
	for (uint16_t i = 0; i < n; i++) {
		uint32_t number = new_record(h, !in, in);
		uint32_t at = h->cell_of[number] * MAX_ELEMENTS * ELEMENT;

		objects[i] = rig_object(h->rig, number, at, ELEMENT);
		h->added++;
	}
	done = rig_add_many(h->rig, objects, n, in, ELEMENT);
	assert_int_equal(done, n < room ? n : room);
	for (; n > done; n--)
		undo_record(h, --h->added);
}

static void
driver_publishes(struct history *h)
{
	rig_publish(h->rig);
	while (h->published < h->added)
		h->held[h->held_count++] = h->published++;
}

static void
check_taken(struct history *h, const void *cookie, uint32_t len)
{
	uint32_t number = rig_number(cookie);
	struct record *r = &h->records[number];
	const uint8_t *in = cell(h, number) + (size_t)r->out * ELEMENT;

	assert_true(h->taken < h->used);
	assert_int_equal(number, h->use_order[h->taken]);
	assert_false(r->taken);
	assert_int_equal(len, r->written);
	for (uint32_t i = 0; i < len; i++)
		assert_int_equal(in[i], r->fill);
	r->taken = true;
	h->taken++;
	undo_record(h, number); /* its cell is free again */
}

static void
driver_gets(struct history *h)
{
	void *cookies[8];
	uint32_t lens[8];
	uint16_t n = (uint16_t)(1 + roll(h, 8)), got;
	uint32_t waiting = h->used - h->taken;

	assert_int_equal(vq_used_count(h->rig->vq, UINT16_MAX), waiting);
	got = vq_get(h->rig->vq, cookies, lens, n);
	assert_true(got <= n);
	assert_true((got > 0) == (waiting > 0));
	for (uint16_t i = 0; i < got; i++)
		check_taken(h, cookies[i], lens[i]);
}

static void
driver_toggles(struct history *h)
{
	if (roll(h, 2)) {
		vq_disable_cb(h->rig->vq);
		return;
	}
	assert_true(vq_enable_cb(h->rig->vq) == (h->used > h->taken));
}

/* --- device ------------------------------------------------------------------------------------
 */

/* Checks what the driver sent, writes an answer, and notes what the driver will have to see. */
static uint32_t
serve(struct history *h, uint16_t i, bool completely)
{
	const struct device_buffer *b = device_held(h->rig->dev, RIG_QUEUE, i);
	struct record *r = &h->records[h->held[i]];
	uint32_t room = device_buffer_writable(b), len = completely ? room : roll(h, room + 1);
	uint8_t bytes[MAX_ELEMENTS * ELEMENT];

	assert_int_equal(device_buffer_out(b), r->out);
	assert_int_equal(device_buffer_in(b), r->in);
	assert_int_equal(device_buffer_read(b, 0, bytes, sizeof(bytes)), ELEMENT * r->out);
	for (uint32_t k = 0; k < ELEMENT * (uint32_t)r->out; k++)
		assert_int_equal(bytes[k], h->held[i] % 251);
	r->fill = (uint8_t)roll(h, 256);
	memset(bytes, r->fill, sizeof(bytes));
	assert_int_equal(device_buffer_write(b, 0, bytes, len), len);
	r->written = len;
	return len;
}

static void
note_use(struct history *h, uint16_t i)
{
	h->use_order[h->used++] = h->held[i];
	memmove(&h->held[i], &h->held[i + 1], (--h->held_count - i) * sizeof(*h->held));
}

static void
device_uses_one(struct history *h)
{
	uint16_t i = 0;

	if (h->held_count == 0)
		return;
	if (!rig_has(h->rig, VQ_IN_ORDER))
		i = (uint16_t)roll(h, h->held_count);
	assert_true(device_use(h->rig->dev, RIG_QUEUE, i, serve(h, i, false)));
	note_use(h, i);
}

/* Several at once, seen by the driver together. */
static void
device_uses_many(struct history *h)
{
	uint32_t lens[8];
	uint16_t n = (uint16_t)(1 + roll(h, 8));

	if (n > h->held_count)
		return;
	for (uint16_t i = 0; i < n; i++)
		lens[i] = serve(h, i, false);
	assert_true(device_use_many(h->rig->dev, RIG_QUEUE, lens, n));
	while (n-- > 0)
		note_use(h, 0);
}

/* In order: several by one entry; the skipped ones were written completely. */
static void
device_uses_batch(struct history *h)
{
	uint16_t n = (uint16_t)(1 + roll(h, 8));
	uint32_t len = 0;

	if (n > h->held_count || !rig_has(h->rig, VQ_IN_ORDER))
		return;
	for (uint16_t i = 0; i < n; i++)
		len = serve(h, i, i + 1 < n);
	assert_true(device_use_batch(h->rig->dev, RIG_QUEUE, n, len));
	while (n-- > 0)
		note_use(h, 0);
}

/* --- history -----------------------------------------------------------------------------------
 */

static void
one_step(struct history *h)
{
	static void (*const steps[])(struct history * h) = {
		driver_adds,     driver_adds,      driver_adds_many,  driver_publishes,
		driver_gets,     driver_gets,      driver_toggles,    device_uses_one,
		device_uses_one, device_uses_many, device_uses_batch,
	};

	steps[roll(h, ARRAY_SIZE(steps))](h);
	assert_int_equal(device_fetch(h->rig->dev, RIG_QUEUE), h->held_count);
	assert_int_equal(vq_error(h->rig->vq), VQ_OK);
	assert_int_equal(vq_in_flight(h->rig->vq), h->added - h->taken);
}

static void *
array(size_t n, size_t size)
{
	void *p = calloc(n, size);

	assert_non_null(p);
	return p;
}

static uint32_t
seed(void)
{
	const char *text = getenv("VIO_SEED");

	return text != NULL ? (uint32_t)strtoul(text, NULL, 0) : 1;
}

/* What is left in the end comes back by vq_detach(), once each. */
static void
finish(struct history *h)
{
	void *cookie;

	while ((cookie = vq_detach(h->rig->vq)) != NULL) {
		assert_true(rig_number(cookie) < h->added);
		assert_false(h->records[rig_number(cookie)].taken);
		h->records[rig_number(cookie)].taken = true;
	}
	for (uint32_t i = 0; i < h->added; i++)
		assert_true(h->records[i].taken);
}

static void
history(void **state)
{
	struct history h = { .rig = *state, .random = seed() };

	print_message("seed %u\n", h.random);
	h.records = array(STEPS * 8, sizeof(*h.records));
	h.cell_of = array(STEPS * 8, sizeof(uint32_t));
	h.use_order = array(STEPS * 8, sizeof(uint32_t));
	h.held = array(STEPS * 8, sizeof(uint32_t));
	h.free_cells = array(cells(), sizeof(uint32_t));
	while (h.free_count < cells()) {
		h.free_cells[h.free_count] = h.free_count;
		h.free_count++;
	}
	for (unsigned i = 0; i < STEPS; i++)
		one_step(&h);
	assert_true(h.taken > STEPS / 200);
	finish(&h);
	free(h.records);
	free(h.cell_of);
	free(h.use_order);
	free(h.held);
	free(h.free_cells);
}

int
main(void)
{
	static const struct rig_test tests[] = {
		{ "random history", history, 0, 0, 1 },
	};
	static const uint16_t sizes[] = { 2, 7, 8, 496, 512 };

	return rig_main(tests, ARRAY_SIZE(tests), sizes, ARRAY_SIZE(sizes));
}
