/* SPDX-License-Identifier: BSD-3-Clause */
/* Which counters a device can keep (spec 5.1.6.5.10): one table for questions, answers and names.
 */
#ifndef VIO_PMD_DEVICE_STATS_KINDS_H
#define VIO_PMD_DEVICE_STATS_KINDS_H

#include <stdbool.h>
#include <stdint.h>

/* A type of statistics, of one direction. */
struct vio_stat_type {
	uint8_t bit;
	uint8_t n;    /* counters */
	uint8_t at;   /* where they stand in struct vio_device_counters */
	uint64_t any; /* features of which one must be negotiated; 0: none */
	const char *names[6];
};

/* What virtqueues of a kind can tell. */
struct vio_stat_kind {
	const char *prefix;
	uint8_t n;
	struct vio_stat_type types[4];
};

extern const struct vio_stat_kind vio_stats_receive, vio_stats_transmit, vio_stats_control;

static inline bool
vio_has_stat_type(uint64_t types, const struct vio_stat_type *type)
{
	return types & UINT64_C(1) << type->bit;
}

#endif
