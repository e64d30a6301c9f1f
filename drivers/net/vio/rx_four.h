/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Four received buffers at once, where each is a whole packet that needs nothing done: no branch
 * and few instructions for each. Whatever differs is left to the code for one buffer.
 */
#ifndef VIO_PMD_RX_FOUR_H
#define VIO_PMD_RX_FOUR_H

#include <endian.h>

#include <rte_ether.h>

#include "queue.h"

#define VIO_FOUR 4U

/* Vectors of 16 bytes, which all CPUs of DPDK have; the compiler knows how. */
typedef uint32_t vio_four __attribute__((vector_size(16)));
typedef uint64_t vio_two __attribute__((vector_size(16)));
/* A word of an mbuf, whatever stands there. */
typedef uint64_t __attribute__((may_alias)) vio_word;

/* One load each, as wide as it may have been stored: a wider one would wait until the stores have
 * left for memory, behind all those to the ring. */
static inline vio_four
vio_four_load(const uint32_t *from)
{
	return (vio_four){
		__atomic_load_n(&from[0], __ATOMIC_RELAXED),
		__atomic_load_n(&from[1], __ATOMIC_RELAXED),
		__atomic_load_n(&from[2], __ATOMIC_RELAXED),
		__atomic_load_n(&from[3], __ATOMIC_RELAXED),
	};
}

static inline bool
vio_four_any(vio_four v)
{
	vio_two halves = (vio_two)v;

	return (halves[0] | halves[1]) != 0;
}

/* What mbufs begin with, in a register. */
static inline vio_two
vio_four_begin(const struct vio_rxq *q)
{
	return (vio_two){ q->begin.rearm_data, q->begin.ol_flags };
}

/* Are these used lengths all of header and frame? */
static inline bool
vio_four_lengths_are_good(vio_four lens, uint32_t hdr_len)
{
	const uint32_t least = hdr_len + RTE_ETHER_HDR_LEN;

	/* Too short, or VQ_LENGTH_LIE, the largest number: both in one comparison. */
	return !vio_four_any((vio_four)(lens - least >= VQ_LENGTH_LIE - least));
}

/* vio_rx_begin_segment() of an mbuf that holds the whole of frame number i. A buffer of one mbuf is
 * below 64 KiB, so that its length leaves vlan_tci at 0. */
static inline void
vio_four_segment(struct rte_mbuf *mbuf, vio_two begin, vio_four lens, const unsigned i)
{
	const int shift = RTE_BYTE_ORDER == RTE_LITTLE_ENDIAN ? 0 : 16;
	const vio_four fields = { 0, lens[i], lens[i] << shift, 0 };

	memcpy(&mbuf->rearm_data, &begin, sizeof(begin));
	memcpy(&mbuf->rx_descriptor_fields1, &fields, sizeof(fields));
}

/* Both again in general registers, for where vectors are slow: nothing is stored or loaded wider
 * than a word, and the compiler is kept from doing that by itself. */
static inline bool
vio_four_lengths_are_good_words(const uint32_t *lens, uint32_t hdr_len)
{
	const uint32_t least = hdr_len + RTE_ETHER_HDR_LEN;
	bool good = true;

#pragma GCC unroll 4
	for (unsigned i = 0; i < VIO_FOUR; i++)
		good &= lens[i] - least < VQ_LENGTH_LIE - least;
	return good;
}

static inline void
vio_four_segment_words(struct rte_mbuf *mbuf, struct vio_mbuf_begin begin, uint32_t len)
{
	vio_word *fields = RTE_PTR_ADD(mbuf, offsetof(struct rte_mbuf, rx_descriptor_fields1));
	const int shift = RTE_BYTE_ORDER == RTE_LITTLE_ENDIAN ? 0 : 48;

	RTE_BUILD_BUG_ON(offsetof(struct rte_mbuf, rx_descriptor_fields1) % sizeof(*fields) != 0);
	__atomic_store_n((vio_word *)&mbuf->rearm_data, begin.rearm_data, __ATOMIC_RELAXED);
	__atomic_store_n(&mbuf->ol_flags, begin.ol_flags, __ATOMIC_RELAXED);
	__atomic_store_n(&fields[0],
			 RTE_BYTE_ORDER == RTE_LITTLE_ENDIAN ? (uint64_t)len << 32 : len,
			 __ATOMIC_RELAXED);
	__atomic_store_n(&fields[1], (uint64_t)len << shift, __ATOMIC_RELAXED);
}

/* What the driver asks of headers and frames. Loaded once a batch, as control may change it. */
struct vio_four_wants {
	bool possible; /* nothing but what is below */
	uint16_t header;
	bool vlan;
};

static inline struct vio_four_wants
vio_four_wants(const struct vio_rxq *q, uint32_t hdr_len)
{
	return (struct vio_four_wants){
		.possible = hdr_len == VIO_NET_HDR_LEN && !q->wants.ip_cksum &&
			    q->wants.ptypes == 0,
		.header = q->wants.header ? htole16(VIO_RX_FLAGS | 0xff00) : 0,
		.vlan = q->wants.vlan_strip,
	};
}

/* Does a header say something, or its frame have a tag? 0 or not. */
static inline uint32_t
vio_four_asks(const struct vio_net_hdr *hdr, struct vio_four_wants wants)
{
	const struct rte_ether_hdr *frame = RTE_PTR_ADD(hdr, VIO_NET_HDR_LEN);
	uint32_t asks = 0;

	RTE_BUILD_BUG_ON(offsetof(struct vio_net_hdr, gso_type) !=
			 offsetof(struct vio_net_hdr, flags) + 1);
	if (wants.header != 0)
		asks = *(const volatile uint16_t *)&hdr->flags & wants.header;
	if (wants.vlan)
		asks |= frame->ether_type == RTE_BE16(RTE_ETHER_TYPE_VLAN);
	return asks;
}

#endif
