/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef VIO_PMD_PSEUDO_H
#define VIO_PMD_PSEUDO_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_byteorder.h>
#include <rte_ip.h>

/* The sum of the pseudo header, with the length of all that follows the l3_len bytes of IP headers
 * at l3, which extension headers of IPv6 belong to. A device that makes segments takes that length
 * out again. */
static inline uint16_t
vio_pseudo_sum(const uint8_t *l3, uint16_t l3_len, bool v4, uint8_t protocol)
{
	uint32_t sum;
	uint16_t len;

	if (v4) {
		const struct rte_ipv4_hdr *ip = (const void *)l3;

		sum = __rte_raw_cksum(&ip->src_addr, 2 * sizeof(ip->src_addr), 0);
		len = rte_be_to_cpu_16(ip->total_length) - l3_len;
	} else {
		const struct rte_ipv6_hdr *ip = (const void *)l3;

		sum = __rte_raw_cksum(&ip->src_addr, 2 * sizeof(ip->src_addr), 0);
		len = rte_be_to_cpu_16(ip->payload_len) + sizeof(*ip) - l3_len;
	}
	sum += rte_cpu_to_be_16(len);
	sum += rte_cpu_to_be_16(protocol);
	return __rte_raw_cksum_reduce(sum);
}

#endif
