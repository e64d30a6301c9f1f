/* SPDX-License-Identifier: BSD-3-Clause */
/* The time that waits are bounded by. */
#ifndef VIO_CLOCK_H
#define VIO_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Milliseconds since some time before the program began; nobody sets this clock. */
static inline uint64_t
vio_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

#endif
