/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two queues with one history, plain C and vectors. A device that the test plays reads the plain
 * queue's ring, and writes the same into both.
 */
#ifndef TEST_UNIT_SIMD_PAIR_H
#define TEST_UNIT_SIMD_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "virtqueue/virtqueue.h"

/* Buffers taken or added in one call, at most. */
#define MOST 64

struct buffer {
	uint16_t id, count;
};

/* What is added many at a time. */
struct object {
	uint64_t addr;
	uint16_t offset, len;
};

/* What the device knows. It reads the plain queue's ring; the other is the same. */
struct player {
	uint16_t avail, used; /* packed: a position; split: an index */
	bool avail_wrap, used_wrap;
	struct buffer outstanding[VQ_SIZE_MAX];
	uint16_t n;
};

struct pair {
	uint16_t size;
	unsigned flags;
	size_t ring_bytes;
	void *ring[2], *state[2], *tables[2];
	size_t tables_bytes;
	struct vq *vq[2]; /* plain, vectors */
	struct vq_areas areas[2];
	struct player device;
	uintptr_t next_cookie;
	unsigned kicks;
	struct object objects[4 * MOST];
};

/* Aborts the test where there is no memory. Ends with pair_free(). */
void pair_init(struct pair *p, uint16_t size, unsigned flags, enum vq_simd simd);
void pair_free(struct pair *p);

/* Both add n objects, and must take as many. Returns how many. */
uint16_t pair_add(struct pair *p, void *const *objects, uint16_t n, const struct vq_view *view,
		  bool in);

/* Everything that the device can see is the same. */
void pair_compare(const struct pair *p);

/* Both publish what they hold, and come to the same view of whether the device wants to know. */
void pair_publish(struct pair *p);

/* The device takes what is available. */
void pair_fetch(struct pair *p);

/* It uses a buffer, or in order a batch of so many, of so many descriptors in all. */
void pair_use(struct pair *p, uint32_t id, uint32_t len, uint16_t buffers, uint16_t descriptors);

/* It wants to hear of things from now on, never, or, with VQ_EVENT_IDX, at some index. */
void pair_ask(struct pair *p, uint16_t flags, uint16_t index);

/* Both take up to n buffers, with lengths or without, and must agree about everything. Returns how
 * many. */
uint16_t pair_get(struct pair *p, uint16_t n, bool with_lens);

/* Both give back what they have in flight, and must agree. */
void pair_detach(struct pair *p);

/* A program's tests: its run() with each kind of vectors that there is, skipped where the CPU, or
 * the build, has none such. */
#define SIMD_TEST(name, kind)                                                            \
	static void name(void **state)                                                   \
	{                                                                                \
		(void)state;                                                             \
		if (!vq_simd_runs(kind)) {                                               \
			print_message("this CPU does not run %s\n", vq_simd_name(kind)); \
			skip();                                                          \
		}                                                                        \
		run(kind);                                                               \
	}
#define SIMD_TESTS                                                \
	SIMD_TEST(words, VQ_SIMD_WORDS)                           \
	SIMD_TEST(avx2, VQ_SIMD_AVX2)                             \
	SIMD_TEST(avx512, VQ_SIMD_AVX512)                         \
	SIMD_TEST(neon, VQ_SIMD_NEON)                             \
	int main(void)                                            \
	{                                                         \
		const struct CMUnitTest tests[] = {               \
			cmocka_unit_test(words),                  \
			cmocka_unit_test(avx2),                   \
			cmocka_unit_test(avx512),                 \
			cmocka_unit_test(neon),                   \
		};                                                \
		return cmocka_run_group_tests(tests, NULL, NULL); \
	}

#endif
