/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_HISTOGRAM_H
#define TESTPMD_HISTOGRAM_H

#include <stdint.h>

/*
 * A log-linear histogram: each power of two is parted into 2^7 buckets, so that a bucket is at
 * most 1/128 as wide as its values, and its middle at most 0.4 % off. Values up to 2^40.
 */
#define HISTOGRAM_PART_BITS  7
#define HISTOGRAM_VALUE_BITS 40
#define HISTOGRAM_BUCKETS    ((HISTOGRAM_VALUE_BITS - HISTOGRAM_PART_BITS + 1) << HISTOGRAM_PART_BITS)

/* Written by one lcore, read by the main one while it runs. */
struct histogram {
	uint64_t count, max;
	uint64_t of[HISTOGRAM_BUCKETS];
};

static inline uint32_t
histogram_bucket(uint64_t value)
{
	const uint64_t limit = (UINT64_C(1) << HISTOGRAM_VALUE_BITS) - 1;
	uint32_t shift;

	if (value > limit)
		value = limit;
	if (value < 2 << HISTOGRAM_PART_BITS)
		return value;
	shift = 63 - __builtin_clzll(value) - HISTOGRAM_PART_BITS;
	return (shift << HISTOGRAM_PART_BITS) + (value >> shift);
}

static inline void
histogram_add(struct histogram *histogram, uint64_t value)
{
	uint64_t *bucket = &histogram->of[histogram_bucket(value)];

	__atomic_store_n(bucket, *bucket + 1, __ATOMIC_RELAXED);
	__atomic_store_n(&histogram->count, histogram->count + 1, __ATOMIC_RELAXED);
	if (value > histogram->max)
		__atomic_store_n(&histogram->max, value, __ATOMIC_RELAXED);
}

/* Adds `part`, which may be in use, to *sum. */
void histogram_merge(struct histogram *sum, const struct histogram *part);

/*
 * The value that `fraction` of all values (0 to 1) do not exceed, to within 0.4 %; never more than
 * the largest. 0 when there are none.
 */
uint64_t histogram_quantile(const struct histogram *histogram, double fraction);

#endif
