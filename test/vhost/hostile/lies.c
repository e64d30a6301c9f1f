/* SPDX-License-Identifier: BSD-3-Clause */
#include "lies.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report.h"

#define STILL_MS 10

void
liar_prepare(struct liar *liar, struct server *s)
{
	if (liar->row == NULL)
		return;
	s->features |= liar->row->features;
	if (liar->row->act == ACT_TRAP)
		s->trap = liar->row->trap;
}

static const struct device_buffer *
oldest(struct server *s, uint16_t queue)
{
	return device_held(s->dev, queue, 0);
}

static const struct device_buffer *
youngest(struct server *s, uint16_t queue)
{
	uint16_t n = device_fetch(s->dev, queue);

	return n == 0 ? NULL : device_held(s->dev, queue, (uint16_t)(n - 1));
}

static uint64_t
argument(const struct liar *liar, struct server *s)
{
	const struct row *row = liar->row;
	const struct device_buffer *b = oldest(s, liar->queue);

	if (row->arg == ARG_YOUNG)
		b = youngest(s, liar->queue);
	switch (row->arg) {
	case ARG_BACK:
		return (uint16_t)-device_queue_size(s->dev, liar->queue);
	case ARG_SIZE:
		return device_queue_size(s->dev, liar->queue) + row->value;
	case ARG_ROOM:
		return (b == NULL ? 0 : device_buffer_writable(b)) + row->value;
	case ARG_ID:
	case ARG_YOUNG:
		return (b == NULL ? 0 : device_buffer_id(b)) + row->value;
	default:
		return row->value;
	}
}

/* The frame that carries the lie, or that makes the driver send the one that does. */
static void
tell(struct liar *liar, struct server *s, struct traffic *t)
{
	uint64_t arg = argument(liar, s);

	device_lie(s->dev, liar->queue, liar->row->lie, arg);
	if (liar->row->lie != DEVICE_LIE_INDEX) /* the frame would move it on at once */
		traffic_give(t, s->dev, NULL);
	liar->still = now_ms() + STILL_MS;
}

void
liar_act(struct liar *liar, struct server *s, struct traffic *t)
{
	const struct row *row = liar->row;

	report("misbehaved", "{s:s, s:i, s:I, s:I, s:I}", "how", row->name, "queue",
	       (int)liar->queue, "given", (long long)t->given, "returned", (long long)t->returned,
	       "taken", (long long)traffic_taken(t));
	liar->acting = true;
	switch (row->act) {
	case ACT_LIE:
		tell(liar, s, t);
		break;
	case ACT_LATE_TRAP:
		s->trap = row->trap;
		break;
	case ACT_DIE:
		_exit(0);
	case ACT_HANG_UP:
		server_hang_up(s);
		break;
	case ACT_HOLD_BACK:
		liar->frozen = true;
		break;
	default:
		break; /* those that last: liar_turn() */
	}
}

void
liar_turn(struct liar *liar, struct server *s)
{
	if (!liar->acting)
		return;
	if (liar->row->act == ACT_KEEP)
		device_lie(s->dev, liar->queue, liar->row->lie, liar->row->value);
	if (liar->row->act == ACT_SCRIBBLE) {
		unsigned areas = (unsigned)liar->row->value;

		/* Tables, contents and used rings never lead it to write outside its buffers. */
		device_keep_off(s->dev, areas & (DEVICE_AREA_DESCRIPTORS | DEVICE_AREA_AVAIL));
		device_scribble(s->dev, &liar->random, areas, liar->burst);
	}
}

void
liar_rest(struct liar *liar, struct server *s)
{
	if (liar->acting && liar->row->act == ACT_LATE_TRAP)
		s->trap.kind = TRAP_NONE;
	liar->acting = false;
	liar->frozen = false;
	if (s->dev != NULL) {
		device_honest(s->dev);
		device_keep_off(s->dev, false);
	}
}
