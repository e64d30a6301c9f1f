/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A plug-in that makes port 0 a path of 20,000 frames a second: of what is received faster than
 * that, the rest is dropped. 400 frames at once go through, as the one who
 * sends may be kept from its CPU for a while.
 */
#include <rte_cycles.h>
#include <rte_mbuf.h>

#include "receive_hook.h"

#define RATE  20000.0
#define DEPTH 400.0

static double tokens = DEPTH;
static uint64_t before;

static uint16_t
limit(struct rte_mbuf **frames, uint16_t count, uint16_t room)
{
	uint64_t now = rte_rdtsc();
	uint16_t kept = 0;

	(void)room;
	if (before != 0)
		tokens += (now - before) * RATE / rte_get_tsc_hz();
	if (tokens > DEPTH)
		tokens = DEPTH;
	before = now;
	for (uint16_t i = 0; i < count; i++) {
		if (tokens >= 1) {
			tokens -= 1;
			frames[kept++] = frames[i];
		} else {
			rte_pktmbuf_free(frames[i]);
		}
	}
	return kept;
}

static void __attribute__((constructor)) begin(void)
{
	receive_hook_set(limit);
}
