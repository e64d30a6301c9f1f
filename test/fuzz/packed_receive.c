/* SPDX-License-Identifier: BSD-3-Clause */
/* Receiving: buffers that the device writes to, taken back with their lengths. */
#include "queue.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_queue(&packed_side, true, data, size);
}
