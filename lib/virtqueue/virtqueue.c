/* SPDX-License-Identifier: BSD-3-Clause */
/* What both layouts share: memory, set-up, teardown. */
#include "virtqueue.h"

#include <errno.h>
#include <string.h>

#include "queue.h"

/* Where the three areas lie from the start of the ring memory, and its size. */
struct ring_plan {
	size_t driver, device, bytes;
};

static size_t
align_to(size_t n, size_t align)
{
	return (n + align - 1) & ~(align - 1);
}

static size_t
align_up(size_t n)
{
	return align_to(n, VQ_ALIGN);
}

static bool
size_is_valid(uint16_t size, unsigned flags)
{
	if (size == 0 || size > VQ_SIZE_MAX)
		return false;
	if (flags & VQ_PACKED)
		return !(flags & VQ_LEGACY);
	return (size & (size - 1)) == 0;
}

/* Where they are with a legacy device, which is told of the first alone (SPLIT-LEG-02, -03). */
static void
plan_legacy_ring(size_t n, struct ring_plan *plan)
{
	plan->driver = sizeof(struct split_desc) * n;
	/* used_event and avail_event count, negotiated or not. */
	plan->device = align_to(plan->driver + sizeof(struct split_avail) + 2 * n + 2,
				VQ_LEGACY_ALIGN);
	plan->bytes = align_to(plan->device + sizeof(struct split_used) +
				       sizeof(struct split_used_elem) * n + 2,
			       VQ_LEGACY_ALIGN);
}

/* Each area begins a cache line of its own, so that what driver and device write never share one.
 */
static void
plan_ring(uint16_t size, unsigned flags, struct ring_plan *plan)
{
	size_t n = size;

	if (flags & VQ_LEGACY) {
		plan_legacy_ring(n, plan);
		return;
	}
	plan->driver = align_up(sizeof(struct packed_desc) * n);
	if (flags & VQ_PACKED) {
		plan->device = plan->driver + VQ_ALIGN;
		plan->bytes = plan->device + VQ_ALIGN;
		return;
	}
	/* The used entries, not the index before them, begin a line: whole lines of entries can
	 * then be loaded at once. The specification asks for an alignment of 4 (SPLIT-LAYOUT-03).
	 */
	plan->device = align_up(plan->driver + sizeof(struct split_avail) + 2 * n + 2) + VQ_ALIGN -
		       offsetof(struct split_used, ring);
	plan->bytes = align_up(plan->device + sizeof(struct split_used) +
			       sizeof(struct split_used_elem) * n + 2);
}

size_t
vq_ring_bytes(uint16_t size, unsigned flags)
{
	struct ring_plan plan;

	if (!size_is_valid(size, flags))
		return 0;
	plan_ring(size, flags, &plan);
	return plan.bytes;
}

size_t
vq_state_bytes(uint16_t size)
{
	size_t n = size;

	return align_up(sizeof(struct vq)) + align_up(sizeof(void *) * n) +
	       align_up(sizeof(uint32_t) * n) + 3 * align_up(sizeof(uint16_t) * n);
}

static void *
carve(char **at, size_t bytes)
{
	void *part = *at;

	*at += align_up(bytes);
	return part;
}

static void
carve_state(struct vq *vq, uint16_t size)
{
	char *at = (char *)vq + align_up(sizeof(*vq));
	size_t n = size;

	vq->cookies = carve(&at, sizeof(void *) * n);
	vq->room = carve(&at, sizeof(uint32_t) * n);
	vq->count = carve(&at, sizeof(uint16_t) * n);
	vq->ids = carve(&at, sizeof(uint16_t) * n);
	vq->link = carve(&at, sizeof(uint16_t) * n);
}

static void
init_split(struct vq *vq, char *ring, const struct ring_plan *plan)
{
	vq->split.desc = (struct split_desc *)ring;
	vq->split.avail = (struct split_avail *)(ring + plan->driver);
	vq->split.used = (struct split_used *)(ring + plan->device);
	vq->split.mask = vq->counts.size - 1;
}

/* Both wrap counters start at 1 (spec 2.8.1). */
static void
init_packed(struct vq *vq, char *ring, const struct ring_plan *plan)
{
	vq->packed.desc = (struct packed_desc *)ring;
	vq->packed.driver_event = (struct packed_event *)(ring + plan->driver);
	vq->packed.device_event = (struct packed_event *)(ring + plan->device);
	vq->packed.avail_flags = DESC_AVAIL;
	vq->packed.used_flags = DESC_AVAIL | DESC_USED;
}

static bool
is_aligned(const void *p)
{
	return p != NULL && ((uintptr_t)p & (VQ_ALIGN - 1)) == 0;
}

static bool
ring_is_aligned(const struct vq_params *params)
{
	uint64_t align = params->flags & VQ_LEGACY ? VQ_LEGACY_ALIGN : VQ_ALIGN;

	return params->ring != NULL && (uintptr_t)params->ring % align == 0 &&
	       params->ring_iova % align == 0;
}

