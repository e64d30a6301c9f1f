/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Virtqueues, the driver's side: split (spec 2.7) and packed (spec 2.8) behind one interface.
 *
 * The caller gives all memory: the ring, which the device reads and writes, and the state, which
 * only the driver sees. Everything that must be remembered about a buffer (its id, cookie,
 * descriptors and room) stands in the state. The ring is never read back, but for what the device
 * writes there on purpose; that is loaded once, checked, then used. A device that writes nonsense
 * breaks its queue: vq_error() tells why, and every operation but vq_detach() then does nothing.
 *
 * A queue belongs to one thread at a time. No function blocks, allocates or logs. The thread may be
 * of another process that has the same memory at the same addresses, and runs the same build.
 *
 *     add ... add, publish, kick if asked for      the driver makes buffers available
 *     get                                          and takes back the used ones
 */
#ifndef VQ_VIRTQUEUE_H
#define VQ_VIRTQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Largest queue of either layout (spec 2.7, 2.8). */
#define VQ_SIZE_MAX 32768
/* Alignment that the memory of ring, indirect tables and state needs, in bytes. */
#define VQ_ALIGN 64
/* The same for the ring with VQ_LEGACY: Queue Align of PCI (spec 4.1.5.1.3, legacy interface). */
#define VQ_LEGACY_ALIGN 4096
/* What vq_get() reports for a used length that exceeds the buffer's room. */
#define VQ_LENGTH_LIE UINT32_MAX

/* What was negotiated, as far as rings care. */
enum vq_flag {
	VQ_PACKED = 1 << 0,         /* VIRTIO_F_RING_PACKED */
	VQ_IN_ORDER = 1 << 1,       /* VIRTIO_F_IN_ORDER */
	VQ_EVENT_IDX = 1 << 2,      /* VIRTIO_F_EVENT_IDX */
	VQ_INDIRECT = 1 << 3,       /* VIRTIO_F_INDIRECT_DESC, and tables were given */
	VQ_ORDER_PLATFORM = 1 << 4, /* VIRTIO_F_ORDER_PLATFORM: barriers as for hardware */
	/* Split only: the areas as the legacy interface wants them (spec 2.7.2), one behind the
	 * other, the used ring at the next multiple of VQ_LEGACY_ALIGN. */
	VQ_LEGACY = 1 << 5,
};

/* Vector instructions that a queue may use; the results are the same with each. */
enum vq_simd {
	VQ_SIMD_NONE,  /* plain C */
	VQ_SIMD_WORDS, /* plain C, four buffers at a time */
	VQ_SIMD_AVX2,
	VQ_SIMD_AVX512, /* F, BW, DQ and VL */
	VQ_SIMD_NEON,
	VQ_SIMD_COUNT /* number of the above */
};

/* Why a queue is broken. */
enum vq_error {
	VQ_OK,
	VQ_ERR_ID_RANGE,         /* a used id beyond the queue */
	VQ_ERR_ID_NOT_IN_FLIGHT, /* a used id that names no buffer the device has */
	VQ_ERR_INDEX_JUMP,       /* split: the used index claims more than is in flight */
	VQ_ERR_ORDER,            /* in order: an id that the batch cannot end with */
	VQ_ERR_COUNT             /* number of the above */
};

/* One element of a buffer: a range of memory that the device can reach. */
struct vq_sg {
	uint64_t iova; /* device address */
	uint32_t len;  /* bytes, at least 1 */
};

/*
 * Where objects that stand for buffers (mbufs, say) hold what a descriptor needs: places are in
 * bytes from an object's start. So that descriptors can be made straight from the objects, with
 * nothing copied together on the way.
 */
struct vq_view {
	uint16_t addr_at; /* a uint64_t: the device address of the object's memory */
	/* vq_add_in(): the part of that memory that the device may write. */
	uint16_t in_offset;
	uint32_t in_len;
	/* vq_add_out(): two uint16_t, where the data begins there, and how many bytes it is long;
	 * and bytes before it that go along. */
	uint16_t offset_at, len_at;
	uint16_t before;
};

struct vq_params {
	uint16_t size;  /* descriptors: 1..VQ_SIZE_MAX, for split a power of two */
	unsigned flags; /* enum vq_flag */
	/* vq_ring_bytes() bytes, aligned to VQ_ALIGN (VQ_LEGACY: VQ_LEGACY_ALIGN), and the device
	 * address of its start, aligned alike. */
	void *ring;
	uint64_t ring_iova;
	/* vq_state_bytes() bytes, aligned to VQ_ALIGN, private to the driver. */
	void *state;
	/* With VQ_INDIRECT: size tables of indirect_max elements of 16 bytes each. */
	void *indirect;
	uint64_t indirect_iova;
	uint16_t indirect_max;
	enum vq_simd simd; /* one that runs here */
};

/* Can this CPU run it? */
bool vq_simd_runs(enum vq_simd simd);
/* "scalar", "avx2", ... */
const char *vq_simd_name(enum vq_simd simd);
/* The width of its vectors, in bits; 0 for plain C. */
uint16_t vq_simd_bits(enum vq_simd simd);

/* The three areas that a transport tells the device, inside the ring memory. */
struct vq_areas {
	void *desc, *driver, *device;
	uint64_t desc_iova, driver_iova, device_iova;
};

struct vq;

/* What a queue's owner asks at every turn. Every queue begins with it; written by its functions
 * alone. */
