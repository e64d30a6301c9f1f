/* SPDX-License-Identifier: BSD-3-Clause */
/* Transmitting: chains and tables that the device reads, reclaimed without a look at lengths. */
#include "queue.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_queue(&packed_side, false, data, size);
}
