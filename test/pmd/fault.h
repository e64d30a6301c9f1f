/* SPDX-License-Identifier: BSD-3-Clause */
/* A port's life in steps, one of which meets a call that fails (inject.h). */
#ifndef PMD_FAULT_H
#define PMD_FAULT_H

#include "harness.h"

struct fault_step {
	const char *name;
	int (*run)(struct harness *h);
};

/*
 * Runs the step, and again where it failed; before that the port is stopped and started where the
 * driver said that it has to be, or where a command got no answer. Fails the test where the step
 * fails of its own, where nothing tells of the call that failed in it (the k-th), or where it does
 * not work again.
 */
void fault_take_step(struct harness *h, const struct fault_step *step, unsigned k);

/* A last step. A port that could not be closed is closed: there is no second time. */
int fault_close(struct harness *h);

#endif
