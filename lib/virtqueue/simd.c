/* SPDX-License-Identifier: BSD-3-Clause */
/* Which vector code there is, and what of it this CPU can run: every extension that a file is
 * compiled for, asked for by name. */
#include "queue.h"

static bool
has_avx2(void)
{
#if defined(__x86_64__)
	return __builtin_cpu_supports("avx2");
#else
	return false;
#endif
}

static bool
has_avx512(void)
{
#if defined(__x86_64__)
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("avx512f") &&
	       __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
	       __builtin_cpu_supports("avx512vl");
#else
	return false;
#endif
}

static const struct {
	const char *name;
	bool (*runs)(void);
	uint16_t bits;
	const struct vq_fast *split, *packed;
} kinds[VQ_SIMD_COUNT] = {
	[VQ_SIMD_NONE] = { "scalar", NULL, 0, vq_split_plain, vq_packed_plain },
#if defined(__x86_64__)
	[VQ_SIMD_AVX2] = { "avx2", has_avx2, 256, vq_split_avx2, vq_packed_avx2 },
	[VQ_SIMD_AVX512] = { "avx512", has_avx512, 512, vq_split_avx512, vq_packed_avx512 },
#else
	[VQ_SIMD_AVX2] = { .name = "avx2", .runs = has_avx2, .bits = 256 },
	[VQ_SIMD_AVX512] = { .name = "avx512", .runs = has_avx512, .bits = 512 },
#endif
};

bool
vq_simd_runs(enum vq_simd simd)
{
	return simd == VQ_SIMD_NONE || (simd < VQ_SIMD_COUNT && kinds[simd].runs());
}

const char *
vq_simd_name(enum vq_simd simd)
{
	return simd < VQ_SIMD_COUNT ? kinds[simd].name : "unknown";
}

uint16_t
vq_simd_bits(enum vq_simd simd)
{
	return simd < VQ_SIMD_COUNT ? kinds[simd].bits : 0;
}

const struct vq_fast *
vq_fast_of(enum vq_simd simd, bool packed, bool in_order)
{
	return packed ? &kinds[simd].packed[in_order] : &kinds[simd].split[in_order];
}
