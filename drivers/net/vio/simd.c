/* SPDX-License-Identifier: BSD-3-Clause */
#include "simd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <rte_vect.h>

#include "log.h"

#if defined(__x86_64__)

/* An emulator, QEMU's TCG, says so where a hypervisor would. A vector is memory to it: each
 * instruction stores one that the next loads again, often in a call. */
static bool
cpu_is_emulated(void)
{
	const unsigned hypervisor = 0x40000000, has_hypervisor = 1U << 31;
	unsigned a, b, c, d, name[3];

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & has_hypervisor))
		return false;
	__cpuid(hypervisor, a, name[0], name[1], name[2]);
	return memcmp(name, "TCGTCGTCGTCG", sizeof(name)) == 0;
}

#else

/* Nothing tells a program. */
static bool
cpu_is_emulated(void)
{
	return false;
}

#endif

/* The widest kind within limit bits that runs here. */
static enum vq_simd
widest(unsigned limit)
{
	enum vq_simd best = VQ_SIMD_NONE;

	for (enum vq_simd simd = VQ_SIMD_NONE; simd < VQ_SIMD_COUNT; simd++)
		if (vq_simd_bits(simd) <= limit && vq_simd_bits(simd) > vq_simd_bits(best) &&
		    vq_simd_runs(simd))
			best = simd;
	return best;
}

int
vio_simd_choose(const char *name, unsigned asked, enum vq_simd *chosen)
{
	if (asked == VIO_SIMD_AUTO) {
		*chosen = cpu_is_emulated() ? VQ_SIMD_WORDS
					    : widest(rte_vect_get_max_simd_bitwidth());
		return 0;
	}
	if (!vq_simd_runs(asked)) {
		VIO_LOG(ERR, "%s: simd=%s: this CPU lacks it; use simd=auto, which would choose %s",
			name, vq_simd_name(asked), vq_simd_name(widest(UINT16_MAX)));
		return -ENOTSUP;
	}
	*chosen = asked;
	return 0;
}

void
vio_simd_explain(enum vq_simd chosen, unsigned asked, char *text, size_t size)
{
	enum vq_simd best = widest(UINT16_MAX);

	if (asked != VIO_SIMD_AUTO)
		snprintf(text, size, "%s as asked for by simd=", vq_simd_name(chosen));
	else if (best != chosen && cpu_is_emulated())
		snprintf(text, size, "%s, as the CPU is emulated; simd=%s forces vectors",
			 vq_simd_name(chosen), vq_simd_name(best));
	else if (best != chosen)
		snprintf(text, size, "%s; %s would need --force-max-simd-bitwidth=%u",
			 vq_simd_name(chosen), vq_simd_name(best), vq_simd_bits(best));
	else
		snprintf(text, size, "%s", vq_simd_name(chosen));
}
