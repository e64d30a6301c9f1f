/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The loops around the lanes, the same for both layouts: LANES buffers at once while they are of
 * the simple kind, plain C for what is not.
 */
#ifndef VQ_SIMD_BATCH_H
#define VQ_SIMD_BATCH_H

#include "simd_lanes.h"

typedef uint16_t (*get_fn)(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n);
typedef bool (*batch_fn)(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n);
typedef uint16_t (*add_fn)(struct vq *vq, void *const *objects, uint16_t n,
			   const struct vq_view *view);

/*
 * by_lanes takes what vectors can, by_batch the next LANES of an in-order batch, and plain the next
 * LANES whatever they are; until that finds nothing.
 */
static inline __attribute__((always_inline)) uint16_t
get_batch(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n, get_fn by_lanes,
	  batch_fn by_batch, get_fn plain)
{
	uint16_t got = 0, some, wanted;

	if (vq->counts.error != VQ_OK)
		return 0;
	do {
		uint32_t *at = lens != NULL ? lens + got : NULL;

		/* What was not published, or waits in a batch already, is no vector's. */
		if (vq->counts.held == 0 && vq->batch_left == 0) {
			some = by_lanes(vq, cookies + got, at, n - got);
			got += some;
			at = lens != NULL ? at + some : NULL;
		}
		while (n - got >= LANES && by_batch(vq, cookies + got, at, n - got)) {
			got += LANES;
			at = lens != NULL ? at + LANES : NULL;
		}
		if (got == n)
			break;
		wanted = n - got < LANES ? n - got : LANES;
		some = plain(vq, cookies + got, at, wanted);
		got += some;
	} while (some == wanted);
	return got;
}

static inline __attribute__((always_inline)) uint16_t
add_batch(struct vq *vq, void *const *objects, uint16_t n, const struct vq_view *view,
	  add_fn by_lanes, add_fn plain)
{
	uint16_t done = 0, some;

	if (vq->counts.error != VQ_OK)
		return 0;
	n = n < vq->counts.free ? n : vq->counts.free;
	while (done < n) {
		done += by_lanes(vq, objects + done, n - done, view);
		if (done == n)
			break;
		some = n - done < LANES ? n - done : LANES;
		done += plain(vq, objects + done, some, view);
	}
	return n;
}

#endif
