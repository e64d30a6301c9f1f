/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory that driver and device share, as the specification lays it out. All fields are
 * little-endian. Who writes what:
 *
 *     split    descriptor table and avail: the driver; used: the device
 *     packed   descriptors: both, in turn; driver event: the driver; device event: the device
 *
 * A device that lies can write anywhere in this memory, at any time. Only the fields marked "read"
 * are ever loaded by the driver.
 */
#ifndef VQ_RING_H
#define VQ_RING_H

#include <endian.h>
#include <stdint.h>

/* Descriptor flags, both layouts (spec 2.7.5, 2.8.1). */
#define DESC_NEXT     (1 << 0)
#define DESC_WRITE    (1 << 1)
#define DESC_INDIRECT (1 << 2)
/* Packed only. */
#define DESC_AVAIL (1 << 7)
#define DESC_USED  (1 << 15)

/* Split descriptor table (spec 2.7.5); also an entry of an indirect table there. */
struct split_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

/* Split avail ring (spec 2.7.6): ring[size] is followed by used_event. */
struct split_avail {
	uint16_t flags;
	uint16_t idx;
	uint16_t ring[];
};

#define AVAIL_NO_INTERRUPT 1

/* Split used ring (spec 2.7.8): ring[size] is followed by avail_event. */
struct split_used_elem {
	uint32_t id;
	uint32_t len;
};

struct split_used {
	uint16_t flags; /* read: a hint; any value is harmless, the worst is a kick too many or few
			 */
	uint16_t idx;   /* read: checked against what is in flight */
	struct split_used_elem ring[]; /* read: each entry by one load */
};

#define USED_NO_NOTIFY 1

/* Packed descriptor (spec 2.8.13); also an entry of an indirect table there. */
struct packed_desc {
	uint64_t addr;
	union {
		struct {
			uint32_t len;
			uint16_t id;
			uint16_t flags;
		};
		uint64_t used; /* read: len, id and flags in one aligned load */
	};
};

/* Packed event suppression (spec 2.8.10). The device's: read, any value is harmless. */
struct packed_event {
	union {
		struct {
			uint16_t off_wrap;
			uint16_t flags;
		};
		uint32_t whole;
	};
};

#define EVENT_ENABLE  0
#define EVENT_DISABLE 1
#define EVENT_DESC    2

#endif
