/* SPDX-License-Identifier: BSD-3-Clause */
/* Hints about where a cache line is wanted next. */
#ifndef VQ_CACHE_H
#define VQ_CACHE_H

/*
 * This CPU is done with the line at addr, and another will read it: it is moved to the cache that
 * they share, where the other finds it without a question to this one. CLDEMOTE, which CPUs that do
 * not know it take for a NOP; nothing on other architectures.
 */
static inline void
cache_let_go(const void *addr)
{
#ifdef __x86_64__
	__asm__ volatile("cldemote %0" ::"m"(*(const char *)addr));
#else
	(void)addr;
#endif
}

#endif
