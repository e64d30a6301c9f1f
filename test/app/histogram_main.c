/* SPDX-License-Identifier: BSD-3-Clause */

/* Reads numbers, prints the quantiles of their histogram for the fractions in the arguments. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "histogram.h"

static struct histogram part, sum;

int
main(int argc, char **argv)
{
	uint64_t value;

	while (scanf("%" SCNu64, &value) == 1)
		histogram_add(&part, value);
	histogram_merge(&sum, &part);
	for (int i = 1; i < argc; i++)
		printf("%" PRIu64 "\n", histogram_quantile(&sum, atof(argv[i])));
	printf("%" PRIu64 "\n%" PRIu64 "\n", sum.count, sum.max);
	return 0;
}
