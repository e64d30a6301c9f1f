/* SPDX-License-Identifier: BSD-3-Clause */
/* What a fuzz target reads its input by, and how it says that something must hold. */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The bytes not yet read. Past the end there are zeros. */
struct input {
	const uint8_t *at;
	size_t left;
};

static inline uint8_t
take8(struct input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->at++;
}

static inline uint16_t
take16(struct input *in)
{
	uint16_t low = take8(in);

	return (uint16_t)(low | take8(in) << 8);
}

static inline uint32_t
take32(struct input *in)
{
	uint32_t low = take16(in);

	return low | (uint32_t)take16(in) << 16;
}

static inline uint64_t
take64(struct input *in)
{
	uint64_t low = take32(in);

	return low | (uint64_t)take32(in) << 32;
}

/* One of 0 .. n - 1. */
static inline uint32_t
take_below(struct input *in, uint32_t n)
{
	return n <= 256 ? take8(in) % n : take16(in) % n;
}

static inline void
take_bytes(struct input *in, void *to, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((uint8_t *)to)[i] = take8(in);
}

/* A finding: the fuzzer keeps the input that led here. */
static inline void
must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "does not hold: %s\n", what);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
