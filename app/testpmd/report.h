/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_REPORT_H
#define TESTPMD_REPORT_H

#include <stdio.h>

#include "results.h"

/* Prints the results as aligned tables. */
void report_print(FILE *out, const struct results *results);

/* Prints what became of the mbufs, once the ports are stopped. */
void report_print_mbufs(FILE *out, const struct results *results);

#endif
