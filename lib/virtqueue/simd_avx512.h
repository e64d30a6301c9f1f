/* SPDX-License-Identifier: BSD-3-Clause */
/* The vector shim for AVX-512 (F, BW, DQ, VL): eight descriptors, two cache lines, at a time. */
#ifndef VQ_SIMD_AVX512_H
#define VQ_SIMD_AVX512_H

#include <immintrin.h>

#include "queue.h"

#define LANES 8

typedef __m512i vec;

static inline vec
vec_load_used(const struct packed_desc *desc)
{
	const __m512i odd = _mm512_set_epi64(15, 13, 11, 9, 7, 5, 3, 1);
	__m512i low = _mm512_loadu_si512(&desc[0]);
	__m512i high = _mm512_loadu_si512(&desc[4]);

	return _mm512_permutex2var_epi64(low, odd, high);
}

static inline bool
vec_all_equal(vec a, vec b)
{
	return _mm512_cmpeq_epi64_mask(a, b) == 0xff;
}

static inline vec
vec_and(vec a, uint64_t mask)
{
	return _mm512_and_si512(a, _mm512_set1_epi64((long long)mask));
}

static inline vec
vec_set(uint64_t word)
{
	return _mm512_set1_epi64((long long)word);
}

static inline vec
vec_ids(vec used)
{
	return vec_and(_mm512_srli_epi64(used, 32), 0xffff);
}

static inline vec
vec_load16(const uint16_t *p)
{
	return _mm512_cvtepu16_epi64(_mm_loadu_si128((const __m128i *)p));
}

static inline vec
vec_count_up(uint64_t first)
{
	return _mm512_add_epi64(vec_set(first), _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0));
}

static inline void
vec_store_lens(uint32_t *lens, vec used, const uint32_t *room)
{
	__m256i len = _mm512_cvtepi64_epi32(used);
	__m256i most = _mm256_loadu_si256((const __m256i *)room);
	__mmask8 lies = _mm256_cmpgt_epu32_mask(len, most);

	_mm256_storeu_si256((__m256i *)lens,
			    _mm256_mask_mov_epi32(len, lies, _mm256_set1_epi32(-1)));
}

static inline void
vec_copy_cookies(void **to, void *const *from)
{
	_mm512_storeu_si512(to, _mm512_loadu_si512(from));
}

static inline bool
counts_are_one(const uint16_t *count)
{
	__m128i counts = _mm_loadu_si128((const __m128i *)count);

	return _mm_cmpeq_epi16_mask(counts, _mm_set1_epi16(1)) == 0xff;
}

static inline void
counts_clear(uint16_t *count)
{
	_mm_storeu_si128((__m128i *)count, _mm_setzero_si128());
}

#endif
