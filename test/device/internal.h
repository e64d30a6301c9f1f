/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parts of the device model share. */
#ifndef DEVICE_INTERNAL_H
#define DEVICE_INTERNAL_H

#include <endian.h>
#include <stdatomic.h>

#include "device.h"
#include "lie.h"
#include "net.h"
#include "virtio/transport.h"

#define MAX_RANGES        64
#define MAX_FAULTS        256
#define MAX_STATUS_WRITES 64
#define CONFIG_BYTES      24

/* --- memory: every access to what the driver owns goes through here
 * --------------------------------- */

/* The n bytes at a device address, or NULL (and a fault) where the driver did not register them. */
void *reach(struct device *dev, int queue, uint64_t iova, uint64_t len, const char *what);

static inline uint16_t
get16(const void *p)
{
	return le16toh(__atomic_load_n((const uint16_t *)p, __ATOMIC_ACQUIRE));
}

static inline void
set16(void *p, uint16_t value)
{
	__atomic_store_n((uint16_t *)p, htole16(value), __ATOMIC_RELEASE);
}

static inline void
set32(void *p, uint32_t value)
{
	__atomic_store_n((uint32_t *)p, htole32(value), __ATOMIC_RELEASE);
}

static inline uint64_t
bit_mask(unsigned bit)
{
	return UINT64_C(1) << bit;
}

/* --- faults
 * ------------------------------------------------------------------------------------------ */

