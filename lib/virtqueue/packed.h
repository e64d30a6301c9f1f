/* SPDX-License-Identifier: BSD-3-Clause */
/* The packed layout's ways to take used buffers: plain C, and by vectors where the CPU has them. */
#ifndef VQ_PACKED_H
#define VQ_PACKED_H

#include "queue.h"

uint16_t vq_packed_get(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n);
uint16_t vq_packed_get_in_order(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n);

uint16_t vq_packed_get_avx2(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n);
uint16_t vq_packed_get_in_order_avx2(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n);

uint16_t vq_packed_get_avx512(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n);
uint16_t vq_packed_get_in_order_avx512(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n);

#endif
