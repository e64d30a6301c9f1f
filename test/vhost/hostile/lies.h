/* SPDX-License-Identifier: BSD-3-Clause */
/* How the rows of the table are acted out. */
#ifndef HOSTILE_LIES_H
#define HOSTILE_LIES_H

#include "rows.h"
#include "traffic.h"

struct liar {
	const struct row *row; /* NULL: honest for ever */
	uint16_t queue;
	uint32_t random; /* scribbling: the generator's state */
	unsigned burst;  /* numbers written a turn */
	bool acting;     /* acts that last do so from now on */
	bool frozen;     /* gives nothing back */
	uint64_t still;  /* until then, in ms, so that the driver sees the lie */
};

/* Before the driver comes: rows that are about messages. */
void liar_prepare(struct liar *liar, struct server *s);
/* The time has come. */
void liar_act(struct liar *liar, struct server *s, struct traffic *t);
/* At every turn, between looking at what the driver offers and giving it back. */
void liar_turn(struct liar *liar, struct server *s);
/* The queues were stopped: a lie that lasts ends with them. */
void liar_rest(struct liar *liar, struct server *s);

#endif
