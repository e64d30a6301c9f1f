/* SPDX-License-Identifier: BSD-3-Clause */
/* Every misbehaviour, by row and variant, in one table. */
#ifndef HOSTILE_ROWS_H
#define HOSTILE_ROWS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "device/lie.h"
#include "server.h"

/* What has to be negotiated, or done, for it to mean anything. */
enum need {
	NEED_SPLIT = 1 << 0,
	NEED_PACKED = 1 << 1,
	NEED_IN_ORDER = 1 << 2,
	NEED_MERGEABLE = 1 << 3,
	NEED_LONG = 1 << 4,   /* frames of several buffers: they are sent as chains, */
	NEED_DIRECT = 1 << 5, /* not by indirect tables */
	NEED_PAIRS = 1 << 6,  /* two queue pairs */
};

/* Which queue it is about. */
enum on {
	ON_RX = 1 << 0,
	ON_TX = 1 << 1,
	ON_EITHER = ON_RX | ON_TX,
	ON_DEVICE = 1 << 2, /* none */
};

enum act {
	ACT_LIE,       /* lie, and a frame that tells it */
	ACT_KEEP,      /* the lie is told at every turn from then on */
	ACT_HOLD_BACK, /* nothing is given back any more */
	ACT_TRAP,      /* a message is answered wrongly, from the first on */
	ACT_LATE_TRAP, /* from then on */
	ACT_SCRIBBLE,  /* random bytes, at every turn from then on */
	ACT_DIE,       /* the process ends at once */
	ACT_HANG_UP,   /* the connection ends */
};

/* What the lie's argument is. */
enum arg {
	ARG_VALUE, /* value */
	ARG_SIZE,  /* the queue's size + value */
	ARG_BACK,  /* 65536 - the queue's size */
	ARG_ROOM,  /* the bytes of the oldest buffer + value */
	ARG_ID,    /* the id of the oldest buffer + value */
	ARG_YOUNG, /* the id of the youngest buffer */
};

struct row {
	const char *name; /* ROW.VARIANT */
	unsigned on;
	unsigned need;
	enum act act;
	enum device_lie lie;
	enum arg arg;
	uint64_t value; /* or areas of ACT_SCRIBBLE */
	struct trap trap;
	uint64_t features; /* offered besides */
	const char *text;
};

/* Does the driver rightly take several frames for one, as the device says so? */
bool row_joins_frames(const struct row *row);
/* NULL where there is none of this name. */
const struct row *row_find(const char *name);
/* All of them, a JSON object a line. */
void rows_list(FILE *out);

#endif
