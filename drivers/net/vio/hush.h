/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keeps a port that breaks and recovers, or waits for a peer, again and again from filling the log.
 * The first rounds say all that they have to say. Later ones say only what none said before,
 * numbers aside; but at each doubling of their number everything is said again. What is held back
 * goes to the log's debug level.
 */
#ifndef VIO_PMD_HUSH_H
#define VIO_PMD_HUSH_H

#include <stdbool.h>
#include <stdint.h>

/* Rounds that say everything, and different lines that are known apart afterwards. */
#define VIO_HUSH_FREE_ROUNDS 8
#define VIO_HUSH_LINES       32

/* All zeroes: nothing has happened yet. One thread at a time. */
struct vio_hush {
	unsigned rounds;
	unsigned n_said;
	uint32_t said[VIO_HUSH_LINES]; /* what stands for a line */
};

/* Another round begins. Returns whether it says everything. */
bool vio_hush_round(struct vio_hush *hush);
/* Whether this line is to be said; it counts as said then. New ones for which there is no room are
 * held back. */
bool vio_hush_lets(struct vio_hush *hush, const char *line);

#endif
