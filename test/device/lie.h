/* SPDX-License-Identifier: BSD-3-Clause */
/* Every way in which the device model can misbehave. */
#ifndef DEVICE_LIE_H
#define DEVICE_LIE_H

#include <stdint.h>

struct device;

enum device_lie {
	/* In the next used entry of the queue, once. */
	DEVICE_LIE_ID,               /* arg: the id; 32 bits of it in a split ring */
	DEVICE_LIE_ID_NOT_IN_FLIGHT, /* an id below the queue's size that is not in flight */
	DEVICE_LIE_ID_NOT_HEAD,      /* split: the second descriptor of a chain in flight */
	DEVICE_LIE_ID_REPEATED,      /* the id of the entry before; nothing is given back */
	DEVICE_LIE_LENGTH,           /* arg: the used length */
	DEVICE_LIE_LENGTH_UNFLAGGED, /* packed: the same, without the flag that makes it valid */
	DEVICE_LIE_WRONG_WRAP,       /* packed: marked with the opposite of the wrap counter */
	DEVICE_LIE_SKIP,             /* advance by arg entries (packed: descriptors) instead */

	/* At once, in the ring. */
	DEVICE_LIE_INDEX,        /* split: the used index moves by arg (16 bits, may wrap back) */
	DEVICE_LIE_REWRITE,      /* overwrites all descriptors; not packed AVAIL and USED */
	DEVICE_LIE_REWRITE_HELD, /* arg: enum device_field; of descriptors in flight only */
	DEVICE_LIE_REWRITE_USED, /* arg: this id into every used entry, or packed descriptor */
	DEVICE_LIE_REWRITE_INDIRECT, /* overwrites the indirect tables of all buffers in flight */
	DEVICE_LIE_USED_AHEAD,       /* packed: marks arg descriptors after the next one as used */
	DEVICE_LIE_EVENT,       /* arg into off_wrap, or avail_event, behind the model's back */
	DEVICE_LIE_EVENT_FLAGS, /* arg into the flags word that suppresses kicks */

	/* In the header of the next packet received, once. */
	DEVICE_LIE_NUM_BUFFERS, /* arg: num_buffers */
	DEVICE_LIE_CSUM,        /* arg: csum_start << 16 | csum_offset, with NEEDS_CSUM */
	DEVICE_LIE_GSO_TYPE,    /* arg: gso_type */
	DEVICE_LIE_GSO_SIZE,    /* arg: gso_size */
	DEVICE_LIE_HDR_LEN,     /* arg: hdr_len */
	DEVICE_LIE_HASH_TYPE,   /* arg: hash_report */

	/* In the control queue (queue is not looked at), once. */
	DEVICE_LIE_CTRL_SILENT, /* never answers a command */
	DEVICE_LIE_CTRL_TWICE,  /* gives the command back twice */
	DEVICE_LIE_CTRL_ID,     /* arg: answers with this id */
	DEVICE_LIE_CTRL_ACK,    /* arg: the ack byte */

	/* In status, features, config (queue is not looked at), until device_honest(). */
	DEVICE_LIE_FEATURES_OK,     /* FEATURES_OK never stays set */
	DEVICE_LIE_FEATURES_CHANGE, /* arg: bits toggled at every second read of the features */
	DEVICE_LIE_RESET,           /* status never reads 0 after a reset */
	DEVICE_LIE_GENERATION,      /* the generation moves at every read */
	DEVICE_LIE_QUEUE_RESET,     /* the reset of a queue never ends */
	DEVICE_LIE_VECTOR,          /* no vector is ever accepted */

	DEVICE_LIE_COUNT
};

/* What DEVICE_LIE_REWRITE_HELD overwrites. */
enum device_field {
	DEVICE_FIELD_ADDR = 1 << 0,
	DEVICE_FIELD_LEN = 1 << 1,
	DEVICE_FIELD_FLAGS = 1 << 2, /* not packed AVAIL and USED */
	DEVICE_FIELD_NEXT = 1 << 3,  /* split */
	DEVICE_FIELD_ID = 1 << 4,    /* packed */
};

/* Where device_scribble() writes. */
enum device_area {
	DEVICE_AREA_DESCRIPTORS = 1 << 0,
	DEVICE_AREA_USED = 1 << 1,    /* the used ring, or the device's event suppression */
	DEVICE_AREA_AVAIL = 1 << 2,   /* the driver's: nothing but its manners keeps a device out */
	DEVICE_AREA_BUFFERS = 1 << 3, /* what it may write of buffers that it holds */
	DEVICE_AREA_TABLES = 1 << 4,  /* indirect tables of buffers that it holds */
	DEVICE_AREA_ALL = (1 << 5) - 1,
};

/* Arms a lie. Those that act at once have acted when it returns. */
void device_lie(struct device *dev, uint16_t queue, enum device_lie lie, uint64_t arg);
/* Disarms all. What has been written stays. */
void device_honest(struct device *dev);

/*
 * Writes so many numbers of 1 to 8 bytes to random places of these areas (enum device_area) of
 * every live queue. *state is the generator's, not 0: the same one gives the same history. The
 * model goes on, with whatever it then finds; what it reports of the driver means nothing any more.
 */
void device_scribble(struct device *dev, uint32_t *state, unsigned areas, unsigned count);

/*
 * Buffers that are fetched from now on are used, but not touched, until this is called with false.
 * For a model that reaches all memory of the driver's process: behind a scribbled address may be
 * anything, and a device that writes there is one that no driver can bear.
 */
void device_keep_off(struct device *dev, bool on);

#endif
