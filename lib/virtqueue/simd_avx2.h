/* SPDX-License-Identifier: BSD-3-Clause */
/* The vector shim for AVX2: four descriptors, one cache line, at a time. */
#ifndef VQ_SIMD_AVX2_H
#define VQ_SIMD_AVX2_H

#include <immintrin.h>

#include "queue.h"

#define LANES 4

/* One 64-bit word for each of LANES descriptors, the first in the lowest lane. */
typedef __m256i vec;

static inline vec
vec_load_used(const struct packed_desc *desc)
{
	__m256i low = _mm256_loadu_si256((const __m256i *)&desc[0]);
	__m256i high = _mm256_loadu_si256((const __m256i *)&desc[2]);

	/* The upper words of 0, 2, 1, 3; then in order. */
	return _mm256_permute4x64_epi64(_mm256_unpackhi_epi64(low, high), 0xd8);
}

static inline bool
vec_all_equal(vec a, vec b)
{
	return _mm256_movemask_epi8(_mm256_cmpeq_epi64(a, b)) == -1;
}

static inline vec
vec_and(vec a, uint64_t mask)
{
	return _mm256_and_si256(a, _mm256_set1_epi64x((long long)mask));
}

static inline vec
vec_set(uint64_t word)
{
	return _mm256_set1_epi64x((long long)word);
}

/* The 16-bit ids of used words. */
static inline vec
vec_ids(vec used)
{
	return vec_and(_mm256_srli_epi64(used, 32), 0xffff);
}

static inline vec
vec_load16(const uint16_t *p)
{
	return _mm256_cvtepu16_epi64(_mm_loadl_epi64((const __m128i *)p));
}

/* first, first + 1, ... */
static inline vec
vec_count_up(uint64_t first)
{
	return _mm256_add_epi64(vec_set(first), _mm256_set_epi64x(3, 2, 1, 0));
}

/* Stores the lengths of used words, those beyond their room as VQ_LENGTH_LIE. */
static inline void
vec_store_lens(uint32_t *lens, vec used, const uint32_t *room)
{
	const __m256i even = _mm256_set_epi32(0, 0, 0, 0, 6, 4, 2, 0);
	__m128i len = _mm256_castsi256_si128(_mm256_permutevar8x32_epi32(used, even));
	__m128i most = _mm_loadu_si128((const __m128i *)room);
	__m128i fits = _mm_cmpeq_epi32(_mm_max_epu32(len, most), most);

	_mm_storeu_si128((__m128i *)lens,
			 _mm_or_si128(len, _mm_xor_si128(fits, _mm_set1_epi32(-1))));
}

static inline void
vec_copy_cookies(void **to, void *const *from)
{
	_mm256_storeu_si256((__m256i *)to, _mm256_loadu_si256((const __m256i *)from));
}

/* Are all LANES counters 1? */
static inline bool
counts_are_one(const uint16_t *count)
{
	uint64_t word;

	__builtin_memcpy(&word, count, sizeof(word));
	return word == UINT64_C(0x0001000100010001);
}

static inline void
counts_clear(uint16_t *count)
{
	__builtin_memset(count, 0, LANES * sizeof(*count));
}

#endif
