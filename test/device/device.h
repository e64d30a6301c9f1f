/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A virtio-net device, written from the specification alone, for tests in one process.
 *
 * The test is its clock: the device does something only inside a call. It reaches the driver's
 * memory only through ranges that the test has registered, and watches the driver's duties: each
 * breach is kept as a fault, with the rule's id of the list of driver duties (or a section of the
 * specification). lie.h makes it misbehave; net.h holds what makes it a network device.
 */
#ifndef DEVICE_DEVICE_H
#define DEVICE_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "features.h"

struct device;
struct vio_transport;

/* What the device offers. */
struct device_options {
	uint64_t features;      /* DEVICE_BIT(...) | ... */
	uint16_t queue_size;    /* descriptors that each queue may have, at most; 0: 256 */
	uint16_t pairs;         /* queue pairs; 0: 1 */
	bool virtual_functions; /* it is a PCI device that has some */
};

/* Returns a device just powered on, or NULL without memory. device_free() takes NULL too. */
struct device *device_new(const struct device_options *options);
void device_free(struct device *dev);

/* The transport by which a driver drives it; lives as long as the device. */
struct vio_transport *device_transport(struct device *dev);

/* --- memory ------------------------------------------------------------------------------------
 */

/* Lets the device reach len bytes at va under the device address iova. */
void device_memory_add(struct device *dev, void *va, uint64_t iova, size_t len);
/* Takes all ranges back, used or not, as when the driver tells a new table of them. */
void device_memory_clear(struct device *dev);
/* Takes the range back. A fault where a live queue lies in it or a buffer in flight uses it. */
void device_memory_remove(struct device *dev, void *va);

/* --- faults ------------------------------------------------------------------------------------
 */

/* How many duties the driver has broken so far. */
unsigned device_faults(const struct device *dev);
/* The rule id of fault i, in order of occurrence. */
const char *device_fault_rule(const struct device *dev, unsigned i);
/* Whether this rule is among them. */
bool device_has_fault(const struct device *dev, const char *rule);
void device_faults_clear(struct device *dev);
void device_faults_print(const struct device *dev, FILE *out);

/* --- life cycle --------------------------------------------------------------------------------
 */

uint8_t device_status(const struct device *dev);
/* The features that the driver has accepted: 0 before it did. */
uint64_t device_driver_features(const struct device *dev);
/* Sets DEVICE_NEEDS_RESET. */
void device_need_reset(struct device *dev);
/* A reset takes effect only at the n-th read of the status from then on; 0: at once. */
void device_reset_takes(struct device *dev, unsigned reads);
/* From now on every operation of the transport fails with -ENODEV. */
void device_unplug(struct device *dev);
/* The status bytes written so far, the first max of them in list; returns how many there were (64
 * are kept). */
unsigned device_status_writes(const struct device *dev, uint8_t *list, unsigned max);
/* How often the driver has begun a reset. */
unsigned device_resets(const struct device *dev);

/* --- configuration space -----------------------------------------------------------------------
 */

/* Changes size bytes (1, 2, 4 or 8; little endian) at offset and the generation with them. */
void device_config_set(struct device *dev, uint32_t offset, uint64_t value, unsigned size);
/* How many bytes of configuration space there are (the whole struct virtio_net_config unless told).
 */
void device_config_size(struct device *dev, uint32_t size);
/* Calls hook (NULL: none) just before each read of configuration space is answered. */
void device_config_hook(struct device *dev, void (*hook)(struct device *dev, void *arg), void *arg);

/* --- queues ------------------------------------------------------------------------------------
 */

/* Whether the queue is live. */
bool device_queue_enabled(struct device *dev, uint16_t queue);
/* Descriptors of a live queue. */
uint16_t device_queue_size(struct device *dev, uint16_t queue);
/* Where it stands: split, the used index; packed, position | wrap counter << 15. */
uint16_t device_queue_base(struct device *dev, uint16_t queue);
/* Ends one queue, as a transport with a message for it does; what it holds is forgotten. */
void device_queue_stop(struct device *dev, uint16_t queue);

/* A buffer that the driver has made available and the device holds. */
struct device_buffer;

/* Takes in all that is newly available on a queue. Returns how many buffers the device holds now.
 */
uint16_t device_fetch(struct device *dev, uint16_t queue);
/* The i-th oldest buffer that the device holds, or NULL. */
const struct device_buffer *device_held(struct device *dev, uint16_t queue, uint16_t i);

uint16_t device_buffer_id(const struct device_buffer *buffer);
/* Elements, and bytes, that the device may read and write. */
uint16_t device_buffer_out(const struct device_buffer *buffer);
uint16_t device_buffer_in(const struct device_buffer *buffer);
uint32_t device_buffer_readable(const struct device_buffer *buffer);
uint32_t device_buffer_writable(const struct device_buffer *buffer);
/* Descriptors of the ring that it takes (1 with an indirect table). */
uint16_t device_buffer_descs(const struct device_buffer *buffer);
/* Copy out of the readable part, or into the writable one; offset counts from its start. Return the
 * bytes copied: fewer than len at the part's end. */
uint32_t device_buffer_read(const struct device_buffer *buffer, uint32_t offset, void *to,
			    uint32_t len);
uint32_t device_buffer_write(const struct device_buffer *buffer, uint32_t offset, const void *from,
			     uint32_t len);

/* Gives back the i-th oldest buffer, with len bytes written. False where there is none, or where
 * VIRTIO_F_IN_ORDER forbids it. */
bool device_use(struct device *dev, uint16_t queue, uint16_t i, uint32_t len);
/* Gives back the n oldest buffers at once, entry by entry, lens[i] bytes written to each. The
 * driver sees all of them or none. */
bool device_use_many(struct device *dev, uint16_t queue, const uint32_t *lens, uint16_t n);
/* In order only: gives back the n oldest by one used entry; len is that of the last one. */
bool device_use_batch(struct device *dev, uint16_t queue, uint16_t n, uint32_t len);

enum device_order { DEVICE_OLDEST_FIRST, DEVICE_NEWEST_FIRST, DEVICE_RANDOM };
/* Gives back up to n of the buffers held, each with its whole writable part reported as written,
 * in this order (always the oldest first where in order was negotiated). Returns how many. */
uint16_t device_complete(struct device *dev, uint16_t queue, uint16_t n, enum device_order order);

/* When the device wants to be notified of available buffers. */
enum device_kicks {
	DEVICE_KICK_ALWAYS, /* whenever there is something new (event index: at the next buffer) */
	DEVICE_KICK_NEVER,
	DEVICE_KICK_AT, /* event index only: split: avail_event; packed: offset | wrap << 15 */
};
void device_want_kicks(struct device *dev, uint16_t queue, enum device_kicks when, uint16_t event);
/* Notifications received, and whether one came since the last device_fetch(). */
uint64_t device_kicks(const struct device *dev, uint16_t queue);
bool device_was_kicked(const struct device *dev, uint16_t queue);
/* Used buffer notifications sent: those that the driver has asked for, as the specification says.
 */
uint64_t device_interrupts(const struct device *dev, uint16_t queue);
/* Compares all that the driver must leave alone while buffers are in flight; breaches are faults.
 */
void device_check(struct device *dev, uint16_t queue);

#endif
