/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of a lying device share. */
#ifndef UNIT_HOSTILE_H
#define UNIT_HOSTILE_H

#include "rig.h"

/* Adds n buffers of so many writable elements, numbered from first on, and lets the device see
 * them. */
void hostile_offer(struct rig *rig, uint32_t first, uint16_t n, uint16_t elements);

/*
 * The queue is broken for this reason, and stays so: no operation returns anything or writes to
 * anything that the device shares; vq_detach() then returns the buffers numbered first .. last,
 * each exactly once, and no other.
 */
void hostile_broken(struct rig *rig, enum vq_error error, uint32_t first, uint32_t last);

#endif
