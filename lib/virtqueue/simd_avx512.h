/* SPDX-License-Identifier: BSD-3-Clause */
/* The vector shim for AVX-512 (F, BW, DQ, VL): eight buffers, two cache lines of packed
 * descriptors, at a time. */
#ifndef VQ_SIMD_AVX512_H
#define VQ_SIMD_AVX512_H

#include <immintrin.h>

#include "queue.h"

#define LANES           8
#define LANES_MADE_ANEW 0

typedef __m512i vec;

static inline vec
vec_load(const void *p)
{
	return _mm512_loadu_si512(p);
}

static inline void
vec_store(void *p, vec v)
{
	_mm512_storeu_si512(p, v);
}

static inline vec
vec_load_second(const void *pairs)
{
	const __m512i odd = _mm512_set_epi64(15, 13, 11, 9, 7, 5, 3, 1);

	return _mm512_permutex2var_epi64(vec_load(pairs), odd,
					 vec_load((const __m512i *)pairs + 1));
}

static inline void
vec_store_pairs(void *pairs, vec first, vec second)
{
	const __m512i low = _mm512_set_epi64(11, 3, 10, 2, 9, 1, 8, 0);
	const __m512i high = _mm512_set_epi64(15, 7, 14, 6, 13, 5, 12, 4);

	vec_store(pairs, _mm512_permutex2var_epi64(first, low, second));
	vec_store((__m512i *)pairs + 1, _mm512_permutex2var_epi64(first, high, second));
}

static inline bool
vec_all_equal(vec a, vec b)
{
	return _mm512_cmpeq_epi64_mask(a, b) == 0xff;
}

static inline vec
vec_and(vec a, vec b)
{
	return _mm512_and_si512(a, b);
}

static inline vec
vec_or(vec a, vec b)
{
	return _mm512_or_si512(a, b);
}

static inline vec
vec_add(vec a, vec b)
{
	return _mm512_add_epi64(a, b);
}

static inline vec
vec_set(uint64_t word)
{
	return _mm512_set1_epi64((long long)word);
}

static inline vec
vec_first(uint64_t word)
{
	return _mm512_zextsi128_si512(_mm_cvtsi64_si128((long long)word));
}

static inline vec
vec_xor(vec a, vec b)
{
	return _mm512_xor_si512(a, b);
}

static inline vec
vec_swap32(vec a)
{
	return _mm512_shuffle_epi32(a, _MM_PERM_CDAB);
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

static inline vec
vec_gather64(void *const *objects, size_t at)
{
	return _mm512_set_epi64(
		(long long)object_long(objects[7], at), (long long)object_long(objects[6], at),
		(long long)object_long(objects[5], at), (long long)object_long(objects[4], at),
		(long long)object_long(objects[3], at), (long long)object_long(objects[2], at),
		(long long)object_long(objects[1], at), (long long)object_long(objects[0], at));
}

static inline vec
vec_gather16(void *const *objects, size_t at)
{
	return _mm512_set_epi64(object_word(objects[7], at), object_word(objects[6], at),
				object_word(objects[5], at), object_word(objects[4], at),
				object_word(objects[3], at), object_word(objects[2], at),
				object_word(objects[1], at), object_word(objects[0], at));
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

#endif
