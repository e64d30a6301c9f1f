/* SPDX-License-Identifier: BSD-3-Clause */
#include "simd_avx512.h"

#include "packed_simd.h"
#include "split_simd.h"

const struct vq_fast vq_packed_avx512[2] = PACKED_FAST;
const struct vq_fast vq_split_avx512[2] = SPLIT_FAST;
