/* SPDX-License-Identifier: BSD-3-Clause */
#include "simd_avx2.h"

#include "packed_simd.h"
#include "split_simd.h"

const struct vq_fast vq_packed_avx2[2] = PACKED_FAST;
const struct vq_fast vq_split_avx2[2] = SPLIT_FAST;
