/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_JSON_PARTS_H
#define TESTPMD_JSON_PARTS_H

#include <jansson.h>

#include "bench.h"
#include "results.h"
#include "search.h"

/* Parts of the document; null where there is nothing of the kind. */
json_t *json_verify(const struct results *results);
json_t *json_bench_runs(const struct bench *bench);
json_t *json_bench_summary(const struct bench *bench);
json_t *json_search(const struct search *search);
json_t *json_latency(const struct latency *latency);

#endif
