/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The three barriers between driver and device. Between threads or processes of one machine the
 * compiler's fences do; where VIRTIO_F_ORDER_PLATFORM was negotiated the device may be hardware
 * outside the CPUs' shareability domain, and the stronger ones are needed (spec 6.1,
 * "ORDER_PLATFORM").
 */
#ifndef VQ_BARRIER_H
#define VQ_BARRIER_H

#include <stdbool.h>

/* Loads before it are done before loads and stores after it. */
static inline void
vq_barrier_read(bool platform)
{
#if defined(__aarch64__)
	if (platform) {
		__asm__ volatile("dmb oshld" ::: "memory");
		return;
	}
#else
	(void)platform; /* x86 keeps the order of loads; others get the full acquire fence below */
#endif
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
}

/* Loads and stores before it are visible before stores after it. */
static inline void
vq_barrier_write(bool platform)
{
#if defined(__aarch64__)
	if (platform) {
		__asm__ volatile("dmb osh" ::: "memory");
		return;
	}
#else
	(void)platform;
#endif
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

/* Stores before it are visible before loads after it are done. */
static inline void
vq_barrier_full(bool platform)
{
#if defined(__aarch64__)
	if (platform) {
		__asm__ volatile("dmb osh" ::: "memory");
		return;
	}
#elif defined(__x86_64__)
	if (platform) {
		__asm__ volatile("mfence" ::: "memory");
		return;
	}
#else
	(void)platform;
#endif
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

#endif
