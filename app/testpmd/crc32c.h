/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTPMD_CRC32C_H
#define TESTPMD_CRC32C_H

#include <string.h>

#include <rte_hash_crc.h>

/*
 * CRC-32C of bytes on any boundary, after those whose sum is given. rte_hash_crc() reads any type
 * as words, which the compiler may take for other memory.
 */
static inline uint32_t
crc32c(const void *data, uint32_t length, uint32_t sum)
{
	const uint8_t *bytes = data;
	uint64_t word;

	for (; length >= sizeof(word); length -= sizeof(word), bytes += sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		sum = rte_hash_crc_8byte(word, sum);
	}
	for (; length > 0; length--)
		sum = rte_hash_crc_1byte(*bytes++, sum);
	return sum;
}

#endif
