/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the tests of lies go through again and again: the rings' layouts, and the driver's ways to
 * receive. A test sets `variant` by FOR_EACH_VARIANT, and opens and ends a port with both.
 */
#ifndef PMD_VARIANTS_H
#define PMD_VARIANTS_H

#include "frames.h"

#include "virtio/net.h"

#define BIT(feature) DEVICE_BIT(DEVICE_F_##feature)

/* Descriptors of a queue; frames in bursts in which vectors meet a lie. */
enum { SIZE = 64, AROUND = 8 };

static const uint64_t layouts[] = {
	0,
	BIT(MRG_RXBUF),
	BIT(IN_ORDER),
	BIT(RING_PACKED),
	BIT(RING_PACKED) | BIT(MRG_RXBUF),
	BIT(RING_PACKED) | BIT(IN_ORDER) | BIT(MRG_RXBUF),
};

/* Vectors, the receive functions with and without offloads, and few packets at once. */
static const struct variant {
	const char *devargs;
	bool offloads;
	uint16_t burst;
} variants[] = {
	{ "simd=auto", true, FRAMES_MOST },
	{ "simd=auto", false, FRAMES_MOST },
	{ "simd=words", true, FRAMES_MOST },
	{ "simd=words", false, FRAMES_MOST },
	{ "simd=scalar", true, FRAMES_MOST },
	{ "simd=scalar", false, FRAMES_MOST },
	{ "simd=auto", false, 1 },
	{ "simd=auto", false, 2 },
	{ "simd=auto", false, 3 },
	{ "simd=auto", true, 2 },
	{ "simd=words", false, 1 },
	{ "simd=words", false, 2 },
	{ "simd=words", false, 3 },
	{ "simd=scalar", false, 1 },
	{ "simd=scalar", false, 2 },
	{ "simd=scalar", false, 3 },
};
static const struct variant *variant = &variants[0];

/* In turn; the first again in the end. */
#define FOR_EACH_VARIANT         \
	for (variant = variants; \
	     variant < variants + RTE_DIM(variants) || (variant = variants, 0); variant++)

static inline void
start(struct harness *h, uint64_t features)
{
	struct harness_options options = {
		.features = features | BIT(GUEST_CSUM),
		.devargs = variant->devargs,
	};
	struct rte_eth_conf conf = {
		.rxmode.offloads = variant->offloads ? RTE_ETH_RX_OFFLOAD_TCP_CKSUM : 0,
	};

	frames_burst = variant->burst;
	assert_int_equal(harness_open(h, &options), 0);
	assert_int_equal(harness_setup(h, 1, 1, SIZE, &conf), 0);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
}

/* After a restart frames go both ways. */
static inline void
end(struct harness *h)
{
	device_honest(h->dev);
	assert_int_equal(rte_eth_dev_stop(h->port), 0);
	assert_int_equal(rte_eth_dev_start(h->port), 0);
	assert_int_equal(harness_pass(h, 3 * SIZE, 100), 0);
	assert_int_equal(harness_close(h), 0);
}

#endif
