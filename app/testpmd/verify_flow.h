/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_VERIFY_FLOW_H
#define TESTPMD_VERIFY_FLOW_H

#include "verify.h"

/* The flow of that sender and number, or NULL when none has been seen. Any lcore may ask. */
struct verify_flow *verify_flow_find(uint32_t sender, uint16_t id);

/* The same; made when there is none. NULL when there are too many. */
struct verify_flow *verify_flow_get(uint32_t sender, uint16_t id);

/* Forgets all flows. No lcore may poll. */
void verify_flows_clear(void);

/* False when a frame with such a number cannot well be one of this flow now. */
bool verify_flow_plausible(const struct verify_flow *flow, uint32_t sequence);

/* Counts a frame that came. Returns false when its number came before. */
bool verify_flow_take(struct verify_flow *flow, const struct verify_header *header, bool good);

/* The sender says that the flow had so many frames (low bits). */
void verify_flow_end(struct verify_flow *flow, uint32_t total);

#endif