struct vq_counts {
	uint16_t size;      /* descriptors */
	uint16_t free;      /* descriptors */
	uint16_t in_flight; /* buffers that the device has: published, not yet taken back */
	uint16_t held;      /* buffers added since the last publish; not the device's yet */
	uint8_t error;      /* enum vq_error */
};

/* Bytes of ring memory for a queue of this size and flags; 0 for a size that no such queue has. */
size_t vq_ring_bytes(uint16_t size, unsigned flags);
/* Bytes of private state. */
size_t vq_state_bytes(uint16_t size);

/*
 * Makes an empty queue in the memory given, zeroing ring and state. Returns it (it lies in
 * params->state), or NULL where a size, flag or alignment is not as struct vq_params says.
 */
struct vq *vq_init(const struct vq_params *params);

void vq_get_areas(const struct vq *vq, struct vq_areas *areas);

/*
 * Adds one buffer: out elements that the device reads, then in elements that it writes
 * (spec 2.6.4.2). It takes out + in descriptors, or one where an indirect table holds them. The
 * device does not see it before vq_publish(). cookie comes back from vq_get(); it must not be NULL.
 * Returns 0; -ENOSPC: not enough free descriptors now; -EINVAL: no element, or more than the queue
 * could ever hold; -EIO: the queue is broken.
 */
int vq_add(struct vq *vq, const struct vq_sg *sg, uint16_t out, uint16_t in, void *cookie);

/*
 * Adds up to n buffers of one element each, all of them written (vq_add_in) or read (vq_add_out) by
 * the device. An object is its buffer's cookie, and holds what describes it where view says; it is
 * only read. Returns how many found room: the first ones; 0 where the queue is broken.
 */
uint16_t vq_add_in(struct vq *vq, void *const *objects, uint16_t n, const struct vq_view *view);
uint16_t vq_add_out(struct vq *vq, void *const *objects, uint16_t n, const struct vq_view *view);

/* The id, below the queue's size, that the next vq_add() will use: for memory of one's own that
 * goes with a buffer in flight. Meaningless while no descriptor is free. */
uint16_t vq_next_id(const struct vq *vq);

/* Makes everything added so far available to the device. */
void vq_publish(struct vq *vq);

/* Whether the device wants a notification for what was published since the last call (spec 2.7.10,
 * 2.8.14). Contains the full barrier that the question needs. */
bool vq_kick_prepare(struct vq *vq);

/* What a notification carries with VIRTIO_F_NOTIFICATION_DATA (spec 2.9): next_off in bits 0..14,
 * next_wrap in bit 15. */
uint16_t vq_notify_data(const struct vq *vq);

/*
 * Takes back up to n used buffers: their cookies and, unless lens is NULL, the bytes that the
 * device says it has written to each: at most the sum of the buffer's in elements, else
 * VQ_LENGTH_LIE. Returns how many. A device found lying ends the call early; those returned are
 * good.
 */
uint16_t vq_get(struct vq *vq, void **cookies, uint32_t *lens, uint16_t n);

/*
 * Begins to fetch the memory that the next n used buffers will need. For a caller that has just
 * taken all it asked for, and therefore expects more: where nothing is used yet, it costs the
 * device a fetch of its own. in says whether the queue's buffers are the device's to write.
 */
void vq_prefetch(const struct vq *vq, uint16_t n, bool in);

/* How many used buffers wait, counting at most limit. Looks at the ring, takes nothing. */
uint16_t vq_used_count(const struct vq *vq, uint16_t limit);
/* The same for a queue that is to be detached, also a broken one, whose lie counts as well as what
 * stands behind it, as far as can be told: a used index that jumps tells nothing. At most what is
 * in flight. */
uint16_t vq_untaken_count(const struct vq *vq);

/*
 * Where the next used buffer shows first, for a CPU that can sleep on a cache line: it is there
 * when the little-endian word at addr, masked, equals value, or, with unequal, differs from it.
 */
struct vq_monitor {
	const uint16_t *addr;
	uint16_t mask, value; /* as they stand in memory */
	bool unequal;
};
/* Fills in monitor. Returns whether a used buffer waits already: then the place tells nothing. */
bool vq_monitor(const struct vq *vq, struct vq_monitor *monitor);

/* Asks the device not to notify of used buffers. Only advice: it may notify all the same. */
void vq_disable_cb(struct vq *vq);
/* Asks for a notification of the next used buffer. Returns true where one waits already, which may
 * then come without a notification: take it first (spec 2.7.7.1, 2.8.21.1). */
bool vq_enable_cb(struct vq *vq);

/* Free descriptors. */
static inline uint16_t
vq_free_count(const struct vq *vq)
{
	return ((const struct vq_counts *)vq)->free;
}

/* Buffers that were added and not taken back. */
static inline uint16_t
vq_in_flight(const struct vq *vq)
{
	return ((const struct vq_counts *)vq)->in_flight + ((const struct vq_counts *)vq)->held;
}

static inline uint16_t
vq_size(const struct vq *vq)
{
	return ((const struct vq_counts *)vq)->size;
}

/* VQ_OK, or why the queue is broken. */
static inline enum vq_error
vq_error(const struct vq *vq)
{
	return (enum vq_error)((const struct vq_counts *)vq)->error;
}

/* The error in words. */
const char *vq_error_text(enum vq_error error);

/*
 * Takes back a buffer that the device never used; NULL when none is left. Only after the device or
 * the queue was reset (spec 3.3.1): until then the device may still write into it. The queue is of
 * no further use before vq_init().
 */
void *vq_detach(struct vq *vq);

#endif
