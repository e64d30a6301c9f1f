/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A virtqueue and, at its other end, the device model, both in one thread: what the ring tests
 * stand on. A test is run once for each layout, set of features and size; see rig_main().
 */
#ifndef UNIT_RIG_H
#define UNIT_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "device/device.h"
#include "device/lie.h"
#include "virtio/transport.h"
#include "virtqueue/virtqueue.h"

/* The queue that the rig drives: receive queue 0, though nothing in a ring is about packets. */
#define RIG_QUEUE 0
/* Device addresses differ from pointers by this, so that to mix them up is seen. */
#define RIG_IOVA UINT64_C(0x400000000000)
/* Elements that an indirect table holds. */
#define RIG_INDIRECT_MAX 8
/* Bytes of data memory. */
#define RIG_DATA (1 << 20)

/* Beside enum vq_flag in a test's needs: without VIRTIO_F_NOTIFICATION_DATA, which the device model
 * otherwise checks at each kick. */
#define RIG_NO_DATA (1u << 16)

struct rig_conf {
	unsigned flags; /* enum vq_flag */
	uint16_t size;
};

struct rig {
	struct rig_conf conf;
	struct device *dev;
	struct vq *vq;
	struct vio_notifier bell;
	void *ring, *state, *indirect;
	uint8_t *data;
};

struct rig_test {
	const char *name;
	CMUnitTestFunction run; /* *state is a struct rig */
	unsigned with, without; /* flags that the test needs, or excludes */
	uint16_t min_size;
};

/* Runs each test on every combination of flags with every size that the layout allows. */
int rig_main(const struct rig_test *tests, size_t n, const uint16_t *sizes, size_t size_count);

struct rig *rig_new(const struct rig_conf *conf);
/* Returns the faults that the device has found, printed. */
unsigned rig_free(struct rig *rig);

static inline bool
rig_has(const struct rig *rig, enum vq_flag flag)
{
	return (rig->conf.flags & flag) != 0;
}

/* An element in the data memory. */
struct vq_sg rig_sg(const struct rig *rig, uint32_t offset, uint32_t len);
/* A cookie from a number, and back. */
void *rig_cookie(uint32_t number);
uint32_t rig_number(const void *cookie);

/* An object that stands for a buffer of one element in the data memory, as struct vq_view has them;
 * rig_number() knows it. There are RIG_OBJECTS, by number, which begin again. */
#define RIG_OBJECTS 65536
void *rig_object(const struct rig *rig, uint32_t number, uint32_t offset, uint16_t len);
/* Where rig_object() puts what; buffers to be written are of in_len bytes. */
struct vq_view rig_view(uint32_t in_len);
/* Adds n objects, all written or all read. */
uint16_t rig_add_many(const struct rig *rig, void *const *objects, uint16_t n, bool in,
		      uint32_t in_len);

/* Publishes, and rings the bell if the device wants it. Returns whether it did. */
bool rig_publish(struct rig *rig);
/* Adds one buffer of so many elements of 16 bytes, from the start of the data memory on. */
int rig_add(struct rig *rig, uint16_t out, uint16_t in, uint32_t number);
/* The descriptors that a buffer of so many elements takes in the ring. */
uint16_t rig_cost(const struct rig *rig, unsigned elements);
/* Moves n buffers of one element through the queue: it ends where it is n entries further on. */
void rig_advance(struct rig *rig, uint32_t n);
/* Takes one used buffer, which must be there. */
uint32_t rig_get(struct rig *rig, uint32_t *len);

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
