/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each operation of a vector shim against plain C. A shim that is wrong in such a way that vectors
 * never match would be right, but slow: comparing results of whole queues cannot see it.
 *
 * Built once for each shim: SHIM is the header, KIND its enum vq_simd.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include SHIM

#define ROUNDS 1000

struct words {
	uint64_t of[LANES];
};

static uint64_t seed = 1;

/* Bits of every place; often a few only, so that words are equal in parts. */
static uint64_t
random_word(void)
{
	static const uint64_t masks[] = { UINT64_MAX, UINT32_MAX, 0xffff, UINT64_C(1) << 32, 1, 0 };
	uint64_t word;

	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	word = seed ^ seed >> 33;
	return word & masks[(seed >> 40) % (sizeof(masks) / sizeof(masks[0]))];
}

static struct words
random_words(void)
{
	struct words words;

	for (unsigned i = 0; i < LANES; i++)
		words.of[i] = random_word();
	return words;
}

static struct words
words_of(vec v)
{
	struct words words;

	vec_store(&words, v);
	return words;
}

static void
assert_words(vec v, const struct words *expected)
{
	struct words words = words_of(v);

	assert_memory_equal(&words, expected, sizeof(words));
}

/* At each place that a used entry can have. */
static void
loads_and_stores(void **state)
{
	uint8_t bytes[sizeof(struct words) + 64], copy[sizeof(bytes)];

	(void)state;
	for (unsigned at = 0; at < 64; at += 4) {
		struct words words = random_words();

		memset(bytes, 0x5a, sizeof(bytes));
		memcpy(bytes + at, &words, sizeof(words));
		assert_words(vec_load(bytes + at), &words);
		memset(copy, 0x5a, sizeof(copy));
		if (at % 8 == 0) {
			vec_store(copy + at, vec_load(bytes + at));
			assert_memory_equal(copy, bytes, sizeof(bytes));
		}
	}
}

static void
pairs(void **state)
{
	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct words first = random_words(), second = random_words();
		uint64_t memory[2 * LANES + 1] = { [2 * LANES] = 7 };

		vec_store_pairs(memory, vec_load(&first), vec_load(&second));
		for (unsigned i = 0; i < LANES; i++) {
			assert_int_equal(memory[2 * i], first.of[i]);
			assert_int_equal(memory[2 * i + 1], second.of[i]);
		}
		assert_int_equal(memory[2 * LANES], 7);
		assert_words(vec_load_second(memory), &second);
	}
}

static void
all_equal(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 64 * LANES; bit++) {
		struct words a = random_words(), b = a;

		assert_true(vec_all_equal(vec_load(&a), vec_load(&b)));
		b.of[bit / 64] ^= UINT64_C(1) << bit % 64;
		assert_false(vec_all_equal(vec_load(&a), vec_load(&b)));
	}
}

static void
arithmetic(void **state)
{
	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct words a = random_words(), b = random_words();
		struct words both, any, one, sum, swapped;

		for (unsigned i = 0; i < LANES; i++) {
			both.of[i] = a.of[i] & b.of[i];
			any.of[i] = a.of[i] | b.of[i];
			one.of[i] = a.of[i] ^ b.of[i];
			sum.of[i] = a.of[i] + b.of[i];
			swapped.of[i] = a.of[i] << 32 | a.of[i] >> 32;
		}
		assert_words(vec_and(vec_load(&a), vec_load(&b)), &both);
		assert_words(vec_or(vec_load(&a), vec_load(&b)), &any);
		assert_words(vec_xor(vec_load(&a), vec_load(&b)), &one);
		assert_words(vec_add(vec_load(&a), vec_load(&b)), &sum);
		assert_words(vec_swap32(vec_load(&a)), &swapped);
	}
}

static void
made_of_one(void **state)
{
	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t word = random_word();
		struct words all, first = { .of = { word } }, up;

		for (unsigned i = 0; i < LANES; i++) {
			all.of[i] = word;
			up.of[i] = word + i;
		}
		assert_words(vec_set(word), &all);
		assert_words(vec_first(word), &first);
		assert_words(vec_count_up(word), &up);
	}
}

struct object {
	uint16_t before, word;
	uint64_t number;
};

/* From objects anywhere, and from a row of 16 bits each at any place of it. */
static void
gathered(void **state)
{
	struct object objects[LANES];
	void *at[LANES];
	uint16_t row[2 * LANES];

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned from = round % LANES;
		struct words numbers, words, loaded;

		for (unsigned i = 0; i < LANES; i++) {
			struct object *object = &objects[(i * 3 + round) % LANES];

			at[i] = object;
			words.of[i] = object->word = random_word();
			numbers.of[i] = object->number = random_word();
			row[i] = random_word();
			row[i + LANES] = random_word();
		}
		for (unsigned i = 0; i < LANES; i++)
			loaded.of[i] = row[from + i];
		assert_words(vec_gather16(at, offsetof(struct object, word)), &words);
		assert_words(vec_gather64(at, offsetof(struct object, number)), &numbers);
		assert_words(vec_load16(row + from), &loaded);
	}
}

static void
lengths(void **state)
{
	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct words used = random_words();
		uint32_t room[LANES], lens[LANES + 1] = { [LANES] = 7 };

		/* One less, the same, one more, or anything. */
		for (unsigned i = 0; i < LANES; i++)
			room[i] = (random_word() & 1) ? (uint32_t)random_word()
						      : (uint32_t)(used.of[i] + round % 3 - 1);
		vec_store_lens(lens, vec_load(&used), room);
		for (unsigned i = 0; i < LANES; i++) {
			uint32_t len = (uint32_t)used.of[i];

			assert_int_equal(lens[i], len <= room[i] ? len : VQ_LENGTH_LIE);
		}
		assert_int_equal(lens[LANES], 7);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(loads_and_stores), cmocka_unit_test(pairs),
		cmocka_unit_test(all_equal),        cmocka_unit_test(arithmetic),
		cmocka_unit_test(made_of_one),      cmocka_unit_test(gathered),
		cmocka_unit_test(lengths),
	};

	if (!vq_simd_runs(KIND)) {
		fprintf(stderr, "this CPU does not run %s\n", vq_simd_name(KIND));
		return 77; /* meson: skipped */
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
