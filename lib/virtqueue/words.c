/* SPDX-License-Identifier: BSD-3-Clause */
#include "simd_words.h"

#include "packed_simd.h"
#include "split_simd.h"

const struct vq_fast vq_packed_words[2] = PACKED_FAST;
const struct vq_fast vq_split_words[2] = SPLIT_FAST;
