/* SPDX-License-Identifier: BSD-3-Clause */
#include "simd_neon.h"

#include "packed_simd.h"
#include "split_simd.h"

const struct vq_fast vq_packed_neon[2] = PACKED_FAST;
const struct vq_fast vq_split_neon[2] = SPLIT_FAST;