/* queue is -1 where it is about the device. */
void fault(struct device *dev, int queue, const char *rule, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* --- rings
 * ------------------------------------------------------------------------------------------- */

/* A descriptor of either layout (spec 2.7.5, 2.8.13); the last four bytes differ. */
struct desc {
	uint64_t addr;
	uint32_t len;
	union {
		struct {
			uint16_t flags, next;
		} split;
		struct {
			uint16_t id, flags;
		} packed;
	};
};

enum {
	DESC_NEXT = 1,
	DESC_WRITE = 2,
	DESC_INDIRECT = 4,
	DESC_AVAIL = 1 << 7,
	DESC_USED = 1 << 15,
};

struct segment {
	uint8_t *data;
	uint32_t len;
	bool write;
};

struct device_buffer {
	uint16_t id;       /* split: the head's index */
	uint16_t descs;    /* in the ring */
	uint16_t out, in;  /* elements */
	uint64_t readable; /* bytes */
	uint64_t writable;
	uint8_t *indirect;  /* the driver's table, or NULL, */
	uint8_t *was;       /* what stood in it when the buffer was taken in, */
	uint32_t table_len; /* and its bytes */
	bool bad;           /* broke a rule: nothing of it is touched */
	bool collected;     /* transmit: read already, and not given back yet */
	uint32_t room;      /* elements that segs has room for */
	struct segment *segs;
};

/* One used entry on its way to the ring. */
struct used_entry {
	uint32_t id;
	uint32_t len;
	uint16_t buffers; /* buffers that it gives back, */
	uint16_t advance; /* split: how far the used index moves: as many, but for a lie */
	uint16_t descs;   /* and their descriptors in the ring */
	bool writes;      /* the last of them has a writable part */
	bool wrong_wrap;  /* a lie: marked with the wrong wrap counter */
};

struct queue {
	struct device *dev;
	uint16_t index;
	bool enabled;
	const struct ring_ops *ops;

	uint16_t size;
	uint8_t *desc, *driver, *device; /* the areas, checked for their size */
	struct vio_queue_conf conf;

	/* Held buffers, oldest first: a circle of size entries. */
	struct device_buffer **held;
	uint16_t first, count;

	/* Per descriptor: what was read when it was taken in; what must stand there while the
	 * driver has to leave it alone (a lie may have changed it); whether it has to. */
	struct desc *shadow, *expect;
	bool *owned;
	uint8_t ids[65536 / 8]; /* packed: ids in flight */
	uint16_t own_flags;     /* what this side has written into its event suppression: flags, */
	uint16_t own_event;     /* event */

	uint16_t avail;  /* split: next avail index to look at; packed: the same as ring position */
	uint16_t used;   /* split: next used index; packed: ring position */
	bool avail_wrap; /* packed only */
	bool used_wrap;
	uint16_t in_order_next; /* split, in order: the head that must come next */

	enum device_kicks kicks_wanted;
	uint32_t last_id; /* of the last used entry */
	_Atomic bool kicked;
	_Atomic uint64_t kicks;
	_Atomic uint64_t interrupts;
};

struct ring_ops {
	/* Whether alignment, size and zeroing are right; faults otherwise. */
	bool (*check_areas)(struct queue *q);
	/* The next newly available buffer, or NULL. */
	struct device_buffer *(*fetch)(struct queue *q);
	/* Writes n used entries so that the driver sees all or none. */
	void (*put)(struct queue *q, const struct used_entry *entries, uint16_t n);
	/* Whether the driver wants to hear of what was used since this position. */
	bool (*wants_interrupt)(struct queue *q, uint16_t old_used, bool old_wrap, uint32_t moved);
	void (*want_kicks)(struct queue *q, uint16_t event);
	/* The notification data that a driver sends now, had it nothing more to publish. */
	uint16_t (*next_off)(struct queue *q);
	/* Checks whatever the driver must leave alone. */
	void (*check)(struct queue *q);
};

extern const struct ring_ops split_ops, packed_ops;

bool has_feature(const struct device *dev, enum device_feature feature);
struct queue *queue_at(struct device *dev, uint16_t index);

/* A buffer under construction: elements in order, each checked. */
struct device_buffer *buffer_new(uint16_t id);
void buffer_free(struct device_buffer *b);
bool buffer_add(struct queue *q, struct device_buffer *b, uint64_t addr, uint32_t len, bool write,
		const char *rule_order);
bool buffer_table(struct queue *q, struct device_buffer *b, uint64_t addr, uint32_t len,
		  const char *rule);
void buffer_check_table(struct queue *q, const struct device_buffer *b);

/* Gives back n of the oldest buffers, by one entry for all or one for each. */
void queue_put(struct queue *q, struct used_entry *entries, uint16_t n);
int queue_setup(struct device *dev, uint16_t index, const struct vio_queue_conf *conf);
void queue_stop(struct queue *q);
void queue_kick(const struct vio_notifier *notifier, uint16_t next);

/* --- lies
 * -------------------------------------------------------------------------------------------- */

struct lie_state {
	bool armed;
	uint16_t queue;
	uint64_t arg;
};

/* Whether the lie is armed (for this queue, -1: any); gives its argument. take also disarms it. */
bool lie_on(struct device *dev, int queue, enum device_lie lie, uint64_t *arg);
bool lie_take(struct device *dev, int queue, enum device_lie lie, uint64_t *arg);
/* Lets the armed lies change an entry. */
void lie_entry(struct queue *q, struct used_entry *entry);
void lie_header(struct device *dev, uint16_t queue, struct device_net_header *header);

/* --- the device
 * -------------------------------------------------------------------------------------- */

struct range {
	uint8_t *va;
	uint64_t iova;
	size_t len;
};

struct fault_record {
	const char *rule;
	int queue;
	char text[120];
};

struct device {
	struct vio_transport transport;
	struct device_options options;

	struct range ranges[MAX_RANGES];
	unsigned range_count;
	struct fault_record faults[MAX_FAULTS];
	unsigned fault_count;

	uint8_t status;
	uint8_t status_writes[MAX_STATUS_WRITES];
	unsigned status_write_count;
	unsigned resets;
	bool resetting;       /* a reset was begun and status has not read 0 since */
	unsigned reset_reads; /* until then; */
	unsigned reset_takes; /* what it starts from */
	bool features_written;
	bool features_ok_read; /* status was read after FEATURES_OK was written */
	bool unplugged;
	bool keeps_off; /* device_keep_off() */
	uint64_t driver_features;
	unsigned feature_reads;

	uint8_t config[CONFIG_BYTES];
	uint32_t config_size;
	uint32_t generation;
	void (*config_hook)(struct device *dev, void *arg);
	void *config_hook_arg;

	struct queue *queues;
	uint16_t queue_count;
	struct lie_state lies[DEVICE_LIE_COUNT];

	struct device_packet **sent; /* per pair, the list's head */
	bool hold_transmit;
	struct device_net_state net;
	uint64_t stats_types; /* device_set_stats() */
	uint64_t stats_base;
	unsigned stats_more;
	uint32_t (*stats_hook)(uint8_t *result, uint32_t len);
};

void device_do_reset(struct device *dev);
void net_reset(struct device *dev);
void net_transmit_poll(struct device *dev, struct queue *q);
void control_poll(struct device *dev, struct queue *q);
uint16_t control_index(const struct device *dev);
bool config_read_allowed(struct device *dev, uint32_t offset, uint32_t len);
void config_init(struct device *dev);
void features_check(struct device *dev, uint64_t features);
void transport_init(struct device *dev);

#endif
