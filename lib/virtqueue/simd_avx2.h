/* SPDX-License-Identifier: BSD-3-Clause */
/* The vector shim for AVX2: four buffers, one cache line of packed descriptors, at a time. */
#ifndef VQ_SIMD_AVX2_H
#define VQ_SIMD_AVX2_H

#include <immintrin.h>

#include "queue.h"

#define LANES           4
#define LANES_MADE_ANEW 0

/* One 64-bit word for each of LANES buffers, the first in the lowest lane. */
typedef __m256i vec;

static inline vec
vec_load(const void *p)
{
	return _mm256_loadu_si256(p);
}

static inline void
vec_store(void *p, vec v)
{
	_mm256_storeu_si256(p, v);
}

/* The second words of LANES pairs. */
static inline vec
vec_load_second(const void *pairs)
{
	__m256i low = _mm256_loadu_si256(pairs);
	__m256i high = _mm256_loadu_si256((const __m256i *)pairs + 1);

	/* Of 0, 2, 1, 3; then in order. */
	return _mm256_permute4x64_epi64(_mm256_unpackhi_epi64(low, high), 0xd8);
}

/* LANES pairs, of a word of each. */
static inline void
vec_store_pairs(void *pairs, vec first, vec second)
{
	__m256i even = _mm256_unpacklo_epi64(first, second);
	__m256i odd = _mm256_unpackhi_epi64(first, second);

	_mm256_storeu_si256(pairs, _mm256_permute2x128_si256(even, odd, 0x20));
	_mm256_storeu_si256((__m256i *)pairs + 1, _mm256_permute2x128_si256(even, odd, 0x31));
}

static inline bool
vec_all_equal(vec a, vec b)
{
	return _mm256_movemask_epi8(_mm256_cmpeq_epi64(a, b)) == -1;
}

static inline vec
vec_and(vec a, vec b)
{
	return _mm256_and_si256(a, b);
}

static inline vec
vec_or(vec a, vec b)
{
	return _mm256_or_si256(a, b);
}

static inline vec
vec_add(vec a, vec b)
{
	return _mm256_add_epi64(a, b);
}

static inline vec
vec_set(uint64_t word)
{
	return _mm256_set1_epi64x((long long)word);
}

/* word in the first lane, the others 0. */
static inline vec
vec_first(uint64_t word)
{
	return _mm256_set_epi64x(0, 0, 0, (long long)word);
}

static inline vec
vec_xor(vec a, vec b)
{
	return _mm256_xor_si256(a, b);
}

/* The upper and the lower 32 bits of each lane, exchanged. */
static inline vec
vec_swap32(vec a)
{
	return _mm256_shuffle_epi32(a, 0xb1);
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

/* What stands at a place in each of LANES objects. */
static inline vec
vec_gather64(void *const *objects, size_t at)
{
	return _mm256_set_epi64x(
		(long long)object_long(objects[3], at), (long long)object_long(objects[2], at),
		(long long)object_long(objects[1], at), (long long)object_long(objects[0], at));
}

static inline vec
vec_gather16(void *const *objects, size_t at)
{
	return _mm256_set_epi64x(object_word(objects[3], at), object_word(objects[2], at),
				 object_word(objects[1], at), object_word(objects[0], at));
}

/* Stores the lower halves, which are lengths, those beyond their room as VQ_LENGTH_LIE. */
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

#endif
