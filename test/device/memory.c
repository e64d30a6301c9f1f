/* SPDX-License-Identifier: BSD-3-Clause */
/* The memory that the driver shares with the device: nothing outside it is ever touched. */
#include <stdlib.h>

#include "internal.h"

void
device_memory_add(struct device *dev, void *va, uint64_t iova, size_t len)
{
	if (dev->range_count == MAX_RANGES)
		abort(); /* a mistake of the test's */
	dev->ranges[dev->range_count++] = (struct range){ .va = va, .iova = iova, .len = len };
}

static bool
inside(const struct range *r, const uint8_t *p)
{
	return p >= r->va && p < r->va + r->len;
}

/* A device that still holds it would go on writing into it (spec 3.3.1). */
static void
check_not_in_use(struct device *dev, const struct range *r)
{
	for (uint16_t i = 0; i < dev->queue_count; i++) {
		struct queue *q = &dev->queues[i];

		if (!q->enabled)
			continue;
		if (inside(r, q->desc) || inside(r, q->driver) || inside(r, q->device))
			fault(dev, i, "RESET-VQ-03", "memory of a live queue was taken back");
		for (uint16_t k = 0; k < q->count; k++) {
			const struct device_buffer *b = device_held(dev, i, k);

			for (unsigned s = 0; s < (unsigned)b->out + b->in; s++)
				if (inside(r, b->segs[s].data))
					fault(dev, i, "INIT-CLEANUP-02",
					      "memory of a buffer in flight was taken back");
		}
	}
}

void
device_memory_clear(struct device *dev)
{
	dev->range_count = 0;
}

void
device_memory_remove(struct device *dev, void *va)
{
	for (unsigned i = 0; i < dev->range_count; i++) {
		if (dev->ranges[i].va != va)
			continue;
		check_not_in_use(dev, &dev->ranges[i]);
		dev->ranges[i] = dev->ranges[--dev->range_count];
		return;
	}
	abort();
}

void *
reach(struct device *dev, int queue, uint64_t iova, uint64_t len, const char *what)
{
	for (unsigned i = 0; i < dev->range_count; i++) {
		const struct range *r = &dev->ranges[i];

		if (iova >= r->iova && len <= r->len && iova - r->iova <= r->len - len)
			return r->va + (iova - r->iova);
	}
	fault(dev, queue, "RSVD-04", "%s at 0x%jx, %ju bytes: outside the memory shared", what,
	      (uintmax_t)iova, (uintmax_t)len);
	return NULL;
}
