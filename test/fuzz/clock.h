/* SPDX-License-Identifier: BSD-3-Clause */
/* Time that passes only where the code under test looks at it or sleeps: a wait ends at once, and
 * the same input always takes the same time. The linker puts these in place of the C library's
 * (--wrap). */
#ifndef FUZZ_CLOCK_H
#define FUZZ_CLOCK_H

#include <stdint.h>

/* Starts at 0 with each input. Nanoseconds. */
extern uint64_t clock_now;
/* How often it was looked at: waits are bounded by it. */
extern unsigned clock_looks;

void clock_restart(void);

#endif
