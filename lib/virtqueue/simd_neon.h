/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The vector shim for NEON: four buffers, 64 bytes of packed descriptors, at a time, in two
 * registers. Little-endian alone.
 */
#ifndef VQ_SIMD_NEON_H
#define VQ_SIMD_NEON_H

#include <arm_neon.h>

#include "queue.h"

#define LANES           4
#define LANES_MADE_ANEW 0

typedef struct {
	uint64x2_t low, high;
} vec;

/* Two words, the first in the lower half. */
static inline uint64x2_t
two(uint64_t first, uint64_t second)
{
	return vcombine_u64(vcreate_u64(first), vcreate_u64(second));
}

/* By bytes, for used entries lie 4 bytes off the alignment of words. */
static inline vec
vec_load(const void *p)
{
	const uint8_t *bytes = p;

	return (vec){ vreinterpretq_u64_u8(vld1q_u8(bytes)),
		      vreinterpretq_u64_u8(vld1q_u8(bytes + 16)) };
}

static inline void
vec_store(void *p, vec v)
{
	uint64_t *words = p;

	vst1q_u64(words, v.low);
	vst1q_u64(words + 2, v.high);
}

/* By words: each is loaded at once, so that flags come with the id and length that they stand for.
 */
static inline vec
vec_load_second(const void *pairs)
{
	const uint64_t *words = pairs;

	return (vec){ vuzp2q_u64(vld1q_u64(words), vld1q_u64(words + 2)),
		      vuzp2q_u64(vld1q_u64(words + 4), vld1q_u64(words + 6)) };
}

static inline void
vec_store_pairs(void *pairs, vec first, vec second)
{
	uint64_t *words = pairs;

	vst1q_u64(words, vzip1q_u64(first.low, second.low));
	vst1q_u64(words + 2, vzip2q_u64(first.low, second.low));
	vst1q_u64(words + 4, vzip1q_u64(first.high, second.high));
	vst1q_u64(words + 6, vzip2q_u64(first.high, second.high));
}

static inline bool
vec_all_equal(vec a, vec b)
{
	uint64x2_t other = vorrq_u64(veorq_u64(a.low, b.low), veorq_u64(a.high, b.high));

	return vmaxvq_u32(vreinterpretq_u32_u64(other)) == 0;
}

static inline vec
vec_and(vec a, vec b)
{
	return (vec){ vandq_u64(a.low, b.low), vandq_u64(a.high, b.high) };
}

static inline vec
vec_or(vec a, vec b)
{
	return (vec){ vorrq_u64(a.low, b.low), vorrq_u64(a.high, b.high) };
}

static inline vec
vec_add(vec a, vec b)
{
	return (vec){ vaddq_u64(a.low, b.low), vaddq_u64(a.high, b.high) };
}

static inline vec
vec_set(uint64_t word)
{
	return (vec){ vdupq_n_u64(word), vdupq_n_u64(word) };
}

static inline vec
vec_first(uint64_t word)
{
	return (vec){ two(word, 0), vdupq_n_u64(0) };
}

static inline vec
vec_xor(vec a, vec b)
{
	return (vec){ veorq_u64(a.low, b.low), veorq_u64(a.high, b.high) };
}

static inline uint64x2_t
swap32(uint64x2_t a)
{
	return vreinterpretq_u64_u32(vrev64q_u32(vreinterpretq_u32_u64(a)));
}

static inline vec
vec_swap32(vec a)
{
	return (vec){ swap32(a.low), swap32(a.high) };
}

static inline vec
vec_load16(const uint16_t *p)
{
	uint32x4_t wide = vmovl_u16(vld1_u16(p));

	return (vec){ vmovl_u32(vget_low_u32(wide)), vmovl_high_u32(wide) };
}

static inline vec
vec_count_up(uint64_t first)
{
	return vec_add(vec_set(first), (vec){ two(0, 1), two(2, 3) });
}

static inline vec
vec_gather64(void *const *objects, size_t at)
{
	return (vec){ two(object_long(objects[0], at), object_long(objects[1], at)),
		      two(object_long(objects[2], at), object_long(objects[3], at)) };
}

static inline vec
vec_gather16(void *const *objects, size_t at)
{
	return (vec){ two(object_word(objects[0], at), object_word(objects[1], at)),
		      two(object_word(objects[2], at), object_word(objects[3], at)) };
}

static inline void
vec_store_lens(uint32_t *lens, vec used, const uint32_t *room)
{
	uint32x4_t len = vuzp1q_u32(vreinterpretq_u32_u64(used.low),
				    vreinterpretq_u32_u64(used.high));
	uint32x4_t lies = vcgtq_u32(len, vld1q_u32(room));

	vst1q_u32(lens, vorrq_u32(len, lies));
}

#endif
