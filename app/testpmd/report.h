/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_REPORT_H
#define TESTPMD_REPORT_H

#include <stdio.h>

#include "results.h"

/* Prints the results as aligned tables. */
void report_print(FILE *out, const struct results *results);

/* Prints what became of the mbufs, once the ports are stopped. */
void report_print_mbufs(FILE *out, const struct results *results);

/* The traffic and what came of it alone, for `show fwd stats`. */
void report_print_traffic(FILE *out, const struct results *results);

/* Parts of the report, each in its own file. */
void report_verify_print(FILE *out, const struct results *results);
void report_bench_print(FILE *out, const struct bench *bench, const struct options *options);
void report_search_print(FILE *out, const struct search *search, uint16_t ports);

#endif
