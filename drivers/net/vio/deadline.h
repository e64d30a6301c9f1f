/* SPDX-License-Identifier: BSD-3-Clause */
/* The end of a wait that is bounded in milliseconds. */
#ifndef VIO_PMD_DEADLINE_H
#define VIO_PMD_DEADLINE_H

#include <stdint.h>

#include <rte_cycles.h>

/* What rte_get_timer_cycles() will say so many milliseconds from now. */
static inline uint64_t
vio_deadline(unsigned ms)
{
	return rte_get_timer_cycles() + (uint64_t)ms * rte_get_timer_hz() / 1000;
}

#endif
