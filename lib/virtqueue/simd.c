/* SPDX-License-Identifier: BSD-3-Clause */
/* Which vector code there is, and what of it this CPU can run: every extension that a file is
 * compiled for, asked for by name. */
#include "queue.h"

static const struct {
	const char *name;
	uint16_t bits;
} kinds[VQ_SIMD_COUNT] = {
	[VQ_SIMD_NONE] = { "scalar", 0 }, [VQ_SIMD_WORDS] = { "words", 64 },
	[VQ_SIMD_AVX2] = { "avx2", 256 }, [VQ_SIMD_AVX512] = { "avx512", 512 },
	[VQ_SIMD_NEON] = { "neon", 128 },
};

static bool
always(void)
{
	return true;
}

#if defined(__x86_64__)

static bool
has_avx2(void)
{
	return __builtin_cpu_supports("avx2");
}

static bool
has_avx512(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("avx512f") &&
	       __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
	       __builtin_cpu_supports("avx512vl");
}

#elif defined(__AARCH64EL__)

#include <sys/auxv.h>

static bool
has_neon(void)
{
	return getauxval(AT_HWCAP) & HWCAP_ASIMD;
}

#endif

/* What was built for this architecture. */
static const struct {
	bool (*runs)(void);
	const struct vq_fast *split, *packed;
} code[VQ_SIMD_COUNT] = {
	[VQ_SIMD_NONE] = { always, vq_split_plain, vq_packed_plain },
#if defined(__x86_64__) || defined(__AARCH64EL__)
	[VQ_SIMD_WORDS] = { always, vq_split_words, vq_packed_words },
#endif
#if defined(__x86_64__)
	[VQ_SIMD_AVX2] = { has_avx2, vq_split_avx2, vq_packed_avx2 },
	[VQ_SIMD_AVX512] = { has_avx512, vq_split_avx512, vq_packed_avx512 },
#elif defined(__AARCH64EL__)
	[VQ_SIMD_NEON] = { has_neon, vq_split_neon, vq_packed_neon },
#endif
};

bool
vq_simd_runs(enum vq_simd simd)
{
	return simd < VQ_SIMD_COUNT && code[simd].runs != NULL && code[simd].runs();
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
	return packed ? &code[simd].packed[in_order] : &code[simd].split[in_order];
}
