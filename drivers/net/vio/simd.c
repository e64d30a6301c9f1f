/* SPDX-License-Identifier: BSD-3-Clause */
#include "simd.h"

#include <errno.h>
#include <stdio.h>

#include <rte_vect.h>

#include "log.h"

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
		*chosen = widest(rte_vect_get_max_simd_bitwidth());
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
	else if (best != chosen)
		snprintf(text, size, "%s; %s would need --force-max-simd-bitwidth=%u",
			 vq_simd_name(chosen), vq_simd_name(best), vq_simd_bits(best));
	else
		snprintf(text, size, "%s", vq_simd_name(chosen));
}
