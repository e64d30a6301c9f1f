/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The vector shim for CPUs without vectors, or where those are slow, as in an emulated machine:
 * four buffers at a time in plain C, each lane in a general register. It is compiled with the
 * compiler's own vectors off, which would be what it is to avoid.
 */
#ifndef VQ_SIMD_WORDS_H
#define VQ_SIMD_WORDS_H

#include "queue.h"

#define LANES 4

/* A lane that is a function of its place is made anew where it is needed: registers are few. */
#define LANES_MADE_ANEW 1

#define WORDS     static inline __attribute__((always_inline))
#define EACH_LANE _Pragma("GCC unroll 4") for (unsigned i = 0; i < LANES; i++)

/* One 64-bit word for each of LANES buffers. */
typedef struct {
	uint64_t of[LANES];
} vec;

/* Words as they may stand in memory: used entries of the legacy layout are aligned to 4. */
typedef uint64_t __attribute__((aligned(4), may_alias)) lane_word;

/* Each word is loaded once. */
WORDS vec
vec_load(const void *p)
{
	vec v;

	EACH_LANE v.of[i] = ((const volatile lane_word *)p)[i];
	return v;
}

WORDS void
vec_store(void *p, vec v)
{
	EACH_LANE((lane_word *)p)[i] = v.of[i];
}

/* The second words of LANES pairs. */
WORDS vec
vec_load_second(const void *pairs)
{
	vec v;

	EACH_LANE v.of[i] = ((const volatile lane_word *)pairs)[2 * i + 1];
	return v;
}

/* LANES pairs, of a word of each. */
WORDS void
vec_store_pairs(void *pairs, vec first, vec second)
{
	EACH_LANE
	{
		((lane_word *)pairs)[2 * i] = first.of[i];
		((lane_word *)pairs)[2 * i + 1] = second.of[i];
	}
}

WORDS bool
vec_all_equal(vec a, vec b)
{
	uint64_t other = 0;

	EACH_LANE other |= a.of[i] ^ b.of[i];
	return other == 0;
}

WORDS vec
vec_and(vec a, vec b)
{
	EACH_LANE a.of[i] &= b.of[i];
	return a;
}

WORDS vec
vec_or(vec a, vec b)
{
	EACH_LANE a.of[i] |= b.of[i];
	return a;
}

WORDS vec
vec_xor(vec a, vec b)
{
	EACH_LANE a.of[i] ^= b.of[i];
	return a;
}

WORDS vec
vec_add(vec a, vec b)
{
	EACH_LANE a.of[i] += b.of[i];
	return a;
}

WORDS vec
vec_set(uint64_t word)
{
	vec v;

	EACH_LANE v.of[i] = word;
	return v;
}

/* word in the first lane, the others 0. */
WORDS vec
vec_first(uint64_t word)
{
	return (vec){ .of = { word } };
}

/* The upper and the lower 32 bits of each lane, exchanged. */
WORDS vec
vec_swap32(vec a)
{
	EACH_LANE a.of[i] = a.of[i] << 32 | a.of[i] >> 32;
	return a;
}

WORDS vec
vec_load16(const uint16_t *p)
{
	vec v;

	EACH_LANE v.of[i] = p[i];
	return v;
}

/* first, first + 1, ... */
WORDS vec
vec_count_up(uint64_t first)
{
	vec v;

	EACH_LANE v.of[i] = first + i;
	return v;
}

/* What stands at a place in each of LANES objects. */
WORDS vec
vec_gather64(void *const *objects, size_t at)
{
	vec v;

	EACH_LANE v.of[i] = object_long(objects[i], at);
	return v;
}

WORDS vec
vec_gather16(void *const *objects, size_t at)
{
	vec v;

	EACH_LANE v.of[i] = object_word(objects[i], at);
	return v;
}

/* Stores the lower halves, which are lengths, those beyond their room as VQ_LENGTH_LIE. */
WORDS void
vec_store_lens(uint32_t *lens, vec used, const uint32_t *room)
{
	EACH_LANE
	{
		uint32_t len = (uint32_t)used.of[i];

		lens[i] = len <= room[i] ? len : VQ_LENGTH_LIE;
	}
}

#endif
