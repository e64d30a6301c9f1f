/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include <rte_cycles.h>

#include "latency.h"
#include "verify.h"

void
latency_gather(struct latency *latency, const struct streams *streams, enum latency_kind kind)
{
	struct histogram *sum = calloc(1, sizeof(*sum));
	double ns = 1e9 / rte_get_tsc_hz();

	*latency = (struct latency){ 0 };
	for (uint32_t i = 0; sum != NULL && i < streams->count; i++) {
		const struct verify_stream *verify = streams->of[i].verify;

		if (verify != NULL)
			histogram_merge(sum, kind == LATENCY_ONE_WAY ? &verify->one_way
								     : &verify->round_trip);
	}
	if (sum != NULL)
		*latency = (struct latency){
			.count = sum->count,
			.p50 = histogram_quantile(sum, 0.5) * ns,
			.p90 = histogram_quantile(sum, 0.9) * ns,
			.p99 = histogram_quantile(sum, 0.99) * ns,
			.p999 = histogram_quantile(sum, 0.999) * ns,
			.max = sum->max * ns,
		};
	free(sum);
}
