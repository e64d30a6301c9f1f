/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device's end of the control queue (spec 5.1.6.5), for targets that run the driver whole:
 * while the driver waits for an answer, the device gives one, several, none, or nonsense.
 */
#ifndef FUZZ_CONTROL_H
#define FUZZ_CONTROL_H

#include "port.h"

struct control {
	bool honest; /* each command is answered at once, with OK and the truth */
	/* Of the operation that is going on: */
	bool mute;   /* there are no answers any more */
	bool unsure; /* bytes were written that the driver may take for an answer */
	unsigned oks, refusals;
	/* Since the beginning: bytes were written that it may take for any counter. */
	bool any_counter;
};

extern struct control control;

void control_init(bool honest);
/* Another operation begins. */
void control_next(void);
/* The device's turn: for struct port's turn. */
void control_turn(struct port *port);
/* Which queue it is. */
uint16_t control_queue(const struct port *port);
/* Whether a command lies there that was never answered. */
bool control_is_waiting(struct port *port);
/* What the device says of a counter (spec 5.1.6.5.10): the n-th of a type of a queue. Never 0. */
uint64_t control_counter(uint16_t queue, uint8_t type, uint8_t n);
/* How many counters a type has; 0: there is no such type. */
uint8_t control_counters(uint8_t type);

#endif
