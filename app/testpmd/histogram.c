/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include <rte_common.h>

#include "histogram.h"

void
histogram_merge(struct histogram *sum, const struct histogram *part)
{
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		uint64_t count = __atomic_load_n(&part->of[i], __ATOMIC_RELAXED);

		sum->of[i] += count;
		sum->count += count;
	}
	sum->max = RTE_MAX(sum->max, __atomic_load_n(&part->max, __ATOMIC_RELAXED));
}

/* The middle of a bucket: the inverse of histogram_bucket(). */
static uint64_t
bucket_value(uint32_t bucket)
{
	uint32_t shift;

	if (bucket < 2 << HISTOGRAM_PART_BITS)
		return bucket;
	shift = (bucket >> HISTOGRAM_PART_BITS) - 1;
	return ((uint64_t)(bucket - (shift << HISTOGRAM_PART_BITS)) << shift) +
	       (UINT64_C(1) << shift >> 1);
}

uint64_t
histogram_quantile(const struct histogram *histogram, double fraction)
{
	uint64_t wanted = ceil(fraction * histogram->count), seen = 0;

	if (histogram->count == 0)
		return 0;
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += histogram->of[i];
		if (seen >= wanted && seen > 0)
			return RTE_MIN(bucket_value(i), histogram->max);
	}
	return histogram->max;
}
