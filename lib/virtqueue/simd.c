/* SPDX-License-Identifier: BSD-3-Clause */
/* Which vector code this CPU can run: every extension that a file is compiled for, asked for by
 * name. */
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
} kinds[VQ_SIMD_COUNT] = {
	[VQ_SIMD_NONE] = { "scalar", NULL, 0 },
	[VQ_SIMD_AVX2] = { "avx2", has_avx2, 256 },
	[VQ_SIMD_AVX512] = { "avx512", has_avx512, 512 },
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
