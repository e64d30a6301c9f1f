/* SPDX-License-Identifier: BSD-3-Clause */
#include "simd_avx512.h"
#include "packed_simd.h"

uint16_t
vq_packed_get_avx512(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n)
{
	return get_by_vectors(vq, cookies, lens, n, vq_packed_get);
}

uint16_t
vq_packed_get_in_order_avx512(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n)
{
	return get_by_vectors(vq, cookies, lens, n, vq_packed_get_in_order);
}
