/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_ASIDES_H
#define TESTPMD_ASIDES_H

#include <stdbool.h>

/*
 * What other threads have to say while a line is being typed: messages of this program and EAL's
 * log. It waits until the thread that has the line makes room for it.
 */

/* The calling thread edits a line from now on. Without memory, things stay as they are. */
void asides_begin(void);
/* What waits is printed; nothing waits any more. */
void asides_end(void);

/* Is there something? */
bool asides_wait(void);
/* Prints it, where the line was. */
void asides_print(void);

/* Prints text on stderr, now or when there is room. */
void asides_say(const char *text);

#endif