struct vq *
vq_init(const struct vq_params *params)
{
	bool packed = params->flags & VQ_PACKED, in_order = params->flags & VQ_IN_ORDER;
	struct vq *vq = params->state;
	struct ring_plan plan;

	if (!size_is_valid(params->size, params->flags) || !ring_is_aligned(params) ||
	    !is_aligned(params->state))
		return NULL;
	if (!vq_simd_runs(params->simd))
		return NULL;
	if ((params->flags & VQ_INDIRECT) &&
	    (!is_aligned(params->indirect) || params->indirect_max == 0))
		return NULL;
	plan_ring(params->size, params->flags, &plan);
	memset(params->ring, 0, plan.bytes);
	memset(vq, 0, vq_state_bytes(params->size));
	carve_state(vq, params->size);
	vq->counts.size = vq->counts.free = params->size;
	vq->ring_iova = params->ring_iova;
	vq->platform = params->flags & VQ_ORDER_PLATFORM;
	vq->event_idx = params->flags & VQ_EVENT_IDX;
	if (params->flags & VQ_INDIRECT) {
		vq->indirect = params->indirect;
		vq->indirect_iova = params->indirect_iova;
		vq->indirect_max = params->indirect_max;
	}
	for (uint16_t i = 0; i < vq->counts.size; i++)
		vq->ids[i] = i;
	vq->layout = table_distance(packed ? &vq_packed_layout[in_order] : &vq_split_layout);
	vq->fast = table_distance(vq_fast_of(params->simd, packed, in_order));
	if (packed)
		init_packed(vq, params->ring, &plan);
	else
		init_split(vq, params->ring, &plan);
	return vq;
}

void
vq_get_areas(const struct vq *vq, struct vq_areas *areas)
{
	bool packed = layout_of(vq)->packed;

	areas->desc = packed ? (void *)vq->packed.desc : (void *)vq->split.desc;
	areas->driver = packed ? (void *)vq->packed.driver_event : (void *)vq->split.avail;
	areas->device = packed ? (void *)vq->packed.device_event : (void *)vq->split.used;
	areas->desc_iova = vq->ring_iova;
	areas->driver_iova = vq->ring_iova + ((char *)areas->driver - (char *)areas->desc);
	areas->device_iova = vq->ring_iova + ((char *)areas->device - (char *)areas->desc);
}

int
vq_buffer_shape(const struct vq *vq, const struct vq_sg *sg, uint16_t out, uint16_t in,
		struct buffer_shape *shape)
{
	uint32_t elements = (uint32_t)out + in;
	uint64_t total = 0, room = 0;

	/* An indirect chain too may not be longer than the queue (SPLIT-IND-03, PACKED-SG-02). */
	if (elements == 0 || elements > vq->counts.size)
		return -EINVAL;
	for (uint32_t i = 0; i < elements; i++) {
		total += sg[i].len;
		room += i < out ? 0 : sg[i].len;
	}
	if (total >= VQ_LENGTH_LIE)
		return -EINVAL;
	shape->elements = elements;
	shape->descriptors = elements > 1 && elements <= vq->indirect_max ? 1 : elements;
	shape->room = room;
	return 0;
}

int
vq_add(struct vq *vq, const struct vq_sg *sg, uint16_t out, uint16_t in, void *cookie)
{
	return layout_of(vq)->add(vq, sg, out, in, cookie);
}

uint16_t
vq_add_in(struct vq *vq, void *const *objects, uint16_t n, const struct vq_view *view)
{
	return fast_of(vq)->add_in(vq, objects, n, view);
}

uint16_t
vq_add_out(struct vq *vq, void *const *objects, uint16_t n, const struct vq_view *view)
{
	return fast_of(vq)->add_out(vq, objects, n, view);
}

uint16_t
vq_next_id(const struct vq *vq)
{
	return vq->ids[vq->id_head];
}

void
vq_publish(struct vq *vq)
{
	if (vq->counts.error == VQ_OK)
		layout_of(vq)->publish(vq);
}

bool
vq_kick_prepare(struct vq *vq)
{
	return vq->counts.error == VQ_OK && layout_of(vq)->kick_prepare(vq);
}

uint16_t
vq_notify_data(const struct vq *vq)
{
	return layout_of(vq)->notify_data(vq);
}

uint16_t
vq_get(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n)
{
	return fast_of(vq)->get(vq, cookies, lens, n);
}

void
vq_prefetch(const struct vq *vq, uint16_t n, bool in)
{
	layout_of(vq)->prefetch(vq, n, in);
}

uint16_t
vq_used_count(const struct vq *vq, uint16_t limit)
{
	return vq->counts.error == VQ_OK ? layout_of(vq)->used_count(vq, limit) : 0;
}

uint16_t
vq_untaken_count(const struct vq *vq)
{
	return layout_of(vq)->used_count(vq, vq->counts.size);
}

void
vq_disable_cb(struct vq *vq)
{
	if (vq->counts.error == VQ_OK)
		layout_of(vq)->disable_cb(vq);
}

bool
vq_enable_cb(struct vq *vq)
{
	return vq->counts.error == VQ_OK && layout_of(vq)->enable_cb(vq);
}

bool
vq_monitor(const struct vq *vq, struct vq_monitor *monitor)
{
	layout_of(vq)->monitor(vq, monitor);
	return vq_used_count(vq, 1) != 0;
}

const char *
vq_error_text(enum vq_error error)
{
	static const char *const texts[VQ_ERR_COUNT] = {
		[VQ_OK] = "no error",
		[VQ_ERR_ID_RANGE] = "the device used an id beyond the queue",
		[VQ_ERR_ID_NOT_IN_FLIGHT] = "the device used an id that it did not have",
		[VQ_ERR_INDEX_JUMP] = "the device's used index claims more than was in flight",
		[VQ_ERR_ORDER] = "the device broke the order that it promised",
	};

	return (unsigned)error < VQ_ERR_COUNT ? texts[error] : "unknown error";
}

void *
vq_detach(struct vq *vq)
{
	/* It does not matter any more what was published and what was not. */
	held_publish(vq);
	while (vq->detached < vq->counts.size) {
		uint16_t id = vq->detached++;

		if (vq->count[id] != 0)
			return slot_clear(vq, id);
	}
	return NULL;
}
