/* SPDX-License-Identifier: BSD-3-Clause */
/* Which vector instructions the rings of a port use. */
#ifndef VIO_PMD_SIMD_H
#define VIO_PMD_SIMD_H

#include <stddef.h>
#include <stdint.h>

#include "virtqueue/virtqueue.h"

/* What the devarg simd= says. */
#define VIO_SIMD_AUTO VQ_SIMD_COUNT

/*
 * The widest that this CPU and the EAL's limit (--force-max-simd-bitwidth) allow, words where an
 * emulator runs, which vectors make slower, or what was asked for. Returns 0; -ENOTSUP after a
 * message: the CPU lacks what was asked for.
 */
int vio_simd_choose(const char *name, unsigned asked, enum vq_simd *chosen);

/* Writes the name of what was chosen and, where something wider would run, how to get it. */
void vio_simd_explain(enum vq_simd chosen, unsigned asked, char *text, size_t size);

#endif
